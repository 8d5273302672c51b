"""Figures of the stock: children looked after by placement type, age and year, as counted and as split by assumption."""

import math
from collections.abc import Mapping

from carecast.calibration.dfe.facts import Fact, Facts
from carecast.calibration.dfe.rows import National, Rows

PLACEMENTS = {  # label in DfE's table -> group of placement types
    "Placed with parents or other person with parental responsibility": ("at_home",),
    "Foster placements": ("kinship", "foster_own", "foster_agency"),
    "Placed for adoption": ("prospective_adopters",),
    "Independent and semi-independent living arrangements/supported accommodation": ("supported_accommodation",),
    "Other placements": ("other_community",),
    "Secure homes and children's homes": ("childrens_house_own", "residential_external", "secure"),
    "Residential schools": ("residential_school",),
    "Other residential settings": ("other_residential",),
}
HOMES = "Secure homes and children's homes"
RESIDENTIAL = (HOMES, "Residential schools", "Other residential settings")
AGES = ("Under 1 year", "1 to 4 years", "5 to 9 years", "10 to 15 years", "16 years and over")
OWN = "Own provision (by the LA)"
UASC = "Unaccompanied asylum-seeking children"
NON_UASC = "Children excluding unaccompanied asylum-seeking children"


def stock_rows(rows: Rows, national: National) -> dict[str, float]:
    """Add the figures of the stock; returns children by placement type at the as-at date."""
    facts, year = rows.facts, rows.facts.year
    total = facts.flow("stock", year) or 0.0
    groups = facts.mix("looked_after", "Placement", tuple(PLACEMENTS), year, total)
    _by_year(rows)
    missing = all(fact.how != "published" for fact in groups.values())
    if missing:
        rows.lacks("children by placement", _why(groups[HOMES]))
    for label, fact in groups.items():
        if fact.how != "published" and not missing:
            rows.lacks(f"placement '{label}'", _why(fact))
        interval = None if fact.how == "published" else (0.3 * fact.value, max(2.0 * fact.value, 3.0))
        rows.put_fact(
            "stock_by_placement", fact, "children", "looked_after", interval, f"placement={label}", _date(year)
        )
    types = _split(rows, national, groups)
    _ages(rows, total)
    _unaccompanied(rows, total)
    return types


def _why(fact: Fact) -> str:
    """A note without the word that marks arithmetic."""
    return fact.note.removeprefix("derived: ")


def _date(year: int) -> str:
    return f"{year}-03-31"


def _by_year(rows: Rows) -> None:
    """Totals and settings of every year; a setting where a table tells it, or where none tells any year's."""
    facts = rows.facts
    told = {
        year
        for year in facts.years()
        if any(facts.value("looked_after", "Placement", label, year) for label in PLACEMENTS)
    }
    for year in facts.years():
        total = facts.flow("stock", year) or 0.0
        source = facts.source("rates", year)
        rows.put_fact("stock_total", Fact(total, "published", source), "children", "rates", period=_date(year))
        residential = residential_count(facts, year)
        untold = len(told) > 1 and year not in told and year != facts.year  # the last year's is needed, told or not
        if residential is None or untold:
            continue
        rest = Fact(total - residential.value, residential.how, residential.source, residential.note)
        for setting, fact in (("residential", residential), ("community", rest)):
            interval = None if fact.how == "published" else (max(fact.value - 2, 0.0), fact.value + 2)
            rows.put_fact(f"stock_{setting}", fact, "children", "looked_after", interval, period=_date(year))


def residential_count(facts: Facts, year: int) -> Fact | None:
    """Children in secure and children's homes, residential schools and other residential settings.

    Published when all parts are, or when all that is not residential is; else estimated by the nearest mix.
    """
    parts = [facts.value("looked_after", "Placement", label, year) for label in RESIDENTIAL]
    total = facts.flow("stock", year)
    source = facts.source("looked_after", year)
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        return Fact(sum(known), "published", source, "derived: homes, schools and other residential settings")
    others = [facts.value("looked_after", "Placement", label, year) for label in PLACEMENTS if label not in RESIDENTIAL]
    seen = [part for part in others if part is not None]
    if total is not None and len(seen) == len(others):
        return Fact(total - sum(seen), "published", source, "derived: all placements less those in the community")
    if total is not None:
        groups = facts.mix("looked_after", "Placement", tuple(PLACEMENTS), year, total)
        value = sum(groups[label].value for label in RESIDENTIAL)
        return Fact(value, "assumed", source, "hidden parts by the mix of the region or of England")
    return None


