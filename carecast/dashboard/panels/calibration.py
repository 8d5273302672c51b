"""What the page *Calibration* shows of a parameter set: how it was found, how it fits, how it was tested, what moved."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carecast.calibration.fit_record import without_small
from carecast.dashboard import charts_fit, telling
from carecast.dashboard.figures import rows_of
from carecast.dashboard.panels.shapes import Front, Line, Panel, Table, Tile
from carecast.dashboard.telling import ABSENT, plain_number, prose
from carecast.model import words as w
from carecast.model.parameters import ParameterSet

HOWS = ("fitted", "published", "assumed")
MOST_MOVED = 25
MOST_NUMBERS = 40  # shown at once; filters reach the rest
NOTABLE = 1.0  # standard errors
KNOWN_COUNT = "1 to 5"
SAME_LINE = ("line-target", "Where both are the same")


@dataclass(frozen=True)
class Shown:
    """A parameter set as the page shows it: everything but its draws and its stock."""

    label: str
    parameters: ParameterSet
    record: Mapping[str, Any]


def words(name: object) -> str:
    """A name of the files as people read it."""
    return str(name).replace("_", " ")


# --- the head ----------------------------------------------------------------------------------------------------
def finding(shown: Shown) -> str:
    """How far its numbers are the council's own, and whether it was tested."""
    tested = "back-tested" if shown.record.get("backtest") else "not back-tested yet"
    if shown.parameters.stamp:
        return f"The numbers for {shown.parameters.council} rest on published figures and assumptions; {tested}"
    counts = how_counts(shown.parameters)
    total = sum(counts.values())
    share = counts["fitted"] / total if total else 0.0
    return (
        f"{telling.percent(100 * share)} of the numbers for {shown.parameters.council} are fitted to data; {tested}"
    )  # fmt: skip


def front(shown: Shown) -> Front:
    """Stamp and facts."""
    p = shown.parameters
    facts = (p.council, f"as at {telling.iso_words(p.as_at.isoformat())}", f"parameter set \u201c{shown.label}\u201d")
    stamp = p.stamp.removeprefix("illustrative: ").rstrip(".")
    return Front(stamp[:1].upper() + stamp[1:], facts, ())


def how_counts(p: ParameterSet) -> dict[str, int]:
    """How many numbers, tables of rates and rows of chances are fitted, published and assumed."""
    hows = register(p)["how"].value_counts()
    return {how: int(hows.get(how, 0)) for how in HOWS}


def tiles(shown: Shown) -> tuple[Tile, ...]:
    """Numbers by how they were found."""
    counts = how_counts(shown.parameters)
    feet = {"fitted": "To the council's own or published counts", "published": "Taken as published",
            "assumed": "A judgement, with its source"}  # fmt: skip
    return tuple(Tile(how.capitalize(), (Line(None, f"{counts[how]:,}", ""),), feet[how]) for how in HOWS)


# --- every number ------------------------------------------------------------------------------------------------
SECTIONS = {"numbers": "Demand and levels", "rates": "Rates of ending a wait or stay", "chances": "Chances of what follows",
            "homes": "Homes and prices", "services": "Services and their places", "series": "Series",
            "budgets": "Budgets"}  # fmt: skip
COLUMNS = ("section", "name", "value", "unit", "low", "high", "how", "date", "source", "note")


def register(p: ParameterSet) -> pd.DataFrame:
    """Every number of a set, one a row, rates and chances included (``COLUMNS``)."""
    from carecast.dashboard.figures import register_of

    rows = register_of(p.model_dump(mode="json", by_alias=True, exclude={"rates", "destinations", "branches"}))
    more = [
        _row("rates", f"{words(rate.cause)}, {words(rate.label)}", float(np.mean(rate.per_year[: w.ADULT])),
             "a year, mean over ages and times", rate)
        for rate in p.rates
    ]  # fmt: skip
    for what, chances in (
        *((f"{words(row.branch)}{_ages(row)}", row) for row in p.branches),
        *((f"{words(row.moment)}, {words(row.label)}{_ages(row)}", row) for row in p.destinations),
    ):
        more += [
            _row("chances", f"{what}: {words(outcome)}", value, "chance", chances)
            for outcome, value in chances.chances.items()
        ]
    return pd.concat([rows, pd.DataFrame(more, columns=pd.Index(COLUMNS))], ignore_index=True) if more else rows


