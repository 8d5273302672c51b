"""What a report says first: one sentence a question, each with its interval, in the nation's words."""

import numpy as np

from carecast.dashboard.reports import words
from carecast.dashboard.reports.judged_tables import assessed, safety
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE

ENDS = ("mean", "p10", "p90")


def year_date(numbers: Numbers, year: str) -> str:
    """31 March of a financial year of the run."""
    return numbers.year_ends[numbers.years.index(year)]


def year_words(numbers: Numbers, year: str) -> str:
    """A financial year; a part year says so."""
    return f"{year} (part year)" if numbers.is_part(year) else year


def money_of(numbers: Numbers, scenario: str, measure: str, year: str) -> tuple[float, float, float]:
    """Mean and 80 % interval of a yearly measure."""
    mean, low, high = (float(cell or 0) for cell in numbers.values(scenario, measure, year_date(numbers, year), ENDS))
    return mean, low, high


def month_of(numbers: Numbers, scenario: str, measure: str, at: int = -1) -> tuple[float, float, float] | None:
    """Mean and 80 % interval of a monthly measure on one date; None where it is left out."""
    cells = numbers.values(scenario, measure, numbers.months[at], ENDS)
    if any(cell is None for cell in cells):
        return None
    mean, low, high = (float(cell or 0) for cell in cells)
    return mean, low, high


# --- titles ---------------------------------------------------------------------------------------
def away_title(numbers: Numbers, scenario: str | None = None) -> str:
    """How many children are away from home at the end."""
    name = scenario or numbers.main
    base = month_of(numbers, BASELINE, AWAY)
    if base is None:
        return "The number of children away from home is too small to be shown"
    text = (
        f"{words.number(base[0])} children will be away from home on {words.day(numbers.months[-1])} if nothing changes"
    )
    ours = month_of(numbers, name, AWAY) if name else None
    return f"{text}, {words.number(ours[0])} with \u201c{legend_name(str(name))}\u201d" if ours else text


def spend_title(numbers: Numbers, scenario: str | None = None) -> str:
    """What it costs in the last whole year."""
    year, name = numbers.last_year, scenario or numbers.main
    base = money_of(numbers, BASELINE, "net_cost_gbp", year)[0]
    text = f"Spend reaches {words.gbp(base)} in {year_words(numbers, year)} if nothing changes"
    if not name:
        return text
    ours = money_of(numbers, name, "net_cost_gbp", year)[0]
    cost = " and its cost" if name in numbers.programmes else ""
    return f"{text}, {words.gbp(ours)} with \u201c{legend_name(name)}\u201d{cost}"


def saving_title(numbers: Numbers, scenario: str) -> str:
    """What a scenario saves net in the last whole year."""
    mean, low, high = money_of(numbers, scenario, "net_saving_gbp", numbers.last_year)
    verb = f"saves {words.gbp(mean)} net" if mean >= 0 else f"costs {words.gbp(-mean)} more than it saves"
    span = (
        f"net saving, 80 % interval {words.gbp_between(low, high)}"
        if mean < 0
        else f"80 % interval {words.gbp_between(low, high)}"
    )
    return f"\u201c{legend_name(scenario)}\u201d {verb} in {year_words(numbers, numbers.last_year)} ({span})"


def best_title(numbers: Numbers) -> str:
    """Which option saves most in the last whole year."""
    means = {name: money_of(numbers, name, "net_saving_gbp", numbers.last_year)[0] for name in numbers.others}
    best = max(means, key=lambda name: means[name])
    year = year_words(numbers, numbers.last_year)
    if means[best] <= 0:
        return f"No option saves money net in {year}, on average"
    return f"\u201c{legend_name(best)}\u201d saves most in {year}: {words.gbp(means[best])} net on average"


def chance_of_saving(numbers: Numbers, scenario: str) -> float:
    """Share of replications in which the last whole year saves anything net."""
    at = numbers.years.index(numbers.last_year)
    net = numbers.run.answer(scenario).yearly.of("net_saving_gbp")[:, at]
    return float((net > 0).mean())


