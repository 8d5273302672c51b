"""What the commands print: short tables a board member can read, and the same content as JSON."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.model.parameters import Calibrated
from carecast.model.summary import BASELINE, Answers, Grid, difference, quantile_positions
from carecast.scenarios.compare import safety_beside_savings
from carecast.scenarios.run import Run
from carecast.scenarios.wording import measure_label

STOCKS = (
    ("looked_after", "Children looked after"),
    ("looked_after_away_from_home", "  of them away from home"),
    ("balance_of_care_percent", "Balance of care: in the community, %"),
    ("within_radius_percent", "Within {radius} miles of home, %"),
)
SAVINGS = (
    ("gross_saving_gbp", "Gross saving"),
    ("cashable_saving_gbp", "  cashable"),
    ("avoided_cost_gbp", "  avoided"),
    ("released_capacity_gbp", "  released (never cash)"),
    ("programme_cost_gbp", "Programme cost"),
    ("net_saving_gbp", "Net saving"),
    ("cumulative_net_saving_gbp", "Net saving since the start"),
)
MOST_ASSUMED = 10


# --- small pieces ----------------------------------------------------------------------------------------------------------------
def table(head: Sequence[str], rows: Iterable[Sequence[str]], first_width: int = 42) -> str:
    """A plain text table: first column to the left, the rest to the right."""
    cells = [list(row) for row in rows]
    widths = [max([len(head[i]), *(len(row[i]) for row in cells)]) for i in range(1, len(head))]
    first = max([first_width, *(len(row[0]) for row in cells)])
    lines = [head[0].ljust(first) + "".join("  " + h.rjust(wd) for h, wd in zip(head[1:], widths, strict=True))]
    lines.append("-" * len(lines[0]))
    lines += [row[0].ljust(first) + "".join("  " + c.rjust(wd) for c, wd in zip(row[1:], widths, strict=True)) for row in cells]
    return "\n".join(lines)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table for JSON; what is missing is null."""
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.astype(object).where(frame.notna(), None).to_numpy()]


def millions(pounds: float) -> str:
    """£m with one decimal."""
    return f"{pounds / 1e6:.1f}" if abs(pounds) >= 5e4 else "0.0"


def middle_80(values: np.ndarray) -> tuple[float, float]:
    """10th and 90th percentile over replications, as summary.csv takes them."""
    low, high = quantile_positions(len(values), [100, 900])
    ordered = np.sort(values)
    return float(ordered[low]), float(ordered[high])


def with_interval(values: np.ndarray, scale: float = 1.0, digits: int = 0) -> str:
    """Mean and 80 % interval."""
    low, high = middle_80(values)
    mean = float(values.mean())
    return f"{mean / scale:.{digits}f} ({low / scale:.{digits}f} to {high / scale:.{digits}f})"