def _split(rows: Rows, national: National, groups: Mapping[str, Fact]) -> dict[str, float]:
    """Children by the model's placement types, where the table joins several of them."""
    types: dict[str, float] = {}
    for label, kinds in PLACEMENTS.items():
        if len(kinds) == 1:
            types[kinds[0]] = groups[label].value
    foster, homes = groups["Foster placements"].value, groups[HOMES].value
    types["secure"] = homes * national.value("secure_share_of_childrens_homes")
    types["childrens_house_own"] = homes * national.value("own_share_of_childrens_homes")
    types["residential_external"] = homes - types["secure"] - types["childrens_house_own"]
    types["unregistered"] = 0.0
    types["kinship"] = foster * national.value("kinship_share_of_foster")
    own, why = _own_foster(rows.facts, national, foster, homes, types)
    types["foster_own"], types["foster_agency"] = own, foster - types["kinship"] - own
    for name, value in types.items():
        interval, source = _split_interval(name, value, foster, homes, national, why)
        single = next((label for label, kinds in PLACEMENTS.items() if kinds == (name,)), "")
        if single:
            interval = _spread(value)
            source = f"Children in {single.lower()}: see stock_by_placement"
        rows.put(
            f"stock_{name}",
            value,
            "children",
            source,
            interval=interval,
            breakdown=f"placement_type={name}",
            period=_date(rows.facts.year),
            note="derived with an assumed share" if not single else "",
        )
    both = types["foster_own"] + types["foster_agency"]
    rows.put(
        "stock_foster",
        both,
        "children",
        "stock_by_placement less kinship",
        interval=_spread(both, 0.06),
        breakdown="placement_type=foster",
        period=_date(rows.facts.year),
    )
    return types


def _own_foster(
    facts: Facts, national: National, foster: float, homes: float, types: Mapping[str, float]
) -> tuple[float, str]:
    """Children with the council's own foster carers: its own provision less kin, own houses and own supported places."""
    share = facts.share("looked_after", "Place providers", OWN, "Total", facts.year)
    total = facts.flow("stock", facts.year) or 0.0
    not_kin = foster - types["kinship"]
    if share is None:
        return 0.47 * not_kin, "Assumed: 47 % of foster care with the council's own carers"
    inside = share[0] * total - types["kinship"] - types["childrens_house_own"]
    inside -= national.value("own_share_of_supported") * types["supported_accommodation"]
    own = min(max(inside, 0.1 * not_kin), 0.95 * not_kin)
    return own, f"Own provision (Place providers, {share[1]}) less kinship, own houses and own supported accommodation"


def _split_interval(
    name: str, value: float, foster: float, homes: float, national: National, why: str
) -> tuple[tuple[float, float], str]:
    """Interval and reason of a type that the table joins with others."""
    if name == "kinship":
        low, high = national.interval("kinship_share_of_foster", factor=foster)
        return (low, high), "Foster placements x kinship_share_of_foster"
    if name in ("foster_own", "foster_agency"):
        reason = why if name == "foster_own" else "Foster placements less kinship and own carers"
        return (0.8 * value, 1.2 * value), reason
    if name == "unregistered":
        return (0.0, 0.0), "Not counted in the table"
    share = "secure_share_of_childrens_homes" if name == "secure" else "own_share_of_childrens_homes"
    low, high = national.interval(share, factor=homes)
    if name == "residential_external":
        return (max(homes - high, 0.0), homes - low), "Secure and children's homes less own houses and secure homes"
    return (low, max(high, low)), f"Secure and children's homes x {share}"


def _spread(value: float, least: float = 0.03) -> tuple[float, float]:
    """An interval of the level that a count stands for: chance and a little more."""
    sd = math.hypot(least, 0.5 / math.sqrt(max(value, 1.0)))
    return value * math.exp(-1.28 * sd), value * math.exp(1.28 * sd)


def _ages(rows: Rows, total: float) -> None:
    """Children looked after by age group."""
    facts = rows.facts
    for label, fact in facts.mix("looked_after", "Age group", AGES, facts.year, total).items():
        interval = None if fact.how == "published" else (0.5 * fact.value, 1.6 * fact.value)
        rows.put_fact("stock_by_age", fact, "children", "looked_after", interval, f"age={label}", _date(facts.year))


def _unaccompanied(rows: Rows, total: float) -> None:
    """Unaccompanied children in the stock."""
    facts = rows.facts
    found = facts.mix("looked_after", UASC, (UASC, NON_UASC), facts.year, total)[UASC]
    if found.how != "published":
        rows.lacks("unaccompanied children in the stock", _why(found))
    interval = None if found.how == "published" else (0.3 * found.value, 2.0 * found.value)
    rows.put_fact("stock_unaccompanied", found, "children", "looked_after", interval, period=_date(facts.year))
