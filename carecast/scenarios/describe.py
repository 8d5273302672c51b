"""A scenario in plain words, lever by lever, for screens and reports."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from carecast.scenarios import wording
from carecast.scenarios.levers import open_date
from carecast.scenarios.library import lineage
from carecast.scenarios.scenario import Amount, Lever, Scenario

INSTEAD_WORDS = {
    "home_with_support": "at home with {support}",
    "kin": "with kin on a {kinship_order}",
    "at_home_on_order": "at home ({at_home_order})",
    "kinship_placement": "with kinship carers",
}
COST_WORDS = (
    ("one_off_gbp", "once"),
    ("capital_gbp", "of capital"),
    ("double_running_gbp", "of double running"),
    ("recurring_gbp_per_year", "a year"),
    ("gbp_per_place_per_year", "a year for each place"),
    ("gbp_per_child", "for each child"),
    ("gbp_per_family", "for each family"),
)


@dataclass(frozen=True, slots=True)
class LeverText:
    """One lever or assumption in words."""

    identity: str
    scenario: str  # the scenario whose file holds it
    kind: str
    is_assumption: bool
    label: str
    what: str  # what changes, how much, where, for whom and when
    cost: str
    why: str  # source, or the planning assumption

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        parts = (f"{self.label}: {self.what}", self.cost and f"Cost: {self.cost}", self.why)
        return ". ".join(part.rstrip(".") for part in parts if part) + "."


def describe(scenario: Scenario, nation: str = "scotland") -> tuple[LeverText, ...]:
    """Every lever and assumption of a scenario in words, those it inherits first."""
    return tuple(
        LeverText(
            identity=identity,
            scenario=ancestor.name,
            kind=lever.kind,
            is_assumption=lever.row.is_assumption,
            label=_label(lever, nation),
            what="; ".join(part for part in (_size(lever, nation), _where(lever, nation), _when(lever)) if part),
            cost=_cost(lever),
            why=_why(lever),
        )
        for ancestor in lineage(scenario)
        for identity, lever in ancestor.identified()
    )


def date_words(day: dt.date) -> str:
    """``1 April 2026``."""
    return f"{day.day} {day:%B %Y}"


def _label(lever: Lever, nation: str) -> str:
    if lever.name:
        return lever.name
    if lever.kind in wording.TERMS[nation]:
        label = wording.term(nation, lever.kind)
        return label[:1].upper() + label[1:]
    return lever.row.label.replace("children's house", wording.term(nation, "childrens_house"))


def _size(lever: Lever, nation: str) -> str:
    field, row = lever.size_field, lever.row
    given = getattr(lever, field, None) if field else None
    if given is None and lever.proof is not None:
        text = f"size from evidence: {lever.evidence.replace('_', ' ')}, {lever.setting} setting"
    elif given is None:
        text = ""
    else:
        unit = row.unit_of(field)
        text = f"{unit} {_number(field, given)}" if field == "multiply_by" else f"{_number(field, given)} {unit}"
    if lever.interval_80 is not None:
        low, high = (_number(field, end) for end in lever.interval_80)
        text += f" (8 in 10 chance between {low} and {high})"
    if lever.no_effect_chance:
        text += f", with a {_percent(lever.no_effect_chance)} chance of no effect"
    if lever.reach < 1:
        text += f", reaching {_percent(lever.reach)} of them"
    if lever.instead:
        text += f", living {INSTEAD_WORDS[lever.instead].format(**wording.TERMS[nation])} instead"
    return text


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _number(field: str, value: float) -> str:
    if field == "multiply_by":
        return f"x {value:.3g}"
    if field == "share":
        return _percent(value)
    return f"{value:+,g}" if field == "add" else f"{value:,g}"


def _where(lever: Lever, nation: str) -> str:
    places = lever.localities or ((lever.locality,) if lever.locality else ())
    ages = [wording.AGE_BAND_LABELS[name] for name in lever.age_bands]
    types = [wording.placement_type_label(nation, name).lower() for name in lever.placement_types]
    parts = (
        " and ".join(places),
        f"aged {', '.join(ages)}" if ages else "",
        f"children {', or '.join(types)}" if types else "",
        f"lines {', '.join(lever.lines)}" if lever.lines else "",
        lever.provider,
    )
    return ", ".join(part for part in parts if part)


def _when(lever: Lever) -> str:
    text = f"from {date_words(lever.from_date)}"
    if lever.kind == "open_childrens_house":
        return f"{text}, open on {date_words(open_date(lever))}"
    if lever.lead_months:
        text += f", after {lever.lead_months} months"
    if lever.ramp_months:
        text += f", in full after {lever.ramp_months} months"
    return text + (f", until {date_words(lever.to_date)}" if lever.to_date else "")


def _cost(lever: Lever) -> str:
    parts = list(_cost_parts(lever))
    if lever.fixed_weekly_cost_gbp is not None:
        parts.append(
            f"£{lever.fixed_weekly_cost_gbp:,.0f} a week to run and £{lever.weekly_cost_gbp or 0:,.0f} for each child"
        )
    if parts and lever.paid_from == "reserves":
        shares = ", ".join(_percent(share) for share in lever.reserves_taper)
        parts.append(
            f"from reserves{f' ({shares} of recurring cost year by year, then the base budget)' if shares else ''}"
        )
    return ", ".join(parts)


def _cost_parts(lever: Lever) -> Iterable[str]:
    for field, words in COST_WORDS:
        amount: Amount | None = getattr(lever, field)
        if amount is not None:
            spread = (
                "" if amount.low is None or amount.high is None else f" (£{amount.low:,.0f} to £{amount.high:,.0f})"
            )
            yield f"£{amount.value:,.0f}{spread} {words}"


def _why(lever: Lever) -> str:
    proof = lever.proof
    source = lever.source or (proof.source if proof is not None else "")
    return ". ".join(part.rstrip(".") for part in (lever.because, source and f"Source: {source}") if part)
