"""What a back-test leaves in its folder: tables, charts, a page to read, and the verdict, written whole or not at all."""

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from carecast import __version__
from carecast.calibration import pictures
from carecast.calibration.backtest import tables
from carecast.calibration.backtest.constant_rates import CONSTANT_RATES
from carecast.calibration.backtest.past import TOTAL
from carecast.calibration.backtest.references import ARIMA, DRIFT, ETS, LAST_VALUE
from carecast.calibration.backtest.rolling import MODEL, Settings, Tested
from carecast.calibration.page import Section, Table, number, page
from carecast.calibration.pictures import Picture
from carecast.model.parameters import BadFile

BACKTEST_FORMAT = 1
NAMES = {
    MODEL: "carecast", LAST_VALUE: "no change (last value)", DRIFT: "drift", ETS: "exponential smoothing",
    ARIMA: "ARIMA", CONSTANT_RATES: "constant daily rates",
}  # fmt: skip
MEASURE_WORDS = {
    "looked_after": "Looked after", "looked_after_away_from_home": "Away from home",
    "looked_after_in_residential": "In residential care", "looked_after_in_community": "In the community",
    "looked_after_at_home": "At home", "entries_to_care": "Entries since the start",
    "exits_from_care": "Exits since the start", "placement_cost_gbp": "Placement cost of the year",
}  # fmt: skip
DECIMALS = 4
MARK = "backtest.json"


@dataclass(frozen=True)
class Backtest:
    """A finished back-test: its tables, and what it is of."""

    council: str
    made_from: str  # child-level returns, or published counts
    settings: Settings
    tested: Tested
    limits: str = ""
    small_counts_hidden: bool = True

    @property
    def scores(self) -> pd.DataFrame:
        """The rows of ``scores.csv``."""
        return tables.score_table(self.tested.rows)

    def record(self) -> dict[str, Any]:
        """What is stored beside the parameter set, and shown wherever a forecast is."""
        tried = [origin for origin in self.settings.origins if origin.isoformat() not in self.tested.failed]
        table = self.scores
        return {
            "format": BACKTEST_FORMAT, "version": __version__, "council": self.council, "made_from": self.made_from,
            "verdict": tables.verdict(table, self.tested.rows, tried), "limits": self.limits,
            "origins": [origin.isoformat() for origin in tried], "horizons_months": list(self.settings.horizons),
            "separate_tests": tables.separate_tests(tried), "failed": self.tested.failed,
            "replications": self.settings.replications, "seed": self.settings.seed,
            "small_counts_hidden": self.small_counts_hidden, "counts": tables.held_counts(table),
        }  # fmt: skip


def label(measure: str, breakdown: str) -> str:
    """A cell in words."""
    if breakdown == "total":
        return MEASURE_WORDS.get(measure, measure.replace("_", " "))
    dimension, _, value = breakdown.partition("=")
    return f"  {value.replace('_', ' ')}{' (group)' if dimension == 'group' else ''}"


