"""The yearly measures of a scenario, computed in this one place for summary, comparison, targets and screens.

Values are pounds, dated 31 March of the financial year. Costs are the scenario's own; savings are against the baseline
within each replication and nought for the baseline itself. ``gross + programme = net cost`` over all funders, so
``net_saving_gbp`` is the fall in ``net_cost_gbp``; the council's own net cost is ``net_cost_gbp`` with
``funder=social_work``, which is gross - income + the programme cost the council pays.
"""

import datetime as dt

import numpy as np

from carecast.model import words as w
from carecast.model.money import Layout, Money, Pence
from carecast.model.summary import TOTAL, Grid, Row
from carecast.scenarios.savings import against_budget, reserves, savings

# Beside the promised measures, for targets: kept in the run's yearly tables, left out of summary.csv.
EXTRA_MEASURES = (
    "net_saving_recurring_gbp",
    "gross_saving_against_budget_gbp",
    "net_saving_against_budget_gbp",
    "net_saving_recurring_against_budget_gbp",
    "reserves_recurring_paid_gbp",
)


def yearly_measures(baseline: Money, scenario: Money, budget: Pence, reserves_opening_gbp: float) -> Grid:
    """Every yearly measure of one scenario, [replication, row, financial year] in pounds.

    Rows and dates are the same for all scenarios of a run. Financial years of which the run simulates no day are left
    out. For the baseline give it twice.

    Args:
        baseline: the stack of the baseline's replications.
        scenario: the stack of the same replications of the scenario.
        budget: ``ApprovedBudget.pence``, [financial year, line].
        reserves_opening_gbp: the number ``reserves.opening_gbp``.
    """
    measures = {**_costs(scenario), **_savings(baseline, scenario, budget)}
    path = reserves(scenario, round(reserves_opening_gbp * 100), 0)
    measures["reserves_gbp", TOTAL] = path.balance
    measures |= _extras(baseline, scenario, budget, path.recurring_paid)
    held = [year for year, days in enumerate(scenario.layout.run_days) if days > 0]
    pence = np.stack(list(measures.values()), axis=-2)[..., held]
    return Grid(tuple(measures), tuple(_dates(scenario.layout)[year] for year in held), pence / 100.0)


def _dates(layout: Layout) -> list[dt.date]:
    return [dt.date(int(name[:4]) + 1, 3, 31) for name in layout.financial_years]


def _costs(scenario: Money) -> dict[Row, Pence]:
    lines, funders = scenario.layout.lines, scenario.net_by_funder
    return {
        ("gross_cost_gbp", TOTAL): scenario.gross.sum(axis=-1),
        **{("gross_cost_gbp", f"line={line}"): scenario.gross[..., i] for i, line in enumerate(lines)},
        ("income_gbp", TOTAL): scenario.income.sum(axis=-1),
        ("net_cost_gbp", TOTAL): funders.sum(axis=-1),
        **{("net_cost_gbp", f"funder={name}"): funders[..., i] for i, name in enumerate(w.FUNDERS)},
        ("programme_cost_gbp", TOTAL): scenario.programme_total(),
    }


def _savings(baseline: Money, scenario: Money, budget: Pence) -> dict[Row, Pence]:
    found = savings(baseline, scenario, budget)
    return {
        ("gross_saving_gbp", TOTAL): found.gross.sum(axis=-1),
        ("net_saving_gbp", TOTAL): found.net,
        ("cashable_saving_gbp", TOTAL): found.cashable.sum(axis=-1),
        ("avoided_cost_gbp", TOTAL): found.avoided.sum(axis=-1),
        ("released_capacity_gbp", TOTAL): found.released.sum(axis=-1),
        ("cumulative_net_saving_gbp", TOTAL): found.cumulative,
    }


def _extras(baseline: Money, scenario: Money, budget: Pence, recurring_paid: Pence) -> dict[Row, Pence]:
    values = (
        savings(baseline, scenario, budget).recurring,
        against_budget(scenario, budget, net=False),
        against_budget(scenario, budget),
        against_budget(scenario, budget, recurring=True),
        recurring_paid,
    )
    return {(name, TOTAL): pence for name, pence in zip(EXTRA_MEASURES, values, strict=True)}