def _ages(row: Any) -> str:  # noqa: ANN401
    bands = tuple(row.age_bands)
    return f", aged {', '.join(words(band) for band in bands)}" if 0 < len(bands) < len(w.AGE_BANDS) else ""


def _row(section: str, name: str, value: float, unit: str, entry: Any) -> dict[str, Any]:  # noqa: ANN401
    low, high = getattr(entry, "interval_80", None) or (None, None)
    said = {key: str(getattr(entry, key, "") or "") for key in ("how", "date", "source", "note")}
    return {"section": section, "name": name, "value": value, "unit": unit, "low": low, "high": high, **said}


def filtered(frame: pd.DataFrame, hows: Sequence[str], section: str | None, text: str) -> pd.DataFrame:
    """Rows by how they were found, by part, and by words in name, unit, source or note."""
    kept = frame[frame["how"].isin(hows)] if hows else frame
    kept = kept if section is None else kept[kept["section"] == section]
    wanted = text.strip().lower()
    if not wanted:
        return kept
    said = kept[["name", "unit", "source", "note"]].fillna("").astype(str).agg(" ".join, axis=1)
    spoken = kept["name"].map(telling.number_label)
    return kept[(said + " " + spoken).str.lower().str.contains(wanted, regex=False)]


def parameter_table(frame: pd.DataFrame, total: int, most: int = MOST_NUMBERS) -> Table:
    """Some of the rows of the register, with their sources."""
    from carecast.dashboard.panels.view import value_cell

    rows = tuple(
        (telling.number_label(row.name), value_cell(row), row.unit, telling.HOW_WORDS[row.how], row.date or ABSENT,
         "\n".join(part for part in (row.source, row.note) if part))
        for row in rows_of(frame.head(most))
    )  # fmt: skip
    caption = f"{len(frame):,} of {total:,} numbers" + (f", the first {most} shown" if len(frame) > most else "")
    columns = ("Number", "Value\n80 % interval", "Unit", "How", "Of", "Source and note")
    return Table(caption, columns, rows, is_prose=True)


# --- how it fits -------------------------------------------------------------------------------------------------
def fit_panels(record: Mapping[str, Any]) -> tuple[Panel, ...]:
    """Charts of the fit, by what the set's record holds."""
    found = record.get("diagnostics")
    if found:
        return tuple(
            panel for panel in (_ends_panel(found), _stays_panel(found), _influence_panel(found)) if panel is not None
        )
    return tuple(panel for panel in (_matched_panel(record), _stock_panel(record)) if panel is not None)


def _seen(value: float | None) -> str:
    return KNOWN_COUNT if value is None else f"{value:,.0f}"


