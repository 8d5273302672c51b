"""Tables made by hand: months of thirty days, one locality, and whatever rates, ratios and homes a test asks for."""

import numpy as np

from carecast.model import rules, setup
from carecast.model import words as w
from carecast.model.desk import Homes, Queues
from carecast.model.tables import Choices, Families, Hazards, Kids, Places, Pools

START = 30_000  # first day of the run: an ordinal like any other
MONTH = 30
FAR = 1 << 20


def hazards(rates, ratios=None, n_months=240, n_localities=1):
    """``rates``: {cause: per day} or {(cause, kind, age, band): per day}; ``ratios``: {cause: [ratio of each month]}."""
    rate = np.zeros((w.N_CAUSES, w.N_PLACEMENT_TYPES, w.N_AGE_BANDS, w.N_DURATION_BANDS))
    for cells, per_day in rates.items():
        rate[cells] = per_day
    paths = [np.ones(n_months)]
    series_of = np.zeros((w.N_CAUSES, w.N_PLACEMENT_TYPES, n_localities, w.N_AGE_BANDS), dtype=np.int64)
    for cause, given in (ratios or {}).items():
        path = np.ones(n_months)
        path[: len(given)] = given
        series_of[cause] = len(paths)
        paths.append(path)
    ratio = np.stack(paths)
    ratio_sum = np.concatenate([np.zeros((len(paths), 1)), np.cumsum(ratio * MONTH, axis=1)[:, :-1]], axis=1)
    return Hazards(
        rate=rate.ravel().tolist(), series_of=series_of.ravel().tolist(), ratio=ratio.ravel().tolist(),
        ratio_sum=ratio_sum.ravel().tolist(), month_of_day=np.repeat(np.arange(n_months), MONTH).tolist(),
        month_start_day=[START + MONTH * month for month in range(n_months + 1)], first_day=START,
        end_day=START + MONTH * n_months, n_months=n_months, n_localities=n_localities,
    )  # fmt: skip


def choices(branches=None, wanted=None, divert=None, n_months=240, **numbers):
    """``branches``: {branch: {outcome: chance}}; ``wanted``: {row: {type: chance}}; ``divert``: {diversion: share}."""
    branch = np.zeros((w.N_BRANCHES, w.N_AGE_BANDS, w.N_OUTCOMES))
    for at, chances in (branches or {}).items():
        for outcome, chance in chances.items():
            branch[at, :, outcome] = chance
    types = np.zeros((rules.N_MOMENTS, w.N_AGE_BANDS, w.N_PLACEMENT_TYPES))
    for row, chances in (wanted or {}).items():
        for kind, chance in chances.items():
            types[row, :, kind] = chance
    shares = np.zeros((w.N_DIVERSIONS, 1, w.N_AGE_BANDS, n_months))
    for diversion, share in (divert or {}).items():
        shares[diversion] = share
    given = {
        "joins_care_chance": 1.0, "continues": [0.0] * w.N_PLACEMENT_TYPES, "continuing_limit_days": 7670,
        "aftercare_limit_days": 7670, "closed_memory_days": 730, "home_memory_days": 2192, "home_support_days": 182,
        "diverted_hazard_ratio": 1.0, "wait_limit_days": 36_500, "infants_first": 1,
        "unaccompanied_exit_ratio": 1.0, **numbers,
    }  # fmt: skip
    return Choices(
        branch=np.cumsum(branch, axis=2).ravel().tolist(), wanted=np.cumsum(types, axis=2).ravel().tolist(),
        divert=shares.ravel().tolist(), **given,
    )  # fmt: skip


def a_home(kind, places=None, east_miles=None, **more):
    """A provider: ``places=None`` unlimited, ``east_miles=None`` without a position."""
    row = {"admits_from": 0, "admits_until": w.NEVER, "close_day": w.NEVER, "match_chance": 1.0, "outside": 0}
    return {**row, "kind": kind, "places": places, "miles": east_miles, **more}


def homes_of(*rows, radius_miles=15.0, refuse_beyond=0, **by_type):
    """``Places`` of providers given by ``a_home``, in a town of one zone at nought east, nought north; one month."""
    kinds = np.array([row["kind"] for row in rows])

    def per_type(name, usual):
        return [by_type.get(name, {}).get(kind, usual) for kind in range(w.N_PLACEMENT_TYPES)]

    return Places(
        kind=kinds.tolist(), locality=[0] * len(rows), has_position=[int(row["miles"] is not None) for row in rows],
        easting_m=[(row["miles"] or 0.0) * w.METRES_PER_MILE for row in rows], northing_m=[0.0] * len(rows),
        is_pool=[0] * len(rows), outside=[row["outside"] for row in rows],
        usable=[-1 if row["places"] is None else row["places"] for row in rows],
        admits_from=[row["admits_from"] for row in rows], admits_until=[row["admits_until"] for row in rows],
        close_day=[row["close_day"] for row in rows], match_chance=[row["match_chance"] for row in rows],
        price_sigma=[0.0] * len(rows), of_kind=np.argsort(kinds, kind="stable").tolist(),
        kind_start=np.searchsorted(np.sort(kinds), np.arange(w.N_PLACEMENT_TYPES + 1)).tolist(),
        zone_start=[0, 1], zone_weight=[1.0], zone_easting_m=[0.0], zone_northing_m=[0.0],
        median_miles=per_type("median_miles", 5.0), sigma_ln=per_type("sigma_ln", 0.0),
        unknown_share=per_type("unknown_share", 0.0), outside_share=per_type("outside_share", 0.0),
        together_chance=per_type("together_chance", 1.0), radius_miles=[radius_miles], refuse_beyond=[refuse_beyond],
    )  # fmt: skip


def families_of(*sizes):
    """(kids, families, homes) of families with so many children, all born on day 0 of the run, nobody placed."""
    n = sum(sizes)
    family = np.repeat(np.arange(len(sizes)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    keys = [rules.dr.lanes(1, 0, 3, 0, child) for child in range(n)]
    kids = Kids(
        birth_day=[START] * n, locality=[0] * n, zone=[0] * n, family=family.tolist(), unaccompanied=[0] * n,
        key_1=[key[0] for key in keys], key_2=[key[1] for key in keys],
    )  # fmt: skip
    empty = [0] * len(sizes)
    families = Families(first.tolist(), list(sizes), empty, empty, empty, empty, empty, empty, empty)
    return kids, families


def nobody_placed(n_providers, n_children) -> Homes:
    return setup.as_lists(setup.empty_homes(n_providers, n_children))


def nobody_waiting(n_pools, n_cases) -> Queues:
    return setup.as_lists(setup.empty_queues(n_pools, n_cases))


def pools_of(*places):
    """Service pools with so many places each (-1 unlimited), one month."""
    return Pools(pool_of=[], places=list(places), n_pools=len(places))
