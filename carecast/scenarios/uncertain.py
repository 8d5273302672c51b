"""Every uncertain number in plain words: what it is, its value, 80 % interval and unit, how it was found, where it is.

The draws of a parameter set have one column for each; the columns' names are patterns that this module reads. Levers have
draws of their own, and so does the drift of demand, leaving care and moves.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.effects import effect_size
from carecast.model.levels import level_path
from carecast.model.parameters import Number, ParameterSet, Sourced
from carecast.model.plan import Effect, Plan
from carecast.scenarios import sizes
from carecast.scenarios.library import inherited
from carecast.scenarios.scenario import Amount, Lever, Scenario
from carecast.scenarios.wording import AGE_BAND_LABELS, placement_type_label

FILE = "parameters.toml"
LABELS = {
    "arrivals.contact_families_per_year": "Families in contact a year",
    "arrivals.emergency_families_per_year": "Families with an emergency entry a year",
    "arrivals.newborn_families_per_year": "Families with a newborn's entry a year",
    "arrivals.remand_families_per_year": "Remands a year",
    "arrivals.unaccompanied_families_per_year": "Unaccompanied children a year",
    "arrivals.level_sd_per_year": "How far demand drifts in a year",
    "arrivals.unaccompanied_level_sd_per_year": "How far arrivals of unaccompanied children drift in a year",
    "arrivals.month_spread_ln": "How much months differ in demand",
    "exits.level_sd_per_year": "How far rates of leaving care drift in a year",
    "moves.level_sd_per_year": "How far rates of moves drift in a year",
    "exits.unaccompanied_hazard_ratio": "How readily unaccompanied children leave before 18, beside others",
    "uplift.pay_per_year": "Yearly rise of pay",
    "uplift.prices_per_year": "Yearly rise of other prices",
    "uplift.external_per_year": "Yearly rise of prices of bought placements",
    "family.joins_care_chance": "Chance that a brother or sister comes into care too",
    "diverted.pre_entry_hazard_ratio": "How much more often a diverted family comes back",
    "siblings.together_chance_foster": "Chance that brothers and sisters share a foster home",
    "siblings.together_chance_kinship": "Chance that brothers and sisters share a kinship home",
}
CAUSES = {
    "early_help_ends": "Early help ends", "early_help_steps_up": "Early help steps up",
    "wait_disengaged": "Leaving the queue", "assessment_ends": "Assessments end", "support_ends": "Support ends",
    "support_to_protection": "Support to protection",
    "support_to_pre_entry": "Support to pre-entry decision", "protection_ends": "Protection ends",
    "protection_to_pre_entry": "Protection to pre-entry decision", "pre_entry_decided": "Pre-entry decisions made",
    "re_referred": "Re-referral of closed cases", "re_entry": "Re-entry to care", "exit_home": "Leaving care for home",
    "exit_kinship_order": "Leaving care on a kinship order", "exit_adoption": "Leaving care by adoption",
    "exit_other": "Leaving care for elsewhere", "exit_independent": "Leaving care for a home of one's own",
    "move": "Moves between placements", "step_down": "From residential care to a family",
    "kinship_order_breaks": "Kinship orders that break down", "adoption_disrupts": "Adoptions that break down",
    "continuing_care_ends": "Continuing care ends",
}  # fmt: skip
BRANCHES = {"contact": "contact", "referral": "referral", "assessment": "assessment", "support": "support",
            "protection": "protection", "pre_entry": "pre-entry decision"}  # fmt: skip
MOMENTS = {"entry": "entry to care", "return": "return to care", "remand": "remand", "unaccompanied": "arrival alone",
           "move": "move", "step_down": "step down"}  # fmt: skip
PARTS = {
    "match_chance": "chance that a vacancy suits",
    "usable_share": "share of places that can be used",
    "places": "places",
}
TYPE_PARTS = {"median_miles": "typical distance from home", "sigma_ln": "spread of distances",
              "unknown_share": "share whose distance is not known", "share": "share outside the area"}  # fmt: skip
LINES = {"assessment": "an assessment", "pre_entry": "a pre-entry decision", "kinship_order": "allowances of kinship orders",
         "adopted": "adoption support", "home_after_care": "support at home after care"}  # fmt: skip
DRIFTS = {
    "arrivals.level_sd_per_year": ("How demand drifts: contacts and direct entries", dr.P_LEVEL_ENTRIES),
    "arrivals.unaccompanied_level_sd_per_year": (
        "How arrivals of unaccompanied children drift",
        dr.P_LEVEL_UNACCOMPANIED,
    ),
    "exits.level_sd_per_year": ("How rates of leaving care drift", dr.P_LEVEL_EXITS),
    "moves.level_sd_per_year": ("How rates of moves drift", dr.P_LEVEL_MOVES),
}
EVERY_AGE = "*"
COSTS = {
    "one_off_gbp": "one-off cost", "recurring_gbp_per_year": "cost a year", "capital_gbp": "capital",
    "gbp_per_place_per_year": "cost of a place a year", "gbp_per_child": "cost for each child",
    "gbp_per_family": "cost for each family", "double_running_gbp": "double running",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Uncertain:
    """One uncertain number and its draws, replication by replication."""

    id: str
    label: str
    central: float
    low_80: float
    high_80: float
    unit: str
    how: str  # published, fitted, assumed; or evidence, for a lever's size that names some
    where: str  # file and place
    draws: NDArray[np.float64]


def of_parameters(
    parameters: ParameterSet, columns: dict[str, NDArray[np.float64]], replications: int
) -> list[Uncertain]:
    """The columns of the joint draws; replication i has row i (from the start again past the last).

    Shares that differ by age band count as one number, their mean over the bands; so do numbers that share one draw.
    """
    found = []
    for names, values in _one_draw(_over_ages(columns)):
        name = names[0]
        draws = values[np.arange(replications) % len(values)]
        sourced = _sourced(parameters, name)
        low, high = (float(end) for end in np.quantile(values, [0.1, 0.9]))
        central = float(np.median(values))
        if isinstance(sourced, Number):
            central = sourced.value
            low, high = sourced.interval_80 or (low, high)
        how = sourced.how if sourced else "assumed"
        more = f", and {len(names) - 1} drawn with it" if len(names) > 1 else ""
        text = label(parameters, name) + more
        found.append(Uncertain(name, text, central, low, high, _unit(parameters, name), how, _where(name), draws))
    return found


def _one_draw(columns: dict[str, NDArray[np.float64]]) -> list[tuple[list[str], NDArray[np.float64]]]:
    """Columns whose values stand in the same order throughout, as those of one draw do, put together."""
    groups: dict[bytes, tuple[list[str], NDArray[np.float64]]] = {}
    for name, values in columns.items():
        order = np.argsort(values, kind="stable").astype(np.int32).tobytes() if np.ptp(values) > 0 else name.encode()
        groups.setdefault(order, ([], values))[0].append(name)
    return list(groups.values())


def _over_ages(columns: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    groups: dict[str, list[NDArray[np.float64]]] = {}
    for name, values in columns.items():
        words = name.split(".")
        if words[0] in ("branch", "destination") and words[-2] in w.AGE_BANDS:
            words[-2] = EVERY_AGE
        groups.setdefault(".".join(words), []).append(values)
    return {name: np.mean(values, axis=0) for name, values in groups.items()}


def of_drift(parameters: ParameterSet, columns: dict[str, NDArray[np.float64]], n_months: int, seed: int,
             replications: int) -> list[Uncertain]:  # fmt: skip
    """How demand, leaving care and moves drifted in each replication: the geometric mean of the level over the run."""
    found = []
    for name, (text, purpose) in DRIFTS.items():
        if name not in parameters.numbers:
            continue
        number = parameters.numbers[name]
        drawn = columns.get(name)
        draws = np.empty(replications)
        for i in range(replications):
            key = dr.lanes(seed, i, dr.WHO_REPLICATION, 0, 0)
            sd_per_year = number.value if drawn is None else float(drawn[i % len(drawn)])
            draws[i] = math.exp(float(np.log(level_path(key, purpose, sd_per_year, n_months)).mean()))
        low, high = (float(end) for end in np.quantile(draws, [0.1, 0.9]))
        unit = "x the start, mean over the run"
        found.append(Uncertain(f"drift of {name}", text, 1.0, low, high, unit, number.how, _where(name), draws))
    return found


def of_levers(scenario: Scenario, plan: Plan, seed: int, replications: int) -> list[Uncertain]:
    """Sizes and costs of the levers in force that are not certain, as their file gives them, each draw once."""
    in_force = uncertain_effects(plan)
    found: dict[str, Uncertain] = {}
    for identity, lever in inherited(scenario):
        for part, unit, effect in _effects_of(lever, identity):
            if effect.key not in in_force or effect.key in found:
                continue
            draws = np.array([effect_size(effect, seed, i) for i in range(replications)])
            owner, section, _ = identity.split(".")
            low = effect.median if effect.low_80 is None else effect.low_80
            high = effect.median if effect.high_80 is None else effect.high_80
            own_size = any(getattr(lever, name) is not None for name in lever.row.sizes)
            how = "evidence" if lever.evidence and not part and not own_size else "assumed"
            text = lever.name or lever.row.label
            where = f"inputs/{owner}.toml, {section.replace('_', ' ')}"
            found[effect.key] = Uncertain(
                effect.key, f"{text}: {part or 'size'}", effect.median, low, high, unit, how, where, draws
            )
    return list(found.values())


def uncertain_effects(plan: Plan) -> set[str]:
    """Keys of the plan's effects that are not certain: one for each draw that several may share."""
    found = set()
    for change in plan.changes:
        for field in ("ratio", "per_year", "share", "add", "amount_gbp"):
            effect = getattr(change, field, None)
            if isinstance(effect, Effect) and (effect.shape != "fixed" or effect.no_effect_chance):
                found.add(effect.key)
    return found


