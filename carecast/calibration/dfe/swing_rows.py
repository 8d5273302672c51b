"""How far the stock is expected to move, and how far it may: figures that the simulation is matched to.

Changes of children looked after from year to year behave as a random walk: over 150 English councils, 2019 to 2023, the
robust standard deviation of log changes is 0.067, 0.096, 0.130 and 0.147 at 1 to 4 years, more in small councils (0.106)
than in large (0.061). So the last count is the forecast of the total, and its spread a council of N children has over one
year is taken as sqrt(A + B / N), drawn towards the council's own changes as far as its few years allow. Residential care
has grown steadily in England, so its growth over three years is carried on for about two.
"""

import math
from collections.abc import Mapping

from carecast.calibration.dfe.facts import Facts
from carecast.calibration.dfe.rows import Rows
from carecast.calibration.dfe.stock_rows import RESIDENTIAL, residential_count

A_TOTAL, B_TOTAL = 0.0022, 1.2  # log variance of one year's change: 0.101 at 150 children, 0.071 at 430, 0.058 at 1,000
SECOND_YEAR = 1.43  # spread over two years relative to one
CHANGES_OF_SHAPE = 8.0  # how many yearly changes the national spread counts for beside the council's own
OWN_RANGE = (0.7, 1.6)  # how far a council's own changes may move its spread
CHANCE = 0.9  # variance of one year's change that chance alone makes, times N
GROWTH_YEARS = 3
MEMORY = 0.5  # weight of the residential count of a year relative to the next
YEARS_CARRIED = 2.0
MOST_GROWTH = 0.06  # a year, either way
GROWTH_KEPT = 0.9


def expected_rows(rows: Rows, total: float, residential: float) -> float:
    """Add where the stock is heading and how far it may swing; returns the expected residential count in two years."""
    facts = rows.facts
    level, growth, whose = residential_level(facts, residential)
    ahead = level * math.exp(YEARS_CARRIED * growth)
    for years in (1, 2):
        value = level * math.exp(years * growth)
        rows.put(
            "expected_residential_in",
            value,
            "children",
            f"Average of the council's counts at this year's level x exp({years} x {growth:.3f}), the yearly growth of "
            f"{whose}",
            breakdown=f"years={years}",
            period=f"{facts.year}-03-31",
        )
    why = "Residential care is heading for its count in two years, the rest for the last count less that"
    for setting, value in (("residential", ahead), ("community", total - ahead)):
        rows.put(f"expected_{setting}", max(value, 0.5), "children", why, period=f"{facts.year}-03-31")
    spread, own = swing(totals(facts), total, A_TOTAL, B_TOTAL)
    for years, value in ((1, spread), (2, SECOND_YEAR * spread)):
        rows.put(
            "swing_total",
            value,
            "log standard deviation",
            f"sqrt({A_TOTAL:g} + {B_TOTAL:g} / {total:.0f}), year_on_year_spread_looked_after of England, with the "
            f"council's own {own} yearly changes",
            breakdown=f"years={years}",
        )
    wild = math.sqrt(max(spread**2 - CHANCE / total, 0.3 * spread**2)) / math.sqrt(A_TOTAL + (B_TOTAL - CHANCE) / 430)
    for name in ("month_spread", "entry_level_drift", "exit_level_drift"):
        value = DRIFTS[name] * wild
        rows.put(
            name,
            value,
            "log standard deviation",
            f"England's {DRIFTS[name]:g} x {wild:.2f}, as the council's "
            "counts swing beside those of others (swing_total)",
            interval=(0.7 * value, 1.35 * value),
        )
    return ahead


DRIFTS = {"month_spread": 0.30, "entry_level_drift": 0.06, "exit_level_drift": 0.09}


def totals(facts: Facts) -> dict[int, float]:
    """Children looked after by year."""
    found = {year: facts.flow("stock", year) for year in facts.years()}
    return {year: value for year, value in found.items() if value}


def swing(counts: Mapping[int, float], size: float, a: float, b: float) -> tuple[float, int]:
    """(log standard deviation of a year's change, how many changes of the council's own are in it).

    s^2 = (k s0^2 + sum of squared changes) / (k + n), s0 the national spread at this size, k its weight; one change of
    more than 2.5 s0 counts as 2.5 s0.
    """
    usual = math.sqrt(a + b / max(size, 20.0))
    years = sorted(counts)
    changes = [math.log(counts[y] / counts[x]) for x, y in zip(years, years[1:], strict=False) if y == x + 1]
    squares = sum(min(abs(change), 2.5 * usual) ** 2 for change in changes)
    spread = math.sqrt((CHANGES_OF_SHAPE * usual**2 + squares) / (CHANGES_OF_SHAPE + len(changes)))
    return min(max(spread, OWN_RANGE[0] * usual), OWN_RANGE[1] * usual), len(changes)


def residential_level(facts: Facts, residential: float) -> tuple[float, float, str]:
    """(the level the residential count stands for, its growth a year on the log scale, whose growth it is)."""
    growth, whose = _growth(facts)
    weights = {facts.year: 1.0}
    logs = {facts.year: math.log(max(residential, 1.0))}
    for year in range(facts.year - GROWTH_YEARS, facts.year):
        found = residential_count(facts, year)
        if found is not None and found.value > 0:
            weights[year] = MEMORY ** (facts.year - year)
            logs[year] = math.log(found.value) + growth * (facts.year - year)
    level = math.exp(sum(weights[y] * logs[y] for y in logs) / sum(weights.values()))
    return level, growth, whose


def _growth(facts: Facts) -> tuple[float, str]:
    """Growth of residential care a year in the region and England together, over three years."""
    found: list[tuple[str, float]] = []
    for who, name in (("region", facts.region), ("nation", "England"), ("shipped", "England")):
        now, then = (_residential(facts, who, year) for year in (facts.year, facts.year - GROWTH_YEARS))
        years = GROWTH_YEARS
        if now and not then:
            then, years = _residential(facts, who, facts.year - 2), 2
        if now and then and (who != "shipped" or "England" not in [n for n, _ in found]):
            found.append((name, math.log(now / then) / years))
    if not found:
        return 0.0, "no region: none"
    growth = GROWTH_KEPT * sum(value for _, value in found) / len(found)
    return min(max(growth, -MOST_GROWTH), MOST_GROWTH), " and ".join(name for name, _ in found)


def _residential(facts: Facts, who: str, year: int) -> float | None:
    parts = [facts.value("looked_after", "Placement", label, year, who) for label in RESIDENTIAL]
    return None if any(part is None for part in parts) else sum(part or 0.0 for part in parts)
