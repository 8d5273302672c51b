"""The annual gap report: who waited, who was placed beyond the radius or in a dearer home, for want of what.

Everything is a mean over replications of one scenario and financial year, from the placements begun and the waits ended
in the run (children already placed on the as-at date are not judged: what was wanted for them is not known). Four
tables, tidy, one row a line:

- ``homes``: placements by locality, the child's age band when they began, type wanted and type got;
- ``waits``: early help by locality and age band;
- ``missing``: the gaps of both in one unit, the child-years spent without what was wanted, ranked;
- ``type_prices``: mean price a week of each placement type, as this scenario paid it.

Extra cost of a placement = its days in the year x (mean price a day of the type got - of the type wanted), where that is
above 0. The mean price of a type is its value at full unit cost (own homes with their share of fixed cost) over its days,
over all replications of the scenario and the year. Distance has no price of its own in the model.

Beyond the radius is a lack only where a nearer home was wanted. Counted apart: placements with kin and adopters, in
schools and in secure care, which are where they are for who they are; and the share ``distance.kept_for_safety_share``
of the others, a distance kept to protect the child.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.model import words as w
from carecast.model.ledger import WAITS
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE
from carecast.model.words import DAYS_PER_YEAR
from carecast.scenarios.levers import FAR_AWAY_TYPES
from carecast.scenarios.run import Run

KEPT_FAR = "distance.kept_for_safety_share"
PENCE, DAYS_PER_WEEK = 100.0, 7.0
# Own homes are tried before bought ones of the same sort, so an own home for a bought one wanted is policy and no gap.
OWN_FOR_BOUGHT = {("foster_agency", "foster_own"), ("residential_external", "childrens_house_own")}
EARLY_HELP, NEAR_HOME, HOME = "early_help", "near_home", "home"
SEARCHES = ("placements_made", "placed_beyond_radius", "days_placed", "days_beyond_radius")


@dataclass(frozen=True)
class Gaps:
    """The gap report of one scenario."""

    scenario: str
    replications: int
    financial_years: tuple[str, ...]
    part_years: tuple[str, ...]
    kept_for_safety_share: float
    homes: pd.DataFrame
    waits: pd.DataFrame
    missing: pd.DataFrame
    type_prices: pd.DataFrame


def gaps(run: Run, scenario: str = BASELINE, years: Sequence[str] = ()) -> Gaps:
    """The gap report of a scenario; of every financial year the run holds a day of unless some are named.

    Raises:
        BadFile: the run does not hold the scenario or a year.
    """
    run.answer(scenario)
    held = years_of(run)
    wrong = [year for year in years if year not in held]
    if wrong:
        there = ", ".join(held) or "none"
        raise BadFile(*(f"{run.folder}: holds no financial year {year!r}; there are {there}" for year in wrong))
    chosen = tuple(year for year in held if not years or year in years)
    n = int(run.record["replications"])
    found = run.searches(scenario)
    price = type_prices(run, scenario, found)
    homes = _homes(run, found, price, n)
    waits = _waits(run, found, n)
    share = _kept_far(run)
    return Gaps(
        scenario, n, chosen, tuple(year for year in run.record["part_years"] if year in chosen), share,
        *(_in(chosen, frame) for frame in (homes, waits, missing(homes, waits), price)),
    )  # fmt: skip


def years_of(run: Run) -> list[str]:
    """Financial years of which the run simulates at least a day."""
    layout = run.money[BASELINE].layout
    return [name for name, days in zip(layout.financial_years, layout.run_days, strict=True) if days > 0]


def last_whole_year(run: Run) -> str:
    """The last financial year the run holds whole, or the last it holds anything of.

    Raises:
        BadFile: the run holds no day.
    """
    held = years_of(run)
    whole = [year for year in held if year not in run.record["part_years"]]
    if not held:
        raise BadFile(f"{run.folder}: ends on the as-at date, so there is no year to report on")
    return (whole or held)[-1]


def _in(years: Sequence[str], frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["financial_year"].isin(list(years))].reset_index(drop=True)


def _kept_far(run: Run) -> float:
    number = run.record["parameters"]["numbers"].get(KEPT_FAR)
    return float(number["value"]) if number else 0.0


# --- prices -----------------------------------------------------------------------------------------
def type_prices(run: Run, scenario: str, searches: pd.DataFrame | None = None) -> pd.DataFrame:
    """Mean price a week by financial year and placement type: value at full unit cost over days, all replications.

    A type with no day in a year has its mean over all years of the run; one with no day at all has the price of the
    parameter set, at the prices of its own year. ``how`` says which. Columns ``financial_year, placement_type,
    days_a_replication, price_gbp_per_week, how``.
    """
    found = run.searches(scenario) if searches is None else searches
    layout = run.money[scenario].layout
    at = [layout.lines.index(name) for name in w.PLACEMENT_TYPES]
    pounds = run.money[scenario].value[:, :, at].sum(axis=0) / PENCE  # [FY, type]
    days = np.zeros(pounds.shape)
    of_types = found[found["table"] == "type_days"]
    days[of_types["financial_year"], of_types["locality"]] = of_types["total"]  # type_days has its type there
    rows = []
    for year, name in enumerate(layout.financial_years):
        for kind, placement_type in enumerate(w.PLACEMENT_TYPES):
            if days[year, kind] > 0:
                weekly, how = pounds[year, kind] / days[year, kind] * DAYS_PER_WEEK, "the year's mean"
            elif days[:, kind].sum() > 0:
                weekly, how = pounds[:, kind].sum() / days[:, kind].sum() * DAYS_PER_WEEK, "mean of all years"
            else:
                weekly, how = _set_price(run, placement_type), "the parameter set's"
            a_replication = days[year, kind] / int(run.record["replications"])
            rows.append((name, placement_type, a_replication, float(weekly), how))
    columns = ["financial_year", "placement_type", "days_a_replication", "price_gbp_per_week", "how"]
    return pd.DataFrame(rows, columns=columns)


def _set_price(run: Run, placement_type: str) -> float:
    """Mean full weekly price of a type's providers in the parameter set."""
    prices = []
    for p in run.record["parameters"]["providers"]:
        if p["placement_type"] == placement_type:
            usable = (p["places"] or 0) * p["usable_share"]
            prices.append(p["weekly_cost_gbp"] + (p["fixed_weekly_cost_gbp"] / usable if usable else 0.0))
    return float(np.mean(prices)) if prices else 0.0


