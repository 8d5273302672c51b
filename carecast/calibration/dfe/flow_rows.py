"""Figures of the flows: starts, ceases and their ways, ages at the start, moves, and the levels they stand for.

Starts and ceases swing twice as much as chance in any one year and mostly back. The level a council is at is therefore
an average of its last five years, the newest weighing most (``MEMORY`` a year), of starts and ceases together: in a stock
that neither grows nor shrinks they are the same. Unaccompanied children are a stream of their own.
"""

from collections.abc import Mapping

from carecast.calibration.dfe.facts import Fact, Facts
from carecast.calibration.dfe.rows import National, Rows
from carecast.calibration.dfe.stock_rows import NON_UASC, UASC

MEMORY = 0.6  # weight of a year's flow relative to the next one
YEARS_USED = 5
LEVEL_SPREAD = 0.10  # 80 % interval of the level, either side, of those who stay
GATEWAY_SHARE = (
    0.3  # of unaccompanied starts that move on to another council: above it, reception is its own kind of place
)
GATEWAY_DRIFT = 0.12
START_AGES = {
    "Under 1 year": "under 1",
    "1 to 4 years": "1 to 4 years",
    "5 to 9 years": "5 to 9 years",
    "10 to 15 years": "10 to 15 years",
    "16 years and over": "16 years and over",
}
AGE_PSEUDO_COUNTS = 60.0  # how many starts the national ages count for beside the council's own
WAYS = {  # figure -> reasons an episode ceased
    "adoptions_per_year": ("Adopted",),
    "kinship_orders_per_year": ("Special guardianship order", "Residence order or child arrangement order granted"),
    "returns_home_per_year": (
        "Returned home to live with parents or other person with parental responsibility which was part of the care "
        "planning process",
        "Returned home to live with parents or other person with parental responsibility which was not part of the care "
        "planning process",
        "Left care to live with parents, relatives or other person with no parental responsibility",
    ),
}
LEAST_WAY = 0.2  # children a year who leave by a way that nobody took in three years
LEAVERS_SHARE = dict(  # of leavers in England 2024-25, for tables of a time before the first that is shipped
    zip(
        (label for labels in WAYS.values() for label in labels),
        (0.088, 0.119, 0.031, 0.161, 0.031, 0.052),
        strict=True,
    )
) | {"18 years and over": 0.399, "Aged 18 (or over) and remained with current carers": 0.174}
TAKEN_OVER = "Care taken by another local authority"
STAYED = "Aged 18 (or over) and remained with current carers"
EIGHTEEN = "18 years and over"
MOVES = ("Change in the status of a placement only", "Total placements changing")
EMERGENCY = ("Emergency protection order", "Police protection in LA accommodation", "LA accommodation under PACE 1989")


def averaged(by_year: Mapping[int, float], last: int, memory: float = MEMORY) -> float | None:
    """Average of the last five years, each weighing ``memory`` of the one after it."""
    used = {year: value for year, value in by_year.items() if last - YEARS_USED < year <= last}
    if not used:
        return None
    weights = {year: memory ** (last - year) for year in used}
    return sum(weights[year] * value for year, value in used.items()) / sum(weights.values())


def series(facts: Facts, which: str) -> dict[int, float]:
    """Starts or ceases by year."""
    found = {year: facts.flow(which, year) for year in facts.years()}
    return {year: value for year, value in found.items() if value is not None}


def unaccompanied_starts(facts: Facts) -> dict[int, Fact]:
    """Unaccompanied children who start, by year, hidden years by the mix of the region or of England."""
    out = {}
    for year, total in series(facts, "starts").items():
        out[year] = facts.mix("started", UASC, (UASC, NON_UASC), year, total)[UASC]
    return {year: fact for year, fact in out.items() if fact.note != "" or fact.how == "published"}


