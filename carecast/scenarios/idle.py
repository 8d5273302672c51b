"""Why a change would do nothing in one council: it multiplies what is not there, or sets what already holds."""

from collections.abc import Iterable, Sequence

from carecast.model import words as w
from carecast.model.parameters import CostLine, ParameterSet, Provider
from carecast.model.plan import Change, Divert, MoveFunding, ScaleArrivals, ScaleRate, SetRadius

ROUTE_OF_DIVERSION = {"newborn_to_support": "newborn", "direct_entry_to_support": "emergency"}


def why_nothing(parameters: ParameterSet, made: Sequence[Change]) -> str:
    """Why none of a lever's changes can change anything in this council; '' when one can."""
    reasons = [_reason(parameters, change) for change in made]
    return reasons[0] if reasons and all(reasons) else ""


def _reason(parameters: ParameterSet, change: Change) -> str:
    if isinstance(change, ScaleRate):
        return _no_rate(parameters, change)
    if isinstance(change, ScaleArrivals):
        return _nobody(parameters, change.route)
    if isinstance(change, Divert):
        route = ROUTE_OF_DIVERSION.get(change.diversion, "")
        return _nobody(parameters, route) if route else ""
    if isinstance(change, MoveFunding):
        return _not_paid(parameters, change)
    if isinstance(change, SetRadius) and change.miles == parameters.radius_miles and not change.refuse_own_beyond:
        return f"homes are looked for within {change.miles:g} miles already"
    return ""


def _no_rate(parameters: ParameterSet, change: ScaleRate) -> str:
    """Nothing to multiply: the cause never ends a wait for these ages and placement types."""
    if not parameters.rates:  # a set read back from a run, without its tables
        return ""
    bands = [at for at, name in enumerate(w.AGE_BANDS) if not change.age_bands or name in change.age_bands]
    for rate in parameters.rates:
        apart = rate.placement_types and change.placement_types
        if rate.cause != change.cause or (apart and not set(rate.placement_types) & set(change.placement_types)):
            continue
        if any(cell > 0 for band in bands for cell in rate.per_year[band]):
            return ""
    return f"{parameters.council} has no {change.cause.replace('_', ' ')} there to multiply"


def _nobody(parameters: ParameterSet, route: str) -> str:
    number = parameters.numbers.get(f"arrivals.{route}_families_per_year")
    if number is not None and number.value <= 0:
        return f"nobody arrives there as {route}"
    return ""


def _not_paid(parameters: ParameterSet, change: MoveFunding) -> str:
    """Social work pays nothing on the line."""
    if any(row.funder_shares.get("social_work", 0.0) > 0 for row in _paid(parameters, change.line)):
        return ""
    return f"social work pays nothing on {change.line}"


def _paid(parameters: ParameterSet, line: str) -> Iterable[Provider | CostLine]:
    """Rows that a line's name reaches (``pricebook``): all for what is not a name of one."""
    rows = [p for p in parameters.providers if line in (p.code, p.placement_type, f"{p.placement_type}_fixed")]
    found: list[Provider | CostLine] = [*rows, *(cost for cost in parameters.cost_lines if cost.line == line)]
    return found or [*parameters.providers, *parameters.cost_lines]