def _effects_of(lever: Lever, identity: str) -> Iterable[tuple[str, str, Effect]]:
    """(part, unit, effect) of a lever's own size and of its costs."""
    if lever.size_field:
        yield "", lever.row.unit_of(lever.size_field), sizes.size(lever, identity)
    for field, text in COSTS.items():
        amount: Amount | None = getattr(lever, field)
        if amount is not None:
            yield text, "£", sizes.pounds(amount, f"{identity}.{field}")


# --- words of a column ----------------------------------------------------------------------------
def label(parameters: ParameterSet, name: str) -> str:
    """What a column of the draws is, in plain words."""
    if name in LABELS:
        return LABELS[name]
    head, *rest = name.split(".")
    makers = {"rate": _rate, "branch": _branch, "destination": _destination, "price": _price, "provider": _provider}
    if head in makers and rest:
        return makers[head](parameters, rest)
    if head in ("distance", "out_of_area") and len(rest) == 2 and rest[0] in w.PLACEMENT_TYPES:
        return f"{placement_type_label(parameters.nation, rest[0])}: {TYPE_PARTS.get(rest[1], rest[1])}"
    text = name.replace("_", " ").replace(".", ": ")
    return text[:1].upper() + text[1:]


def _rate(parameters: ParameterSet, rest: list[str]) -> str:
    group = "" if rest[1:] in ([], ["all"]) else f" ({rest[1].replace('_', ' ')})"
    return f"How often: {CAUSES.get(rest[0], rest[0].replace('_', ' ')).lower()}{group}"


