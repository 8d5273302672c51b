"""The parts of a summary on screen, each a short table or a few lines. Every number is one of ``Run.answers``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from carecast.cli.text import MOST_COLUMNS, fixed, label_of_year, middle_80, percent, pounds, span, table, wrapped
from carecast.model.summary import BASELINE, Answers, Grid
from carecast.scenarios.compare import safety_beside_savings
from carecast.scenarios.library import inherited, load_scenario
from carecast.scenarios.run import Run
from carecast.scenarios.targets import Assessment
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
INTERVAL = "    80 % interval"


# --- what a run holds -----------------------------------------------------------------------------
def years(run: Run) -> list[int]:
    """Positions of the financial years the run holds whole, the last few; every year it holds when none is whole."""
    part = set(run.record["part_years"])
    dates = run.answers[0].yearly.dates
    whole = [at for at, date in enumerate(dates) if label_of_year(date) not in part]
    return (whole or list(range(len(dates))))[-6:]


def year_head(run: Run, chosen: Sequence[int]) -> list[str]:
    """Their names; a year the run holds in part says so."""
    names = [label_of_year(run.answers[0].yearly.dates[at]) for at in chosen]
    return [f"{name} (part)" if name in run.record["part_years"] else name for name in names]


def programmes(run: Run) -> list[Answers]:
    """Scenarios that choose something: those with a lever of their own, not assumptions alone."""
    return [found for found in run.answers if found.scenario != BASELINE and levers_of(run, found.scenario)]


def assumptions_alone(run: Run) -> list[Answers]:
    """Scenarios that only assume something else."""
    return [found for found in run.answers if found.scenario != BASELINE and not levers_of(run, found.scenario)]


def levers_of(run: Run, name: str) -> list[str]:
    """Identities of a scenario's levers beyond the baseline's."""
    files = run.folder / "inputs"
    shared = {identity for identity, _ in inherited(load_scenario(files / f"{BASELINE}.toml"))}
    items = inherited(load_scenario(files / f"{name}.toml"))
    return [identity for identity, lever in items if identity not in shared and not lever.row.is_assumption]


def changes_children(run: Run, found: Answers) -> bool:
    """Whether a scenario differs from the baseline in any number of children, in any replication."""
    return not np.array_equal(found.monthly.values, run.answer(BASELINE).monthly.values, equal_nan=True)


# --- the sections ---------------------------------------------------------------------------------
def heading(run: Run) -> str:
    """Who, when, how many, and the stamp."""
    record = run.record
    lines = [
        wrapped(f"{record['council']}: {', '.join(record['scenarios'])}"),
        f"as at {record['as_at']}, forecast to {record['until']}; {record['replications']} replications a scenario, "
        f"seed {record['seed']}",
    ]
    if record.get("stamp"):
        lines.append(f"*** {record['stamp']} ***")
    if record.get("counterfactual_date"):
        lines.append(wrapped(
            f"The baseline is a counterfactual: published counts end at {record['as_at']} and the programme began on "
            f"{record['counterfactual_date']}, so later actual figures would already contain it."
        ))  # fmt: skip
    return "\n".join(lines)


def headlines(run: Run) -> str:
    """One sentence a programme: net saving, its interval, and how likely it is to be enough."""
    chosen = years(run)
    if not chosen:
        return "The run holds no day of a financial year, so there is no saving to show."
    year, at = year_head(run, chosen[-1:])[0], chosen[-1]
    judged = run.assessments()
    lines = []
    for found in programmes(run):
        net = found.yearly.of("net_saving_gbp")[:, at]
        low, high = middle_80(net)
        mean = float(net.mean())
        verb = f"save {pounds(mean)} net" if mean >= 0 else f"cost {pounds(-mean)} more than it saves"
        text = (
            f"{found.scenario} is expected to {verb} in {year} (net saving, 80 % interval {pounds(low)} to {pounds(high)}); "
            f"the chance that it saves anything net that year is {percent(float((net > 0).mean()))}"
        )
        lines.append(wrapped(f"{text}{_asked_for(run, judged, found.scenario)}."))
    return "\n".join(lines) or "No scenario of the run has a lever, so there is no saving to show."


def _asked_for(run: Run, judged: Sequence[Assessment], scenario: str) -> str:
    """The first saving target of the run, in words."""
    savings = [target.name for target in run.targets if target.is_saving]
    found = next((a for a in judged if a.scenario == scenario and savings and a.target == savings[0]), None)
    if found is None:
        return ""
    verdict = "as likely as required" if found.is_likely_enough else "not likely enough"
    return (
        f", and the chance of the target '{found.target}' is {percent(found.met_probability)} "
        f"(± {196 * found.monte_carlo_error:.0f}) where {percent(found.required_probability)} is required: {verdict}"
    )


def history_text(run: Run) -> str:
    """Published counts up to the start of the forecast."""
    seen = pd.DataFrame(run.record["parameters"]["history"])
    wanted = {"looked_after": "Children looked after", "looked_after_in_residential": "  of them in residential care"}
    seen = seen[seen["measure"].isin(list(wanted)) & (seen["breakdown"] == "total")] if len(seen) else seen
    if not len(seen):
        return ""
    dates = sorted(seen["date"].unique())[-10:]
    rows = []
    for measure, label in wanted.items():
        values = seen[seen["measure"] == measure].set_index("date")["value"]
        rows.append([label, *(f"{values[date]:.0f}" if date in values.index else "" for date in dates)])
    return table(["Published counts", *(f"{date[5:7]}/{date[:4]}" for date in dates)], rows, 32)


def stocks_text(run: Run, answer: Answers) -> str:
    """Looked after, away from home, balance of care and radius at the start, on each 31 March and at the end."""
    grid = answer.monthly
    at = _columns(grid)
    head = ["Forecast, mean of replications", *(f"{grid.dates[i].day} {grid.dates[i]:%b %Y}" for i in at)]
    rows = []
    for measure, label in STOCKS:
        values = grid.of(measure)
        rows.append([label.format(radius=f"{run.record['radius_miles']:g}"), *(fixed(values[:, i].mean()) for i in at)])
        rows.append([INTERVAL, *("-".join(fixed(end) for end in middle_80(values[:, i])) for i in at)])
    return table(head, rows, 36)


def _columns(grid: Grid) -> list[int]:
    marches = [at for at, date in enumerate(grid.dates) if date.month == 3]
    later = sorted({*marches, len(grid.dates) - 1} - {0})
    return [0, *later[-(MOST_COLUMNS - 1) :]]


def spend_text(run: Run) -> str:
    """Gross cost of every scenario by financial year, £m."""
    chosen = years(run)
    rows = []
    for answer in run.answers:
        values = answer.yearly.of("gross_cost_gbp") + answer.yearly.of("programme_cost_gbp")
        rows.append([answer.scenario, *(fixed(values[:, y].mean() / 1e6, 1) for y in chosen)])
        rows.append([INTERVAL, *(span(values[:, y], 1e6, 1) for y in chosen)])
    return table(["Gross cost with programme, £m", *year_head(run, chosen)], rows, 36)


def saving_text(run: Run, answer: Answers) -> str:
    """Savings of one scenario against the baseline by kind and year, £m with 80 % interval."""
    chosen = years(run)[-5:]
    rows = []
    for measure, label in SAVINGS:
        values = answer.yearly.of(measure)
        rows.append([label, *(fixed(values[:, y].mean() / 1e6, 2) for y in chosen)])
        if not label.startswith(" "):
            rows.append([INTERVAL, *(span(values[:, y], 1e6, 2) for y in chosen)])
    return table([f"{answer.scenario} against baseline, £m", *year_head(run, chosen)], rows, 36)


def assumptions_alone_text(run: Run) -> str:
    """What scenarios without a lever change, a line each."""
    chosen = years(run)
    lines = []
    for found in assumptions_alone(run):
        text = f"{found.scenario} holds assumptions and no lever"
        if not changes_children(run, found):
            text = f"{found.scenario} changes nothing for children: it is an assumption about prices"
        if chosen:
            net = -found.yearly.of("net_saving_gbp")[:, chosen[-1]]
            low, high = middle_80(net)
            text += (
                f". It changes net cost by {pounds(float(net.mean()))} in {year_head(run, chosen[-1:])[0]} "
                f"(80 % interval {pounds(low)} to {pounds(high)})"
            )
        lines.append(wrapped(f"{text}."))
    return "\n".join(lines)


def targets_text(run: Run) -> str:
    """Every target of the baseline and of each scenario that chooses something."""
    shown = {BASELINE, *(found.scenario for found in programmes(run))}
    found = [a for a in run.assessments() if a.scenario in shown]
    left = [wrapped(f"Not judged: {reason}") for reason in run.record["targets_left_out"].values()]
    if not found:
        return "\n".join(["The run judges no target. Give it some: carecast run ... --targets FILE", *left])
    rows: list[list[str]] = []
    named = ""
    for a in found:
        lacking = (
            pounds(a.expected_shortfall_gbp) if a.expected_shortfall_gbp is not None else f"{a.expected_shortfall:.1f}"
        )
        met = f"{a.month_met:%b %Y}" if a.month_met else "never"
        chance = f"{percent(a.met_probability)} ± {196 * a.monte_carlo_error:.0f}"
        name = "" if rows and a.target == named else a.target
        named = a.target
        rows.append([name, a.scenario, chance, percent(a.required_probability), lacking, met])
    head = ["Target", "scenario", "probability", "required", "mean shortfall", "median month met"]
    return "\n".join([table(head, rows, 46, 46), *left])


def safety_text(run: Run, against: str = BASELINE) -> str:
    """Safety beside every saving: last twelve months of the run; scenarios that change nothing for children in one line."""
    frame = safety_beside_savings(run.answers, against)
    frame = frame[frame["chance_worse"].notna()]
    same = [str(name) for name, part in frame.groupby("scenario", sort=False) if _all_nought(part)]
    rows = [_safety_row(run.record["nation"], row) for row in frame[~frame["scenario"].isin(same)].to_dict("records")]
    lines = [f"Safety: {name} is the same as {against} in every replication." for name in same]
    if rows:
        head = ["Safety, last 12 months", "scenario", against, "there", "difference (80 %)", "chance worse", ""]
        lines.insert(0, table(head, rows, 49, 49))
    return "\n".join(lines) or "Safety: there is no scenario beside the baseline to compare."


def _safety_row(nation: str, row: dict[Any, Any]) -> list[str]:
    return [
        measure_label(nation, row["measure"]), row["scenario"], f"{row['mean_against']:.1f}", f"{row['mean']:.1f}",
        f"{row['difference']:+.1f} ({row['p10']:+.1f} to {row['p90']:+.1f})", percent(row["chance_worse"]),
        "WORSE" if row["worse"] else "",
    ]  # fmt: skip


def _all_nought(part: pd.DataFrame) -> bool:
    return bool((part[["difference", "p10", "p90", "chance_worse"]].astype(float) == 0).all().all())


def reserves_text(run: Run) -> str:
    """Reserves at each 31 March against the policy minimum, breaches, and recurring cost that reserves pay."""
    chosen = [at for at, days in enumerate(run.calendar.financial_years) if run.answers and days]
    rows = []
    flags = []
    names = [f"{name} (part)" if name in run.record["part_years"] else name for name in run.calendar.financial_years]
    for found in programmes(run):
        if not run.money[found.scenario].programme_total(paid_from="reserves").any():
            continue
        path = run.reserves(found.scenario)
        balance = path.balance / 100
        rows.append(
            [f"{found.scenario}: at the end of the year", *(fixed(balance[:, y].mean() / 1e6, 2) for y in chosen)]
        )
        rows.append([INTERVAL, *(span(balance[:, y], 1e6, 2) for y in chosen)])
        rows.append(
            ["    chance of less than the policy minimum", *(percent(path.breach[:, y].mean()) for y in chosen)]
        )
        rows.append(
            ["    recurring cost they pay", *(fixed(path.recurring_paid[:, y].mean() / 1e8, 2) for y in chosen)]
        )
        flags += _reserve_flags(found.scenario, path.breach, path.recurring_paid, names)
    if not rows:
        return "Reserves: no scenario of the run pays anything from them."
    minimum = run.record["parameters"]["numbers"].get("reserves.policy_minimum_gbp")
    floor = f" (policy minimum {pounds(minimum['value'])}, {minimum['how']})" if minimum else ""
    return "\n".join([table([f"Reserves, £m{floor}", *(names[y] for y in chosen)], rows), *flags])


def _reserve_flags(scenario: str, breach: np.ndarray, recurring: np.ndarray, names: Sequence[str]) -> list[str]:
    broken = [name for y, name in enumerate(names) if breach[:, y].mean() > 0.5]
    paid = [name for y, name in enumerate(names) if recurring[:, y].mean() > 0]
    lines = []
    if broken:
        lines.append(
            f"BREACH: {scenario} more likely than not leaves less than the policy minimum in {', '.join(broken)}."
        )
    if paid:
        lines.append(
            f"FLAG: {scenario} pays recurring cost from reserves in {', '.join(paid)}; reserves can be spent only once."
        )
    return [wrapped(line) for line in lines]


def backtest_text(run: Run) -> str:
    """The verdict of the back-test stored beside the parameter set, or that there is none."""
    return verdict_text(run.record.get("backtest"))


def verdict_text(backtest: Any) -> str:  # noqa: ANN401
    """A back-test's verdict with what limits it, or that there is none."""
    if not backtest:
        return wrapped(
            "Back-test: none yet for this parameter set, so the intervals rest on the fit to history alone; "
            "`carecast backtest HISTORY --out FOLDER --parameters DIR` makes one."
        )
    if not isinstance(backtest, dict):
        return wrapped(f"Back-test: {backtest}")
    said = (backtest.get("verdict"), backtest.get("limits"))
    return wrapped(" ".join(str(part) for part in said if part))


def monte_carlo_text(run: Run) -> str:
    """Monte Carlo error of the headlines."""
    parts = []
    for row in run.record["monte_carlo"]:
        if row["standard_error"]:
            error = row["standard_error"]
            said = pounds(error) if row["measure"].endswith("_gbp") else f"{error:.1f}"
            label = measure_label(run.record["nation"], row["measure"])
            parts.append(f"{label} [{row['scenario']}] ±{said}")
    if not parts:
        return "Monte Carlo error: not known from one replication."
    return wrapped("Monte Carlo error (one standard error of the mean): " + "; ".join(parts))
