"""Numbers and dates in words, and the prose of ``wording.md``. The nation's own words come from ``scenarios.wording``."""

import datetime as dt
import math
import re
from functools import cache
from pathlib import Path

from carecast.dashboard.figures import Figure
from carecast.model.summary import BASELINE
from carecast.scenarios.describe import date_words
from carecast.scenarios.targets import Target
from carecast.scenarios.wording import measure_label, measure_unit, term

NARROW = "\u00a0"  # between a number and its unit, so that no line breaks there
MINUS = "\u2212"
ABSENT = "\u2013"
WORDING = Path(__file__).parent / "wording.md"
HOW_WORDS = {"published": "Published", "fitted": "Fitted", "assumed": "Assumed"}
NUMBER_LABELS = {
    "uplift.external_per_year": "Yearly rise of prices of bought placements",
    "uplift.pay_per_year": "Yearly rise of pay",
    "uplift.prices_per_year": "Yearly rise of other prices",
    "arrivals.contact_families_per_year": "Families in contact a year",
    "arrivals.level_sd_per_year": "How far demand drifts in a year",
    "exits.level_sd_per_year": "How far rates of leaving care drift in a year",
    "exits.unaccompanied_hazard_ratio": "How readily unaccompanied children leave before 18, beside others",
    "diverted.pre_entry_hazard_ratio": "How much more often a diverted family comes back",
    "reserves.opening_gbp": "Reserves at the start",
}


SHORT_WORDS = {"sd": "standard deviation", "gbp": "in £", "ln": "(log)", "sigma \\(log\\)": "spread (log)", "max": "most",
               "min": "least", "cv": "relative spread", "uptake": "taken up by"}  # fmt: skip


# --- prose ------------------------------------------------------------------------------------------------------------
@cache
def _sections() -> dict[str, str]:
    parts = WORDING.read_text(encoding="utf-8").split("## ")[1:]
    return {head.strip(): body.strip() for head, _, body in (part.partition("\n") for part in parts)}


def prose(key: str, **filled: object) -> str:
    """A passage of ``wording.md`` with its blanks filled."""
    return _sections()[key].format(**filled)


# --- numbers ----------------------------------------------------------------------------------------------------------
def signed(text: str, value: float) -> str:
    """A text for a size with the sign of the value before it."""
    return MINUS + text if value < 0 else text


def money(pounds: float, *beside: float) -> str:
    """``£38.4m``, ``£0.4m``, ``£41,000`` or ``£530``; in millions too when sums beside it are."""
    size = abs(pounds)
    if round(size) == 0:
        return "£0"
    if max(size, *map(abs, beside)) >= 99_500 if beside else size >= 99_500:
        text = f"£{size / 1e6:.1f}m"
        return signed(text, pounds if text != "£0.0m" else 0)
    if size >= 10_000:
        return signed(f"£{round(size / 1000) * 1000:,}", pounds)
    return signed(f"£{size:,.0f}", pounds if round(size) else 0)


def count(value: float) -> str:
    """``458``; one decimal below ten unless whole."""
    size = abs(value)
    text = f"{size:,.0f}" if size >= 9.95 or size == int(size) else f"{size:.1f}"
    return signed(text, value if float(text.replace(",", "")) else 0)


def percent(value: float, digits: int = 0) -> str:
    """``62 %`` of a value that is already in percent."""
    text = f"{abs(value):.{digits}f}"
    return signed(text, value if float(text) else 0) + NARROW + "%"


def value_words(measure: str, value: float) -> str:
    """A value in the unit of its measure."""
    if measure.endswith("_gbp"):
        return money(value)
    return percent(value, 1) if measure.endswith("_percent") else count(value)


def difference_words(measure: str, value: float) -> str:
    """A difference with its sign; of shares in percentage points."""
    text = value_words(measure, value).replace(NARROW + "%", "")
    plus = "+" if not text.startswith(MINUS) and any(digit in text for digit in "123456789") else ""
    return plus + text + (" points" if measure.endswith("_percent") else "")


def between(measure: str, low: float, high: float) -> str:
    """An interval in the unit of its measure."""
    if measure.endswith("_gbp"):
        return f"{money(low, high)} to {money(high, low)}"
    return f"{value_words(measure, low)} to {value_words(measure, high)}"


