"""The two halves of a synthetic stock: children in care with their homes, and everybody outside care."""

import math
from collections.abc import Mapping

import numpy as np

from carecast.calibration import cohort as co
from carecast.calibration import funnel
from carecast.calibration import stock as st
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.capacity import continuing_years, usable_places
from carecast.calibration.english_care import GATEWAY_SHARE
from carecast.calibration.funnel_fit import size_chances
from carecast.calibration.parts import UPTAKE
from carecast.model import words as w
from carecast.model.parameters import Provider

SIBLING_TYPES = (w.AT_HOME, w.KINSHIP, w.FOSTER_OWN, w.FOSTER_AGENCY)
ADULT_DAYS = 6574
SCHOOL_AGE = 2  # the age band whose hazards stand for all in how long open stays have lasted
SAME_TYPE_CHANCE = 0.25  # of brothers and sisters in care; chosen so that about the published share live together
SUPPORTED_MOST = 0.7  # of unaccompanied children, in reception or supported accommodation where there are so many
SEARCHED = 90  # children next in time in care among whom a brother or sister is looked for


class Person:
    """A child in care before it has a family or a home."""

    __slots__ = ("age", "care", "kind", "placed", "unaccompanied")

    def __init__(self, kind: int, age: int, care: int, placed: int, unaccompanied: int) -> None:
        """Days of age, in care and in the present placement."""
        self.kind, self.age, self.care, self.placed, self.unaccompanied = kind, age, care, placed, unaccompanied


def in_care(variant: st.Variant, counts: Ints, staying: dict[int, int]) -> None:
    """Children in care and young people in continuing care: by type from the steady state, in families, with homes."""
    ratios = st.age_ratios(variant.inputs, counts)
    people = [person for kind, n in enumerate(counts) for person in _people(variant, kind, int(n), ratios)]
    _mark_unaccompanied(variant, people)
    vacancies = {
        p.code: usable_places(p.places, p.usable_share) for p in variant.inputs.providers if p.places is not None
    }
    _continuing_care(variant, staying, vacancies)
    for family in _families(variant, people):
        home = variant.family_home()
        _settle(variant, home, family, vacancies)


def _people(variant: st.Variant, kind: int, n: int, ratios: Array) -> list[Person]:
    """``n`` children of one type from the expected stock of the fitted model, ages weighed by ``ratios`` by band."""
    if n == 0:
        return []
    weights = st.occupancy(variant.inputs.care, kind)
    if variant.inputs.ages:
        weights = weights * ratios[st.BAND_OF_CELL][np.newaxis, :, :, np.newaxis]
    weights = weights.ravel()
    rng = variant.rng
    drawn = rng.choice(len(weights), size=n, p=weights / weights.sum())
    shape = st.occupancy(variant.inputs.care, kind).shape
    people = []
    for later, step, entry_age, phase in zip(*np.unravel_index(drawn, shape), strict=True):
        part = rng.uniform(0.0, 1.0)
        care = 1 + int((step + part) * co.STEP_DAYS)
        first_age = entry_age if entry_age else 0
        width = 1.0 if entry_age else 2 * co.ENTRY_AGE_YEARS[0]
        age = int((first_age + width * rng.uniform()) * st.YEAR) + care
        placed = care if later == 0 else min(_placed_days(rng, int(phase)), care)
        people.append(Person(kind, min(age, ADULT_DAYS - 2), care, max(placed, 1), 0))
    return people


def _placed_days(rng: np.random.Generator, phase: int) -> int:
    """Days in the present placement within the duration band of a phase."""
    band = int(co.BAND_OF_PHASE[phase])
    starts = (*w.DURATION_BAND_STARTS_DAYS, 2 * w.DURATION_BAND_STARTS_DAYS[-1])
    share = (phase - int(np.argmax(band == co.BAND_OF_PHASE)) + rng.uniform()) / co.PHASES_OF_BAND[band]
    return int(starts[band] + share * (starts[band + 1] - starts[band]))


def _mark_unaccompanied(variant: st.Variant, people: list[Person]) -> None:
    """Unaccompanied children: starts a year x stay, mostly from 16 in supported accommodation or foster care."""
    if variant.inputs.unaccompanied is not None:
        _mark_counted(variant, people, variant.inputs.unaccompanied)
        return
    expected = 1.2 * variant.inputs.care.shapes.unaccompanied
    wanted = {w.SUPPORTED_ACCOMMODATION: 0.6, w.FOSTER_OWN: 0.2, w.FOSTER_AGENCY: 0.2}
    for kind, share in wanted.items():
        pool = [p for p in people if p.kind == kind and p.age > 15.5 * st.YEAR and p.care < 2 * st.YEAR]
        for person in pool[: math.floor(expected * share + variant.rng.uniform())]:
            person.unaccompanied = 1


