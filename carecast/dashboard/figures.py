"""The numbers of the screens: small tidy tables out of a run. No words, no colours, no Streamlit.

Everything comes from the run's own answers by the functions that also make ``summary.csv`` and what the command line
prints, so the numbers are the same. Central figures are means over replications; intervals are quantiles of replications.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carecast.dashboard.disclosure import suppressed_history
from carecast.model.calendar import financial_year
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE, DECIMALS, QUANTILES_PER_MILLE, TOTAL, Answers, Grid, Values, spread
from carecast.scenarios.compare import safety_beside_savings
from carecast.scenarios.describe import LeverText, describe
from carecast.scenarios.library import load_scenario
from carecast.scenarios.run import Run
from carecast.scenarios.targets import Assessment

STATISTICS = ("mean", "sd", *QUANTILES_PER_MILLE)
FAMILY_PLACEMENTS = ("at_home", "kinship", "foster_own", "foster_agency", "prospective_adopters", "supported_accommodation",
                     "other_community")  # fmt: skip
RESIDENTIAL_PLACEMENTS = ("childrens_house_own", "childrens_house_own_fixed", "residential_external", "residential_school",
                          "secure", "unregistered", "other_residential")  # fmt: skip
LINE_GROUPS: dict[str, tuple[str, ...]] = {
    "residential": RESIDENTIAL_PLACEMENTS,
    "family": FAMILY_PLACEMENTS,
    "after_care": ("continuing_care", "home_after_care", "kinship_order", "adopted", "aftercare"),
    "early": ("early_help", "assessment", "support", "protection", "pre_entry"),
}
PLACEMENTS = (*FAMILY_PLACEMENTS, *RESIDENTIAL_PLACEMENTS)
SAVING_KINDS = ("gross_saving_gbp", "cashable_saving_gbp", "avoided_cost_gbp", "released_capacity_gbp", "programme_cost_gbp",
                "net_saving_gbp", "cumulative_net_saving_gbp")  # fmt: skip
PUBLISHED_SPEND = ("gross_cost_residential_gbp", "gross_cost_community_gbp")
WATCHED = ("uplift.external_per_year", "uplift.pay_per_year", "uplift.prices_per_year", "arrivals.contact_families_per_year",
           "arrivals.level_sd_per_year", "exits.level_sd_per_year", "diverted.pre_entry_hazard_ratio",
           "reserves.opening_gbp")  # fmt: skip
WATCHED_PRICES = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its 80 % interval."""

    mean: float
    low: float
    high: float


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a table, one after another, their cells by name."""
    return iter(frame.itertuples(index=False))


# --- the run ----------------------------------------------------------------------------------------------------------
def programmes(run: Run) -> tuple[str, ...]:
    """Scenarios of a run other than the baseline."""
    return tuple(found.scenario for found in run.answers if found.scenario != BASELINE)


def shown_scenarios(run: Run, scenario: str | None) -> tuple[str, ...]:
    """The baseline, and the scenario beside it if there is one."""
    return (BASELINE,) if scenario is None else (BASELINE, scenario)


def years(run: Run) -> tuple[str, ...]:
    """Financial years of the run's yearly tables."""
    return tuple(financial_year(date) for date in run.answer(BASELINE).yearly.dates)


def whole_years(run: Run) -> tuple[str, ...]:
    """Financial years that the run holds whole; all of them if it holds none whole."""
    whole = tuple(year for year in years(run) if year not in run.record["part_years"])
    return whole or years(run)


def is_part_year(run: Run, year: str) -> bool:
    """Whether the run holds only a part of a financial year."""
    return year in run.record["part_years"]


def last_date(run: Run) -> dt.date:
    """The last month end of the run."""
    return run.answer(BASELINE).monthly.dates[-1]


def has_levers(texts: Sequence[LeverText]) -> bool:
    """Whether a scenario changes something that a council can choose, and not assumptions alone."""
    return any(not text.is_assumption for text in texts)


def levers(run: Run, scenario: str | None) -> tuple[LeverText, ...]:
    """Levers and assumptions of a scenario of the run, in words."""
    if scenario is None:
        return ()
    return describe(load_scenario(run.folder / "inputs" / f"{scenario}.toml"), run.record["nation"])


# --- over replications ------------------------------------------------------------------------------------------------
def figure(values: Values) -> Figure:
    """Mean and 80 % interval over replications, rounded as in ``summary.csv``."""
    mean, _, low, high = (round(float(part), DECIMALS) + 0.0 for part in spread(values, [100, 900]))
    return Figure(mean, low, high)


def figure_of(run: Run, scenario: str, measure: str, at: int = -1, breakdown: str = TOTAL) -> Figure:
    """One measure of one scenario on one date of its grid."""
    return figure(run.answer(scenario).grid_of(measure, breakdown).of(measure, breakdown)[:, at])