def _ends_panel(found: Mapping[str, Any]) -> Panel | None:
    rows = without_small(found["fitted_against_observed"], ("events",))
    data = pd.DataFrame([row for row in rows if row["events"] and row["expected"] > 0])
    if data.empty:
        return None
    data["kind"] = ["Move" if cause == "move" else "Leaving care" for cause in data["cause"]]
    data["what"] = [
        f"{words(cause)}: {words(level)}" for cause, level in zip(data["cause"], data["level"], strict=True)
    ]
    near = int(((data["events"] - data["expected"]).abs() <= 2 * data["expected"] ** 0.5).sum())
    table = Table(
        "Ends of placements seen, and expected of the fitted rates", ("Way and group", "Seen", "Expected", "Child-years"),
        tuple((f"{words(row['cause'])}: {words(row['level'])}", _seen(row["events"]), f"{row['expected']:,.1f}",
               f"{row['child_years']:,.0f}") for row in rows),
    )  # fmt: skip
    kinds = ["Leaving care", "Move"]
    points = data.rename(columns={"events": "seen"})[["what", "kind", "expected", "seen"]]
    return Panel(
        "fit", f"{near} of {len(data)} groups lie within two standard errors of what the fit expects",
        "Ends of placements by kind of home, age and time: seen against expected. Log scales.",
        (("point-0", kinds[0]), ("point-1", kinds[1]), SAME_LINE),
        charts_fit.agreement(points, "Expected", "Seen", kinds),
        f"Scatter chart of ends of placements seen against expected on log scales; {near} of {len(data)} points lie within "
        "two standard errors of the line where both are the same. The numbers are in the table below.",
        table,
    )  # fmt: skip


def _stays_panel(found: Mapping[str, Any]) -> Panel | None:
    rows = without_small(found["mean_stays"], ("entries",))
    if not rows:
        return None
    named = ["All ages" if row["entering"] == "all" else f"Entering at {words(row['entering'])}" for row in rows]
    data = pd.DataFrame({"who": named, "years": [float(row["years"]) for row in rows]})
    three = found["three_returns"]
    change = three.get("difference_percent")
    drift = "" if change is None else (
        f" From the last three returns alone {three['years_from_three']:.1f} years ({change:+.0f} %)."
    )  # fmt: skip
    table = Table("Mean stay by age at entry", ("Who", "Entries", "Years"),
                  tuple((who, _seen(row["entries"]), f"{row['years']:.2f}")
                        for who, row in zip(named, rows, strict=True)))  # fmt: skip
    return Panel(
        "stays", f"Children stay {three['years_from_all']:.1f} years in care on average",
        f"Mean time in care that the fitted rates imply, by age at entry.{drift}", (), charts_fit.stays(data),
        "Bar chart of the mean years in care by age at entry: "
        + "; ".join(f"{who} {years:.1f}" for who, years in zip(data["who"], data["years"], strict=True)) + ".",
        table,
    )  # fmt: skip


def _influence_panel(found: Mapping[str, Any]) -> Panel | None:
    rows = [row for row in without_small(found.get("influence") or [], ("exits", "moves"))
            if row["change_percent"] is not None]  # fmt: skip
    if not rows:
        return None
    rows.sort(key=lambda row: str(row["year_to"]))
    data = pd.DataFrame({"year": [f"to {row['year_to'][:4]}" for row in rows],
                         "change": [float(row["change_percent"]) for row in rows]})  # fmt: skip
    most = max(rows, key=lambda row: abs(row["change_percent"]))
    table = Table("Each year left out in turn", ("Left out", "Mean years without it", "Change", "Exits in it", "Expected"),
                  tuple((f"Year to {row['year_to']}", f"{row['mean_years_without']:.2f}", f"{row['change_percent']:+.1f} %",
                         _seen(row["exits"]), f"{row['exits_expected']:,.0f}") for row in rows))  # fmt: skip
    return Panel(
        "influence", f"The year to {most['year_to'][:4]} matters most: without it the mean stay moves "
        f"{most['change_percent']:+.0f} %",
        "Change of the mean stay when each year's return is left out. One that stands out deserves a look at its file.", (),
        charts_fit.influence(data),
        "Bar chart of the change in the mean stay when each year is left out; the largest is "
        f"{most['change_percent']:+.1f} % for the year to {most['year_to']}. The numbers are in the table below.", table,
    )  # fmt: skip


