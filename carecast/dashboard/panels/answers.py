"""Will we make it, what does it hang on, what would it take: findings, charts and tables of the page of targets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.dashboard import charts_of_answers as charts
from carecast.dashboard import figures, telling
from carecast.dashboard.panels.shapes import Panel, Table, Tile
from carecast.dashboard.panels.targets import target_tiles, targets_table
from carecast.dashboard.panels.view import View, lower_first
from carecast.dashboard.telling import legend_name, money, percent, prose, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios.compare import SAFETY_MEASURES
from carecast.scenarios.run import Run
from carecast.scenarios.targets import Assessment, Target, values_at_end
from carecast.scenarios.wording import measure_label

CHANCES = (0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)
MOST_POINTS = 400
LIMITS = {
    "one_off_gbp": "Cost once, with capital",
    "recurring_gbp_per_year": "Cost of the dearest year",
    "reserves_breach_chance": "Chance that reserves fall below their minimum",
}


@dataclass(frozen=True)
class Judged:
    """Every target judged on the baseline and a scenario."""

    finding: str
    tiles: tuple[Tile, ...]
    table: Table | None
    why_not: str  # why they cannot be judged


def judged(run: Run, scenario: str | None, first: str | None) -> Judged:
    """Every target of a run judged; the finding is about the target named, or the first.

    Args:
        run: with the targets to judge.
        scenario: beside the baseline.
        first: name of the target that the finding is about.
    """
    view = View(run, scenario)
    found, why = figures.assessments(run, scenario)
    return Judged(_finding(view, found, first), target_tiles(view, found), targets_table(view, found), why)


def _finding(view: View, found: Sequence[Assessment], first: str | None) -> str:
    own = [a for a in found if a.scenario == view.names[-1]]
    if not own:
        return prose("no_target_finding" if not view.run.targets else "baseline_target_finding")
    about = next((a for a in own if a.target == first), own[0])
    likely = sum(a.is_likely_enough for a in own)
    chance = telling.chance(about.met_probability, view.replications)
    told = round(about.met_probability * view.replications)
    is_all = told in (0, view.replications)
    words = f"{chance} replications of \u201c{legend_name(about.scenario)}\u201d reach" if is_all else (
        f"\u201c{legend_name(about.scenario)}\u201d has a {chance} chance of"
    )  # fmt: skip
    return f"{words} \u201c{about.target}\u201d; {likely} of {len(own)} targets are likely enough"


# --- the S-curve ------------------------------------------------------------------------------------------------------
def s_curve(run: Run, scenario: str | None, target: Target) -> Panel:
    """The chance of at least (at most) each value of what a target asks for."""
    view = View(run, scenario)
    is_saving = target.is_saving and target.against == "baseline"
    names = [name for name in view.names if not (is_saving and name == BASELINE)]
    values = {name: np.sort(values_at_end(target, run.answer(name), run.terms)) for name in names}
    side = "at least" if target.at_least is not None else "at most"
    legends = [legend_name(name) for name in names]
    frame = pd.concat([_points(legend_name(name), found, target) for name, found in values.items()], ignore_index=True)
    chart = charts.s_curve(frame, legends, target.value, 100 * target.required_probability,
                            target.at_least is not None, target.is_money)  # fmt: skip
    last = values[names[-1]]
    sure = _reached(last, target, target.required_probability)
    level = percent(100 * target.required_probability)
    measure = target.row_measure
    title = f"With a chance of {level}, \u201c{legends[-1]}\u201d reaches {side} {value_words(measure, sure)}"
    subtitle = prose("s_curve", side=side, what=telling.target_words(target))
    key = [("line-baseline" if name == BASELINE else "line-scenario", legend_name(name)) for name in names]
    key.append(("line-target", f"Asked: {value_words(measure, target.value)}, with a chance of {level}"))
    rows = tuple(
        (percent(100 * chance), *(value_words(measure, _reached(found, target, chance)) for found in values.values()))
        for chance in CHANCES
    )
    table = Table(f"{side.capitalize()} so much, by chance", ("Chance", *legends), rows)
    alt = f"Line chart of the chance of {side} each value: {title}. Asked: {value_words(measure, target.value)}."
    return Panel("s_curve", title, subtitle, tuple(key), chart, alt, table)


def _points(name: str, values: np.ndarray, target: Target) -> pd.DataFrame:
    n = len(values)
    kept = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(int))
    share = (n - kept) / n if target.at_least is not None else (kept + 1) / n
    return pd.DataFrame({"scenario": name, "value": values[kept], "chance": 100 * share})


def _reached(values: np.ndarray, target: Target, chance: float) -> float:
    """What a share of replications reaches or betters."""
    from carecast.scenarios.solve_judge import reached_by

    sign = 1.0 if target.at_least is not None else -1.0
    return sign * reached_by(sign * values, chance)


# --- what it hangs on -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Hangs:
    """A tornado and what to research first."""

    panel: Panel | None
    research: Table | None
    notes: tuple[str, ...]


def hangs(file: Path) -> Hangs:
    """What a finished sensitivity says."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    notes = (
        prose("research", mean=money(found["net_benefit_gbp"]), loss=percent(100 * found["chance_of_loss"]),
              perfect=money(found["value_of_perfect_information_gbp"]), miss=money(found["mean_miss_gbp"])),
        prose("drift", share=percent(100 * found["drift_share"]), replications=found["replications"]),
    )  # fmt: skip
    return Hangs(_tornado(found), _research(found), notes)


