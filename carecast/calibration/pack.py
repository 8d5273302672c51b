"""Council packs: the published figures, assumptions and national shapes that a model is made of on its first day.

A pack is a folder of small tables under ``published/`` that people can read and correct. Every row keeps its source and
how it was found. Mistakes come back one line each (file, row, column, value, what would be right).
"""

import csv
import datetime as dt
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from pydantic import ValidationError

from carecast.model.parameters import BadFile, Frozen, How, one_line_each

PUBLISHED = Path(__file__).parent / "published"
NATIONAL = PUBLISHED / "national"
RATE_COLUMNS = ("cause", "label", "placement_types", "per_year", "how", "source")
DESTINATION_COLUMNS = ("moment", "label", "age_bands", "from_types", "how", "source")
FIGURE_COLUMNS = (
    "id",
    "geography",
    "period",
    "breakdown",
    "value",
    "low",
    "high",
    "unit",
    "how",
    "source_title",
    "source",
    "note",
)
TABLE_COLUMNS = {
    "localities.csv": ("locality", "zone", "easting_m", "northing_m", "children_0_17"),
    "population.csv": ("locality", "age_years_from", "age_years_to", "year", "persons"),
    "deprivation.csv": ("locality", "quintile", "children"),
    "providers.csv": (
        "provider",
        "name",
        "placement_type",
        "locality",
        "easting_m",
        "northing_m",
        "places",
        "usable_share",
        "match_chance",
        "weekly_cost_gbp",
        "weekly_cost_low_gbp",
        "weekly_cost_high_gbp",
        "fixed_weekly_cost_gbp",
        "price_year",
        "funder",
        "limited",
        "how",
        "source",
        "note",
    ),
}
SIGNED_UNITS = ("percent", "log")  # figures in these units may be negative


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its 80 % interval (none when exact or unknown) and where it comes from."""

    id: str
    geography: str
    period: str
    breakdown: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    how: How
    source: str
    note: str

    @property
    def key(self) -> str:
        """What an override names: the id alone when it has no breakdown, else ``id[breakdown]``."""
        return self.id if self.breakdown in ("", "total") else f"{self.id}[{self.breakdown}]"


class About(Frozen):
    """What the tables of a pack do not say."""

    council: str
    nation: Literal["scotland", "england"]
    price_year: str  # financial year of the prices of providers and cost lines
    counterfactual_date: dt.date | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of another table, with its place for messages."""

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell, stripped."""
        return self.cells.get(column, "").strip()

    def number(self, column: str, default: float | None = None) -> float:
        """The cell as a number of 0 or more.

        Raises:
            BadFile: the cell is empty without a default, not a number, or negative.
        """
        text = self.text(column)
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            raise BadFile(self._says(column, "a number")) from None
        if not 0 <= value < float("inf"):
            raise BadFile(self._says(column, "a number of 0 or more"))
        return value

    def _says(self, column: str, wanted: str) -> str:
        return f"{self.file}: row {self.line}, column {column}: {self.text(column)!r} is not {wanted}"


@dataclass(frozen=True, slots=True)
class Pack:
    """A council pack as read: figures by id, and the rows of the other tables."""

    name: str
    about: About
    figures: tuple[Figure, ...]
    national: tuple[Figure, ...]
    tables: Mapping[str, tuple[Row, ...]]
    rates: tuple[Row, ...]
    destinations: tuple[Row, ...]
    replaced: tuple[str, ...] = field(default=())

    def find(self, figure_id: str, breakdown: str = "total", period: str | None = None) -> Figure:
        """The council's figure if it has one, else the nation's.

        Raises:
            BadFile: neither has it.
        """
        for figure in (*self.figures, *self.national):
            if figure.id == figure_id and _same(breakdown, figure.breakdown) and period in (None, figure.period):
                return figure
        wanted = figure_id if breakdown == "total" else f"{figure_id}, breakdown {breakdown}"
        raise BadFile(f"{self.name}: no figure {wanted}: add a row to assumptions.csv or give it in an override file")

    def value(self, figure_id: str, breakdown: str = "total", period: str | None = None) -> float:
        """Central value of a figure that must have one."""
        figure = self.find(figure_id, breakdown, period)
        if figure.value is None:
            raise BadFile(f"{self.name}: figure {figure.key} has no value: give one in an override file")
        return figure.value

    def national_value(self, figure_id: str, geography: str, period: str, breakdown: str = "total") -> float:
        """Value of a national shape."""
        for figure in self.national:
            at = (figure.id, figure.geography, figure.period, figure.breakdown)
            if at == (figure_id, geography, period, breakdown) and figure.value is not None:
                return figure.value
        raise BadFile(f"national/shapes.csv: no figure {figure_id} for {geography}, {period}, {breakdown}")

    def all_of(self, figure_id: str) -> tuple[Figure, ...]:
        """Every row of a council figure, in the file's order."""
        return tuple(figure for figure in self.figures if figure.id == figure_id)


