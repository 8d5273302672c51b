"""Scenario files as a person works on them: the list, new, copied, archived, saved, uploaded; and drafts. No Streamlit.

Files live in a folder of the user's own, beside the runs unless the environment says otherwise. Scenarios that come with
carecast are never changed: copies of them are.
"""

import datetime as dt
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from carecast.dashboard import door
from carecast.dashboard.keeping import on_top, rewritten
from carecast.model.parameters import BadFile, ParameterSet
from carecast.scenarios.apply import apply
from carecast.scenarios.library import LIBRARY, library, lineage, load_scenario, read_text
from carecast.scenarios.scenario import SCENARIO_FORMAT, Scenario
from carecast.scenarios.starter import check_name, copied

SCENARIOS_VARIABLE = "CARECAST_SCENARIOS"  # the folder of the user's own scenario files
SECTIONS = ("lever", "assumption")
SIZES = ("add", "multiply_by", "share", "per_year", "miles", "places")
Draft = dict[str, Any]  # a scenario file as a document; keys of a lever that begin with "_" are the editor's own


@dataclass(frozen=True)
class Entry:
    """A scenario as the list shows it."""

    name: str
    file: Path
    is_shipped: bool
    title: str = ""
    status: str = ""
    version: int = 1
    author: str = ""
    date: str = ""
    rationale: str = ""
    lineage: tuple[str, ...] = ()  # what it is built on, the oldest first
    copied_from: str = ""
    problem: str = ""  # why it cannot be read

    @property
    def label(self) -> str:
        """What a picker calls it."""
        words = self.title or self.name.replace("_", " ").capitalize()
        if self.problem:
            return f"{words} (has mistakes)"
        return f"{words} ({'comes with carecast' if self.is_shipped else self.status})"


def folder() -> Path:
    """Where the user's own scenario files live."""
    given = os.environ.get(SCENARIOS_VARIABLE)
    return Path(given) if given else door.places()[1].resolve().parent / "scenarios"


# --- the list ---------------------------------------------------------------------------------------------------------
def entries(own: Path) -> tuple[Entry, ...]:
    """The user's own scenarios, archived ones last; then those that come with carecast, the baseline left out."""
    files = [file for file in sorted(own.glob("*.toml")) if not file.name.endswith(".target.toml")]
    mine = sorted((_entry(file, is_shipped=False) for file in files), key=lambda e: (e.status == "archived", e.name))
    shipped = (_entry(LIBRARY / f"{name}.toml", is_shipped=True) for name in library() if name != "baseline")
    return (*mine, *shipped)


def _entry(file: Path, *, is_shipped: bool) -> Entry:
    try:
        found = load_scenario(str(file))
    except BadFile as error:
        return Entry(file.stem, file, is_shipped, problem="; ".join(error.lines))
    return Entry(
        found.name, file, is_shipped, found.title, found.status, found.version, found.author,
        found.date.isoformat() if found.date else "", " ".join(found.rationale.split()),
        tuple(ancestor.name for ancestor in lineage(found)[:-1]), found.copied_from,
    )  # fmt: skip