# --- homes ------------------------------------------------------------------------------------------
def _homes(run: Run, found: pd.DataFrame, price: pd.DataFrame, n: int) -> pd.DataFrame:
    """One line for each combination that occurs; placements and child-years are means over replications."""
    keys = ["financial_year", "locality", "age_band", "wanted", "got"]
    wide = found[found["table"].isin(list(SEARCHES))].pivot_table(
        index=keys, columns="table", values="total", aggfunc="sum", fill_value=0
    )
    wide = wide.reindex(columns=list(SEARCHES), fill_value=0).reset_index()
    frame = _named(run, wide)
    for column in ("wanted", "got"):
        frame[column] = _words(frame[column], w.PLACEMENT_TYPES)
    made, beyond = frame["placements_made"] / n, frame["placed_beyond_radius"] / n
    days, days_beyond = frame["days_placed"] / n, frame["days_beyond_radius"] / n
    by_nature = ~frame["got"].isin(list(FAR_AWAY_TYPES))
    safe = _kept_far(run)
    lacking = np.where(by_nature, 0.0, 1.0 - safe)
    weekly = {
        (str(y), str(t)): p for y, t, p in price[["financial_year", "placement_type", "price_gbp_per_week"]].to_numpy()
    }
    pairs = [zip(frame["financial_year"], frame[column], strict=True) for column in ("wanted", "got")]
    wanted_price, got_price = (np.array([weekly[pair] for pair in column], dtype=float) for column in pairs)
    other = [a != b and (a, b) not in OWN_FOR_BOUGHT for a, b in zip(frame["wanted"], frame["got"], strict=True)]
    dearer = np.array(other, dtype=bool) & (got_price > wanted_price)
    return frame[["financial_year", "locality", "age_band", "wanted", "got"]].assign(
        placements=made,
        child_years=days / DAYS_PER_YEAR,
        gap=np.where(dearer, "dearer home", np.where(other, "another home", "")),
        price_wanted_gbp_per_week=wanted_price,
        price_got_gbp_per_week=got_price,
        extra_cost_gbp=np.where(dearer, days * (got_price - wanted_price) / DAYS_PER_WEEK, 0.0),
        beyond_radius=beyond,
        beyond_by_nature=np.where(by_nature, beyond, 0.0),
        beyond_for_safety=np.where(by_nature, 0.0, beyond * safe),
        beyond_for_want=beyond * lacking,
        child_years_beyond_for_want=days_beyond * lacking / DAYS_PER_YEAR,
    )


