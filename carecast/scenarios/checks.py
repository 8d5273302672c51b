"""Does a scenario fit this council and this run? Dates, localities, providers, lines and places, one line a mistake."""

import datetime as dt
from collections.abc import Iterable, Sequence

from carecast.model import words as w
from carecast.model.parameters import ParameterSet
from carecast.scenarios.kinds import OPENS
from carecast.scenarios.levers import STEPS_DOWN_FROM, house_code
from carecast.scenarios.levers_money import UPLIFTS
from carecast.scenarios.scenario import Lever, nearest
from carecast.scenarios.sites import own_foster_pools, service_pools

ADDS = {  # kind -> cause whose rate it may add, in words, usual placement types, age bands
    "step_down": ("step_down", "step-downs", STEPS_DOWN_FROM, range(w.N_AGE_BANDS)),
    "move_on_housing": ("exit_independent", "moves to a home of one's own", w.PLACEMENT_TYPES, (w.SIXTEEN,)),
}
Items = Sequence[tuple[str, Lever]]


def council_problems(parameters: ParameterSet, items: Items, until: dt.date | None) -> Iterable[str]:
    """Every way in which the levers of a scenario do not fit a council's parameter set, or the days of a run."""
    if until is not None and until < parameters.as_at:
        yield f"until: found {until}; should be on or after the as-at date, {parameters.as_at}"
    for identity, lever in items:
        for text in _lever_problems(parameters, lever):
            yield f"{identity}: {text}"
    yield from _places_left(parameters, items)
    yield from _one_code_each(parameters, items)


def _lever_problems(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    yield from _dates(parameters, lever)
    yield from _localities(parameters, lever)
    yield from _provider(parameters, lever)
    yield from _lines(parameters, lever)
    yield from _pools(parameters, lever)
    yield from _rates(parameters, lever)
    yield from _by_the_year(parameters, lever)


def _dates(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    as_at = parameters.as_at
    if lever.from_date < as_at:
        yield f"from: found {lever.from_date}; should be on or after the as-at date, {as_at}: before it is history"
    elif lever.to_date is not None and lever.to_date <= as_at:
        yield f"to: found {lever.to_date}; should be after the as-at date, {as_at}"


def _localities(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    known = [locality.name for locality in parameters.localities]
    for name in lever.localities:
        if name not in known:
            yield f"localities: found {name!r}; {nearest(name, known)}"
    if lever.locality and lever.locality not in known:
        yield f"locality: found {lever.locality!r}; {nearest(lever.locality, known)}"


def _provider(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    if not lever.provider:
        return
    houses = [p.code for p in parameters.providers if p.placement_type == "childrens_house_own"]
    if lever.provider not in houses:
        yield f"provider: found {lever.provider!r}; {nearest(lever.provider, houses)}"


def _lines(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    known = ["*", *UPLIFTS, *w.PLACEMENT_TYPES, "continuing_care", "childrens_house_own_fixed"]
    known += [provider.code for provider in parameters.providers] + [line.line for line in parameters.cost_lines]
    for name in lever.lines:
        if name not in known:
            yield f"lines: found {name!r}; {nearest(name, known)}"


def _pools(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    of_foster_care = lever.kind in ("foster_recruitment", "foster_retention")
    if of_foster_care and not own_foster_pools(parameters, lever.localities):
        where = " or ".join(lever.localities) or parameters.council
        yield f"localities: there is no own foster pool with a number of places in {where}"


def _rates(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    """A rate can only be added where the council has none: otherwise it is multiplied."""
    if lever.kind not in ADDS or lever.per_year is None:
        return
    cause, what, usual, bands = ADDS[lever.kind]
    types = set(lever.placement_types or usual)
    for rate in parameters.rates:
        met = not rate.placement_types or types & set(rate.placement_types)
        if rate.cause == cause and met and max(max(rate.per_year[band]) for band in bands) > 0:
            yield f"per_year: {parameters.council} has {what} already; give multiply_by instead"
            return


def _by_the_year(parameters: ParameterSet, lever: Lever) -> Iterable[str]:
    """A share of a contract can end; what is paid by the unit ends with its units."""
    if lever.kind != "decommissioning":
        return
    yearly = [line.line for line in parameters.cost_lines if line.unit == "year"]
    for name in lever.lines:
        if name not in yearly:
            known = f"paid by the year are {', '.join(yearly)}" if yearly else "nothing there is paid by the year"
            yield f"lines: found {name!r}, which is paid by the unit and ends with its places; {known}"


def _places_left(parameters: ParameterSet, items: Items) -> Iterable[str]:
    """No pool or house may end below 0 places when the levers that take places away are all in force."""
    before: dict[str, int] = {}
    after: dict[str, float] = {}
    taking: dict[str, str] = {}
    for identity, lever in items:
        for place, places, change in _changes_of_places(parameters, lever):
            before[place] = places
            after[place] = after.get(place, float(places)) + change
            if change < 0:
                taking[place] = identity
    for place, identity in taking.items():
        if after[place] < 0:
            yield (
                f"{identity}: add: takes away more places than there are: {before[place]} in {place}, "
                f"{after[place]:g} would be left"
            )


def _changes_of_places(parameters: ParameterSet, lever: Lever) -> Iterable[tuple[str, int, float]]:
    """(what the places belong to, how many it has, how many more) of every change of places a lever makes."""
    if lever.add is not None and lever.kind not in ("staffing", "transfers"):
        yield *_touched(parameters, lever), lever.add
    if lever.kind == "staffing":
        places = (lever.add or 0.0) * (lever.families_per_worker or 0.0)
        yield *_service(parameters, lever.service, lever), places
    if lever.kind == "decommissioning" and lever.service:
        yield *_service(parameters, lever.service, lever), -float(lever.places or 0)
    if lever.redeployed_fte is not None:
        places = lever.redeployed_fte * (lever.redeployed_families_per_worker or 0.0)
        yield *_service(parameters, lever.redeployed_from, lever), -places


def _service(parameters: ParameterSet, service: str, lever: Lever) -> tuple[str, int]:
    where = " and ".join(lever.localities) or parameters.council
    found = service_pools(parameters, service, lever.localities)
    return f"{service.replace('_', ' ')}, {where}", sum(pool.places or 0 for pool in found)


def _touched(parameters: ParameterSet, lever: Lever) -> tuple[str, int]:
    """(what the places belong to, how many it has)."""
    where = " and ".join(lever.localities) or parameters.council
    if lever.provider:
        return lever.provider, sum(p.places or 0 for p in parameters.providers if p.code == lever.provider)
    if lever.kind == "foster_recruitment":
        pools = own_foster_pools(parameters, lever.localities)
        return f"own foster care, {where}", sum(pool.places or 0 for pool in pools)
    return _service(parameters, "early_help" if lever.kind == "early_help_places" else "assessment", lever)


def _one_code_each(parameters: ParameterSet, items: Items) -> Iterable[str]:
    taken = {provider.code for provider in parameters.providers}
    for identity, lever in items:
        if lever.kind not in OPENS:
            continue
        code = house_code(lever)
        if code in taken:
            yield f"{identity}: name: found {lever.name!r}; another provider is {code}: give it its own name"
        taken.add(code)