def rewrapped(text: str, width: int = 118) -> str:
    """Long prose over several lines."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width, subsequent_indent="  "))


def marches(grid: Grid) -> list[int]:
    """Positions of 31 March of each year in a monthly grid."""
    return [at for at, date in enumerate(grid.dates) if date.month == 3]


def whole_years(run: Run) -> list[int]:
    """Positions of the financial years the run holds whole."""
    part = set(run.record["part_years"])
    dates = run.answers[0].yearly.dates
    return [at for at, date in enumerate(dates) if f"{date.year - 1}-{date.year % 100:02d}" not in part]


def label_of_year(date: dt.date) -> str:
    """31 March 2029 -> 2028-29."""
    return f"{date.year - 1}-{date.year % 100:02d}"


# --- summaries --------------------------------------------------------------------------------------------------------------------
def heading(run: Run) -> str:
    """Who, when, how many, and the stamp."""
    record = run.record
    lines = [
        f"{record['council']}: {', '.join(record['scenarios'])}",
        f"as at {record['as_at']}, forecast to {record['until']}; {record['replications']} replications a scenario, seed {record['seed']}",
    ]
    if record.get("stamp"):
        lines.append(f"*** {record['stamp']} ***")
    if record.get("counterfactual_date"):
        lines.append(rewrapped(
            f"The baseline is a counterfactual: published counts end at {record['as_at']} and the programme began on "
            f"{record['counterfactual_date']}, so later actual figures would already contain it."
        ))  # fmt: skip
    return "\n".join(lines)


def stocks_text(run: Run, answer: Answers) -> str:
    """Looked after, away from home, balance of care and radius on 31 March of each year."""
    grid = answer.monthly
    at = [0, *marches(grid)] if 0 not in marches(grid) else marches(grid)
    head = ["On", *(f"{grid.dates[i]:%d %b %Y}" for i in at)]
    rows = []
    for measure, label in STOCKS:
        values = grid.of(measure)
        rows.append([label.format(radius=f"{run.record['radius_miles']:g}"), *(f"{values[:, i].mean():.0f}" for i in at)])
        spans = (middle_80(values[:, i]) for i in at)
        rows.append(["  80 % interval", *(f"{low:.0f}-{high:.0f}" for low, high in spans)])
    return table(head, rows, 38)


def spend_text(run: Run) -> str:
    """Gross cost of every scenario by whole financial year, £m."""
    years = whole_years(run)
    dates = run.answers[0].yearly.dates
    rows = []
    for answer in run.answers:
        values = answer.yearly.of("gross_cost_gbp") + answer.yearly.of("programme_cost_gbp")
        rows.append([answer.scenario, *(f"{values[:, y].mean() / 1e6:.1f}" for y in years)])
        spans = (middle_80(values[:, y]) for y in years)
        rows.append(["  80 % interval", *(f"{low / 1e6:.1f}-{high / 1e6:.1f}" for low, high in spans)])
    return table(["Gross cost with programme, £m", *(label_of_year(dates[y]) for y in years)], rows, 38)


def saving_text(run: Run, answer: Answers) -> str:
    """Savings of one scenario against the baseline by kind and whole year, £m with 80 % interval."""
    years = whole_years(run)[-5:]
    grid = answer.yearly
    rows = []
    for measure, label in SAVINGS:
        values = grid.of(measure)
        rows.append([label, *(f"{values[:, y].mean() / 1e6:.2f}" for y in years)])
        if not label.startswith(" "):
            spans = (middle_80(values[:, y]) for y in years)
            rows.append(["    80 % interval", *(f"{low / 1e6:.2f} to {high / 1e6:.2f}" for low, high in spans)])
    return table([f"{answer.scenario} against baseline, £m", *(label_of_year(grid.dates[y]) for y in years)], rows, 38)


def target_rows(run: Run) -> list[dict[str, Any]]:
    """The rows of `carecast target --json`."""
    return [
        {
            "scenario": a.scenario, "target": a.target, "met_probability": round(a.met_probability, 4),
            "required_probability": a.required_probability, "expected_shortfall_gbp": a.expected_shortfall_gbp,
            "month_met": a.month_met.isoformat() if a.month_met else None,
            "monte_carlo_error": round(a.monte_carlo_error, 4), "expected_shortfall": round(a.expected_shortfall, 4),
            "mean": round(a.mean, 2), "measure": a.measure, "breakdown": a.breakdown, "value": a.value,
        }
        for a in run.assessments()
    ]  # fmt: skip


def targets_text(run: Run) -> str:
    """Every target of every scenario that is not an assumption's alone."""
    found = run.assessments()
    if not found:
        return "The run has no targets. Give it some: carecast run ... --targets FILE"
    rows = []
    for a in found:
        lacking = f"£{a.expected_shortfall_gbp / 1e6:.2f}m" if a.expected_shortfall_gbp is not None else f"{a.expected_shortfall:.1f}"
        met = f"{a.month_met:%b %Y}" if a.month_met else "never"
        chance = f"{100 * a.met_probability:.0f} % ± {100 * 1.96 * a.monte_carlo_error:.0f}"
        rows.append([f"{a.target} [{a.scenario}]", chance, f"{100 * a.required_probability:.0f} %", lacking, met])
    return table(["Target", "probability", "required", "mean shortfall", "median month met"], rows, 60)


def safety_text(run: Run) -> str:
    """Safety beside every saving: last twelve months of the run."""
    frame = safety_beside_savings(run.answers)
    frame = frame[frame["chance_worse"].notna()]
    nation = run.record["nation"]
    rows = [
        [
            f"{measure_label(nation, row.measure)} [{row.scenario}]", f"{row.mean_against:.1f}", f"{row.mean:.1f}",
            f"{row.difference:+.1f} ({row.p10:+.1f} to {row.p90:+.1f})", f"{100 * row.chance_worse:.0f} %",
            "WORSE" if row.worse else "",
        ]
        for row in frame.itertuples()
    ]  # fmt: skip
    return table(["Safety, last 12 months", "baseline", "scenario", "difference (80 %)", "chance worse", ""], rows, 60)


def assumptions_text(run: Run) -> str:
    """The assumed numbers with the widest intervals, and where all of them are."""
    numbers = run.record["parameters"]["numbers"]
    assumed = [(name, n) for name, n in numbers.items() if n["how"] == "assumed"]
    wide = sorted(assumed, key=lambda item: _width(item[1]), reverse=True)[:MOST_ASSUMED]
    rows = []
    for name, n in wide:
        if n.get("interval_80"):
            low, high = n["interval_80"]
            rows.append([name, f"{n['value']:g}", f"{low:g} to {high:g}", n["unit"][:40]])
    kinds = pd.Series([n["how"] for n in numbers.values()]).value_counts()
    counts = ", ".join(f"{count} {how}" for how, count in kinds.items())
    text = table(["Most uncertain assumptions", "value", "80 % interval", "unit"], rows)
    return f"{text}\nOf {len(numbers)} numbers: {counts}; all with sources in parameters.toml. Put your own in a figures file."


def _width(number: dict[str, Any]) -> float:
    low, high = number.get("interval_80") or (number["value"], number["value"])
    return float((high - low) / abs(number["value"])) if number["value"] else 0.0


def backtest_text(run: Run) -> str:
    """What the back-test says, or that there is none."""
    backtest = run.record.get("backtest")
    if not backtest:
        return "Back-test: none yet for this parameter set, so the intervals rest on the fit to published history alone."
    return f"Back-test: {backtest}"