def flow_rows(rows: Rows, national: National) -> dict[str, float]:
    """Add the figures of the flows; returns starts a year (all, and of unaccompanied children) as they are expected."""
    facts, year = rows.facts, rows.facts.year
    starts, ceases = series(facts, "starts"), series(facts, "ceases")
    for name, flows in (("starts", starts), ("ceases", ceases)):
        for at, value in flows.items():
            rows.put_fact(
                name,
                Fact(value, "published", facts.source("rates", at)),
                "children per year",
                "rates",
                period=_care_year(at),
            )
    alone = unaccompanied_starts(facts)
    for at, fact in alone.items():
        if fact.how == "published":
            rows.put_fact("starts_unaccompanied", fact, "children per year", "started", period=_care_year(at))
    level, alone_level, moved_on = _levels(rows, national, starts, ceases, alone)
    _ages_at_start(rows, alone[year].value if year in alone else 0.0)
    _routes(rows, national, level, alone_level)
    _leavers(rows, national, level - moved_on, level)
    _moves(rows)
    return {"starts": level, "unaccompanied": alone_level}


def _care_year(year: int) -> str:
    return f"{year - 1}-{year % 100:02d}"


def _levels(
    rows: Rows, national: National, starts: Mapping[int, float], ceases: Mapping[int, float], alone: Mapping[int, Fact]
) -> tuple[float, float, float]:
    """(starts a year, of them unaccompanied, of them moving on to another council) that the as-at date stands for."""
    facts, year = rows.facts, rows.facts.year
    if not starts:
        rate = 0.39  # starts per child looked after, England
        starts = {year: rate * (facts.flow("stock", year) or 0.0)}
        rows.lacks("starts and ceases", "England's 0.39 starts a year for each child looked after")
    last = max(starts)
    arrived = alone[last].value if last in alone else 0.0
    moved_on = _moved_on(facts, last, arrived)
    share = moved_on / arrived if arrived else 0.0
    memory = 0.0 if share >= GATEWAY_SHARE else MEMORY
    counted = {at: fact.value for at, fact in alone.items()}
    alone_level = (averaged(counted, last, memory) if memory else arrived) or 0.0
    rest = {at: value - counted.get(at, 0.0) for at, value in starts.items()}
    gone = {at: value - counted.get(at, 0.0) for at, value in ceases.items()}  # as many leave as come, in the long run
    both = [found for found in (averaged(rest, last), averaged(gone, last)) if found is not None]
    main = max(sum(both) / len(both), 0.3 * both[0])
    if share >= GATEWAY_SHARE:
        main = averaged(rest, last) or main
    level = main + alone_level
    spread = LEVEL_SPREAD * (level - share * alone_level) / level
    rows.put(
        "starts_per_year",
        level,
        "children per year",
        f"Average of starts and ceases of the last {YEARS_USED} years to {year}, each year {MEMORY:g} of the next, "
        "unaccompanied children apart",
        interval=(level * (1 - spread), level * (1 + spread)),
        note="derived: starts and ceases swing twice as much as chance and mostly back",
    )
    wide = (0.85, 1.18) if share >= GATEWAY_SHARE else (0.7, 1.4)
    rows.put(
        "unaccompanied_starts_per_year",
        alone_level,
        "children per year",
        "starts_unaccompanied, averaged as starts",
        interval=(wide[0] * alone_level, wide[1] * alone_level),
    )
    if share >= GATEWAY_SHARE:
        rows.put(
            "unaccompanied_level_drift",
            GATEWAY_DRIFT,
            "log standard deviation per year",
            "Assumption: arrivals swing more, but those over the council's threshold are passed on within days",
            interval=(0.7 * GATEWAY_DRIFT, 1.4 * GATEWAY_DRIFT),
        )
    rows.put(
        "unaccompanied_transferred_share",
        share,
        "share of unaccompanied starts",
        f"'{TAKEN_OVER}' over unaccompanied starts",
        interval=(0.9 * share, min(1.03 * share, 0.98)),
        note="National Transfer Scheme; the few others who are taken over by another council are left out",
    )
    return level, alone_level, share * alone_level


def _moved_on(facts: Facts, year: int, arrived: float) -> float:
    """Unaccompanied children whose care another council took over in a year; few others are."""
    taken = facts.value("ceased", "Reason episode ceased", TAKEN_OVER, year)
    if taken is None:
        return 0.0
    others = 0.005 * max((facts.flow("ceases", year) or 0.0) - arrived, 0.0)
    return min(max(taken - others, 0.0), 0.95 * arrived)