def interval(measure: str, found: Figure) -> str:
    """The 80 % interval of a figure."""
    return between(measure, found.low, found.high)


def with_interval(measure: str, found: Figure) -> str:
    """Mean and 80 % interval."""
    return f"{value_words(measure, found.mean)} ({interval(measure, found)})"


def difference_with_interval(measure: str, found: Figure) -> str:
    """A paired difference and its 80 % interval."""
    low, high = (difference_words(measure, end).removesuffix(" points") for end in (found.low, found.high))
    return f"{difference_words(measure, found.mean)} ({low} to {high})"


def chance(probability: float, replications: int) -> str:
    """A probability; where all or none of the replications say so, that."""
    told = round(probability * replications)
    if told in (0, replications):
        return f"{told} of {replications}"
    return percent(100 * probability)


def plain_number(value: float | None, unit: str) -> str:
    """A number of the register, whatever its unit."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ABSENT
    if unit.startswith(("£", "GBP")):
        return f"£{value:,.0f}"
    if unit.startswith("fraction per year"):
        return f"{100 * value:.1f}{NARROW}%"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


# --- names and dates --------------------------------------------------------------------------------------------------
def scenario_name(name: str) -> str:
    """``what_would_it_take`` as ``What would it take``."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def iso_words(text: str) -> str:
    """``2022-07-31`` as ``31 July 2022``."""
    return date_words(dt.date.fromisoformat(text))


def dates_in_words(text: str) -> str:
    """A text with every ``2022-07-31`` as ``31 July 2022``."""
    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b", lambda found: iso_words(found[0]), text)


def moment_words(text: str) -> str:
    """``2026-11-22T04:02:02+00:00`` as ``22 November 2026, 04:02``; a dash when it is not known."""
    return f"{iso_words(text[:10])}, {text[11:16]}" if text else ABSENT


def month_words(day: dt.date | None) -> str:
    """``March 2028``, or ``not within the run``."""
    return "not within the run" if day is None else f"{day:%B %Y}"


def label(nation: str, measure: str, radius_miles: float) -> str:
    """Label of a measure, with the radius said."""
    if measure == "within_radius_percent":
        return f"Living within {radius_miles:g} miles of home"
    if measure == "balance_of_care_percent":
        return "Balance of care: in the community"
    return measure_label(nation, measure)


def group_label(nation: str, group: str) -> str:
    """What a group of lines of cost is called."""
    after = f"{term(nation, 'continuing_care')}, {term(nation, 'aftercare')} and orders"
    return {
        "placements": "Placements of looked-after children",
        "residential": "Residential placements",
        "family": "Family and community placements",
        "after_care": after[:1].upper() + after[1:],
        "early": f"Early help, {term(nation, 'support')} and protection",
        "programme": "Programme cost",
        "all": "All of it",
    }[group]


def saving_label(nation: str, kind: str) -> str:
    """What a kind of saving is called in the table of savings."""
    return {
        "cashable_saving_gbp": "of which cashable",
        "avoided_cost_gbp": "of which avoided",
        "released_capacity_gbp": "of which released, never cash",
    }.get(kind, measure_label(nation, kind))


def number_label(name: str) -> str:
    """A number of the register in words."""
    words = name.replace(".", ": ").replace("_", " ")
    for short, long in SHORT_WORDS.items():
        words = re.sub(rf"\b{short}\b", long, words)
    return NUMBER_LABELS.get(name, words[:1].upper() + words[1:])


def target_words(target: Target) -> str:
    """What a target asks for."""
    side = "at least" if target.at_least is not None else "at most"
    when = target.financial_year or date_words(target.judged_on)
    asked = f"{side} {value_words(target.measure, target.value)}"
    if target.kind == "cumulative" and target.from_date:
        return f"{asked} in all, {date_words(target.from_date)} to {date_words(target.judged_on)}"
    if target.is_money:
        return f"{asked} in {when}"
    unit = "" if target.measure.endswith("_percent") else f" {measure_unit(target.measure)}"
    return f"{asked}{unit} on {when}"


def legend_name(scenario: str) -> str:
    """What a scenario is called in charts and tables."""
    return "Baseline" if scenario == BASELINE else scenario_name(scenario)
