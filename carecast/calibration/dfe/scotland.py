"""A Scottish council from LGBF indicators and published counts: the West Dunbartonshire pack brought to its size.

Children looked after by setting are the council's own where the tables hold them; a balance of care (CHN9) with one of the
two counts gives the other. Counts, flows, places and services are scaled by the children looked after, residential and
community apart; chances, hazards, distances and prices stay. Spend comes from CHN8a and CHN8b where they are there.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from carecast.calibration.calibrate import from_pack
from carecast.calibration.dfe.facts import closest, plain
from carecast.calibration.dfe.places import Place, nominal, read_places
from carecast.calibration.dfe.relocate import relocated
from carecast.calibration.figures import Figure, Row
from carecast.calibration.pack import Pack, read_pack, with_overrides
from carecast.calibration.readers.history import History
from carecast.calibration.readers.report import Report
from carecast.model import words as w
from carecast.model.parameters import BadFile, Calibrated

BASE = "west-dunbartonshire"
STAMP = "indicative: from published aggregates scaled from another Scottish council, not the council's own records"
COUNT_UNITS = ("children", "young people", "referrals", "places", "GBP", "children per year", "referrals per year")
NOT_SCALED = ("GBP per", "GBP a", "children per foster", "children per family")
SETTINGS = ("residential", "community")
WEEKLY = {"residential": "chn8a_weekly_cost_residential", "community": "chn8b_weekly_cost_community"}
LACKING = (
    "children by placement type, age and locality, entries and exits, places and referrals: those of the base council, "
    "brought to this one's size",
)


def calibrate_scottish(
    history: History,
    report: Report | None,
    council: str,
    as_at: dt.date | None = None,
    figures: Path | None = None,
    localities: Path | None = None,
) -> Calibrated:
    """A parameter set of a Scottish council from tables of figures.

    Raises:
        BadFile: no such council (with the closest names), no count of children looked after by setting, a bad file.
    """
    frame = history.figures
    frame = frame[frame["date"].notna()]
    if as_at is not None:
        frame = frame[frame["date"] <= pd.Timestamp(as_at)]
    names = sorted(set(frame["area"].astype(str)))
    mine = frame[frame["area"].map(plain) == plain(council)]
    if not len(mine):
        raise BadFile(f"--council: found {council!r}; the closest in the tables are {closest(council, names)}")
    name = str(mine["area"].iloc[-1])
    counts = counts_by_setting(mine)
    if not counts:
        raise BadFile(
            f"{name}: no counts of children looked after in residential and in community settings"
            f"{f' by {as_at}' if as_at else ''}; calibration needs both, one of them and CHN9, or the gross expenditure "
            "beside CHN8a and CHN8b: add rows such as 'Children looked after at 31 July, residential'"
        )
    base = read_pack(BASE)
    pack = scaled(base, name, counts, weekly_costs(mine))
    places: tuple[Place, ...] = read_places(localities) if localities else nominal(name)
    if localities or plain(name) != plain(base.about.council):
        pack = relocated(pack, places)
    if figures is not None:
        pack = with_overrides(pack, figures)
    calibrated = from_pack(pack, max(counts))
    calibrated.record["source"] = "aggregates"
    calibrated.record["scaled_from"] = base.about.council
    calibrated.record["counts_used"] = {day.isoformat(): dict(both) for day, both in counts.items()}
    calibrated.record["not_in_the_tables"] = list(LACKING)
    if report is not None:
        calibrated.record["rows"] = report.document()["rows"]
    parameters = calibrated.parameters.model_copy(update={"stamp": STAMP, "indicative": True})
    return calibrated.model_copy(update={"parameters": parameters})


def counts_by_setting(mine: pd.DataFrame) -> dict[dt.date, dict[str, float]]:
    """Children looked after by date and setting, of dates with both settings."""
    found: dict[dt.date, dict[str, float]] = {}
    known = mine[mine["value"].notna()]
    for measure, breakdown, date, value in _rows(known, "measure", "breakdown", "date", "value"):
        which = _which(f"{measure} {breakdown}")
        if which:
            found.setdefault(date.date(), {})[which] = float(value)
    for (date, setting), count in from_spend(known).items():
        found.setdefault(date, {}).setdefault(setting, count)
    out = {}
    for day, told in sorted(found.items()):
        both = _both(told)
        if both is not None:
            out[dt.date(day.year, 7, 31)] = both
    return out


def _rows(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    yield from zip(*(frame[name] for name in names), strict=True)


def from_spend(known: pd.DataFrame) -> dict[tuple[dt.date, str], float]:
    """Children by date and setting as CHN8a and CHN8b count them: gross expenditure over (weekly cost x 52)."""
    weekly: dict[tuple[dt.date, str], float] = {}
    spend: dict[tuple[dt.date, str], float] = {}
    for measure, breakdown, date, value, unit in _rows(known, "measure", "breakdown", "date", "value", "unit"):
        words = plain(f"{measure} {breakdown}")
        setting = next((name for name in SETTINGS if name in words), "")
        if not setting:
            continue
        if "per week" in words and re.search(r"chn8[ab]", words):
            weekly[date.date(), setting] = float(value)
        elif re.search(r"gross (cost|expenditure)", words) and "looked after" in words:
            spend[date.date(), setting] = float(value) * (1000.0 if "thousand" in plain(f"{unit} {measure}") else 1.0)
    return {at: float(round(spend[at] / (52 * weekly[at]))) for at in spend if weekly.get(at, 0.0) > 0}


def _which(text: str) -> str:
    """What a figure is: a setting's count, the total, the balance of care, or nothing of these."""
    words = plain(text)
    if "chn9" in words or "balance of care" in words:
        return "balance"
    if "looked after" not in words or re.search(r"cost|expenditure|gross|more than one|poverty|rate|share", words):
        return ""
    for setting in SETTINGS:
        if setting in words and not ("residential" in words and "community" in words):
            return setting
    return "total" if re.search(r"total|residential community", words) else ""


