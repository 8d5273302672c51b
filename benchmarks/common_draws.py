"""What common draws are worth: the variance of a scenario's difference from the baseline, against independent seeds.

Paired, replication i of both scenarios has the same seed. Independent, the baseline has another: then its drifting levels
and every child's and family's hand are others, while both still use row i of the joint draws (the bar). Two more readings
stand beside it:

- *in one world*: levels, parameters and sizes of levers are held, only the hands are dealt anew. So what differs from
  world to world (an effect is larger where more children come) counts as neither noise nor gain; this is what pairing
  child by child is worth by itself.
- *another run*: rows of the joint draws too are others, so nothing is shared: the sum of both variances.

A lever whose size is uncertain differs from replication to replication because its size does: that part of the variance
is the answer, not noise, and no pairing removes it. So levers are measured with their sizes fixed at the central value,
and all of them together as shipped beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sizes import UNTIL, west_dunbartonshire
from benchmarks.table import Line, number
from carecast.model.engine import World
from carecast.model.levels import make_choices
from carecast.model.plan import Plan
from carecast.model.setup import Setup, lay_out
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

    world: Floats  # [measure]: in one world
    seed: Floats  # [measure]: same rows
    run: Floats  # [measure]: nothing shared
    mean: Floats
    sd: Floats  # of the paired difference


def levers(scenario: str = "what_would_it_take") -> list[dict[str, Any]]:
    """The levers of a shipped scenario as documents."""
    return [
        lever.model_dump(mode="json", by_alias=True, exclude_unset=True) for lever in load_scenario(scenario).levers
    ]


def certain(lever: dict[str, Any]) -> dict[str, Any]:
    """The lever with its central size and costs, for certain; evidence keeps its own interval and stays out here."""
    kept = {name: value for name, value in lever.items() if name not in FIXED}
    return {name: value["value"] if isinstance(value, dict) else value for name, value in kept.items()}


def plan(name: str, given: Sequence[dict[str, Any]]) -> Plan:
    """A plan with these levers."""
    scenario = Scenario.model_validate({"name": name, "lever": list(given)})
    return apply(west_dunbartonshire().parameters, scenario, UNTIL)


class OtherHands(World):
    """A world whose levels and effects are one seed's, and whose children and families draw with another's."""

    hands_seed: int

    def setup(self, replication: int) -> Setup:
        """As the world's own, up to whose hands are dealt."""
        row, seed = self.draw_row(replication), self.seed
        return lay_out(
            self.stock(replication), self.arrivals.streams(row, seed, replication),
            self.hazards.build(row, seed, replication),
            make_choices(self.parameters, row, self.branches, self.wanted, self._divert(replication)),
            self.capacity.places(row, seed, replication), self.capacity.service_pools(row, seed, replication),
            self.calendar.start_day, self.hands_seed, replication,
        )  # fmt: skip


def answers(plans: Sequence[Plan], seed: int, replications: int, hands_seed: int | None = None) -> Floats:
    """[plan, measure, replication]: children at the end; pounds in the last whole financial year."""
    teller = Teller(Job(west_dunbartonshire(), tuple(plans), UNTIL, seed))
    if hands_seed is not None:
        for world in teller.worlds:
            world.__class__ = OtherHands
            world.hands_seed = hands_seed  # type: ignore[attr-defined]
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
    """Each [measure, replication] under two seeds, and under the first with the second's hands."""

    def variance(values: Floats) -> Floats:
        return np.asarray(values.var(axis=1, ddof=1))

    both = [one - other for one, other in zip(scenario, baseline, strict=True)]
    paired = (variance(both[0]) + variance(both[1])) / 2
    dealt_anew = variance(both[0] - both[2]) / 2
    apart = (variance(baseline[0] - baseline[2]) + variance(scenario[0] - scenario[2])) / 2
    seed = (variance(scenario[0] - baseline[1]) + variance(scenario[1] - baseline[0])) / 2
    run = np.sum([variance(one) for one in (*baseline[:2], *scenario[:2])], axis=0) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        world = np.where(dealt_anew > 0, apart / dealt_anew, np.inf)
        against = [np.where(paired > 0, one / paired, np.inf) for one in (seed, run)]
    mean: Floats = np.mean([one.mean(axis=1) for one in both[:2]], axis=0)
    return Ratios(world, against[0], against[1], mean, np.sqrt(paired))


def told(groups: dict[str, list[dict[str, Any]]], replications: int) -> dict[str, Ratios]:
    """Each group of levers against the baseline."""
    plans = [plan("baseline_again", []), *(plan(f"group_{at}", group) for at, group in enumerate(groups.values()))]
    first, second = SEEDS
    passes = [answers(plans, seed, replications) for seed in SEEDS]
    passes.append(answers(plans, first, replications, hands_seed=second))
    baseline = [found[0] for found in passes]
    return {name: ratios(baseline, [found[at] for found in passes]) for at, name in enumerate(groups, 1)}


def common_draws(replications: int, few: int = 0) -> list[Line]:
    """Lines for the levers that are judged, each lever of what_would_it_take, and all together; or the first ``few``."""
    shipped = levers()
    house = next(lever for lever in shipped if lever["kind"] == "open_childrens_house")
    judged = {name: group or [certain(house)] for name, group in JUDGED_LEVERS.items()}
    named = {f"{number:2d} {lever['kind']}": lever for number, lever in enumerate(shipped, 1)}
    groups = dict(judged)
    groups |= {f"{name}, size fixed": [certain(lever)] for name, lever in named.items()}
    groups["all levers of what_would_it_take, sizes fixed"] = [certain(lever) for lever in shipped]
    groups["all levers of what_would_it_take, as shipped"] = shipped
    if few:
        groups = {name: groups[name] for name in list(judged)[:few]}
    found = told(groups, replications)
    part = f"Common draws: variance of a difference, another seed over paired ({replications} replications, two seeds)"
    return [line for name, ratio in found.items() for line in _lines(part, name, ratio, name in judged)]


def _lines(part: str, name: str, found: Ratios, is_judged: bool) -> list[Line]:
    lines = []
    for at, measure in enumerate(MEASURES):
        touched = found.sd[at] > 0  # a lever that never changes a measure has nothing to be judged on
        bar = BAR if is_judged and touched and measure in JUDGED else None
        note = (
            f"in one world {number(found.world[at])} x, another run {number(found.run[at])} x; "
            f"difference {found.mean[at]:,.2f}, sd {found.sd[at]:,.2f}"
        )
        lines.append(Line(part, f"{name}: {measure}", float(found.seed[at]), "x", bar, at_least=True, note=note))
    return lines
