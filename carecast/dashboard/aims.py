"""Targets and target files as a person works on them: drafts of targets, files with free levers. No Streamlit."""

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from carecast.dashboard.keeping import rewritten
from carecast.dashboard.studio import Draft, _write, name_of
from carecast.model.parameters import BadFile
from carecast.scenarios.library import mistakes
from carecast.scenarios.scenario import SCENARIO_FORMAT, Scenario
from carecast.scenarios.target_file import TARGETS, load_target_file, target_files
from carecast.scenarios.targets import Target

SUFFIX = ".target.toml"
MEASURES = ("saving_gbp", "looked_after_away_from_home", "looked_after", "looked_after_in_residential",
            "within_radius_percent", "out_of_area_percent", "balance_of_care_percent", "gross_cost_gbp", "net_cost_gbp",
            "early_help_waiting")  # fmt: skip
OF_SAVINGS = ("basis", "recurring", "against")
OF_MONEY = ("price_basis", "already_delivered_gbp")
DATES = {"annual": ("financial_year",), "cumulative": ("from", "to"), "level": ("to",)}


def draft_of(target: Target) -> Draft:
    """A target as a document that can be edited."""
    return target.model_dump(mode="python", by_alias=True, exclude_none=True)


def blank(years: Sequence[str], until: dt.date) -> Draft:
    """A target to begin with: a saving in the last whole year."""
    return {"name": "A new target", "measure": "saving_gbp", "basis": "net", "kind": "annual", "financial_year": years[-1],
            "at_least": 1_000_000.0, "to": until, "from": dt.date(until.year - 3, 4, 1)}  # fmt: skip


def fitting(draft: Mapping[str, Any], years: Sequence[str], until: dt.date) -> Draft:
    """A draft with just the fields that go with its measure and its kind."""
    is_money = str(draft["measure"]).endswith("_gbp")
    is_saving = draft["measure"] == "saving_gbp"
    kind = draft.get("kind", "annual") if is_money else "level"
    kept: Draft = {key: draft[key] for key in ("name", "measure", "breakdown", "required_probability", "source", "because")
                   if draft.get(key) not in (None, "")}  # fmt: skip
    kept["kind"] = kind
    defaults = {"financial_year": years[-1], "to": until, "from": dt.date(until.year - 3, 4, 1)}
    kept |= {name: draft.get(name) or defaults[name] for name in DATES[kind]}
    side = "at_most" if draft.get("at_most") is not None else "at_least"
    kept[side] = float(draft.get(side) or 0.0)
    if is_saving:
        kept |= {name: draft[name] for name in OF_SAVINGS if draft.get(name) not in (None, False)}
    if is_money:
        kept |= {name: draft[name] for name in (*OF_MONEY, "price_year") if draft.get(name)}
    return kept


def check(drafts: Sequence[Draft]) -> tuple[tuple[Target, ...], dict[int, tuple[str, ...]]]:
    """The targets that are valid, and the mistakes of each of the others by its place, counted from 0."""
    found, wrong = [], {}
    for at, draft in enumerate(drafts):
        try:
            found.append(Target.model_validate(draft))
        except ValidationError as error:
            lines = mistakes(error, "", tuple(Target.model_fields))
            wrong[at] = tuple(line.removeprefix(": ") for line in lines)
    names = [draft.get("name") for draft in drafts]
    for at, name in enumerate(names):
        if names.index(name) != at and at not in wrong:
            wrong[at] = ("name: another target has this name already",)
            found = [target for target in found if target.name != name or target is not found[-1]]
    return tuple(found), wrong


# --- files ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class AimFile:
    """A target file as a picker shows it."""

    name: str
    file: Path
    is_shipped: bool

    @property
    def label(self) -> str:
        """What a picker calls it."""
        words = self.name.replace("_", " ")
        words = (
            words.title() if self.is_shipped else words[:1].upper() + words[1:]
        )  # those that come are named by council
        return f"{words} ({'comes with carecast' if self.is_shipped else 'yours'})"


def files(own: Path) -> tuple[AimFile, ...]:
    """The user's own target files, then those that come with carecast."""
    mine = [AimFile(f.name.removesuffix(SUFFIX), f, is_shipped=False) for f in sorted(own.glob(f"*{SUFFIX}"))]
    return (*mine, *(AimFile(name, TARGETS / f"{name}{SUFFIX}", is_shipped=True) for name in target_files()))


def document_of(aim: AimFile) -> Draft:
    """A target file as a document.

    Raises:
        BadFile: it has mistakes, one line each.
    """
    load_target_file(str(aim.file))
    return tomllib.loads(aim.file.read_text(encoding="utf-8"))


def text_of(document: Mapping[str, Any], drafts: Sequence[Draft]) -> str:
    """A target file with other targets, as text."""
    head = {key: value for key, value in document.items() if not isinstance(value, list | dict)}
    rest = {key: value for key, value in document.items() if key in ("free_lever", "limits", "safety") and value}
    return tomli_w.dumps({"format": 1, "name": "targets", **head, **rest, "target": [dict(draft) for draft in drafts]})


def save(own: Path, title: str, text: str) -> Path:
    """A target file of the user's own; comments in one that is there are kept.

    Raises:
        BadFile: the title gives no name, or one that comes with carecast; or the file cannot be written.
    """
    name = name_of(title)
    if not name or name in target_files():
        raise BadFile(f"name: found {title!r}; give a name of your own, with letters or digits")
    file = own / f"{name}{SUFFIX}"
    document = {**tomllib.loads(text), "name": name}
    plain = tomli_w.dumps(document)
    if file.is_file():
        before = file.read_text(encoding="utf-8")
        plain = rewritten(before, tomllib.loads(before), document, plain)
    return _write(file, plain)


def free_rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Levers left free, one a row, with the ends of their sizes."""
    rows = []
    for item in document.get("free_lever", []):
        name = item.get("name") or str(item["kind"]).replace("_", " ")
        rows.append({"Lever": name, "Least": float(item["min"]), "Most": float(item["max"]), "Step": item.get("step"),
                     "Why": item.get("because", "")})  # fmt: skip
    return rows


def take_free(document: Draft, edits: Mapping[int, Mapping[str, Any]]) -> None:
    """Put edits of the ends of free levers into the document."""
    fields = {"Least": "min", "Most": "max", "Step": "step"}
    for number, cells in edits.items():
        for column, value in cells.items():
            if column in fields and value is not None:
                document["free_lever"][int(number)][fields[column]] = value


def package_text(text: str, name: str, author: str, today: dt.date) -> str:
    """A package that the solver found as a scenario file of another name."""
    document = tomllib.loads(text)
    Scenario.model_validate({**document, "name": name})
    return tomli_w.dumps(
        {
            **document,
            "format": SCENARIO_FORMAT,
            "name": name,
            "author": author or document.get("author", ""),
            "date": today,
        }
    )