def _both(told: Mapping[str, float]) -> dict[str, float] | None:
    if all(setting in told for setting in SETTINGS):
        return {setting: told[setting] for setting in SETTINGS}
    share = told.get("balance", -1.0) / 100
    if not 0 < share < 1:
        return None
    if "residential" in told:
        return {"residential": told["residential"], "community": round(told["residential"] * share / (1 - share))}
    total = told.get("total") or (told["community"] / share if "community" in told else None)
    if not total:
        return None
    return {"residential": round(total * (1 - share)), "community": round(total * share)}


def weekly_costs(mine: pd.DataFrame) -> dict[str, float]:
    """The newest CHN8a and CHN8b: gross cost per child per week, by setting."""
    out: dict[str, float] = {}
    for setting, code in (("residential", "chn8a"), ("community", "chn8b")):
        words = mine["measure"].map(plain)
        told = (
            words.str.contains(code) & mine["value"].notna() & ~words.str.contains(r"denominator|numerator|number of")
        )
        costs = told & words.str.contains("cost|week")  # an indicator without its title is the cost itself
        rows = mine[costs if costs.any() else told].sort_values("date")
        if len(rows):
            out[setting] = float(rows["value"].iloc[-1])
    return out


def scaled(base: Pack, council: str, counts: Mapping[dt.date, Mapping[str, float]], costs: Mapping[str, float]) -> Pack:
    """The base pack at another council's size, with its counts."""
    day = max(counts)
    was = {setting: _last(base, f"stock_{setting}") for setting in SETTINGS}
    factors = {setting: counts[day][setting] / was[setting] for setting in SETTINGS}
    whole = sum(counts[day].values()) / sum(was.values())
    figures = [_figure(figure, factors, whole) for figure in base.figures if figure.id not in COUNTED]
    for date, both in counts.items():
        figures += [_count(council, setting, date, value) for setting, value in both.items()]
    spend = {setting: costs[setting] * counts[day][setting] * 52 for setting in costs}
    year = base.about.price_year
    figures += [
        Figure(
            f"gross_cost_{setting}",
            council,
            year,
            "total",
            value,
            None,
            None,
            "GBP",
            "assumed",
            f"{WEEKLY[setting]} of the council x children x 52, taken as of {year}",
            "",
        )
        for setting, value in spend.items()
    ]
    about = base.about.model_copy(
        update={
            "council": council,
            "counterfactual_date": None,
            "notes": (
                f"Scaled from the {base.about.council} pack by children looked after; only the counts by setting are the "
                "council's own.",
            ),
        }
    )
    tables = dict(base.tables)
    tables["providers.csv"] = tuple(_provider(row, factors) for row in base.tables["providers.csv"])
    for file, column in (
        ("localities.csv", "children_0_17"),
        ("deprivation.csv", "children"),
        ("population.csv", "persons"),
    ):
        tables[file] = tuple(_times(row, column, whole) for row in base.tables[file])
    name = plain(council).replace(" ", "-")
    return replace(base, name=name, about=about, figures=tuple(figures), tables=tables, replaced=())


COUNTED = (
    "stock_residential",
    "stock_community",
    "stock_total",
    "gross_cost_residential",
    "gross_cost_community",
    "budget",
    *WEEKLY.values(),
)


def _last(pack: Pack, figure_id: str) -> float:
    return max(pack.all_of(figure_id), key=lambda figure: figure.period).value or 1.0


def _count(council: str, setting: str, date: dt.date, value: float) -> Figure:
    return Figure(
        f"stock_{setting}",
        council,
        date.isoformat(),
        "total",
        value,
        None,
        None,
        "children",
        "published",
        "LGBF or published count, from the tables given",
        "",
    )


def _figure(figure: Figure, factors: Mapping[str, float], whole: float) -> Figure:
    """A figure of the base: counts times the factor of their setting or of all children, the rest as it is."""
    unit = figure.unit
    if (
        not unit.startswith(COUNT_UNITS)
        or unit.startswith(NOT_SCALED)
        or figure.geography in ("Scotland", "United Kingdom")
    ):
        return figure
    kind = figure.id.removeprefix("stock_")
    factor = factors[_setting(kind)] if figure.id.startswith("stock_") and kind in w.PLACEMENT_TYPES else whole
    low, high = (None if end is None else end * factor for end in (figure.low, figure.high))
    value = None if figure.value is None else figure.value * factor
    note = f"{figure.source} x {factor:.3f}: scaled by children looked after"
    return replace(figure, value=value, low=low, high=high, how="assumed", note=note)


def _setting(kind: str) -> str:
    return "residential" if w.PLACEMENT_TYPES.index(kind) >= w.FIRST_RESIDENTIAL else "community"


def _times(row: Row, column: str, factor: float) -> Row:
    return replace(row, cells=dict(row.cells) | {column: f"{row.number(column) * factor:.3f}"})


def _provider(row: Row, factors: Mapping[str, float]) -> Row:
    """Places times the factor of their setting; houses keep their size, and are one at least."""
    if not row.text("places"):
        return row
    factor = factors[_setting(row.text("placement_type"))]
    places = round(row.number("places") * factor)
    fixed = row.number("fixed_weekly_cost_gbp", 0.0) * (factor if places else 0.0)
    return replace(row, cells=dict(row.cells) | {"places": str(places), "fixed_weekly_cost_gbp": f"{fixed:.2f}"})
