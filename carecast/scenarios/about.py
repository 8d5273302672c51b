"""Everything a person asks of a scenario file, as one plain document: for the command line and for screens."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from carecast.model.parameters import ParameterSet
from carecast.model.plan import Plan, Window
from carecast.scenarios.apply import HOW, apply, meeting
from carecast.scenarios.describe import describe
from carecast.scenarios.library import inherited, limits_of, lineage, targets_of
from carecast.scenarios.scenario import Lever, Scenario
from carecast.scenarios.sites import window

NOTHING = "changes nothing"
PRIMITIVES = {kind.__name__: how for kind, how in HOW.items()}


def about(scenario: Scenario, parameters: ParameterSet | None = None, until: date | None = None) -> dict[str, Any]:
    """A scenario in words: its head, where it comes from, each lever and assumption, and what it cannot hold.

    With a parameter set it says for that council which levers change nothing and which act on one number; without one,
    which levers are of one kind and meet in place, age and time.

    Raises:
        BadFile: the scenario does not fit the council or the run.
    """
    nation = parameters.nation if parameters is not None else "scotland"
    plan = apply(parameters, scenario, until) if parameters is not None else None
    items = dict(inherited(scenario))
    told = [_item(asdict(words), items[words.identity]) for words in describe(scenario, nation)]
    return {
        **head(scenario),
        "lineage": [{"name": a.name, "version": a.version, "status": a.status} for a in lineage(scenario)[:-1]],
        "upgraded": [f"{a.name}: {line}" for a in lineage(scenario) for line in a.upgraded],
        "council": parameters.council if parameters is not None else "",
        "levers": [item for item in told if not item["is_assumption"]],
        "assumptions": [item for item in told if item["is_assumption"]],
        "together": list(_together(plan) if plan is not None else same_kind(scenario)),
        "changes_nothing": [note for note in plan.notes if NOTHING in note] if plan is not None else [],
        "notes": [note for note in plan.notes if ": changed by " not in note and NOTHING not in note] if plan else [],
        "aims": [aim.model_dump() for aim in scenario.aims],
        "not_modelled": [line for lines in limits_of(scenario).values() for line in lines],
        "targets": [t.model_dump(mode="json", by_alias=True, exclude_none=True) for t in targets_of(scenario)],
        "doubts": list(doubts(scenario)),
    }


def head(scenario: Scenario) -> dict[str, Any]:
    """Who, when, what for."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "version": scenario.version,
        "status": scenario.status,
        "author": scenario.author,
        "date": scenario.date.isoformat() if scenario.date else None,
        "built_on": scenario.built_on,
        "copied_from": scenario.copied_from,
        "rationale": " ".join(scenario.rationale.split()),
    }


def _item(words: dict[str, Any], lever: Lever) -> dict[str, Any]:
    written = lever.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    return {**words, "does": lever.row.what, "acts_at": lever.row.stage.replace("_", " "), "written": written}


def _together(plan: Plan) -> Iterable[str]:
    return (note for note in plan.notes if ": changed by " in note)


# --- without a council ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Reach:
    """Where, for whom and when a lever acts, as ``apply.meeting`` compares changes."""

    lever: str
    localities: tuple[str, ...]
    age_bands: tuple[str, ...]
    placement_types: tuple[str, ...]
    window: Window


def same_kind(scenario: Scenario) -> Iterable[str]:
    """A line for each kind with several levers that meet in place, age and time, and how they combine."""
    groups: dict[tuple[str, ...], list[_Reach]] = {}
    for identity, lever in inherited(scenario):
        what = (lever.kind, lever.instead, lever.at, lever.provider, *lever.lines)
        reach = _Reach(identity, lever.localities, lever.age_bands, lever.placement_types, window(lever))
        groups.setdefault(what, []).append(reach)
    for (kind, *_), members in groups.items():
        names = meeting(members)
        how = PRIMITIVES.get(members_primitive(scenario, members), "")
        if len(names) > 1 and how:
            yield f"{kind}: {' and '.join(names)}; {how}"


def members_primitive(scenario: Scenario, members: Sequence[_Reach]) -> str:
    """The first word of what a kind becomes: the primitive that says how sizes combine."""
    return dict(inherited(scenario))[members[0].lever].row.becomes.split(maxsplit=1)[0].rstrip(",")


# --- what a careful reader would ask --------------------------------------------------------------
def doubts(scenario: Scenario) -> Iterable[str]:
    """What is allowed but weak: no reason, no owner, no cost, no range, nobody who wrote it."""
    if not scenario.author or scenario.date is None:
        yield "no author or date: nobody will know whose plan this was"
    for identity, lever in scenario.identified():
        if found := list(_doubts(lever)):
            yield f"{identity}: {'; '.join(found)}"


def _doubts(lever: Lever) -> Iterable[str]:
    if not lever.because and not lever.source and not lever.evidence:
        yield "no source and no reason (because)"
    if lever.row.is_assumption:
        return
    if not lever.owner:
        yield "no owner"
    if not _is_costed(lever):
        yield "no cost: a saving that costs nothing is seldom true"
    if _is_exact(lever):
        yield "an exact size; give interval_80 unless it is certain"


COSTS = (
    "one_off_gbp", "recurring_gbp_per_year", "gbp_per_place_per_year", "gbp_per_child", "gbp_per_family", "capital_gbp",
    "double_running_gbp", "gbp_per_resident_child_per_year", "redeployed_fte", "fixed_weekly_cost_gbp",
)  # fmt: skip


def _is_costed(lever: Lever) -> bool:
    return any(getattr(lever, name) is not None for name in COSTS)


DECIDED = ("add", "miles", "places")  # sizes that a council decides, rather than hopes for


def _is_exact(lever: Lever) -> bool:
    return bool(lever.size_field) and lever.size_field not in DECIDED and lever.interval_80 is None and (
        not lever.evidence or getattr(lever, lever.size_field) is not None
    )  # fmt: skip
