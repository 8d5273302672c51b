"""A council pack from DfE tables: in memory for ``calibrate --format dfe``, in a folder for the packs that are shipped."""

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from carecast.calibration.dfe.facts import Facts
from carecast.calibration.dfe.flow_rows import flow_rows
from carecast.calibration.dfe.homes import PRICE_YEAR, code_of, home_rows
from carecast.calibration.dfe.need_rows import need_rows
from carecast.calibration.dfe.places import Place, nominal, place_rows
from carecast.calibration.dfe.rows import Cells, National, Rows
from carecast.calibration.dfe.stock_rows import stock_rows
from carecast.calibration.dfe.swing_rows import expected_rows
from carecast.calibration.figures import FIGURE_COLUMNS, Row, with_figures
from carecast.calibration.pack import TABLE_COLUMNS, About, Pack, english_figures, made_of
from carecast.model import words as w

COLUMNS = {
    "figures.csv": FIGURE_COLUMNS,
    "assumptions.csv": FIGURE_COLUMNS,
    "localities.csv": (*TABLE_COLUMNS["localities.csv"], "how", "source", "note"),
    "population.csv": (*TABLE_COLUMNS["population.csv"], "how", "source", "note"),
    "deprivation.csv": (*TABLE_COLUMNS["deprivation.csv"], "how", "source"),
    "providers.csv": TABLE_COLUMNS["providers.csv"],
}
NOTES = (
    "Counts of children looked after, starts and ceases are published (DfE); kinship, own foster care and own children's "
    "houses are split off by assumption.",
    "Levels of starts and ceases are averages of five years: single years swing twice as much as chance, mostly back.",
    "Prices, early help, distances by type and reserves are assumed: national figures, not the council's own.",
    "Children aged 0 to 17 are carried on at the last estimate: no projection is used.",
)


def council_rows(facts: Facts, places: Sequence[Place] = ()) -> Rows:
    """All tables of a council's pack.

    Args:
        facts: the council's figures up to a date.
        places: its localities; one at a nominal point unless given.
    """
    national = National(english_figures())
    year = facts.year
    rows = Rows(facts, f"{year - 1}-{year % 100:02d}")
    zones = tuple(places) or nominal(facts.council)
    told = facts.as_at.year - (facts.as_at < dt.date(facts.as_at.year, 3, 31))  # the last 31 March by then
    if facts.as_at < dt.date.max and year < told:
        rows.lacks(f"children looked after on 31 March {told}", f"the count of 31 March {year} is the stock")
    if not places:
        rows.lacks("localities", "one locality at a nominal point; give localities.csv")
    children = population(facts, rows)
    types = stock_rows(rows, national)
    total = facts.flow("stock", year) or 0.0
    expected_rows(rows, total, sum(types[name] for name in w.PLACEMENT_TYPES[w.FIRST_RESIDENTIAL :]))
    flows = flow_rows(rows, national)
    open_ = need_rows(rows, national, children[max(children)], flows["starts"], flows["unaccompanied"])
    shares = place_rows(rows, zones, children)
    for name, share in shares.items():
        value = open_["early_help_open"] / 0.94 * share
        rows.put(
            "early_help_places",
            value,
            "places",
            "Assumption: early help open over 94 % in use, split by children",
            interval=(0.6 * value, 1.5 * value),
            breakdown=f"locality={name}",
            note="Not published",
        )
    figures = {row["id"]: row for row in rows.tables["assumptions.csv"] + rows.tables["figures.csv"]}
    transferred, alone = (
        float(figures[name]["value"]) for name in ("unaccompanied_transferred_share", "stock_unaccompanied")
    )
    home_rows(rows, national, types, shares, zones, transferred, alone)
    return rows


def population(facts: Facts, rows: Rows) -> dict[int, float]:
    """Children aged 0 to 17 by year of the mid-year estimate: the one DfE uses for 31 March is of the year before."""
    found = {}
    for year in facts.years():
        value = facts.value("rates", "Children looked after on 31 March each year", "population_estimate", year)
        if value:
            found[year - 1] = value
    if not found:
        rate = 0.0067  # looked after per child, England
        found[facts.year - 1] = (facts.flow("stock", facts.year) or 0.0) / rate
        rows.lacks("children aged 0 to 17", "children looked after at England's rate of 67 per 10,000")
    return found


def pack_of(rows: Rows, name: str, overrides: Path | None = None, replaced: Sequence[str] = ()) -> Pack:
    """A pack in memory."""
    about = About.model_validate(about_of(rows))
    tables = {
        file: tuple(Row(file, at, cells) for at, cells in enumerate(rows.tables[file], start=2))
        for file in TABLE_COLUMNS
    }
    figures = with_figures(rows.tables["figures.csv"] + rows.tables["assumptions.csv"])
    return made_of(name, about, figures, tables, overrides)


def about_of(rows: Rows) -> dict[str, object]:
    """What ``pack.toml`` says."""
    lacking = [f"Not in the tables: {line}." for line in rows.lacking]
    return {
        "council": rows.facts.council,
        "nation": "england",
        "price_year": PRICE_YEAR,
        "notes": tuple([*NOTES, *lacking]),
    }


def add_shifts(rows: Rows, matching: Mapping[str, Any]) -> None:
    """Add what simulation-based matching found (``record["matching"]`` of a set made from these rows)."""
    shifts = dict(matching["shifts"])
    spread = shifts.pop("spread")
    why = f"Simulation-based matching, {matching['replications']} replications two years ahead at the centre"
    for name, value in shifts.items():
        rows.put(
            "matched_shift",
            value,
            "log ratio",
            why,
            "fitted",
            breakdown=f"level={name}",
            note="What the fitted steady state does not see: children of today are not in one",
        )
    rows.put(
        "net_level_spread",
        spread,
        "log standard deviation",
        why + ", to swing_total",
        "fitted",
        note="How far entries and exits may stand from balance at the as-at date",
    )


def write_pack(rows: Rows, folder: Path, made_from: str) -> None:
    """Write a pack's folder: one CSV file a table and ``pack.toml``; whole or not at all."""
    folder = Path(folder)
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for file, columns in COLUMNS.items():
        with (partial / file).open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, columns, lineterminator="\n", restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows.tables[file])
    (partial / "pack.toml").write_text(_toml(about_of(rows), made_from), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    for written in partial.iterdir():
        written.replace(folder / written.name)
    partial.rmdir()


def _toml(about: Mapping[str, object], made_from: str) -> str:
    import tomli_w

    head = f"# What the tables of this pack do not say. {made_from}\n"
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in about.items()}
    return head + tomli_w.dumps(plain, multiline_strings=False)


def as_at_of(facts: Facts) -> dt.date:
    """The date of the last count."""
    return dt.date(facts.year, 3, 31)


def folder_name(council: str) -> str:
    """Name of a council's folder."""
    return code_of(council)


__all__ = ["Cells", "add_shifts", "as_at_of", "council_rows", "folder_name", "pack_of", "population", "write_pack"]