def _ages_at_start(rows: Rows, alone: float) -> None:
    """Shares of starts by age, unaccompanied children apart, drawn towards England's."""
    facts, year = rows.facts, rows.facts.year
    total = facts.flow("starts", year) or 0.0
    found = facts.mix("started", "Age on starting", tuple(START_AGES), year, total)
    # unaccompanied children are nearly all 10 to 17: six in seven 16 or over
    less = {"16 years and over": 0.86 * alone, "10 to 15 years": 0.14 * alone}
    own = {label: max(fact.value - less.get(label, 0.0), 0.0) for label, fact in found.items()}
    england = _england_ages()
    whole = sum(own.values()) + AGE_PSEUDO_COUNTS
    for label, name in START_AGES.items():
        share = (own[label] + AGE_PSEUDO_COUNTS * england[name]) / whole
        rows.put(
            "age_at_start_share_without_unaccompanied",
            share,
            "share of starts",
            f"Age on starting, {facts.council}, {year}, less unaccompanied children (six in seven 16 or over), with "
            f"{AGE_PSEUDO_COUNTS:g} starts of England's ages",
            interval=(0.85 * share, 1.15 * share),
            breakdown=name,
        )


def _england_ages() -> dict[str, float]:
    """England 2024-25: see national/shapes.csv, age_at_start_share_without_unaccompanied."""
    return {
        "under 1": 0.203,
        "1 to 4 years": 0.175,
        "5 to 9 years": 0.194,
        "10 to 15 years": 0.304,
        "16 years and over": 0.124,
    }


def _routes(rows: Rows, national: National, level: float, alone: float) -> None:
    """Shares of starts by direct route."""
    facts = rows.facts
    main = (level - alone) / level
    under_one = next(float(row["value"]) for row in rows.tables["assumptions.csv"] if row["breakdown"] == "under 1")
    emergency, whose = _emergency(facts, national)
    low, high = (
        end / national.value("emergency_share_of_starts") for end in national.interval("emergency_share_of_starts")
    )
    gateway = any(
        row["id"] == "unaccompanied_transferred_share" and float(row["value"]) >= GATEWAY_SHARE
        for row in rows.tables["assumptions.csv"]
    )
    wide = (0.88, 1.14) if gateway else (0.7, 1.3)
    shares = {
        "emergency": (emergency * main, (low, high), whose),
        "newborn": (
            national.value("newborn_share_of_under_ones") * under_one * main,
            (0.65, 1.4),
            "Starts under one year x newborn_share_of_under_ones",
        ),
        "remand": (national.value("remand_share_of_starts") * main, (0.5, 1.6), "remand_share_of_starts of England"),
        "unaccompanied": (alone / level, wide, "unaccompanied_starts_per_year / starts_per_year"),
    }
    for route, (share, (down, up), why) in shares.items():
        rows.put(
            "direct_entry_share",
            share,
            "share of starts",
            why,
            interval=(down * share, min(up * share, 0.97)),
            breakdown=f"route={route}",
            note="Never queue",
        )


def _emergency(facts: Facts, national: National) -> tuple[float, str]:
    """Share of starts, unaccompanied children apart, by emergency orders and police protection."""
    share = national.value("emergency_share_of_starts")
    found = [facts.value("started", "Legal status", label, facts.year) for label in EMERGENCY[:2]]
    total = facts.value("started", UASC, NON_UASC, facts.year)
    known = [value for value in found if value is not None]
    if len(known) == len(found) and total:
        own = (sum(known) + 40 * share) / (total + 40)
        return own, f"Legal status at the start, {facts.council}, {facts.year}, drawn a little towards England's"
    return share, "emergency_share_of_starts of England; hidden or missing for the council"


