"""What the commands print: short tables a board member can read, and the same content as JSON."""

from pathlib import Path
from typing import Any

import pandas as pd

from carecast.cli.hindcasts import hindcast_text
from carecast.cli.sections import (
    SAVINGS,
    STOCKS,
    assumptions_alone,
    assumptions_alone_text,
    backtest_text,
    heading,
    headlines,
    history_text,
    monte_carlo_text,
    programmes,
    reserves_text,
    safety_text,
    saving_text,
    spend_text,
    stocks_text,
    targets_text,
    year_head,
    years,
)
from carecast.cli.text import percent, short, table, with_interval, wrapped
from carecast.model.parameters import Calibrated
from carecast.model.summary import BASELINE, difference
from carecast.scenarios.run import Run

SHOWN_DRIVERS = 8


# --- which assumptions matter ---------------------------------------------------------------------
def drivers_text(run: Run) -> str:
    """What goes with the cost of the baseline and the net saving of the first programme, and where each number is."""
    first = [found.scenario for found in programmes(run)][:1]
    parts = [_driver(found) for found in run.record["drivers"] if found["scenario"] in (BASELINE, *first)]
    numbers = run.record["parameters"]["numbers"]
    kinds = pd.Series([number["how"] for number in numbers.values()]).value_counts()
    counts = ", ".join(f"{count} {how}" for how, count in kinds.items())
    head = "WHICH ASSUMPTIONS MATTER, AND WHERE THEY ARE"
    parts = [wrapped(HOW_TO_READ), *parts] if parts else ["Too few replications, or no whole financial year, to say."]
    last = wrapped(
        f"Of {len(numbers)} single numbers of the parameter set {counts}; each has its source in parameters.toml. "
        "Put your own in a figures file: carecast calibrate ... --figures FILE."
    )
    return "\n\n".join([f"{head}\n{parts[0]}", *parts[1:], last])


HOW_TO_READ = (
    "Rank correlation over replications, +1 to -1: association across draws, not proof of cause; numbers fitted together "
    "move together. The drift of demand, leaving care and moves over the years is taken out of all other numbers. Shares "
    "are means over age bands. What chance alone reaches once in 20 is left out; '?' marks what the largest of so many "
    "could still be by chance: more replications would tell."
)


def _driver(found: dict[str, Any]) -> str:
    what = "gross cost" if found["measure"] == "gross_cost_gbp" else "net saving"
    head = (
        f"What goes with the {what} of {found['scenario']} in {found['financial_year']} ({found['replications']} "
        f"replications, {found['tried']} numbers; left out below ±{found['limit']:.2f}, '?' below "
        f"±{found['limit_of_all']:.2f}). {percent(found['drift_share'])} of the spread is drift."
    )
    if not found["rows"]:
        return wrapped(f"{head} None stands out.")
    rows = []
    for row in found["rows"][:SHOWN_DRIVERS]:
        mark = "?" if row["perhaps_chance"] else " "
        interval = f"{short(row['low_80'])} to {short(row['high_80'])}"
        rows.append(
            [row["label"], f"{row['correlation']:+.2f}{mark}", short(row["central"]), interval, row["unit"][:34]]
        )
        rows.append([f"    {row['how']}; {row['where']}", "", "", "", ""])
    columns = ["Number", "corr. ", "central", "80 % interval", "unit"]
    return f"{wrapped(head)}\n{table(columns, rows, 66, 66)}"


def not_modelled_text(run: Run) -> str:
    """What no simulation of demand holds, each aim once; then what each programme of the run asks for beyond that."""
    of = run.record.get("not_modelled_of", {})
    own = {f"{title}: {line}" for title, lines in of.items() for line in lines}
    parts = ["Not modelled:", *(f"  - {line}" for line in run.record["not_modelled"] if line not in own)]
    for title, lines in of.items():
        parts += [f"Nor, of {title}:", *(f"  - {line}" for line in lines)]
    return "\n".join(wrapped(part) for part in parts)


# --- summaries ------------------------------------------------------------------------------------
def board_summary(run: Run) -> str:
    """The demo's summary: everything a board member asks first."""
    parts = [heading(run), "IN ONE SENTENCE\n" + headlines(run)]
    parts.append("BASELINE: no programme\n" + "\n\n".join(
        part for part in (history_text(run), stocks_text(run, run.answer(BASELINE))) if part
    ))  # fmt: skip
    main = programmes(run)[:1]
    parts += [f"{found.scenario.upper()}\n{stocks_text(run, found)}" for found in main]
    parts += ["MONEY\n" + spend_text(run), *_savings(run), reserves_text(run)]
    parts += ["TARGETS\n" + targets_text(run), "SAFETY\n" + safety_text(run), drivers_text(run)]
    parts += ["HOW SURE\n" + monte_carlo_text(run), hindcast_text(run.record.get("hindcast")), backtest_text(run)]
    parts.append(not_modelled_text(run))
    return "\n\n".join(part for part in parts if part)