def name_of(title: str) -> str:
    """A name for a file out of what people call a scenario: small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:60]


# --- files ------------------------------------------------------------------------------------------------------------
def _new_file(own: Path, name: str) -> Path:
    check_name(name)
    if name in library():
        raise BadFile(f"name: {name!r} is a scenario that comes with carecast; give another name")
    file = own / f"{name}.toml"
    if file.exists():
        raise BadFile(f"name: a scenario {name!r} is there already; give another name")
    return file


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{file}: cannot be read ({error.strerror or type(error).__name__})") from None


def _write(file: Path, text: str) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise BadFile(f"{file}: cannot be written ({error.strerror or type(error).__name__})") from None
    return file


def new(own: Path, title: str, built_on: str, author: str, today: dt.date) -> Path:
    """A new scenario file without levers.

    Raises:
        BadFile: the title gives no name, or one that is taken; or the file cannot be written.
    """
    name = name_of(title)
    file = _new_file(own, name)
    draft: Draft = {"name": name, "title": title.strip(), "built_on": built_on, "author": author, "date": today}
    return _write(file, text_of(draft))


def copy(own: Path, entry: Entry, title: str, author: str, today: dt.date) -> Path:
    """A draft of one's own from a scenario that is there, its comments kept and its lineage written down.

    Raises:
        BadFile: as for ``new``.
    """
    name = name_of(title)
    file = _new_file(own, name)
    text, _ = copied(str(entry.file), name, author, entry.file.parent, today)
    if not entry.is_shipped and entry.lineage and not (own / f"{entry.lineage[-1]}.toml").is_file():
        load_scenario(entry.lineage[-1])
    before = draft_of(read_text(text, file.name))
    return _write(file, changed_text(text, before, {**before, "title": title.strip()}))


def upload(own: Path, text: str, file_name: str) -> Path:
    """A scenario file that somebody brings.

    Raises:
        BadFile: it has mistakes, one line each, or its name is taken.
    """
    scenario = read_text(text, file_name)
    file = _new_file(own, scenario.name)
    scenario._folder = str(own)
    lineage(scenario)
    return _write(file, text)


def set_status(entry: Entry, status: str) -> None:
    """Archive a scenario of the user's own, or take it up again; the file stays.

    Raises:
        BadFile: it has mistakes, or comes with carecast.
    """
    if entry.is_shipped:
        raise BadFile(f"{entry.name}: comes with carecast and is not changed; copy it first")
    before = draft_of(load_scenario(str(entry.file)))
    _write(entry.file, changed_text(_text(entry.file), before, {**before, "status": status}))


def save(own: Path, draft: Draft, today: dt.date) -> Path:
    """A draft into its file, one version on when what it says has changed; comments in the file are kept.

    Raises:
        BadFile: it has mistakes, or the file cannot be written.
    """
    file = own / f"{draft['name']}.toml"
    text = text_of(draft)
    if file.is_file():
        before = draft_of(load_scenario(str(file)))
        if content(before) == content(draft):
            return file
        kept = {**draft, "version": int(before.get("version", 1)) + 1, "date": today}
        text = changed_text(_text(file), before, kept)
    scenario = read_text(text, draft["name"])
    scenario._folder = str(own)
    lineage(scenario)
    return _write(file, text)


# --- drafts -----------------------------------------------------------------------------------------------------------
def draft_of(scenario: Scenario) -> Draft:
    """A scenario as a document that can be edited."""
    found: Draft = scenario.model_dump(mode="python", by_alias=True, exclude_defaults=True, exclude_none=True)
    return {"name": scenario.name, **_simple(found)}


def _simple(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        if set(value) == {"value"}:
            return value["value"]
        return {str(key): _simple(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_simple(item) for item in value]
    return value


def document(draft: Draft) -> Draft:
    """A draft as its file says it: nothing of the editor's own, nothing empty."""
    kept: Draft = {"format": SCENARIO_FORMAT}
    kept |= {key: value for key, value in draft.items() if not isinstance(value, list) and value is not None}
    kept |= {key: value for key, value in draft.items() if key == "not_modelled" and value}
    for section in ("aim", *SECTIONS, "target"):
        if draft.get(section):
            kept[section] = [
                {key: value for key, value in item.items() if not key.startswith("_") and value not in (None, [], "")}
                for item in draft[section]
            ]
    return kept


def text_of(draft: Draft) -> str:
    """A draft as the text of a file."""
    return tomli_w.dumps(document(draft))


