"""What the rules read: flat tables in a few named groups.

Every table is one flat array and its index is spelled out beside it. The SimPy clock hands the rules Python lists (fast to
index, plain floats), the compiled clock the numpy arrays of the same content, so one source of rules serves both.
"""

from typing import Any, NamedTuple

Flat = Any  # a numpy array, or the list made from it


class Hazards(NamedTuple):
    """Hazards per day and the ratios in force, month by month."""

    rate: Flat  # [cause][placement type][age band][duration band] per day; type 0 for causes outside care
    series_of: Flat  # [cause][placement type][locality][age band] -> series
    ratio: Flat  # [series][month]
    ratio_sum: Flat  # [series][month]: ratio x days summed over the months before
    month_of_day: Flat  # [day - first_day]
    month_start_day: Flat  # [month], one more than there are months
    first_day: int
    end_day: int  # first day after the run
    n_months: int
    n_localities: int


class Choices(NamedTuple):
    """Chances at branches and of placement types, cumulated; and the shares that levers divert."""

    branch: Flat  # [branch][age band][outcome], cumulated
    wanted: Flat  # [moment][age band][placement type], cumulated; see words of `moment_row`
    divert: Flat  # [diversion][locality][age band][month]
    joins_care_chance: float
    continues: Flat  # [placement type]: chance of continuing care when leaving at 16 or over
    continuing_limit_days: int  # age in days at which continuing care ends
    aftercare_limit_days: int  # age in days at which aftercare ends
    closed_memory_days: int
    home_memory_days: int
    home_support_days: int
    diverted_hazard_ratio: float  # of reaching pre-entry again, for a family that was diverted from it
    wait_limit_days: int
    unaccompanied_exit_ratio: float  # of hazards of leaving care before 18, for unaccompanied children
    infants_first: int  # 1: families whose lead child is under one go before others in the queue for a service


class Places(NamedTuple):
    """Providers and distances."""

    kind: Flat  # [provider] placement type
    locality: Flat  # [provider], -1 for none
    has_position: Flat  # [provider] 0/1
    easting_m: Flat  # [provider]
    northing_m: Flat  # [provider]
    is_pool: Flat  # [provider] 1: many households spread over the provider's locality
    outside: Flat  # [provider] 1: its position lies outside the council's area
    usable: Flat  # [provider][month] places, -1 unlimited
    admits_from: Flat  # [provider] day
    admits_until: Flat  # [provider] last day
    close_day: Flat  # [provider]
    match_chance: Flat  # [provider]
    price_sigma: Flat  # [provider]
    of_kind: Flat  # providers in order of kind
    kind_start: Flat  # [kind], one more: where a kind's providers begin in of_kind
    zone_start: Flat  # [locality], one more: where a locality's zones begin
    zone_weight: Flat  # [zone], cumulated within the locality
    zone_easting_m: Flat
    zone_northing_m: Flat
    median_miles: Flat  # [placement type]
    sigma_ln: Flat  # [placement type]
    unknown_share: Flat  # [placement type]
    outside_share: Flat  # [placement type], for providers without a position
    together_chance: Flat  # [placement type]
    radius_miles: Flat  # [month]: the radius of the search
    refuse_beyond: Flat  # [month]: 1 when own places beyond the radius are not offered


class Pools(NamedTuple):
    """Service pools: early help and assessment."""

    pool_of: Flat  # [service][locality][age band] -> pool
    places: Flat  # [pool][month], -1 unlimited
    n_pools: int


class Kids(NamedTuple):
    """Children of one replication as the rules read them."""

    birth_day: Flat
    locality: Flat
    zone: Flat
    family: Flat
    unaccompanied: Flat
    key_1: Flat
    key_2: Flat


class Families(NamedTuple):
    """Families of one replication: members stand next to each other in Kids."""

    first_child: Flat
    n_children: Flat
    arrival_day: Flat
    route: Flat
    locality: Flat
    kept: Flat  # 0: thinned away by a lever or assumption of this scenario
    key_1: Flat
    key_2: Flat
    lead_birth_day: Flat