def _mark_counted(variant: st.Variant, people: list[Person], count: float) -> None:
    """As many unaccompanied children as are counted: those most like them, in reception and supported accommodation first.

    They are 14 or over and have been in care for no longer than from then on; the newest come first within a type.
    """
    gateway = variant.inputs.pack.value("unaccompanied_transferred_share") >= GATEWAY_SHARE
    order = {w.SUPPORTED_ACCOMMODATION: 1, w.FOSTER_AGENCY: 2, w.FOSTER_OWN: 2, w.RESIDENTIAL_EXTERNAL: 3, w.KINSHIP: 3}
    if gateway:
        order[w.OTHER_COMMUNITY] = 0
    pool = [p for p in people if p.kind in order and p.age - p.care > 14 * st.YEAR]
    pool.sort(key=lambda p: (order[p.kind], p.care))
    supported = [p for p in pool if order[p.kind] <= 1]
    others = [p for p in pool if order[p.kind] > 1]
    first = supported[: math.ceil(SUPPORTED_MOST * count)]
    for person in (first + others + supported[len(first) :])[: round(count)]:
        person.unaccompanied = 1


def _families(variant: st.Variant, people: list[Person]) -> list[list[Person]]:
    """Join children into families of brothers and sisters who entered about the same time.

    The number of families follows the sizes of families that arrive and the chance that each further child joins;
    members are those next to each other in time in care, so that their ages can stand some way apart.
    """
    joins = variant.inputs.pack.value("joins_care_chance")
    chances = size_chances(variant.inputs.pack)
    rng = variant.rng
    alone = [p for p in people if p.unaccompanied or p.kind not in SIBLING_TYPES]
    others = sorted((p for p in people if not (p.unaccompanied or p.kind not in SIBLING_TYPES)), key=lambda p: p.care)
    families = [[person] for person in alone]
    while others:
        lead = others.pop(0)
        family = [lead]
        size = 1 + int(rng.choice(len(chances), p=chances))
        wanted = int(rng.binomial(size - 1, min(1.0, 1.3 * joins)))
        while wanted > 0 and others:
            at = _sibling(family, others, rng.uniform() < SAME_TYPE_CHANCE)
            if at < 0:
                break
            sibling = others.pop(at)
            sibling.care = lead.care
            sibling.placed = min(sibling.placed, sibling.care)
            sibling.age = max(sibling.age, sibling.care + 1)
            family.append(sibling)
            wanted -= 1
        families.append(family)
    return families


def _sibling(family: list[Person], others: list[Person], same: bool) -> int:
    """Position of a child that could be a brother or sister: about as long in care, and not of about the same age.

    ``same``: in the same type of placement.
    """
    for at, person in enumerate(others[:SEARCHED]):
        if same and person.kind != family[0].kind:
            continue
        apart = min(abs(person.age - member.age) for member in family)
        spread = max(abs(person.age - member.age) for member in family)
        near = abs(person.care - family[0].care) <= max(st.FAMILY_WINDOW_DAYS, 0.1 * family[0].care)
        if near and apart >= st.GAP_DAYS[0] and spread <= 12 * st.YEAR and person.age > family[0].care:
            return at
    return -1


def _settle(
    variant: st.Variant, home: tuple[int, int, int, int], family: list[Person], vacancies: dict[str, int]
) -> None:
    """Give each child of a family a provider, a distance, and the home of a brother or sister where they share one."""
    placed: dict[int, tuple[int, str, float, int]] = {}  # kind -> row of the first, provider, miles, days
    for person in sorted(family, key=lambda p: -p.age):
        with_whom = placed.get(person.kind)
        together = with_whom is not None and _together(variant, person.kind) and vacancies.get(with_whom[1], 1) > 0
        if with_whom is not None and together:
            row, provider, miles, days = with_whom
            home_of, person.placed = row, min(days, person.care)
        else:
            provider = _provider(variant, person.kind, home[1], vacancies)
            miles, home_of = _miles(variant, person.kind, provider, home), -1
        if provider in vacancies:
            vacancies[provider] -= 1
        if with_whom is None:
            placed[person.kind] = (len(variant.rows), provider, miles, person.placed)
        variant.add(
            home,
            person.age,
            "in_care",
            person.placed,
            unaccompanied=person.unaccompanied,
            placement_type=w.PLACEMENT_TYPES[person.kind],
            provider=provider,
            days_in_care=person.care,
            distance_miles=round(miles, 2),
            home_of=home_of,
        )