def monte_carlo_text(run: Run) -> str:
    """Monte Carlo error of the headlines."""
    parts = []
    for row in run.record["monte_carlo"]:
        if row["standard_error"] is None:
            continue
        error = f"£{row['standard_error'] / 1e6:.2f}m" if row["measure"].endswith("_gbp") else f"{row['standard_error']:.1f}"
        parts.append(f"{row['measure']} [{row['scenario']}] ±{error}")
    return rewrapped("Monte Carlo error (one standard error of the mean): " + "; ".join(parts))


def not_modelled_text(run: Run) -> str:
    """What no simulation of demand holds."""
    return "Not modelled:\n" + "\n".join(f"  - {line}" for line in run.record["not_modelled"])


def board_summary(run: Run) -> str:
    """The demo's summary: everything a board member asks first."""
    main = next((a for a in run.answers if a.scenario != BASELINE), run.answers[0])
    parts = [heading(run), "BASELINE\n" + stocks_text(run, run.answer(BASELINE))]
    if main.scenario != BASELINE:
        parts.append(main.scenario.upper() + "\n" + stocks_text(run, main))
    parts.append(spend_text(run))
    parts += [saving_text(run, a) for a in run.answers if a.scenario != BASELINE]
    parts += [targets_text(run), safety_text(run), assumptions_text(run), monte_carlo_text(run), backtest_text(run),
              not_modelled_text(run)]  # fmt: skip
    return "\n\n".join(parts)


def run_summary(run: Run) -> str:
    """A shorter one after `carecast run`."""
    parts = [heading(run), spend_text(run)]
    parts += [saving_text(run, a) for a in run.answers if a.scenario != BASELINE]
    parts += [targets_text(run), safety_text(run), monte_carlo_text(run), backtest_text(run), not_modelled_text(run),
              f"Run folder: {run.folder} ({run.record['seconds']} s). Next: carecast compare {run.folder}"]  # fmt: skip
    return "\n\n".join(parts)


def comparison(run: Run, against: str) -> str:
    """Paired differences at the end and by year."""
    base = run.answer(against)
    parts = [heading(run)]
    for answer in run.answers:
        if answer.scenario == against:
            continue
        rows = []
        monthly = difference(answer.monthly, base.monthly)
        for measure, label in STOCKS:
            at = answer.monthly.rows.index((measure, "total"))
            name = label.format(radius=f"{run.record['radius_miles']:g}").strip()
            rows.append([name, with_interval(monthly[:, at, -1], digits=1)])
        yearly = difference(answer.yearly, base.yearly)
        last = whole_years(run)[-1] if whole_years(run) else -1
        for measure, label in (("gross_cost_gbp", "Gross cost"), *SAVINGS):
            at = answer.yearly.rows.index((measure, "total"))
            rows.append([f"{label.strip()}, £m in {label_of_year(answer.yearly.dates[last])}", with_interval(yearly[:, at, last], 1e6, 2)])
        head = [f"{answer.scenario} minus {against}, at {answer.monthly.dates[-1]}", "difference (80 % interval)"]
        parts.append(table(head, rows))
        if against == BASELINE:
            parts.append(saving_text(run, answer))
    parts += [safety_text(run), not_modelled_text(run)]
    return "\n\n".join(parts)


def as_document(run: Run) -> dict[str, Any]:
    """A run for JSON: its record without the parameters, and its targets."""
    record = {key: value for key, value in run.record.items() if key != "parameters"}
    return {"run": str(run.folder), **record, "targets": target_rows(run)}


def calibration_summary(calibrated: Calibrated) -> str:
    """What a calibration made, and how well it fits."""
    p = calibrated.parameters
    kinds = pd.Series([n.how for n in p.numbers.values()]).value_counts()
    lines = [
        f"{p.council}, as at {p.as_at}: {len(p.numbers)} numbers ({', '.join(f'{c} {h}' for h, c in kinds.items())}), "
        f"{len(p.rates)} rate tables, {len(calibrated.draws)} joint draws of {len(calibrated.draws.columns)} uncertain numbers, "
        f"{len(p.providers)} providers, stock of {int((calibrated.stock['variant'] == calibrated.stock['variant'].min()).sum())} "
        f"in {calibrated.stock['variant'].nunique()} variants",
    ]
    if p.stamp:
        lines.append(f"*** {p.stamp} ***")
    return "\n".join(rewrapped(line) for line in lines)


def what_next(run: Path, parameters: Path) -> str:
    """What to do after the demo."""
    go = "python3 go.py carecast"
    return (
        "\nNext:\n"
        f"  {go} compare {run}\n"
        f"  {go} target {run}\n"
        f"  {go} journey --parameters {parameters} --child 42\n"
        f"  {go} run --parameters {parameters} --scenario early_help_first --replications 1000\n"
        "  python3 go.py app        (the dashboard)\n"
        f"  Your own figures: {go} calibrate west-dunbartonshire --figures our_figures.csv --out parameters/ours"
    )