def _savings(run: Run) -> list[str]:
    parts = [saving_text(run, found) for found in programmes(run)]
    return [*parts, assumptions_alone_text(run)] if assumptions_alone(run) else parts


def run_summary(run: Run) -> str:
    """A shorter one after `carecast run`."""
    parts = [heading(run), headlines(run), spend_text(run), *_savings(run)]
    notes = [wrapped(f"Note: {note}") for note in run.record["notes"]]
    parts += ["\n".join(notes)] if notes else []
    parts += [targets_text(run), safety_text(run), monte_carlo_text(run), _stopping_text(run), backtest_text(run),
              not_modelled_text(run),
              f"Run folder: {run.folder} ({run.record['seconds']} s)\nNext: carecast compare {run.folder}"]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _stopping_text(run: Run) -> str:
    stopping = run.record["stopping"]
    if stopping["rule"] == "fixed":
        return ""
    error = stopping["relative_half_width"]
    reached = "" if stopping["reached"] else f"; the aim of 1 % was not reached at the cap of {stopping['cap']}"
    said = "not known" if error is None else percent(error)
    return wrapped(
        f"Replications: {stopping['replications']}; the 10th and 90th percentile are known to within {said}{reached}."
    )


def comparison(run: Run, against: str, money: str = "") -> str:
    """Paired differences at the end and by year; ``money`` is a section about money over time."""
    base = run.answer(against)
    parts = [heading(run)]
    chosen = years(run)[-1:]
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
        for y, year in zip(chosen, year_head(run, chosen), strict=True):
            for measure, label in (("gross_cost_gbp", "Gross cost"), *SAVINGS):
                at = answer.yearly.rows.index((measure, "total"))
                rows.append([f"{label.strip()}, £m in {year}", with_interval(yearly[:, at, y], 1e6, 2)])
        head = [f"{answer.scenario} minus {against}, at {answer.monthly.dates[-1]}", "difference (80 % interval)"]
        parts.append(table(head, rows))
        if against == BASELINE:
            parts.append(saving_text(run, answer))
    parts += [money, targets_text(run)] if money else []
    parts += [safety_text(run, against), not_modelled_text(run)]
    return "\n\n".join(parts)


# --- JSON -----------------------------------------------------------------------------------------
def target_rows(run: Run) -> list[dict[str, Any]]:
    """The rows of `carecast target --json`; the promised keys first."""
    return [
        {
            "scenario": a.scenario, "target": a.target, "met_probability": round(a.met_probability, 6),
            "required_probability": a.required_probability, "expected_shortfall_gbp": a.expected_shortfall_gbp,
            "month_met": a.month_met.isoformat() if a.month_met else None,
            "monte_carlo_error": round(a.monte_carlo_error, 6), "expected_shortfall": round(a.expected_shortfall, 4),
            "mean": round(a.mean, 2), "measure": a.measure, "breakdown": a.breakdown, "value": a.value,
            "likely_enough": a.is_likely_enough,
        }
        for a in run.assessments()
    ]  # fmt: skip


def as_document(run: Run) -> dict[str, Any]:
    """A run for JSON: its record without the parameters, and its targets."""
    record = {key: value for key, value in run.record.items() if key not in ("parameters", "targets")}
    return {"run": str(run.folder), **record, "targets": target_rows(run)}


# --- calibration ----------------------------------------------------------------------------------
def calibration_summary(calibrated: Calibrated) -> str:
    """What a calibration made, and how well it fits."""
    p = calibrated.parameters
    kinds = pd.Series([n.how for n in p.numbers.values()]).value_counts()
    lines = [
        f"{p.council}, as at {p.as_at}: {len(p.numbers)} numbers ({', '.join(f'{c} {h}' for h, c in kinds.items())}), "
        f"{len(p.rates)} rate tables, {len(calibrated.draws)} joint draws of {len(calibrated.draws.columns)} uncertain "
        "numbers, "
        f"{len(p.providers)} providers, {calibrated.stock['variant'].nunique()} variants of a synthetic stock",
    ]
    if p.stamp:
        lines.append(f"*** {p.stamp} ***")
    shown = "\n".join(wrapped(line) for line in lines)
    hindcast = hindcast_text(calibrated.record.get("hindcast"))
    return f"{shown}\n\n{hindcast}" if hindcast else shown


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
