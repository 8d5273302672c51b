"""The money answers of a scenario: savings by year, line, funder and lever in cash, real or discounted terms, payback.

In any terms the smallest parts are turned first (cashable, avoided and released of each line and year, programme cost)
and everything else is their sum, so the identities of ``savings.py`` hold to the penny there too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from carecast.model import words as w
from carecast.model.money import SOCIAL_WORK, Money, Pence
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE, TOTAL, quantile_positions
from carecast.scenarios.run import Run
from carecast.scenarios.savings import (
    Savings,
    Terms,
    discounted,
    full_year_effect,
    in_real_terms,
    payback,
    savings,
)

Kind = Literal["cash", "real", "discounted"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PER_MILLE = {"p10": 100, "p50": 500, "p90": 900}
ALL_YEARS = "all"
COLUMNS = ("scenario", "terms", "financial_year", "measure", "breakdown", "mean", "p10", "p50", "p90")


# --- terms ----------------------------------------------------------------------------------------
def terms_of(run: Run) -> Terms:
    """Deflator and discount rate of the run's parameter set; real terms are prices of its price base year."""
    return replace(run.terms, price_year=str(run.record["parameters"]["price_base_year"]))


def in_terms(found: Savings, kind: Kind, terms: Terms) -> Savings:
    """Savings in cash as they are, at prices of ``terms.price_year``, or these discounted to the run's first year.

    What other funders pay is turned funder by funder; social work bears what rounding leaves.
    """
    if kind == "cash":
        return found
    cashable, avoided, released = (
        _turned(part, found, kind, terms) for part in (found.cashable, found.avoided, found.released)
    )
    one_off = _turned(found.one_off[..., np.newaxis], found, kind, terms)[..., 0]
    recurring = _turned((found.programme - found.one_off)[..., np.newaxis], found, kind, terms)[..., 0]
    by_funder = _turned(found.by_funder, found, kind, terms)
    turned = Savings(
        layout=found.layout, gross=cashable + avoided + released, cashable=cashable, avoided=avoided, released=released,
        programme=one_off + recurring, one_off=one_off, by_funder=by_funder,
    )  # fmt: skip
    by_funder[..., SOCIAL_WORK] = 0
    by_funder[..., SOCIAL_WORK] = turned.net - by_funder.sum(axis=-1)
    return turned


def _turned(pence: Pence, found: Savings, kind: Kind, terms: Terms) -> Pence:
    """[..., financial year, part] in other terms."""
    years = found.layout.financial_years
    by_year = np.moveaxis(pence, -2, -1)
    turn = in_real_terms if kind == "real" else discounted
    return np.ascontiguousarray(np.moveaxis(turn(by_year, years, terms), -1, -2))


def savings_of(run: Run, scenario: str, kind: Kind = "cash", against: str = BASELINE) -> Savings:
    """Savings of one scenario of a run against the baseline or another, replication by replication.

    Raises:
        BadFile: the run does not hold one of them.
    """
    run.answer(scenario)
    run.answer(against)
    found = savings(run.money[against], run.money[scenario], run.budget.pence)
    return in_terms(found, kind, terms_of(run))


# --- the tidy table -------------------------------------------------------------------------------
def savings_table(run: Run, scenario: str, kind: Kind = "cash", against: str = BASELINE) -> pd.DataFrame:
    """Every saving of a scenario by financial year and in all: totals, by line, by funder, programme cost by lever.

    Columns: scenario, terms, financial_year (``all``: over the run), measure, breakdown, mean, p10, p50, p90, in pounds.
    """
    found = savings_of(run, scenario, kind, against)
    held = [year for year, days in enumerate(found.layout.run_days) if days > 0]
    names = [found.layout.financial_years[year] for year in held]
    rows = []
    for measure, breakdown, pence in _measures(found, _items(run, scenario, kind)):
        pounds = pence[..., held] / 100.0
        columns = [*pounds.T] if measure == "cumulative_net_saving_gbp" else [*pounds.T, pounds.sum(axis=-1)]
        for name, values in zip([*names, ALL_YEARS], columns, strict=False):
            rows.append((scenario, kind, name, measure, breakdown, *_statistics(values)))
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _statistics(values: np.ndarray) -> tuple[float, ...]:
    ordered = np.sort(values)
    places = quantile_positions(len(values), list(PER_MILLE.values()))
    return tuple(round(float(x), 2) + 0.0 for x in (values.mean(), *ordered[places]))


def _measures(found: Savings, items: dict[str, Pence]) -> Iterable[tuple[str, str, Pence]]:
    """(measure, breakdown, [replication, financial year])."""
    by_line = {
        "gross_saving_gbp": found.gross, "cashable_saving_gbp": found.cashable, "avoided_cost_gbp": found.avoided,
        "released_capacity_gbp": found.released,
    }  # fmt: skip
    for measure, pence in by_line.items():
        yield measure, TOTAL, pence.sum(axis=-1)
        for at, line in enumerate(found.layout.lines):
            if pence[..., at].any():
                yield measure, f"line={line}", pence[..., at]
    yield "extra_programme_cost_gbp", TOTAL, found.programme
    yield "extra_programme_cost_gbp", "part=one_off", found.one_off
    yield "extra_programme_cost_gbp", "part=recurring", found.programme - found.one_off
    for lever, pence in items.items():
        yield "programme_cost_gbp", f"lever={lever}", pence
    yield "net_saving_gbp", TOTAL, found.net
    for at, funder in enumerate(w.FUNDERS):
        if found.by_funder[..., at].any():
            yield "net_saving_gbp", f"funder={funder}", found.by_funder[..., at]
    yield "net_saving_recurring_gbp", TOTAL, found.recurring
    yield "cumulative_net_saving_gbp", TOTAL, found.cumulative