def targets_title(numbers: Numbers, scenario: str | None) -> str:
    """How many of the targets are likely enough."""
    found = [a for a in assessed(numbers)[0] if a.scenario == (scenario or BASELINE)]
    if not found:
        return "No target is judged"
    enough = sum(a.is_likely_enough for a in found)
    named = f"\u201c{legend_name(scenario)}\u201d" if scenario else "the baseline"
    kind = "target is" if len(found) == 1 else "targets are"
    count = "None" if enough == 0 else ("All" if enough == len(found) and enough > 1 else str(enough))
    return f"{count} of {len(found)} {kind} likely enough with {named}"


def worse_measures(numbers: Numbers, scenario: str) -> list[str]:
    """Safety measures that are clearly worse."""
    table = safety(numbers)
    name, verdict, measure = (table.position(key) for key in ("scenario", "verdict", "measure"))
    return [str(row[measure]) for row in table.rows if row[name] == legend_name(scenario) and row[verdict] == "worse"]


def safety_title(numbers: Numbers, scenario: str) -> str:
    """Whether any safety measure is clearly worse."""
    worse = worse_measures(numbers, scenario)
    if not worse:
        return f"No safety measure is clearly worse with \u201c{legend_name(scenario)}\u201d"
    return f"Worse with \u201c{legend_name(scenario)}\u201d: {'; '.join(words.lower_first(name) for name in worse)}"


def reserves_title(numbers: Numbers, scenario: str) -> str:
    """What a scenario takes from reserves, and whether they stay above the minimum."""
    path = numbers.run.reserves(scenario)
    layout = numbers.run.money[scenario].layout
    held = [at for at, days in enumerate(layout.run_days) if days > 0]
    taken = numbers.run.money[scenario].programme_total(paid_from="reserves")
    name = f"\u201c{legend_name(scenario)}\u201d"
    if not taken.any():
        return f"{name} takes nothing from reserves"
    spent = float(taken[:, held].sum(axis=-1).mean()) / 100
    broken = [layout.financial_years[at] for at in held if path.breach[:, at].mean() > 0.5]
    text = f"{name} takes {words.gbp(spent)} from reserves"
    lasting = f"; more likely than not they end below the policy minimum in {', '.join(broken)}" if broken else ""
    return text + (lasting or "; they more likely than not stay above the policy minimum")


# --- sentences ------------------------------------------------------------------------------------
def headlines(numbers: Numbers) -> list[str]:
    """The findings in the order in which they are asked for."""
    lines = [f"{away_title(numbers)}."]
    if numbers.years:
        lines.append(f"{spend_title(numbers)}.")
        for name in numbers.others:
            if name in numbers.programmes:
                chance = words.share(chance_of_saving(numbers, name))
                lines.append(
                    f"{saving_title(numbers, name)}; the chance that it saves anything net that year is {chance}."
                )
            else:
                lines.append(assumption_sentence(numbers, name))
    lines += [f"{targets_title(numbers, numbers.main)}."] if numbers.run.targets else []
    lines += [f"{safety_title(numbers, name)}." for name in numbers.programmes]
    return lines


def assumption_sentence(numbers: Numbers, scenario: str) -> str:
    """What a scenario that only assumes something else changes."""
    mean, low, high = money_of(numbers, scenario, "net_saving_gbp", numbers.last_year)
    alike = np.array_equal(
        numbers.run.answer(scenario).monthly.values, numbers.run.answer(BASELINE).monthly.values, equal_nan=True
    )
    same = "; it changes nothing for children" if alike else ""
    more, ends = ("raises", (-high, -low)) if mean < 0 else ("lowers", (low, high))
    return (
        f"\u201c{legend_name(scenario)}\u201d holds assumptions and no lever: it {more} net cost by "
        f"{words.gbp(abs(mean))} in {year_words(numbers, numbers.last_year)} "
        f"(80 % interval {words.gbp_between(*ends)}){same}."
    )