def _aged(band: str) -> str:
    return "" if band == EVERY_AGE else f", aged {AGE_BAND_LABELS.get(band, band)}"


def _branch(parameters: ParameterSet, rest: list[str]) -> str:
    branch, age, outcome = rest
    return f"After {BRANCHES.get(branch, branch)}{_aged(age)}: share to {outcome.replace('_', ' ')}"


def _destination(parameters: ParameterSet, rest: list[str]) -> str:
    moment, group, age, kind = rest
    origin = "" if group == "all" else f" from {group.replace('_', ' ')} care"
    home = placement_type_label(parameters.nation, kind)
    return f"On {MOMENTS.get(moment, moment)}{origin}{_aged(age)}: share {home[:1].lower()}{home[1:]}"


def _provider_name(parameters: ParameterSet, code: str) -> str:
    return next((p.name for p in parameters.providers if p.code == code), code.replace("_", " "))


def _price(parameters: ParameterSet, rest: list[str]) -> str:
    if any(line.line == rest[0] for line in parameters.cost_lines):
        return f"Price of {LINES.get(rest[0], rest[0].replace('_', ' '))}"
    return f"Weekly price: {_provider_name(parameters, rest[0])}"


def _provider(parameters: ParameterSet, rest: list[str]) -> str:
    return f"{_provider_name(parameters, rest[0])}: {PARTS.get(rest[1], rest[1].replace('_', ' '))}"


# --- what is known of a column --------------------------------------------------------------------
def _sourced(parameters: ParameterSet, name: str) -> Sourced | None:
    """The row of the parameter set that a column belongs to."""
    if name in parameters.numbers:
        return parameters.numbers[name]
    head, *rest = name.split(".")
    if head in ("price", "provider"):
        rows: Iterable[Sourced] = (
            *(p for p in parameters.providers if p.code == rest[0]),
            *(line for line in parameters.cost_lines if line.line == rest[0]),
        )
    elif head == "rate":
        rows = (r for r in parameters.rates if [r.cause, r.label] == rest[:2])
    elif head == "branch":
        rows = (b for b in parameters.branches if b.branch == rest[0])
    elif head == "destination":
        rows = (d for d in parameters.destinations if [d.moment, d.label] == rest[:2])
    else:
        rows = ()
    return next(iter(rows), None)


def _unit(parameters: ParameterSet, name: str) -> str:
    if name in parameters.numbers:
        return parameters.numbers[name].unit
    head, *rest = name.split(".")
    if head == "price":
        line = next((line for line in parameters.cost_lines if line.line == rest[0]), None)
        return "£ a " + (line.unit.replace("_", " ") if line else "week")
    return {"rate": "x the table", "branch": "share", "destination": "share", "provider": "share"}.get(head, "")


def _where(name: str) -> str:
    head, *rest = name.split(".")
    if head == "rate":
        return f"{FILE}: rates, {rest[0]}, {'.'.join(rest[1:])}"
    if head in ("branch", "destination"):
        return f"{FILE}: {head}{'es' if head == 'branch' else 's'}, {rest[0]}"
    if head == "price":
        return f"{FILE}: prices of {rest[0]}"
    if head == "provider":
        return f"{FILE}: providers, {rest[0]}"
    return f"{FILE}: numbers, {name}"