def _matched_panel(record: Mapping[str, Any]) -> Panel | None:
    rows = [row | {"part": part} for part, found in dict(record.get("fit") or {}).items() if isinstance(found, list)
            for row in found if isinstance(row, dict) and row.get("wanted") and row.get("fitted")]  # fmt: skip
    if not rows:
        return None
    kinds = list(dict.fromkeys(str(row["part"]) for row in rows))[:4]
    rows = [row for row in rows if row["part"] in kinds and row["wanted"] > 0 and row["fitted"] > 0]
    near = sum(abs(math.log(row["fitted"] / row["wanted"])) <= math.log(1.1) for row in rows)
    data = pd.DataFrame({"what": [words(row["figure"]) for row in rows], "kind": [row["part"] for row in rows],
                         "expected": [float(row["wanted"]) for row in rows],
                         "seen": [float(row["fitted"]) for row in rows]})  # fmt: skip
    table = Table("Published or assumed figures, and what the fitted model gives",
                  ("Figure", "Wanted", "Fitted", "Fitted over wanted"),
                  tuple((words(row["figure"]), f"{row['wanted']:,.1f}", f"{row['fitted']:,.1f}",
                         f"{row['fitted'] / row['wanted']:.2f}") for row in rows))  # fmt: skip
    return Panel(
        "matched", f"{near} of {len(rows)} figures are met within a tenth",
        "What the pathway was matched to, and what the fitted model gives in a steady year. Log scales.",
        (*((f"point-{at}", words(kind).capitalize()) for at, kind in enumerate(kinds)), SAME_LINE),
        charts_fit.agreement(data, "Wanted", "Fitted", kinds),
        f"Scatter chart of fitted against wanted figures on log scales; {near} of {len(rows)} lie within a tenth of "
        "the line where both are the same. The numbers are in the table below.", table,
    )  # fmt: skip


def _stock_panel(record: Mapping[str, Any]) -> Panel | None:
    rows = [row for row in record.get("stock_by_year") or [] if row.get("setting") == "total"]
    if len(rows) < 2:
        return None
    data = pd.DataFrame(rows).assign(date=lambda frame: pd.to_datetime(frame["date"]))
    off = float((data["fitted"] / data["published"] - 1).abs().mean() * 100)
    table = Table("Children looked after: published and fitted", ("Date", "Published", "Fitted"),
                  tuple((telling.iso_words(row["date"]), f"{row['published']:,.0f}", f"{row['fitted']:,.0f}")
                        for row in rows))  # fmt: skip
    return Panel(
        "fitted_stock", f"Published counts are met within {off:.0f} % on average",
        "Children looked after, all placements: published counts, and the model at its fitted yearly levels.",
        (("dot", "Published"), ("line-baseline", "Fitted")), charts_fit.stock(data[["date", "published", "fitted"]]),
        f"Line chart of children looked after by year, published and fitted; they differ by {off:.0f} % on average.", table,
    )  # fmt: skip


# --- how it was tested -------------------------------------------------------------------------------------------
def backtest_table(record: Mapping[str, Any]) -> Table | None:
    """How often forecasts of the back-test held."""
    found = record.get("backtest")
    if not isinstance(found, dict) or not found.get("counts"):
        return None
    from carecast.calibration.backtest.report import label

    names = ("nearer_than_last_value", "inside_50", "inside_80", "inside_95")
    rows = tuple(
        (f"{label(row['measure'], row['breakdown']).strip()}, {row['horizon_months']} months ahead", str(row["origins"]),
         *(ABSENT if row[name] is None else str(row[name]) for name in names))
        for row in found["counts"]
    )  # fmt: skip
    columns = ("Forecast of", "Origins", "Nearer than no change", "In 50 % interval", "In 80 %", "In 95 %")
    return Table("Forecasts of the back-test that held", columns, rows)


def backtest_verdict(record: Mapping[str, Any]) -> str:
    """What the back-test found, or that there is none."""
    found = record.get("backtest")
    if not isinstance(found, dict):
        return prose("backtest_none")
    said = " ".join(str(found[name]) for name in ("verdict", "limits") if found.get(name))
    return telling.dates_in_words(said)


