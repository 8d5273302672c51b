"""What common draws are worth: the variance of a scenario's difference from the baseline, against independent seeds.

Paired, replication i of both scenarios has the same seed. Independent, the baseline has another seed; both still use row
i of the joint draws, so the comparison is about chance alone, the harder one to win. "Other rows too" is what two runs
that share nothing would show: the sum of both variances. With a second seed at hand each way is measured twice.

A lever whose size is uncertain differs from replication to replication because its size does: that part of the variance
is the answer, not noise, and no pairing removes it. So levers are measured with their sizes fixed at the central value,
and as shipped beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sizes import UNTIL, west_dunbartonshire
from benchmarks.table import Line
from carecast.model.plan import Plan
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario
from carecast.scenarios.replicate import BLOCK, Job, Teller
from carecast.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
MEASURES = ("looked after", "away from home", "gross cost", "net saving")
JUDGED = ("looked after", "gross cost")  # a yearly cost: of the last whole financial year
BAR = 10.0
SEEDS = (1, 2)
FIXED = ("interval_80", "no_effect_chance")  # without these a size is certain
FROM = "2024-04-01"
JUDGED_LEVERS: dict[str, list[dict[str, Any]]] = {
    "reunification_support x 0.7 (hazard)": [{"kind": "reunification_support", "from": FROM, "multiply_by": 0.7}],
    "kinship_support x 0.7 (hazard)": [{"kind": "kinship_support", "from": FROM, "multiply_by": 0.7}],
    "foster_recruitment + 8 (capacity)": [
        {"kind": "foster_recruitment", "from": FROM, "add": 8, "localities": ["Clydebank"]}
    ],
    "open_childrens_house, 6 places (capacity)": [],  # as in the shipped scenario, filled in below
}


@dataclass(frozen=True)
class Ratios:
    """Variance of a difference, independent over paired, by measure; and the paired difference itself."""

    chance: Floats  # [measure], same rows of the joint draws
    whole: Floats  # [measure], other rows too
    mean: Floats
    sd: Floats  # of the paired difference


def levers(scenario: str = "what_would_it_take") -> list[dict[str, Any]]:
    """The levers of a shipped scenario as documents."""
    return [lever.model_dump(mode="json", by_alias=True, exclude_unset=True) for lever in load_scenario(scenario).levers]


def certain(lever: dict[str, Any]) -> dict[str, Any]:
    """The lever with its central size and costs, for certain; evidence keeps its own interval and stays out here."""
    kept = {name: value for name, value in lever.items() if name not in FIXED}
    return {name: value["value"] if isinstance(value, dict) else value for name, value in kept.items()}


def plan(name: str, given: Sequence[dict[str, Any]]) -> Plan:
    """A plan with these levers."""
    scenario = Scenario.model_validate({"name": name, "lever": list(given)})
    return apply(west_dunbartonshire().parameters, scenario, UNTIL)


def answers(plans: Sequence[Plan], seed: int, replications: int) -> Floats:
    """[plan, measure, replication]: children at the end; pounds in the last whole financial year."""
    teller = Teller(Job(west_dunbartonshire(), tuple(plans), UNTIL, seed))
    year = teller.books[0].layout.whole_years[-1]
    found = []
    for first in range(0, replications, BLOCK):
        told = teller.block(range(first, min(first + BLOCK, replications)))
        rows = [teller.rows.index((name, "total")) for name in ("looked_after", "looked_after_away_from_home")]
        parts = []
        for part in told:
            gross = part.money.gross[:, year].sum(axis=-1) / 100
            net = gross + part.money.programme[:, year].sum(axis=-1) / 100
            parts.append(np.stack([*(part.monthly[:, row, -1] for row in rows), gross, -net]))
        found.append(np.stack(parts))
    return np.concatenate(found, axis=2)


def ratios(baseline: Sequence[Floats], scenario: Sequence[Floats]) -> Ratios:
    """``baseline`` and ``scenario``: [measure, replication] under each of two seeds."""

    def variance(values: Floats) -> Floats:
        return np.asarray(values.var(axis=1, ddof=1))

    both = [scenario[at] - baseline[at] for at in (0, 1)]
    paired = (variance(both[0]) + variance(both[1])) / 2
    chance = (variance(scenario[0] - baseline[1]) + variance(scenario[1] - baseline[0])) / 2
    whole = sum(variance(one) for one in (*baseline, *scenario)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return Ratios(
            np.where(paired > 0, chance / paired, np.inf), np.where(paired > 0, whole / paired, np.inf),
            np.asarray((both[0].mean(axis=1) + both[1].mean(axis=1)) / 2), np.sqrt(paired),
        )  # fmt: skip


def told(groups: dict[str, list[dict[str, Any]]], replications: int) -> dict[str, Ratios]:
    """Each group of levers against the baseline."""
    plans = [plan("baseline_again", []), *(plan(f"group_{at}", group) for at, group in enumerate(groups.values()))]
    by_seed = [answers(plans, seed, replications) for seed in SEEDS]
    baseline = [found[0] for found in by_seed]
    return {name: ratios(baseline, [found[at] for found in by_seed]) for at, name in enumerate(groups, 1)}


def common_draws(replications: int, with_shipped: bool) -> list[Line]:
    """Lines for the levers that are judged, each lever of what_would_it_take, and all of them together."""
    shipped = levers()
    house = next(lever for lever in shipped if lever["kind"] == "open_childrens_house")
    judged = {name: group or [certain(house)] for name, group in JUDGED_LEVERS.items()}
    named = {f"{number:2d} {lever['kind']}": lever for number, lever in enumerate(shipped, 1)}
    groups = dict(judged)
    groups |= {f"{name}, size fixed": [certain(lever)] for name, lever in named.items()}
    groups["all levers of what_would_it_take, sizes fixed"] = [certain(lever) for lever in shipped]
    if with_shipped:
        groups |= {f"{name}, size as uncertain as shipped": [lever] for name, lever in named.items()}
        groups["all levers of what_would_it_take, as shipped"] = shipped
    found = told(groups, replications)
    part = f"Common draws: variance of a difference, independent seeds over paired ({replications} replications, two seeds)"
    return [line for name, ratio in found.items() for line in _lines(part, name, ratio, name in judged)]


def _lines(part: str, name: str, found: Ratios, is_judged: bool) -> list[Line]:
    lines = []
    for at, measure in enumerate(MEASURES):
        size = f"paired difference {found.mean[at]:,.1f}, sd {found.sd[at]:,.1f}; other rows too: {found.whole[at]:,.0f} x"
        bar = BAR if is_judged and measure in JUDGED else None
        lines.append(Line(part, f"{name}: {measure}", float(found.chance[at]), "x", bar, at_least=True, note=size if is_judged else ""))
    return lines