def _tornado(found: Mapping[str, Any]) -> Panel | None:
    rows = found["tornado"]
    if not rows:
        return None
    bars = pd.DataFrame({
        "label": [row["label"] for row in rows], "low": [row["at_p10_gbp"] for row in rows],
        "high": [row["at_p90_gbp"] for row in rows],
    }).drop_duplicates("label")  # fmt: skip
    widest = rows[0]
    swing = abs(widest["at_p90_gbp"] - widest["at_p10_gbp"])
    title = f"\u201c{widest['label']}\u201d moves the net saving most: by {money(swing)} between its ends"
    table = Table(
        f"Change of the net saving in {found['financial_year']}, one number at a time",
        ("Number", "Low end\n10th percentile", "High end\n90th percentile", "Change at low end", "Change at high end",
         "How"),
        tuple(
            (f"{row['label']}\n{row['where']}", telling.plain_number(row["p10"], ""), telling.plain_number(row["p90"], ""),
             _change(row["at_p10_gbp"], row["error_p10_gbp"]), _change(row["at_p90_gbp"], row["error_p90_gbp"]),
             telling.HOW_WORDS.get(row["how"], str(row["how"])))
            for row in rows
        ),
    )  # fmt: skip
    key = (
        ("point-baseline", "at its low end (10th percentile)"),
        ("point-scenario", "at its high end (90th percentile)"),
    )
    alt = f"Chart of how far the net saving moves with one number at a time: {title}."
    subtitle = prose("tornado", year=found["financial_year"])
    return Panel("tornado", title, subtitle, key, charts.tornado(bars), alt, table)


def _change(pounds: float, error: float) -> str:
    return f"{telling.difference_words('net_saving_gbp', pounds)}\n\u00b1{money(error)} by chance alone"


def _research(found: Mapping[str, Any]) -> Table | None:
    by_id = {row["id"]: row for row in found["global"]}
    rows = [by_id[name] for name in found["research_first"] if name in by_id]
    if not rows:
        return None
    return Table(
        "Which assumption to research first",
        ("Number", "Worth for adopting", "Worth for budgeting, a year", "How", "Sure?"),
        tuple(
            (f"{row['label']}\n{row['where']}", money(row["value_adopting_gbp"]), money(row["value_budgeting_gbp"]),
             telling.HOW_WORDS.get(row["how"], str(row["how"])), "Clear" if row["clear"] else "Could be chance")
            for row in rows
        ),
    )  # fmt: skip


# --- what would it take -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Taken:
    """What the solver found."""

    finding: str
    is_good: bool
    sentence: str
    package: Table
    targets: Table
    safety: Table | None
    binds: tuple[str, ...]
    frontier: Panel | None
    alone: Table | None


def taken(folder: Path, nation: str) -> Taken:
    """A finished answer of the solver."""
    found: dict[str, Any] = json.loads((folder / "solve.json").read_text(encoding="utf-8"))
    cost = money(found["package"]["cost_gbp"])
    is_good = bool(found["reached"] and found["confirmed"])
    kind = "yes" if is_good else "unconfirmed" if found["reached"] else "no"
    return Taken(
        prose(f"solved_{kind}", cost=cost), is_good, _sentence(found), _package(found), _on_targets(found),
        _safety(found, nation), tuple(_binds(found, nation)), _frontier(found), _alone(found),
    )  # fmt: skip


def _sentence(found: Mapping[str, Any]) -> str:
    search, verified = found["search"], found["verification"]
    return prose(
        "solved_how", told=search["packages_told"], possible=f"{search['packages_possible']:,}",
        replications=search["replications"], check=search["check_replications"], verified=f"{verified['replications']:,}",
        until=telling.iso_words(found["until"]),
    )  # fmt: skip


def _package(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (row["lever"], "Left out" if row["left_out"] else f"{row['size']:g}", row["unit"],
         f"{row['min']:g} to {row['max']:g}", "At its most" if row["at_bound"] else "")
        for row in found["package"]["levers"]
    )  # fmt: skip
    package = found["package"]
    caption = (
        f"The package: {money(package['cost_gbp'])} in all, {money(package['one_off_gbp'])} once, "
        f"{money(package['recurring_gbp_per_year'])} in the dearest year"
    )
    return Table(caption, ("Lever", "Size", "Unit", "Free between", "At a bound"), rows)