def _leavers(rows: Rows, national: National, main: float, level: float) -> None:
    """Leavers by way, at the level of starts: the council's shares drawn towards its region's or England's."""
    facts, year = rows.facts, rows.facts.year
    ceases = facts.flow("ceases", year) or level
    taken = facts.value("ceased", "Reason episode ceased", TAKEN_OVER, year) or 0.0
    scale = main / max(ceases - min(taken, 0.95 * ceases), 1.0)
    for name, reasons in WAYS.items():
        told, how = _way(facts, reasons, year, ceases)
        value = max(told * scale, LEAST_WAY)
        rows.put(
            name,
            value,
            "children per year",
            how,
            interval=(0.75 * value, 1.3 * value),
            note="at the level of starts_per_year, unaccompanied children who move on apart",
        )
    eighteen, how = _way(facts, (EIGHTEEN,), year, ceases, "Age on ceasing")
    rows.put(
        "aged_out_per_year",
        eighteen * scale,
        "children per year",
        how,
        interval=(0.8 * eighteen * scale, 1.2 * eighteen * scale),
    )
    stayed, how = _way(facts, (STAYED,), year, ceases)
    _staying_put(rows, national, stayed, eighteen, how)
    orders = _way(facts, WAYS["kinship_orders_per_year"], year, ceases)[0]
    adopted = _way(facts, WAYS["adoptions_per_year"], year, ceases)[0]
    after = {
        "kinship_order_children": orders
        * national.value("kinship_order_paid_years")
        * national.value("kinship_order_paid_share"),
        "adopted_children": adopted * national.value("adoption_support_years"),
        "aftercare_receiving": eighteen * national.value("aftercare_years"),
    }
    why = {
        "kinship_order_children": "Orders a year x kinship_order_paid_years x kinship_order_paid_share",
        "adopted_children": "Adoptions a year x adoption_support_years",
        "aftercare_receiving": "Leavers at 18 a year x aftercare_years",
    }
    for name, value in after.items():
        rows.put(name, value, "children", why[name], interval=(0.6 * value, 1.5 * value))


def _way(
    facts: Facts, labels: tuple[str, ...], year: int, ceases: float, group: str = "Reason episode ceased"
) -> tuple[float, str]:
    """Leavers by some ways: the council's average of up to three years where told, else England's share of its ceases."""
    found = {}
    for at in (year, year - 1, year - 2):
        values = [facts.value("ceased", group, label, at) for label in labels]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            found[at] = sum(known)
    share = 0.0
    for label in labels:
        told = facts.share("ceased", group, label, "Total", year)
        share += told[0] if told else LEAVERS_SHARE[label]
    if not found:
        return (
            share * ceases,
            f"{', '.join(labels)}: hidden or missing for the council; share of its leavers as in England",
        )
    value = averaged(found, max(found)) or 0.0
    return value, f"{group}: {'; '.join(labels)}; {facts.council}, average to {max(found)}"


def _staying_put(rows: Rows, national: National, stayed: float, eighteen: float, how: str) -> None:
    """Uptake of staying put by setting, so that as many stay at 18 as are counted."""
    share = min(stayed / max(eighteen, 1.0), 0.95)
    scale = share / 0.437  # England 2024-25: 6,000 of 13,740 who ceased at 18 or over
    for group in ("kinship", "foster", "residential"):
        at = f"placement_type={group}"
        value = min(national.value("continuing_care_uptake", at) * scale, 0.9)
        rows.put(
            "continuing_care_uptake",
            value,
            "share of eligible leavers aged 16 and over",
            f"{how}; by setting by assumption",
            interval=(0.75 * value, min(1.25 * value, 0.95)),
            breakdown=at,
        )


def _moves(rows: Rows) -> None:
    """Placements in an episode: the first, and changes a year (of the placement, not of its status) over starts."""
    facts, year = rows.facts, rows.facts.year
    group = "Reason for placement change during the year"
    for who, name in (
        ("council", facts.council),
        ("region", facts.region),
        ("nation", "England"),
        ("shipped", "England"),
    ):
        for at in (year, year - 1):
            total, status = (facts.value("new_placements", group, label, at, who) for label in reversed(MOVES))
            starts = facts.flow("starts", at, who)
            if total and starts:
                moves = (total - (status or 0.0)) / starts
                rows.put(
                    "placements_per_episode",
                    1 + moves,
                    "placements",
                    f"1 + placement changes, those of status apart, over starts, {name}, {at}",
                    interval=(1 + 0.8 * moves, 1 + 1.2 * moves),
                )
                return
    rows.put("placements_per_episode", 2.5, "placements", "England 2024-25: 1 + 48,640 / 32,270", interval=(2.1, 2.9))
    rows.lacks("placement changes", "England's")