def _named(run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Financial year, locality and age band by name."""
    localities = [locality["name"] for locality in run.record["parameters"]["localities"]]
    years = run.money[BASELINE].layout.financial_years
    return frame.assign(
        financial_year=_words(frame["financial_year"], years),
        locality=_words(frame["locality"], localities),
        age_band=_words(frame["age_band"], w.AGE_BANDS),
    )


def _words(index: pd.Series, names: Sequence[str]) -> np.ndarray:
    return np.array(names, dtype=object)[index.to_numpy(dtype=int)] if len(index) else np.array([], dtype=object)


# --- early help -------------------------------------------------------------------------------------
def _waits(run: Run, found: pd.DataFrame, n: int) -> pd.DataFrame:
    """Early help waits that ended in the year; a child still waiting when the run ends is in no year."""
    part = found[found["table"] == "early_help_waits"]
    keys = ["financial_year", "locality", "age_band"]
    wide = part.pivot_table(index=keys, columns="wanted", values="total", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=range(len(WAITS)), fill_value=0).set_axis(list(WAITS), axis=1).reset_index()
    frame = _named(run, wide)
    started, waited = frame["starts"] / n, frame["wait_days"] / n
    return frame[keys].assign(
        starts=started,
        waited=frame["waited"] / n,
        mean_wait_days=np.divide(waited, started, out=np.zeros(len(frame)), where=started > 0),
        left_without_help=frame["left"] / n,
        escalated_while_waiting=frame["escalated"] / n,
        child_years_waited=(waited + frame["left_wait_days"] / n) / DAYS_PER_YEAR,
    )


# --- what is missing most ---------------------------------------------------------------------------
def missing(homes: pd.DataFrame, waits: pd.DataFrame, by: Sequence[str] = ("locality", "age_band")) -> pd.DataFrame:
    """What children went without, by year and place, most child-years first within each year.

    ``what`` is ``home`` (a home of the type wanted), ``near_home`` (such a home within the radius) or ``early_help``;
    ``wanted`` is the placement type of the first two. A child in a dearer home that is also too far away stands under
    both. ``children`` are placements begun, or children who waited or left without help. Columns ``rank,
    financial_year, what, wanted, *by, children, child_years, extra_cost_gbp``.
    """
    parts = []
    columns = [*by, "what", "wanted", "children", "child_years", "extra_cost_gbp"]
    instead = homes[homes["gap"] != ""]
    sources = (
        (HOME, instead, instead["placements"], instead["child_years"], instead["extra_cost_gbp"]),
        (NEAR_HOME, homes, homes["beyond_for_want"], homes["child_years_beyond_for_want"], 0.0),
        (EARLY_HELP, waits.assign(wanted=""), waits["waited"] + waits["left_without_help"],
         waits["child_years_waited"], 0.0),
    )  # fmt: skip
    for what, frame, children, child_years, extra in sources:
        part = frame.assign(what=what, children=children, child_years=child_years, extra_cost_gbp=extra)
        parts.append(part[["financial_year", *columns]])
    keys = ["financial_year", "what", "wanted", *by]
    summed = pd.concat(parts).groupby(keys, sort=True, observed=True).sum(numeric_only=True).reset_index()
    summed = summed[summed["child_years"] > 0]
    ranked = summed.sort_values(["financial_year", "child_years"], ascending=[True, False], kind="stable")
    ranked.insert(0, "rank", ranked.groupby("financial_year").cumcount() + 1)
    out: pd.DataFrame = ranked.reset_index(drop=True)
    return out


def long_table(found: Gaps) -> pd.DataFrame:
    """All tables of the report in one tidy table: ``scenario, table, financial_year, locality, age_band, what, wanted,
    got, measure, value``; empty where a table does not have the column.
    """  # noqa: D205
    keys = ["financial_year", "locality", "age_band", "what", "wanted", "got"]
    parts = []
    for table in ("missing", "homes", "waits", "type_prices"):
        frame = getattr(found, table).rename(columns={"placement_type": "got"})
        here = [key for key in keys if key in frame.columns]
        numbers = [c for c in frame.select_dtypes("number").columns if c not in keys]
        part = frame.melt(id_vars=here, value_vars=numbers, var_name="measure", value_name="value")
        parts.append(part.assign(scenario=found.scenario, table=table).reindex(
            columns=["scenario", "table", *keys, "measure", "value"]
        ))  # fmt: skip
    out: pd.DataFrame = pd.concat(parts, ignore_index=True).fillna({key: "" for key in keys})
    return out