# --- what moved --------------------------------------------------------------------------------------------------
def moved_words(moved: pd.DataFrame) -> str:
    """How much is different, in a sentence."""
    if not len(moved):
        return prose("nothing_moved")
    size = moved["standard_errors"].abs()
    return prose(
        "moved", numbers=f"{len(moved):,}", known=f"{int(size.notna().sum()):,}", far=int((size > NOTABLE).sum())
    )


def moved_table(moved: pd.DataFrame) -> Table | None:
    """What moved furthest, in standard errors; small counts of children are not shown."""
    if not len(moved):
        return None
    rows = tuple(
        (words(row.number), row.unit, _counted(row, row.old), _counted(row, row.new),
         ABSENT if pd.isna(row.standard_errors) else f"{row.standard_errors:+.1f}", _how_moved(row))
        for row in rows_of(moved.head(MOST_MOVED))
    )  # fmt: skip
    return Table(
        "What moved furthest", ("Number", "Unit", "Before", "Now", "Standard errors", "How"), rows, is_prose=True
    )


def _counted(row: Any, value: float) -> str:  # noqa: ANN401
    if math.isnan(value):
        return ABSENT
    return KNOWN_COUNT if row.part == "stock" and 0 < value < 5.5 else plain_number(float(value), str(row.unit))


def _how_moved(row: Any) -> str:  # noqa: ANN401
    before, after = ("" if pd.isna(how) else str(how) for how in (row.how_old, row.how_new))
    if not before:
        return f"new: {after}"
    return after if after == before else f"{before}, now {after or 'gone'}"


def effect_table(effect: pd.DataFrame) -> Table | None:
    """The baseline forecast of both sets at the same dates."""
    if not len(effect):
        return None
    from carecast.calibration.backtest.report import label

    rows = tuple(
        (f"{label(row.measure, row.breakdown).strip()}, {telling.iso_words(str(row.date))}",
         f"{row.old_mean:,.0f}\n{row.old_p10:,.0f} to {row.old_p90:,.0f}",
         f"{row.new_mean:,.0f}\n{row.new_p10:,.0f} to {row.new_p90:,.0f}", f"{row.change:+,.0f}")
        for row in rows_of(effect)
    )  # fmt: skip
    return Table("What it does to the forecast, with 80 % intervals", ("Measure", "Before", "Now", "Change"), rows)


# --- what was checked --------------------------------------------------------------------------------------------
FATE_WORDS = {"used": "Used as they are", "excluded": "Left out by rule", "repaired": "Repaired", "refused": "Refused"}


def check_tiles(document: Mapping[str, Any]) -> tuple[Tile, ...]:
    """Rows by what became of them."""
    rows = document["rows"]
    return tuple(
        Tile(label, (Line(None, f"{rows[name]:,}", ""),), f"of {rows['read']:,} rows")
        for name, label in FATE_WORDS.items()
    )


def check_files(document: Mapping[str, Any]) -> Table:
    """What became of the rows of each file."""
    columns = ("File", "Holds", "Read", "Used", "Left out", "Repaired", "Refused")
    rows = tuple(
        (item["file"], item["kind"] or ABSENT, *(f"{n:,}" for n in item["rows"].values())) for item in document["files"]
    )
    return Table("File by file", columns, rows)


def check_rules(document: Mapping[str, Any]) -> Table | None:
    """Which rule met how many rows, and where first."""
    rows = tuple(
        (item["meaning"], FATE_WORDS.get(item["fate"], item["fate"]), f"{item['rows']:,}", item["first"])
        for item in document["rules"]
    )
    return (
        Table("Why, the gravest first", ("Rule", "Rows are", "Rows", "First at"), rows, is_prose=True) if rows else None
    )


def check_notes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What is missing and what stands in for it, and notes."""
    missing = [f"Missing: {row['missing']}, which would have told {row['would_have_told']}; {row['instead']}."
               for row in document["missing"]]  # fmt: skip
    return (*missing, *(str(note) for note in document["notes"]))