def _same(wanted: str, breakdown: str) -> bool:
    return wanted == breakdown or (wanted == "total" and breakdown == "")


def _about(path: Path) -> About:
    """What ``pack.toml`` says."""
    try:
        return About.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadFile(f"{path.name}: cannot be read: {error}") from error
    except ValidationError as error:
        raise one_line_each(error, path.name) from error


def pack_names() -> tuple[str, ...]:
    """Packs that are shipped, as the command line names them."""
    folders = (folder for folder in PUBLISHED.iterdir() if (folder / "assumptions.csv").is_file())
    return tuple(sorted(folder.name.replace("_", "-") for folder in folders))


def read_pack(name: str, overrides: Path | None = None) -> Pack:
    """Read and check a shipped pack, with the user's own figures in place of the pack's where given.

    Raises:
        BadFile: no such pack, or a table cannot be used, one line per mistake.
    """
    folder = PUBLISHED / name.replace("-", "_")
    if not (folder / "assumptions.csv").is_file():
        raise BadFile(f"{name}: no such file, folder or council pack; the packs are {', '.join(pack_names())}")
    figures = [*read_figures(folder / "figures.csv"), *read_figures(folder / "assumptions.csv")]
    tables = {file: _rows(folder / file, columns) for file, columns in TABLE_COLUMNS.items()}
    return made_of(name, _about(folder / "pack.toml"), figures, tables, overrides)


def made_of(
    name: str,
    about: About,
    figures: Iterable[Figure],
    tables: Mapping[str, tuple[Row, ...]],
    overrides: Path | None = None,
) -> Pack:
    """A pack from its tables, with the figures of its nation behind them and the user's own before them.

    Raises:
        BadFile: an override names no figure or cannot be used, one line per mistake.
    """
    english = about.nation == "england"
    own = [*figures]
    if english:
        told = {(figure.id, figure.breakdown) for figure in own}
        own += [figure for figure in english_figures() if (figure.id, figure.breakdown) not in told]
    own += staffing_figures(about.nation, own)
    replaced: tuple[str, ...] = ()
    if overrides is not None:
        own, replaced = _overridden(own, Path(overrides))
    rates = _rows(NATIONAL / "rates.csv", RATE_COLUMNS)
    destinations = _rows(NATIONAL / "destinations.csv", DESTINATION_COLUMNS)
    if english:
        rates = _replacing(rates, _rows(NATIONAL / "england_rates.csv", RATE_COLUMNS), RATE_COLUMNS[:2])
        instead = _rows(NATIONAL / "england_destinations.csv", DESTINATION_COLUMNS)
        destinations = _replacing(destinations, instead, DESTINATION_COLUMNS[:3])
    return Pack(
        name=name,
        about=about,
        figures=tuple(own),
        national=(*read_figures(NATIONAL / "pathway.csv"), *read_figures(NATIONAL / "shapes.csv")),
        tables=tables,
        rates=rates,
        destinations=destinations,
        replaced=replaced,
    )


def with_overrides(pack: Pack, overrides: Path) -> Pack:
    """A pack with the user's own figures in place of its own.

    Raises:
        BadFile: one line per mistake.
    """
    figures, replaced = _overridden([*pack.figures], Path(overrides))
    return replace(pack, figures=tuple(figures), replaced=replaced)


def english_figures() -> tuple[Figure, ...]:
    """What is published or assumed for all English councils alike."""
    return tuple(read_figures(NATIONAL / "england.csv"))