def path(answers: Answers, measure: str, breakdown: str = TOTAL) -> pd.DataFrame:
    """Every date of a measure: scenario, date and the statistics of ``summary.csv``."""
    grid = answers.grid_of(measure, breakdown)
    statistics = np.round(spread(grid.of(measure, breakdown), list(QUANTILES_PER_MILLE.values())), DECIMALS) + 0.0
    frame = pd.DataFrame(dict(zip(STATISTICS, statistics, strict=True)))
    frame.insert(0, "date", [pd.Timestamp(date) for date in grid.dates])
    frame.insert(0, "scenario", answers.scenario)
    return frame


def fan(run: Run, scenario: str | None, measure: str) -> pd.DataFrame:
    """The path of a measure in the baseline and beside it in the scenario."""
    return pd.concat([path(run.answer(name), measure) for name in shown_scenarios(run, scenario)], ignore_index=True)


def paired(run: Run, scenario: str, measure: str, at: int = -1) -> Figure:
    """Scenario minus baseline within each replication, on one date."""
    ours, theirs = (run.answer(name).grid_of(measure).of(measure)[:, at] for name in (scenario, BASELINE))
    return figure(ours - theirs)


def history(run: Run, measure: str, breakdown: str = TOTAL) -> pd.DataFrame:
    """Published or recorded figures of a measure: date, value, source; NaN where a small count is left out."""
    frame = suppressed_history(run.record["parameters"]["history"])
    kept = frame[(frame["measure"] == measure) & (frame["breakdown"] == breakdown)].sort_values("date")
    return kept.assign(date=pd.to_datetime(kept["date"]))[["date", "value", "source"]].reset_index(drop=True)


# --- money ------------------------------------------------------------------------------------------------------------
def lines_cost(grid: Grid, lines: Sequence[str]) -> Values:
    """Gross cost of some lines, [replication, financial year]."""
    return np.sum([grid.of("gross_cost_gbp", f"line={line}") for line in lines], axis=0)


def all_cost(grid: Grid) -> Values:
    """Gross cost of every line and the programme, [replication, financial year]."""
    return grid.of("gross_cost_gbp") + grid.of("programme_cost_gbp")


def _costs(grid: Grid) -> dict[str, Values]:
    groups = {name: lines_cost(grid, lines) for name, lines in LINE_GROUPS.items()}
    placements = lines_cost(grid, PLACEMENTS)
    return {"placements": placements, **groups, "programme": grid.of("programme_cost_gbp"), "all": all_cost(grid)}


def spend(run: Run, scenario: str | None) -> pd.DataFrame:
    """Gross cost by financial year: scenario, year, is_part, group of lines, mean, p10, p90.

    ``placements`` is the two groups of placements of looked-after children; ``all`` is every line and the programme.
    """
    rows: list[dict[str, Any]] = []
    for name in shown_scenarios(run, scenario):
        for group, values in _costs(run.answer(name).yearly).items():
            for at, year in enumerate(years(run)):
                found = figure(values[:, at])
                rows.append({"scenario": name, "year": year, "is_part": is_part_year(run, year), "group": group,
                             "mean": found.mean, "p10": found.low, "p90": found.high})  # fmt: skip
    return pd.DataFrame(rows)


def placements_cost(run: Run, scenario: str, year: str) -> Figure:
    """Gross cost of looked-after children's placements in a financial year."""
    return figure(lines_cost(run.answer(scenario).yearly, PLACEMENTS)[:, years(run).index(year)])


def published_spend(run: Run) -> pd.DataFrame:
    """Published gross spend on residential and community placements together: year, value; years with both only."""
    parts = [history(run, measure).assign(part=measure) for measure in PUBLISHED_SPEND]
    both = pd.concat(parts, ignore_index=True)
    both["year"] = [financial_year(date.date()) for date in both["date"]]
    summed = both.groupby("year")["value"].agg(["sum", "count"])
    kept = summed[summed["count"] == len(PUBLISHED_SPEND)]["sum"]
    return pd.DataFrame({"year": list(kept.index), "value": kept.to_numpy(dtype=float)})


def savings(run: Run, scenario: str) -> pd.DataFrame:
    """Savings against the baseline by kind and financial year: kind, year, is_part, mean, p10, p90.

    Programme cost is that of the scenario minus that of the baseline, so that gross - released - programme = net.
    """
    rows: list[dict[str, Any]] = []
    for kind in SAVING_KINDS:
        for at, year in enumerate(years(run)):
            found = paired(run, scenario, kind, at)
            rows.append({"kind": kind, "year": year, "is_part": is_part_year(run, year),
                         "mean": found.mean, "p10": found.low, "p90": found.high})  # fmt: skip
    return pd.DataFrame(rows)