# --- writing --------------------------------------------------------------------------------------
def check_folder(out: Path) -> None:
    """Whether a back-test may go there.

    Raises:
        BadFile: the folder holds something else.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file()):
        raise BadFile(f"{out}: holds something else; give a new folder, or one with a back-test to replace")


def write(out: Path, backtest: Backtest, shown: pd.DataFrame) -> dict[str, Any]:
    """Write the folder, replacing an earlier back-test in it; ``shown`` are the rows as they may be seen.

    Returns the record in ``backtest.json``.
    """
    record = backtest.record()
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _rounded(shown).to_csv(partial / "backtest.csv", index=False, lineterminator="\n")
        _rounded(backtest.scores).to_csv(partial / "scores.csv", index=False, lineterminator="\n")
        drawn = charts(backtest.scores, shown)
        for one in drawn:
            (partial / f"{one.name}.svg").write_text(one.svg, encoding="utf-8")
        (partial / "report.html").write_text(report(backtest, record, drawn), encoding="utf-8")
        (partial / MARK).write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        partial.replace(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return record


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    for name in out.columns:
        if name.startswith("inside_") and out[name].dtype != "Int64":
            out[name] = out[name].astype("Int64")
    floats = out.select_dtypes("float").columns
    out[floats] = out[floats].round(DECIMALS) + 0.0
    return out


# --- charts ---------------------------------------------------------------------------------------
def charts(table: pd.DataFrame, shown: pd.DataFrame) -> list[Picture]:
    """The charts that the results are enough for."""
    total = shown[(shown["measure"] == TOTAL[0]) & (shown["breakdown"] == TOTAL[1])]
    months = sorted(total["horizon_months"].unique())
    wanted = [month for month in (12, 24) if month in months] or months[-1:]
    drawn = [*(_ahead(total, month) for month in wanted), _by_horizon(table), _pit(total)]
    return [one for one in drawn if one is not None]


def _ahead(total: pd.DataFrame, months: int) -> Picture:
    """What was forecast so many months before, beside what came."""
    own = total[(total["model"] == MODEL) & (total["horizon_months"] == months)].dropna(subset=["observed"])
    seen = total.drop_duplicates("date").dropna(subset=["observed"])
    x = pictures.dates("date")
    low = float(min(seen["observed"].min(), own["p025"].min())) if len(own) else 0.0
    scale = alt.Scale(zero=low < 60)
    layers = [
        alt.Chart(own).mark_rule(strokeWidth=9, opacity=0.18, color=pictures.BLUE).encode(
            x, alt.Y("p025:Q", title="Children looked after", scale=scale), alt.Y2("p975")),
        alt.Chart(own).mark_rule(strokeWidth=9, opacity=0.35, color=pictures.BLUE).encode(x, alt.Y("p10:Q"), alt.Y2("p90")),
        alt.Chart(own).mark_point(filled=True, size=60, shape="diamond", color=pictures.BLUE, opacity=1).encode(
            x, alt.Y("mean:Q")),
        alt.Chart(seen).mark_line(strokeWidth=2, color=pictures.ORANGE, strokeDash=[6, 3]).encode(x, alt.Y("observed:Q")),
        alt.Chart(seen).mark_point(filled=True, size=45, color=pictures.ORANGE, opacity=1).encode(x, alt.Y("observed:Q")),
    ]  # fmt: skip
    held = int(((own["p10"] <= own["observed"]) & (own["observed"] <= own["p90"])).sum())
    text = (
        f"Blue diamonds: the forecast made {months} months before, with its 80 % (dark) and 95 % (light) interval. Orange "
        f"circles, dashed: the count. The 80 % interval held {held} of {len(own)} counts."
    )
    return pictures.picture(
        f"ahead_{months}_months", f"What was forecast {months} months ahead, and what came", text, layers
    )


def _by_horizon(table: pd.DataFrame) -> Picture | None:
    total = table[(table["measure"] == TOTAL[0]) & (table["breakdown"] == TOTAL[1])].dropna(
        subset=["crps_of_last_value"]
    )
    if total["horizon_months"].nunique() < 2:
        return None
    data = total.assign(forecast=total["model"].map(NAMES))
    present = [NAMES[name] for name in NAMES if name in set(total["model"])]
    x = alt.X("horizon_months:Q", title="Months ahead", axis=alt.Axis(values=sorted(data["horizon_months"].unique())))
    layers = pictures.lines(data, x, "crps_of_last_value", pictures.paint("forecast", present), "CRPS, 'no change' = 1")
    own = data[data["model"] == MODEL]
    nearer = int((own["crps_of_last_value"] < 1).sum())
    text = (
        "CRPS scores distance and honest width together; lower is better, and 'no change' with its own past error is 1. "
        f"carecast is below 1 at {nearer} of {len(own)} horizons. The figures are in scores.csv."
    )
    return pictures.picture("crps_by_horizon", "Children looked after: score by horizon", text, layers)


def _pit(total: pd.DataFrame) -> Picture | None:
    values = total.loc[total["model"] == MODEL, "pit"].dropna().astype(float)
    if len(values) < 5:
        return None
    counts = np.histogram(values, bins=np.linspace(0, 1, 6))[0]
    names = ["lowest fifth", "second", "middle", "fourth", "highest fifth"]
    data = pd.DataFrame({"where": names, "cases": counts})
    bars = alt.Chart(data).mark_bar(color=pictures.BLUE).encode(
        alt.X("where:N", sort=names, title="Where in the forecast the count fell"),
        alt.Y("cases:Q", title="Cases", axis=alt.Axis(tickMinStep=1)))  # fmt: skip
    even = alt.Chart(pd.DataFrame({"cases": [len(values) / 5]})).mark_rule(color=pictures.INK, strokeDash=[5, 4])
    said = ", ".join(f"{count} in the {name}" for name, count in zip(names, counts, strict=True))
    text = (
        f"Of {len(values)} cases (all horizons), {said}. "
        "Level bars would be ideal (dashed); all cases at the sides means intervals too narrow, all on one side a bias."
    )
    return pictures.picture(
        "pit", "Where the counts fell in the forecasts", text, [bars, even.encode(alt.Y("cases:Q"))]
    )


# --- the page -------------------------------------------------------------------------------------
def report(backtest: Backtest, record: dict[str, Any], drawn: list[Picture]) -> str:
    """The readable page."""
    table = backtest.scores
    lead = [record["verdict"], *([record["limits"]] if record["limits"] else [])]
    sections = [
        Section("What was forecast, and what came", pictures=tuple(drawn)),
        Section("How often, in counts", (COUNTS_TEXT,), (counts_table(table),)),
        Section("Against simpler methods", (RIVALS_TEXT,), (rivals_table(table),)),
        Section("How it was done", _how(backtest, record)),
    ]
    footer = f"carecast {__version__}; made {dt.datetime.now(dt.UTC):%Y-%m-%d}. Tables: backtest.csv and scores.csv."
    return page(f"Back-test: {backtest.council}", lead, sections, footer)


COUNTS_TEXT = (
    "Origins overlap and depend on each other, so these are counts, not rates. Of ten, about eight should lie inside the "
    "80 % interval. 'Nearer' counts origins at which the forecast's CRPS was below that of no change."
)
RIVALS_TEXT = (
    "Mean CRPS over that of last value with its empirical error, on the same origins (1 = as good; lower is better), at "
    "the horizon nearest twelve months. Constant daily rates have no interval, so their CRPS is their absolute error."
)


def counts_table(table: pd.DataFrame) -> Table:
    """Carecast's counts by cell and horizon."""
    rows = tuple(
        (label(row["measure"], row["breakdown"]), str(row["horizon_months"]), str(row["origins"]),
         *(_maybe(row[name]) for name in ("nearer_than_last_value", "inside_50", "inside_80", "inside_95")),
         f"{number(row['bias_percent'])} %")
        for row in table[table["model"] == MODEL].to_dict("records")
    )  # fmt: skip
    columns = ("What", "Months ahead", "Origins", "Nearer than no change", "In 50 %", "In 80 %", "In 95 %", "Bias")
    return Table("Forecasts that held, by measure and horizon", columns, rows)


