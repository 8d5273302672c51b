"""Where levers are put to work: one council's parameter set, the run's last day, and the pools of places in it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from carecast.model.parameters import ParameterSet, Provider, ServicePool
from carecast.model.plan import Change, ChangePlaces, Effect, Window
from carecast.scenarios import sizes
from carecast.scenarios.scenario import Lever


@dataclass(frozen=True, slots=True)
class Site:
    """Where a lever is put to work: one council's parameter set, the run's last day, and what was worth saying."""

    parameters: ParameterSet
    until: dt.date
    identity: str
    opened: tuple[str, ...] = ()  # provider codes of houses that the scenario's levers open
    notes: list[str] = field(default_factory=list)


def window(lever: Lever, delay_months: int = 0) -> Window:
    """The days a lever is in force, and its ramp."""
    first = sizes.add_months(lever.from_date, delay_months)
    last = None if lever.to_date is None else lever.to_date.toordinal()
    return Window(first.toordinal(), last, lever.ramp_months)


Maker = Callable[[Lever, Site], list[Change]]


def as_ratio(effect: Effect) -> Effect:
    """A ratio that keeps 1 as its 'no effect' even when it is certain otherwise."""
    if effect.shape == "fixed":
        return Effect(effect.median, None, None, "lognormal", effect.key, effect.no_effect_chance)
    return effect


def own_foster_pools(parameters: ParameterSet, localities: tuple[str, ...]) -> list[Provider]:
    """The council's own foster pools in some localities (all when none is named) that have a number of places."""
    return [
        provider
        for provider in parameters.providers
        if provider.placement_type == "foster_own"
        and provider.places is not None
        and (not localities or not provider.locality or provider.locality in localities)
    ]


def service_pools(parameters: ParameterSet, service: str, localities: tuple[str, ...]) -> list[ServicePool]:
    """Pools of a service that serve some localities (all when none is named) and have a number of places."""
    return [
        pool
        for pool in parameters.service_pools
        if pool.service == service and pool.places is not None and _serves(pool, localities)
    ]


def _serves(pool: ServicePool, localities: tuple[str, ...]) -> bool:
    return not localities or not pool.localities or bool(set(localities) & set(pool.localities))


def share_out(add: Effect, weights: list[int]) -> list[Effect]:
    """A number of places over several pools, in proportion to what each has (evenly when none has any)."""
    total = sum(weights)
    if not total:
        return [sizes.scaled(add, 1.0 / len(weights)) for _ in weights]
    return [sizes.scaled(add, weight / total) for weight in weights]


def pool_places(lever: Lever, site: Site, service: str, add: Effect, within: Window | None = None) -> list[Change]:
    """A number of places over the pools of a service in the lever's localities; a note where none has a limit."""
    pools = service_pools(site.parameters, service, lever.localities)
    changes: list[Change] = []
    for pool, part in zip(pools, share_out(add, [pool.places or 0 for pool in pools]), strict=True):
        alone = [other.code for other in service_pools(site.parameters, service, pool.localities)] == [pool.code]
        target = service if alone else pool.code
        changes.append(ChangePlaces(site.identity, target, part, within or window(lever), pool.localities))
    if not pools:
        site.notes.append(f"changes nothing: {service.replace('_', ' ')} has no limit on its places there")
    return changes