# --- judged -----------------------------------------------------------------------------------------------------------
def assessments(run: Run, scenario: str | None) -> tuple[list[Assessment], str]:
    """Targets judged on the baseline and the scenario; and why they cannot be, if they cannot."""
    try:
        return [found for found in run.assessments() if found.scenario in shown_scenarios(run, scenario)], ""
    except BadFile as error:
        return [], "; ".join(error.lines)


def safety(run: Run, scenario: str) -> pd.DataFrame:
    """Safety measures of a scenario beside its savings, over the last twelve months of the run."""
    frame = safety_beside_savings(run.answers)
    return frame[(frame["scenario"] == scenario) & frame["chance_worse"].notna()].reset_index(drop=True)


def monte_carlo(run: Run, scenario: str | None) -> pd.DataFrame:
    """Standard error of the mean of the headlines, by scenario and measure."""
    frame = pd.DataFrame(run.record["monte_carlo"])
    return frame[frame["scenario"].isin(shown_scenarios(run, scenario)) & frame["standard_error"].notna()]


# --- what it rests on -------------------------------------------------------------------------------------------------
REGISTER_COLUMNS = ("section", "name", "value", "unit", "low", "high", "how", "date", "source", "note")


def register(run: Run) -> pd.DataFrame:
    """Every number that the run's record holds, one a row (``REGISTER_COLUMNS``); a series has no single value."""
    return register_of(run.record["parameters"])


def register_of(p: dict[str, Any]) -> pd.DataFrame:
    """The same of a parameter set as runs keep it (``kept_parameters``)."""
    rows = [_row("numbers", name, n["value"], n["unit"], n) for name, n in p["numbers"].items()]
    rows += [
        _row("series", name, None, f"{len(s['values'])} values: {s['unit']}", s) for name, s in p["series"].items()
    ]
    for home in p["providers"]:
        rows.append(_row("homes", home["name"], home["weekly_cost_gbp"], "£ a week for each child", home))
        if home["fixed_weekly_cost_gbp"]:
            rows.append(
                _row("homes", home["name"], home["fixed_weekly_cost_gbp"], "£ a week, whoever lives there", home)
            )
        if home["places"] is not None:
            rows.append(_row("homes", home["name"], home["places"], "places", home))
    for pool in p["service_pools"]:
        rows.append(_row("services", pool["code"].replace("_", " "), pool["places"], "families at once", pool))
    for cost in p["cost_lines"]:
        unit = f"£ a {cost['unit'].replace('_', ' ')}"
        rows.append(_row("services", cost["line"].replace("_", " "), cost["price_gbp"], unit, cost))
    for budget in p["budgets"]:
        name = f"{budget['line'].replace('_', ' ')}, {budget['financial_year']}"
        rows.append(_row("budgets", name, budget["amount_gbp"], "£ a year", budget))
    return pd.DataFrame(rows, columns=pd.Index(REGISTER_COLUMNS))


def _row(section: str, name: str, value: float | None, unit: str, entry: dict[str, Any]) -> dict[str, Any]:
    low, high = entry.get("interval_80") or (None, None)
    found = {key: entry.get(key, "") for key in ("how", "date", "source", "note")}
    return {"section": section, "name": name, "value": value, "unit": unit, "low": low, "high": high, **found}


def watched(run: Run) -> pd.DataFrame:
    """Assumed numbers that move cost in every scenario: growth, demand, and the prices of the dearest placements."""
    everything = register(run)
    numbers = everything[everything["name"].isin(WATCHED)].sort_values(
        "name", key=lambda names: names.map(WATCHED.index), kind="stable"
    )
    if not years(run):  # a run without a day has cost nothing
        return everything[everything["name"].isin(WATCHED) & (everything["how"] == "assumed")].reset_index(drop=True)
    grid = run.answer(BASELINE).yearly
    cost = {line: float(lines_cost(grid, [line])[:, -1].mean()) for line in PLACEMENTS if not line.endswith("_fixed")}
    dearest = sorted(cost, key=lambda line: -cost[line])[:WATCHED_PRICES]
    names = [
        h["name"] for line in dearest for h in run.record["parameters"]["providers"] if h["placement_type"] == line
    ]
    homes = everything[(everything["section"] == "homes") & everything["name"].isin(names)]
    prices = homes[homes["unit"].str.startswith("£")]
    found = pd.concat([numbers, prices], ignore_index=True)
    return found[found["how"] == "assumed"].reset_index(drop=True)


def how_many(run: Run) -> dict[str, int]:
    """How many numbers of the register are published, fitted and assumed."""
    counts = register(run)["how"].value_counts()
    return {how: int(counts.get(how, 0)) for how in ("published", "fitted", "assumed")}