def _together(variant: st.Variant, kind: int) -> bool:
    """Whether a brother or sister in the same type of placement shares the home."""
    if kind == w.AT_HOME:
        return True
    group = "kinship" if kind == w.KINSHIP else "foster"
    return bool(variant.rng.uniform() < variant.inputs.pack.value("together_chance", f"placement_type={group}"))


def _provider(variant: st.Variant, kind: int, locality: int, vacancies: dict[str, int]) -> str:
    """A limited provider of the type with room, one in the child's locality first; '' for types without a limit."""
    name = w.PLACEMENT_TYPES[kind]
    rows = [p for p in variant.inputs.providers if p.placement_type == name and p.places is not None]
    own = variant.inputs.localities[locality].name
    free = [p for p in rows if vacancies[p.code] > 0]
    near = [p for p in free if p.locality == own]
    if near and variant.rng.uniform() < 0.75:
        return near[0].code
    if free:
        return free[int(variant.rng.integers(len(free)))].code
    return ""


def _miles(variant: st.Variant, kind: int, provider: str, home: tuple[int, int, int, int]) -> float:
    """Straight-line miles from the child's zone: by the provider's position, else drawn; -1 when unknown."""
    name, rng, pack = w.PLACEMENT_TYPES[kind], variant.rng, variant.inputs.pack
    if kind == w.AT_HOME:
        return 0.0
    zone = variant.inputs.localities[home[1]].zones[home[2]]
    known = next((p for p in variant.inputs.providers if p.code == provider), None)
    if known is not None and known.easting_m is not None and known.northing_m is not None:
        east, north = _position(variant, known)
        return math.hypot(east - zone.easting_m, north - zone.northing_m) / w.METRES_PER_MILE
    if rng.uniform() < pack.value("distance_unknown", f"placement_type={name}"):
        return -1.0
    median = pack.value("distance_median", f"placement_type={name}")
    return float(median * math.exp(pack.value("distance_sigma", f"placement_type={name}") * rng.standard_normal()))


def _position(variant: st.Variant, provider: Provider) -> tuple[float, float]:
    """Where a home is: the provider's own position, or a zone of the locality for a pool of households."""
    localities = variant.inputs.localities
    at = next((i for i, place in enumerate(localities) if place.name == provider.locality), -1)
    if provider.placement_type == "foster_own" and at >= 0:
        zones = localities[at].zones
        weights = np.array([zone.children for zone in zones])
        zone = zones[int(variant.rng.choice(len(zones), p=weights / weights.sum()))]
        return zone.easting_m, zone.northing_m
    return float(provider.easting_m or 0.0), float(provider.northing_m or 0.0)


# --- outside care ------------------------------------------------------------
STAGES = (
    ("early_help", funnel.EARLY_HELP, "early_help_ends"),
    ("assessment", funnel.ASSESSMENT, "assessment_ends"),
    ("support", funnel.SUPPORT, "support_ends"),
    ("protection", funnel.PROTECTION, "protection_ends"),
    ("pre_entry", funnel.PRE_ENTRY, "pre_entry_decided"),
    ("closed", funnel.CLOSED, "re_referred"),
)
AFTER_CARE = (  # state, figure of how many, ages in years between which they are, longest stay in years
    ("kinship_order", "kinship_order_children", 1.5, 17.9, 12.0),
    ("adopted", "adopted_children", 1.5, 17.9, 12.0),
    ("aftercare", "aftercare_receiving", 17.0, 20.9, 4.0),
)
# English figures are leavers at 18 a year x years, so those staying put are counted with them; full from 18 to 21
ENGLISH_AFTERCARE = ("aftercare", "aftercare_receiving", 18.0, 20.99, 3.0)


def outside_care(variant: st.Variant) -> None:
    """Families at each stage of the pathway, children home after care, and those on orders or in aftercare."""
    for state, stage, cause in STAGES:
        _families_open(variant, state, stage, cause)
    _home_after_care(variant)
    for state, figure, youngest, oldest, longest in _after_care(variant):
        told = round(variant.inputs.pack.value(figure))
        staying = 0
        if youngest == ENGLISH_AFTERCARE[2]:  # counted with those in aftercare, and rows of their own
            staying = sum(row["state"] == "continuing_care" for row in variant.rows)
        for _ in range(max(told - staying, 0)):
            age = variant.rng.uniform(youngest, oldest)
            years = variant.rng.uniform(0.0, min(longest, age - min(youngest, 16.0) * 0.9))
            variant.add(variant.family_home(), int(age * st.YEAR), state, max(1, int(years * st.YEAR)))