def _items(run: Run, scenario: str, kind: Kind) -> dict[str, Pence]:
    """Programme cost of each lever, [replication, financial year]."""
    money: Money = run.money[scenario]
    terms, years = terms_of(run), money.layout.financial_years
    costs: dict[str, Pence] = {}
    for at, item in enumerate(money.layout.items):
        pence = money.programme[..., at]
        if kind != "cash":
            pence = in_real_terms(pence, years, terms) if kind == "real" else discounted(pence, years, terms)
        costs[item.lever] = costs[item.lever] + pence if item.lever in costs else pence
    return costs


def lever_names(run: Run, scenario: str) -> dict[str, str]:
    """What each lever with a cost is called, by its identity."""
    return {item.lever: item.label.rsplit(": ", 1)[0] for item in run.money[scenario].layout.items}


# --- payback and full-year effect -----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class PaidBack:
    """When cumulative net saving has made up for what was spent, over replications."""

    chance: float  # of paying back within the run
    median_months: int | None  # from the start of the run; None when fewer than half pay back within it
    median_date: str | None  # the month, YYYY-MM
    median_year: str | None  # its financial year


def paid_back(found: Savings, run: Run) -> PaidBack:
    """Payback of a scenario, in the terms of ``found``."""
    cumulative = found.cumulative.reshape(-1, found.cumulative.shape[-1])
    all_of = [payback(path, found.layout) for path in cumulative]
    months = np.sort([one.months if one.months >= 0 else np.iinfo(np.int64).max for one in all_of])
    chance = float(np.mean([one.months >= 0 for one in all_of]))
    middle = int(months[quantile_positions(len(months), [500])[0]])
    if middle == np.iinfo(np.int64).max:
        return PaidBack(chance, None, None, None)
    month = run.calendar.as_at.year * 12 + run.calendar.as_at.month - 1 + middle
    year, of_year = divmod(month, 12)
    first = year if of_year >= 3 else year - 1
    return PaidBack(chance, middle, f"{year}-{of_year + 1:02d}", f"{first}-{(first + 1) % 100:02d}")


def money_answers(run: Run, scenario: str, against: str = BASELINE) -> dict[str, Any]:
    """Everything asked of a scenario's money in one document: in each of the three terms, and in cash against budget."""
    terms = terms_of(run)
    found = {kind: savings_of(run, scenario, kind, against) for kind in KINDS}
    whole = full_year_effect(found["cash"]) / 100.0
    document: dict[str, Any] = {
        "scenario": scenario, "price_year": terms.price_year, "deflator_per_year": terms.deflator_per_year,
        "discount_per_year": terms.discount_per_year, "discounted_to": found["cash"].layout.financial_years[0],
        "full_year_effect_gbp": _named(whole),
    }  # fmt: skip
    for kind in KINDS:
        one = found[kind]
        document[kind] = {
            "net_saving_gbp": _named(one.net.sum(axis=-1) / 100.0),
            "recurring_gbp": _named(one.recurring.sum(axis=-1) / 100.0),
            "one_off_cost_gbp": _named(one.one_off.sum(axis=-1) / 100.0),
            "payback": _payback(paid_back(one, run)),
        }
    document["reserves"] = _reserves(run, scenario)
    return document


def _named(values: np.ndarray) -> dict[str, float]:
    return dict(zip(("mean", *PER_MILLE), _statistics(np.atleast_1d(values)), strict=True))


def _payback(found: PaidBack) -> dict[str, Any]:
    return {
        "chance_within_run": round(found.chance, 6), "median_months": found.median_months, "median_month": found.median_date,
        "median_financial_year": found.median_year,
    }  # fmt: skip


def _reserves(run: Run, scenario: str) -> list[dict[str, Any]]:
    """Reserves at the end of each financial year, with every breach of the policy minimum."""
    path = run.reserves(scenario)
    return [
        {"financial_year": year, "mean_gbp": round(float(path.balance[:, at].mean()) / 100, 2),
         "breach_chance": round(float(path.breach[:, at].mean()), 6),
         "recurring_paid_gbp": round(float(path.recurring_paid[:, at].mean()) / 100, 2)}
        for at, year in enumerate(run.calendar.financial_years)
    ]  # fmt: skip


def known_terms(word: str) -> Kind:
    """One of cash, real, discounted.

    Raises:
        BadFile: it is another word.
    """
    for kind in KINDS:
        if kind == word:
            return kind
    raise BadFile(f"--terms: found {word!r}; should be one of {', '.join(KINDS)}")
