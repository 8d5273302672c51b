"""A scenario in plain words, lever by lever, for screens and reports."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from carecast.scenarios import wording
from carecast.scenarios.kinds import OPENS
from carecast.scenarios.levers import open_date
from carecast.scenarios.library import lineage
from carecast.scenarios.scenario import Amount, Lever, Scenario

INSTEAD_WORDS = {
    "home_with_support": "at home with {support}",
    "kin": "with kin on a {kinship_order}",
    "at_home_on_order": "at home ({at_home_order})",
    "kinship_placement": "with kinship carers",
}
FUNDER_WORDS = {
    "social_work": "social work",
    "education": "education",
    "nhs": "the NHS",
    "home_office": "the Home Office",
    "scottish_ministers": "the Scottish Ministers",
}
COST_WORDS = (
    ("one_off_gbp", "once"),
    ("capital_gbp", "of capital"),
    ("double_running_gbp", "of double running"),
    ("recurring_gbp_per_year", "a year"),
    ("gbp_per_place_per_year", "a year for each place"),
    ("gbp_per_resident_child_per_year", "a year for each child living there"),
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
    size: str  # how much, with its unit
    spread: str  # how far the size may lie from that, '' when it is given as exact
    where: str  # where, for whom, through whom
    when: str
    cost: str
    why: str  # source, or the planning assumption
    source: str
    because: str
    owner: str

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        parts = (f"{self.label}: {self.what}", self.cost and f"Cost: {self.cost}", self.why)
        return ". ".join(part.rstrip(".") for part in parts if part) + "."


def describe(scenario: Scenario, nation: str = "scotland") -> tuple[LeverText, ...]:
    """Every lever and assumption of a scenario in words, those it inherits first."""
    return tuple(
        _in_words(identity, ancestor, lever, nation)
        for ancestor in lineage(scenario)
        for identity, lever in ancestor.identified()
    )


def _in_words(identity: str, ancestor: Scenario, lever: Lever, nation: str) -> LeverText:
    size, spread, where, when = _size(lever, nation), _spread(lever), _where(lever, nation), _when(lever)
    amount = f"{size} ({spread})" if size and spread else size or spread
    return LeverText(
        identity=identity,
        scenario=ancestor.name,
        kind=lever.kind,
        is_assumption=lever.row.is_assumption,
        label=_label(lever, nation),
        what="; ".join(part for part in (amount, where, when) if part),
        size=size,
        spread=spread,
        where=where,
        when=when,
        cost=_cost(lever),
        why=_why(lever),
        source=_source(lever),
        because=lever.because,
        owner=lever.owner,
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
    field = lever.size_field
    given = getattr(lever, field, None) if field else None
    if given is None and lever.proof is not None:
        text = f"size from evidence: {lever.evidence.replace('_', ' ')}, {lever.setting} setting"
    elif given is None:
        text = ""
    else:
        also = [name for name in lever.row.sizes if name != field and getattr(lever, name) is not None]
        text = " and ".join(_amount(lever, name) for name in (field, *also))
    if lever.reach < 1:
        text += f", reaching {_percent(lever.reach)} of them"
    if lever.instead:
        text += f", living {INSTEAD_WORDS[lever.instead].format(**wording.TERMS[nation])} instead"
    return text


def _amount(lever: Lever, field: str) -> str:
    unit, given = lever.row.unit_of(field), getattr(lever, field)
    if field == "places" and lever.kind == "decommissioning":
        return f"-{given} {unit}"
    return f"{unit} {_number(field, given)}" if field == "multiply_by" else f"{_number(field, given)} {unit}"


def _spread(lever: Lever) -> str:
    parts = []
    if lever.interval_80 is not None:
        low, high = (_number(lever.size_field, end) for end in lever.interval_80)
        parts.append(f"8 in 10 chance between {low} and {high}")
    elif lever.proof is not None and getattr(lever, lever.size_field) is None:
        low_80, high_80 = lever.proof.low_80, lever.proof.high_80
        if low_80 is not None and high_80 is not None:
            parts.append(f"risk, 8 in 10 chance between x {low_80:.2f} and x {high_80:.2f}")
    if lever.no_effect_chance:
        parts.append(f"a {_percent(lever.no_effect_chance)} chance of no effect")
    return ", with ".join(parts)


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
        *_particulars(lever),
    )
    return ", ".join(part for part in parts if part)


def _particulars(lever: Lever) -> Iterable[str]:
    """What only some kinds have."""
    if lever.service:
        yield lever.service.replace("_", " ")
    if lever.families_per_worker is not None:
        yield f"{lever.families_per_worker:g} families to a worker"
    if lever.weekly_cost_over_gbp is not None:
        yield f"placements above £{lever.weekly_cost_over_gbp:,.0f} a week"
    if lever.contributor:
        yield f"paid by {FUNDER_WORDS[lever.contributor]}"
    if lever.pool is not None:
        shares = (("social_work", lever.pool.social_work), *lever.pool.partners)
        yield "paid " + ", ".join(f"{_percent(share)} by {FUNDER_WORDS[name]}" for name, share in shares)
    if lever.redeployed_fte is not None:
        families = lever.redeployed_fte * (lever.redeployed_families_per_worker or 0.0)
        yield (
            f"{lever.redeployed_fte:g} full-time equivalents come from {lever.redeployed_from.replace('_', ' ')}, "
            f"which can then take {families:g} families fewer"
        )


def _when(lever: Lever) -> str:
    text = f"from {date_words(lever.from_date)}"
    if lever.kind in OPENS:
        return f"{text}, open on {date_words(open_date(lever))}"
    if lever.lead_months:
        text += f", after {lever.lead_months} months"
    if lever.notice_months:
        text += f", after {lever.notice_months} months' notice"
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


def _source(lever: Lever) -> str:
    proof = lever.proof
    return lever.source or (proof.source if proof is not None else "")


def _why(lever: Lever) -> str:
    source = _source(lever)
    return ". ".join(part.rstrip(".") for part in (lever.because, source and f"Source: {source}") if part)