def _maybe(value: Any) -> str:
    return "\u2013" if pd.isna(value) else str(int(value))


def rivals_table(table: pd.DataFrame) -> Table:
    """Relative CRPS of every method at about a year ahead."""
    months = min(table["horizon_months"].unique(), key=lambda months: abs(int(months) - 12))
    year = table[table["horizon_months"] == months]
    models = [name for name in NAMES if name in set(year["model"])]
    wide = year.pivot_table("crps_of_last_value", ["measure", "breakdown"], "model", sort=False)
    rows = tuple(
        (label(*key), *(number(found.get(name, float("nan")), 2) for name in models))
        for key, found in ((key, row.to_dict()) for key, row in wide.iterrows())
    )
    return Table(f"CRPS over that of no change, {months} months ahead", ("What", *(NAMES[m] for m in models)), rows)


def _how(backtest: Backtest, record: dict[str, Any]) -> tuple[str, ...]:
    lines = [
        f"Made from {record['made_from']}. Origins: {', '.join(record['origins'])}. At each, the model was calibrated "
        "again on what was known then (nothing dated later; later ends, outcomes and places blank), and told "
        f"{record['replications']} times with nothing new decided (seed {record['seed']}).",
    ]
    lines += [f"Origin {origin} is left out: {why}" for origin, why in record["failed"].items()]
    if backtest.small_counts_hidden:
        lines.append(
            "Counts of 1 to 5 children, and one more where a total would give them away, are blank in backtest.csv."
        )
    return tuple(lines)


def store(parameters: Path, record: dict[str, Any]) -> None:
    """Put the record beside a parameter set, in its ``calibration.json``.

    Raises:
        BadFile: the folder has no calibration record that can be read.
    """
    file = parameters / "calibration.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{file}: cannot be read; a parameter set comes from `carecast calibrate`") from error
    found["backtest"] = record
    partial = file.with_name(file.name + ".partial")
    partial.write_text(json.dumps(found, indent=1), encoding="utf-8")
    partial.replace(file)
