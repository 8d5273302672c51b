"""What differs between two scenarios, lever by lever and field by field."""

from collections.abc import Iterable
from typing import Any

from carecast.scenarios.about import head
from carecast.scenarios.library import inherited, limits_of, targets_of
from carecast.scenarios.scenario import Lever, Scenario

HEAD = ("title", "version", "status", "author", "date", "built_on", "copied_from", "rationale")
Items = dict[str, Lever]


def changed(first: Scenario, second: Scenario) -> dict[str, Any]:
    """Differences of two scenarios with everything they inherit.

    A lever of one is matched with the lever of the other of the same kind and name, then with one of the same kind in
    the order they stand.
    """
    one, other = dict(inherited(first)), dict(inherited(second))
    pairs = dict(_pairs(one, other))
    return {
        "first": first.name,
        "second": second.name,
        "head": list(_fields(head(first), head(second), HEAD)),
        "only_in_first": [_named(identity, one) for identity in one if identity not in pairs],
        "only_in_second": [_named(identity, other) for identity in other if identity not in pairs.values()],
        "changed": [
            {**_named(mine, one), "fields": found}
            for mine, theirs in pairs.items()
            if (found := list(_fields(_written(one[mine]), _written(other[theirs]))))
        ],
        "same": sum(_written(one[mine]) == _written(other[theirs]) for mine, theirs in pairs.items()),
        "not_modelled_only_in_first": _beyond(first, second),
        "not_modelled_only_in_second": _beyond(second, first),
        "targets": list(_fields(_targets(first), _targets(second))),
    }


def is_same(difference: dict[str, Any]) -> bool:
    """Whether two scenarios would give the same run: nothing but their heads and limits differs."""
    return not any(difference[name] for name in ("only_in_first", "only_in_second", "changed", "targets"))


def _pairs(one: Items, other: Items) -> Iterable[tuple[str, str]]:
    left = dict(other)
    waiting = []
    for mine, lever in one.items():
        theirs = _first(left, lambda found, lever=lever: (found.kind, found.name) == (lever.kind, lever.name))
        if theirs:
            del left[theirs]
            yield mine, theirs
        else:
            waiting.append(mine)
    for mine in waiting:
        theirs = _first(left, lambda found, kind=one[mine].kind: found.kind == kind)
        if theirs:
            del left[theirs]
            yield mine, theirs


def _first(items: Items, wanted: Any) -> str:  # noqa: ANN401
    return next((identity for identity, lever in items.items() if wanted(lever)), "")


def _named(identity: str, items: Items) -> dict[str, Any]:
    lever = items[identity]
    return {"identity": identity, "kind": lever.kind, "name": lever.name or lever.row.label}


def _written(lever: Lever) -> dict[str, Any]:
    return lever.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)


def _beyond(one: Scenario, other: Scenario) -> list[str]:
    """What only the first of two scenarios says that it cannot hold."""
    said = {line for lines in limits_of(other).values() for line in lines}
    return [line for lines in limits_of(one).values() for line in lines if line not in said]


def _targets(scenario: Scenario) -> dict[str, Any]:
    return {
        target.name: target.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
        for target in targets_of(scenario)
    }


def _fields(one: dict[str, Any], other: dict[str, Any], names: Iterable[str] = ()) -> Iterable[dict[str, Any]]:
    """Fields that differ, with both values; None where one has none."""
    for name in names or dict.fromkeys((*one, *other)):
        if one.get(name) != other.get(name):
            yield {"field": name, "first": one.get(name), "second": other.get(name)}
