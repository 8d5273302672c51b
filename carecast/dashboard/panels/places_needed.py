"""The places needed for a stated chance that nobody finds them full, from the answer of ``carecast sufficiency --json``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from carecast.cli.sufficiency import KIND_LABELS
from carecast.dashboard.panels.shapes import Table
from carecast.dashboard.telling import ABSENT, count, legend_name, percent
from carecast.scenarios.sufficiency import WHOLE_COUNCIL
from carecast.scenarios.wording import term

YEARS = 5
BASES = {"year_end": "at the year's end", "year_peak": "at the peak of the year"}


@dataclass(frozen=True)
class Needed:
    """What is drawn of the places needed."""

    finding: str
    tables: tuple[Table, ...]


def tables(nation: str, document: dict[str, Any], chance: float) -> Needed:
    """The finding, places needed by year, and how likely those there are to be enough in the last year."""
    rows = [row for row in document["rows"] if abs(row["chance"] - chance) < 1e-9]
    peak = [row for row in rows if row["basis"] == "year_peak"]
    last = max((row["financial_year"] for row in peak), default="")
    at_end = [row for row in peak if row["financial_year"] == last]
    by_year = tuple(_by_year(nation, [row for row in rows if row["basis"] == basis], basis) for basis in BASES)
    return Needed(_finding(nation, document, at_end, chance, last), (*by_year, _last_year(nation, at_end, last)))


def _label(nation: str, row: dict[str, Any]) -> str:
    return f"{KIND_LABELS[row['kind']].format(house=term(nation, 'childrens_house'))}: {row['where']}"


def _finding(nation: str, document: dict[str, Any], rows: Sequence[dict[str, Any]], chance: float, year: str) -> str:
    homes = [row for row in rows if row["where"] == WHOLE_COUNCIL and row["unit"] == "places"]
    who = f"\u201c{legend_name(document['scenario'])}\u201d"
    said = [
        f"{count(max(row['short_of'], 0))} more usable places in {_kind(nation, row)}"
        for row in homes
        if row["short_of"] >= 0.5
    ]
    if not said:
        return f"{who} has enough places of every kind in {year}, with a chance of {percent(100 * chance)}"
    return f"{who} needs {' and '.join(said)} for a chance of {percent(100 * chance)} at the peak of {year}"


def _kind(nation: str, row: dict[str, Any]) -> str:
    words = KIND_LABELS[row["kind"]].format(house=term(nation, "childrens_house"))
    return words[:1].lower() + words[1:]


def _by_year(nation: str, rows: Sequence[dict[str, Any]], basis: str) -> Table:
    years = sorted({row["financial_year"] for row in rows})[-YEARS:]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(_label(nation, row), {})[row["financial_year"]] = row
    lines = []
    for label, of in found.items():
        latest = of[max(of)]
        cells = [count(of[year]["needed"]) if year in of else ABSENT for year in years]
        short = count(round(max(latest["short_of"], 0)))
        lines.append((label, *cells, count(round(latest["usable_there_are"])), short))
    columns = ("Places", *years, "There are", "Short of")
    return Table(f"Places needed {BASES[basis]}", columns, tuple(lines))


def _last_year(nation: str, rows: Sequence[dict[str, Any]], year: str) -> Table:
    lines = tuple(
        (_label(nation, row), f"{count(round(row['demand_mean']))}\n{row['demand_p10']} to {row['demand_p90']}",
         count(round(row["usable_there_are"])), percent(100 * row["chance_of_enough"]), count(row["needed"]),
         count(row["places_to_have"]))
        for row in rows
    )  # fmt: skip
    columns = (
        "Places",
        "Demand at its peak\n80 % interval",
        "There are",
        "Chance they are enough",
        "Needed",
        "To have",
    )
    return Table(f"At the peak of {year}", columns, lines)