def _on_targets(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (row["target"], _chance(row), percent(100 * row["required_probability"]),
         _amount(row["reached_with_required_probability"]), _amount(row["asked"]), _amount(row["expected_shortfall"]),
         "Yes" if row["met"] else "No")
        for row in found["targets"]
    )  # fmt: skip
    columns = (
        "Target, on fresh replications",
        "Chance",
        "Asked for",
        "Reached with it",
        "Asked",
        "Mean shortfall",
        "Met",
    )
    return Table(f"All targets together: {percent(100 * found['joint_probability'])}", columns, rows)


def _chance(row: Mapping[str, Any]) -> str:
    error = percent(100 * row["monte_carlo_error"])
    return f"{percent(100 * row['verified_probability'])}\n\u00b1{error} by chance alone"


def _amount(value: float) -> str:
    return money(value) if abs(value) >= 10_000 else f"{value:,.1f}"


def _safety(found: Mapping[str, Any], nation: str) -> Table | None:
    rows = [
        (LIMITS[row["limit"]], *(_limit(row["limit"], row[key]) for key in ("found", "allowed")),
         "Within" if row["within"] else "Beyond")
        for row in found["limits"]
    ]  # fmt: skip
    rows += [
        (f"Worse by: {lower_first(measure_label(nation, row['measure']))}",
         f"{row['worsening']:+.2f}".replace("-", telling.MINUS), f"{row['margin']:g}",
         "Within" if row["within"] else "Beyond")
        for row in found["safety"]
    ]  # fmt: skip
    return (
        Table("Limits and safety, on fresh replications", ("What", "Found", "At most", "Verdict"), tuple(rows))
        if rows
        else None
    )


def _limit(name: str, value: float) -> str:
    return percent(100 * value) if name == "reserves_breach_chance" else money(value)


def _binds(found: Mapping[str, Any], nation: str) -> list[str]:
    lines = []
    for row in found["binds"]:
        if row["what"] == "one step less":
            fails = ", ".join(_demand(name, nation) for name in row["fails"])
            lines.append(prose("binds_step", lever=row["lever"], saves=money(row["saves_gbp"]), fails=fails))
        elif row["what"] == "not met":
            lines.append(prose("binds_not_met", demand=_demand(row["demand"], nation)))
        elif row["what"] == "lever at its most":
            lines.append(prose("binds_most", lever=row["lever"], size=f"{row['size']:g}"))
        else:
            chances = "; ".join(f"{name} {percent(100 * chance)}" for name, chance in row["probabilities"].items())
            demand = _demand(row["demand"], nation)
            lines.append(prose("binds_without", demand=demand, cost=money(row["cost_gbp"]), chances=chances))
    return lines


def _demand(name: str, nation: str) -> str:
    if name in LIMITS:
        return f"the limit on {lower_first(LIMITS[name])}"
    if name in SAFETY_MEASURES:
        return f"the margin on {lower_first(measure_label(nation, name))}"
    return f"\u201c{name}\u201d"


def _frontier(found: Mapping[str, Any]) -> Panel | None:
    rows = found["frontier"]
    if not rows:
        return None
    chosen = found["package"]["cost_gbp"]
    least = min((row["verified_probability"] for row in found["targets"]), default=0.0)
    points = pd.DataFrame(
        [{"cost": row["cost_gbp"], "chance": 100 * row["least_probability"], "is_chosen": False} for row in rows]
        + [{"cost": chosen, "chance": 100 * least, "is_chosen": True}]
    )
    required = 100 * max(row["required_probability"] for row in found["targets"])
    best = max(rows, key=lambda row: row["least_probability"])
    title = (
        f"The most likely package tried costs {money(best['cost_gbp'])} and meets its least likely target with "
        f"{percent(100 * best['least_probability'])}"
    )
    names = [row["lever"] for row in found["package"]["levers"]]
    table = Table(
        "Packages that no cheaper one beats, as searched",
        ("Cost", "Chance of the least likely target", "Chance of all together", *names),
        tuple(
            (money(row["cost_gbp"]), percent(100 * row["least_probability"]), percent(100 * row["joint_probability"]),
             *(f"{row[name]:g}" for name in names))
            for row in rows
        ),
    )  # fmt: skip
    key = (
        ("point-baseline", "Packages within limits and safety, as searched"),
        ("point-scenario", "The one chosen, verified"),
    )
    alt = f"Chart of programme cost against the chance of the least likely target. {title}."
    return Panel("frontier", title, prose("frontier"), key, charts.frontier(points, required), alt, table)


def _alone(found: Mapping[str, Any]) -> Table | None:
    rows = tuple(
        (row["target"], "None" if row["best_probability"] is None else percent(100 * row["best_probability"]),
         percent(100 * row["required_probability"]),
         "Out of reach" if row["cheapest_gbp"] is None else money(row["cheapest_gbp"]))
        for row in found["alone"]
    )  # fmt: skip
    columns = ("Each target by itself", "Best chance of the packages tried", "Asked for", "Cheapest that is enough")
    return Table("If it were the only target", columns, rows) if len(rows) > 1 else None