def changed_text(text: str, before: Draft, after: Draft) -> str:
    """The text of a file that said one draft and is to say another: comments, order and layout stay."""
    plain = text_of(after)
    if tomllib.loads(text).get("format") != SCENARIO_FORMAT:
        return on_top(text, plain)  # an older form is written anew
    made = rewritten(text, document(before), document(after), plain)
    try:
        same = content(draft_of(read_text(made, "made"))) == content(draft_of(read_text(plain, "plain")))
    except BadFile:
        return plain  # the draft has mistakes, and whoever saves it says so
    return made if same else on_top(text, plain)


def content(draft: Draft) -> Draft:
    """What of a draft makes it another version when it changes."""
    return {key: value for key, value in document(draft).items() if key not in ("version", "date", "format")}


@dataclass(frozen=True)
class Mistake:
    """One line of what is wrong, and where it belongs."""

    text: str
    section: str = ""  # lever or assumption; empty for the file as a whole
    number: int = 0  # counted from 1
    field: str = ""


@dataclass(frozen=True)
class Checked:
    """A draft that was checked: the scenario if it is valid, and every mistake."""

    scenario: Scenario | None
    mistakes: tuple[Mistake, ...]

    def at(self, section: str, number: int) -> tuple[Mistake, ...]:
        """Mistakes of one lever or assumption."""
        return tuple(m for m in self.mistakes if (m.section, m.number) == (section, number))

    @property
    def elsewhere(self) -> tuple[Mistake, ...]:
        """Mistakes that belong to no lever."""
        return tuple(m for m in self.mistakes if not m.section)


def check(draft: Draft, own: Path, parameters: ParameterSet | None, until: dt.date | None) -> Checked:
    """A draft as a scenario, or every mistake in it; for a council also what does not fit there."""
    name = str(draft["name"])
    try:
        scenario = read_text(text_of(draft), name)
        scenario._folder = str(own)
        lineage(scenario)
    except (BadFile, TypeError) as error:
        lines = error.lines if isinstance(error, BadFile) else (str(error),)
        return Checked(None, tuple(_placed(lines, name)))
    if parameters is not None:
        try:
            apply(parameters, scenario, until)
        except BadFile as error:
            return Checked(None, tuple(_placed(error.lines, name)))
    return Checked(scenario, ())


def _placed(lines: Sequence[str], name: str) -> Iterable[Mistake]:
    where = re.compile(
        rf"^{re.escape(name)}(?:: (lever|assumption) (\d+)(?: \([^)]*\))?|\.(lever|assumption)_(\d+)\.\w+): (.*)$", re.S
    )
    for line in lines:
        found = where.match(line)
        if found is None:
            yield Mistake(line.removeprefix(f"{name}: "))
            continue
        section, number = found[1] or found[3], int(found[2] or found[4])
        head, colon, rest = found[5].partition(": ")
        is_field = bool(colon) and re.fullmatch(r"[a-z0-9_.]+", head) is not None
        yield Mistake(rest if is_field else found[5], section, number, head.split(".")[0] if is_field else "")


# --- sizes in an address ----------------------------------------------------------------------------------------------
def sizes_text(before: Draft, now: Draft) -> str:
    """The sizes in which a draft differs from its file, as an address can hold them: ``lever2.add:40,assumption1...``."""
    parts = []
    for section in SECTIONS:
        for number, (one, other) in enumerate(zip(before.get(section, []), now.get(section, []), strict=False), 1):
            for field in SIZES:
                if other.get(field) is not None and one.get(field) != other.get(field) and one["kind"] == other["kind"]:
                    parts.append(f"{section}{number}.{field}:{other[field]:g}")
    return ",".join(parts)


def take_sizes(draft: Draft, text: str) -> None:
    """Put the sizes of an address into a draft; what does not fit it is left."""
    from carecast.dashboard.fields import move

    for section, number, field, size in re.findall(r"(lever|assumption)(\d+)\.([a-z_]+):(-?[\d.]+(?:e-?\d+)?)", text):
        items = draft.get(section, [])
        at = int(number) - 1
        if 0 <= at < len(items) and field in SIZES and isinstance(items[at].get(field), int | float):
            move(items[at], field, float(size))