def _replacing(rows: tuple[Row, ...], instead: tuple[Row, ...], key: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows with those of a nation of its own in their place, new ones at the end."""
    new = {tuple(row.text(column) for column in key): row for row in instead}
    kept = tuple(new.pop(tuple(row.text(column) for column in key), row) for row in rows)
    return (*kept, *new.values())


def with_figures(cells: Iterable[Mapping[str, str]]) -> list[Figure]:
    """Figures from rows that are not in a file yet.

    Raises:
        BadFile: one line per mistake.
    """
    mistakes: list[str] = []
    rows = [Row("figures", at, row) for at, row in enumerate(cells, start=1)]
    figures = [figure for figure in (_figure(row, mistakes) for row in rows) if figure is not None]
    if mistakes:
        raise BadFile(*mistakes)
    return figures


def staffing_figures(nation: str, own: Iterable[Figure] = ()) -> list[Figure]:
    """Caseload norms, vacancies and posts by role for a nation, without those a council has figures of its own for."""
    known = {figure.key for figure in own}
    places = (nation.capitalize(), "United Kingdom")
    rows = read_figures(PUBLISHED / "national" / "workforce.csv")
    return [figure for figure in rows if figure.geography in places and figure.key not in known]


def read_figures(path: Path) -> list[Figure]:
    """Rows of a table of figures.

    Raises:
        BadFile: a column is missing, or a value or interval cannot be used.
    """
    rows = _rows(path, FIGURE_COLUMNS)
    mistakes: list[str] = []
    figures = [figure for figure in (_figure(row, mistakes) for row in rows) if figure is not None]
    if mistakes:
        raise BadFile(*mistakes)
    return figures


def _figure(row: Row, mistakes: list[str]) -> Figure | None:
    where = f"{row.file}: row {row.line}"
    before = len(mistakes)
    numbers = {column: _optional(row, column, where, mistakes) for column in ("value", "low", "high")}
    how = row.text("how")
    if not row.text("id"):
        mistakes.append(f"{where}, column id: empty; every figure needs a name")
    if how not in ("published", "fitted", "assumed"):
        mistakes.append(f"{where}, column how: {how!r} is not published, fitted or assumed")
    _check_interval(where, numbers, row.text("unit"), mistakes)
    if len(mistakes) > before:
        return None
    source = row.text("source") or row.text("source_title")
    return Figure(
        row.text("id"),
        row.text("geography"),
        row.text("period"),
        row.text("breakdown"),
        numbers["value"],
        numbers["low"],
        numbers["high"],
        row.text("unit"),
        cast(How, how),
        source,
        row.text("note"),
    )


def _optional(row: Row, column: str, where: str, mistakes: list[str]) -> float | None:
    text = row.text(column)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        mistakes.append(f"{where}, column {column}: {text!r} is not a number")
        return None
    if value - value != 0:
        mistakes.append(f"{where}, column {column}: {text!r} is not a finite number")
        return None
    return value


def _check_interval(where: str, numbers: Mapping[str, float | None], unit: str, mistakes: list[str]) -> None:
    value, low, high = numbers["value"], numbers["low"], numbers["high"]
    if value is not None and value < 0 and not unit.startswith(SIGNED_UNITS):
        mistakes.append(f"{where}, column value: {value:g} is below 0; a number of {unit or 'this kind'} is 0 or more")
    if (low is None) != (high is None):
        mistakes.append(f"{where}, columns low and high: give both ends of the 80 % interval or neither")
    elif low is not None and high is not None and value is not None and not low <= value <= high:
        mistakes.append(f"{where}, columns low, value, high: {low:g}, {value:g}, {high:g} are not in rising order")


def _overridden(figures: list[Figure], path: Path) -> tuple[list[Figure], tuple[str, ...]]:
    """Figures with the user's values in place; a figure without a given interval becomes exact."""
    mistakes: list[str] = []
    replaced: list[str] = []
    for row in _rows(path, ("id", "value")):
        where = f"{row.file}: row {row.line}"
        at = _named(figures, row, where, mistakes)
        if at is None:
            continue
        numbers = {column: _optional(row, column, where, mistakes) for column in ("value", "low", "high")}
        if not row.text("value"):
            mistakes.append(f"{where}, column value: empty; give a number")
        _check_interval(where, numbers, figures[at].unit, mistakes)
        figures[at] = replace(
            figures[at],
            value=numbers["value"],
            low=numbers["low"],
            high=numbers["high"],
            how=_how(row, where, mistakes),
            source=row.text("source") or f"given in {path.name}",
            note=row.text("note"),
        )
        replaced.append(f"{figures[at].key}, {figures[at].period}")
    if mistakes:
        raise BadFile(*mistakes)
    return figures, tuple(replaced)


def _named(figures: list[Figure], row: Row, where: str, mistakes: list[str]) -> int | None:
    """The figure that a row of an override file means: by id or ``id[breakdown]``, and period where it has several."""
    name = row.text("id")
    found = [
        at
        for at, figure in enumerate(figures)
        if name in (figure.id, figure.key)
        and row.text("breakdown") in ("", figure.breakdown)
        and row.text("period") in ("", figure.period)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        rows = "; ".join(f"{figures[at].period} {figures[at].breakdown}" for at in found[:4])
        mistakes.append(
            f"{where}, column id: {name!r} has {len(found)} rows ({rows}...): add columns period and breakdown"
        )
    else:
        mistakes.append(f"{where}, column id: {name!r} is not a figure of this pack; its files list them all")
    return None


def _how(row: Row, where: str, mistakes: list[str]) -> How:
    how = row.text("how") or "assumed"
    if how not in ("published", "fitted", "assumed"):
        mistakes.append(f"{where}, column how: {how!r} is not published, fitted or assumed")
        return "assumed"
    return cast(How, how)


def _rows(path: Path, columns: Iterable[str]) -> tuple[Row, ...]:
    """Rows of a CSV file that has at least these columns."""
    if not path.is_file():
        raise BadFile(f"{path}: not found")
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines(keepends=True)
        reader = csv.DictReader(lines)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise BadFile(*(f"{path.name}: row 1: column {name!r} is missing" for name in missing))
        return tuple(_each(path.name, reader))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path.name}: cannot be read as CSV in UTF-8: {error}") from error


def _each(file: str, reader: "csv.DictReader[str]") -> Iterator[Row]:
    for cells in reader:
        yield Row(file, reader.line_num, {key: value or "" for key, value in cells.items() if key is not None})