def _after_care(variant: st.Variant) -> tuple[tuple[str, str, float, float, float], ...]:
    """Who is still known after care; in England aftercare opens as full as leavers at 18 keep it, from 18 to 21."""
    if variant.inputs.pack.about.nation != "england":
        return AFTER_CARE
    return (*AFTER_CARE[:-1], ENGLISH_AFTERCARE)


def _families_open(variant: st.Variant, state: str, stage: int, cause: str) -> None:
    """Families at one stage: as many as the steady funnel has open, each as long in it as the hazard says."""
    model, rng = variant.inputs.funnel, variant.rng
    by_age = model.funnel.open_by_age[:, stage]
    families = int(rng.poisson(by_age.sum()))
    sizes = st.steps_of(size_chances(variant.inputs.pack))
    months = rng.choice(len(by_age), size=families, p=by_age / by_age.sum())
    longest = variant.inputs.pack.value("closed_memory_days") - 1 if state == "closed" else 3652.0
    days = st.elapsed_days(rng, _all_causes(model.hazards, state, cause), families, longest)
    for month, since in zip(months, days, strict=True):
        home = variant.family_home()
        age = 1 + int((month + rng.uniform()) * st.YEAR / 12)
        since = min(int(since), age)
        variant.add(home, age, state, since)
        for _ in range(st.picked(rng, sizes)):
            gap = int(rng.uniform(*st.GAP_DAYS))
            younger = age - gap if rng.uniform() < 0.5 or age + gap >= ADULT_DAYS else age + gap
            if younger > since:
                variant.add(home, younger, state, since)


def _all_causes(hazards: Mapping[str, Array], state: str, cause: str) -> Array:
    """Hazard of leaving a stage by any cause at school age."""
    more = {
        "early_help": ("early_help_steps_up",),
        "support": ("support_to_protection", "support_to_pre_entry"),
        "protection": ("protection_to_pre_entry",),
    }
    total: Array = np.sum([hazards[name][SCHOOL_AGE] for name in (cause, *more.get(state, ()))], axis=0)
    return total


def _home_after_care(variant: st.Variant) -> None:
    """Children who went home in the last six years and could come back."""
    inputs, rng = variant.inputs, variant.rng
    by_age = inputs.care.cohort.exits[0].sum(axis=0)
    memory = inputs.pack.value("home_memory_days")
    hazard = inputs.funnel.hazards["re_entry"][SCHOOL_AGE]
    for age, yearly in enumerate(by_age):
        for since in rng.uniform(1.0, memory - 1, size=int(rng.poisson(yearly * memory / st.YEAR))):
            now = int((age + rng.uniform()) * st.YEAR) + int(since)
            kept = math.exp(-_gone(hazard, float(since)))
            if now < ADULT_DAYS - 1 and rng.uniform() < kept:
                variant.add(variant.family_home(), now, "home_after_care", int(since))


def _gone(hazard: Array, days: float) -> float:
    starts = np.cumsum([0.0, *funnel.WIDTHS_YEARS[:-1]]) * st.YEAR
    return float((hazard / st.YEAR * np.clip(days - starts, 0.0, funnel.WIDTHS_YEARS * st.YEAR)).sum())


def young_people_staying(variant: st.Variant) -> dict[int, int]:
    """Young people in continuing care by placement type: leavers a year x uptake x mean years (Little's law)."""
    inputs = variant.inputs
    years = continuing_years(inputs.care.shapes.rates)
    left = inputs.care.cohort.exits[w.EXIT_INDEPENDENT - w.FIRST_EXIT].sum(axis=1) + inputs.care.cohort.aged_out
    out = {}
    for name, group in UPTAKE.items():
        kind = w.PLACEMENT_TYPES.index(name)
        uptake = inputs.pack.value("continuing_care_uptake", f"placement_type={group}")
        out[kind] = int(variant.rng.poisson(float(left[kind]) * uptake * years))
    return out


def _continuing_care(variant: st.Variant, staying: dict[int, int], vacancies: dict[str, int]) -> None:
    """Young people who stayed in their home after care; they keep its place."""
    rng = variant.rng
    for kind, n in staying.items():
        for _ in range(n):
            age = rng.uniform(17.0, 20.8)
            since = rng.uniform(0.02, min(age - 16.2, 3.0))
            home = variant.family_home()
            provider = _provider(variant, kind, home[1], vacancies)
            if provider in vacancies:
                vacancies[provider] -= 1
            variant.add(
                home,
                int(age * st.YEAR),
                "continuing_care",
                int(since * st.YEAR) + 1,
                placement_type=w.PLACEMENT_TYPES[kind],
                provider=provider,
                distance_miles=round(_miles(variant, kind, provider, home), 2),
            )
