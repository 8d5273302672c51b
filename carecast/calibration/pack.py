"""Council packs: the published figures, assumptions and national shapes that a model is made of on its first day.

A pack is a folder of small tables under ``published/`` that people can read and correct (``figures.py``).
"""

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from carecast.calibration.figures import Figure, Row, overridden, read_figures, read_rows
from carecast.model.parameters import BadFile, Frozen, one_line_each

PUBLISHED = Path(__file__).parent / "published"
NATIONAL = PUBLISHED / "national"
RATE_COLUMNS = ("cause", "label", "placement_types", "per_year", "how", "source")
DESTINATION_COLUMNS = ("moment", "label", "age_bands", "from_types", "how", "source")
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


class About(Frozen):
    """What the tables of a pack do not say."""

    council: str
    nation: Literal["scotland", "england"]
    price_year: str  # financial year of the prices of providers and cost lines
    counterfactual_date: dt.date | None = None
    notes: tuple[str, ...] = ()


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
    tables = {file: read_rows(folder / file, columns) for file, columns in TABLE_COLUMNS.items()}
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
        own, replaced = overridden(own, Path(overrides))
    rates = read_rows(NATIONAL / "rates.csv", RATE_COLUMNS)
    destinations = read_rows(NATIONAL / "destinations.csv", DESTINATION_COLUMNS)
    if english:
        rates = _replacing(rates, read_rows(NATIONAL / "england_rates.csv", RATE_COLUMNS), RATE_COLUMNS[:2])
        instead = read_rows(NATIONAL / "england_destinations.csv", DESTINATION_COLUMNS)
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
    figures, replaced = overridden([*pack.figures], Path(overrides))
    return replace(pack, figures=tuple(figures), replaced=replaced)


def english_figures() -> tuple[Figure, ...]:
    """What is published or assumed for all English councils alike."""
    return tuple(read_figures(NATIONAL / "england.csv"))


def _replacing(rows: tuple[Row, ...], instead: tuple[Row, ...], key: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows with those of a nation of its own in their place, new ones at the end."""
    new = {tuple(row.text(column) for column in key): row for row in instead}
    kept = tuple(new.pop(tuple(row.text(column) for column in key), row) for row in rows)
    return (*kept, *new.values())


def staffing_figures(nation: str, own: Iterable[Figure] = ()) -> list[Figure]:
    """Caseload norms, vacancies and posts by role for a nation, without those a council has figures of its own for."""
    known = {figure.key for figure in own}
    places = (nation.capitalize(), "United Kingdom")
    rows = read_figures(PUBLISHED / "national" / "workforce.csv")
    return [figure for figure in rows if figure.geography in places and figure.key not in known]
