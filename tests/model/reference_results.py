"""A slow, obvious second opinion on ``results``: random worlds, and every measure straight from its definition."""

import datetime as dt

import numpy as np

from carecast.model import words as w
from carecast.model.event_log import as_children, as_log
from carecast.model.results import SERVICE_LINES, measure_rows

AFTER_CARE = (w.HOME_AFTER_CARE, w.KINSHIP_ORDER, w.ADOPTED, w.CONTINUING_CARE, w.AFTERCARE)
EIGHTEEN = 6574  # days


class Book:
    """Events of a log kept as they come, in the order of its columns."""

    def __init__(self):
        self.rows = []

    def add(self, day, child, event, detail=0, provider=-1, shared_with=-1, out_of_area=0, multiplier=1.0, locality=0):
        self.rows.append((day, child, event, locality, provider, detail, shared_with, out_of_area, multiplier))

    def log(self):
        return as_log(*(zip(*self.rows, strict=True) if self.rows else [[]] * 9))


# --- a random world that keeps the rules of the log ------------------------------------------------------------------
def random_world(seed, as_at, until, n_families=60, n_providers=8, n_localities=3):
    rng = np.random.default_rng(seed)
    book, children = Book(), []
    for family in range(n_families):
        locality, route, stories = int(rng.integers(n_localities)), int(rng.integers(5)), {}
        for child in range(len(children), len(children) + int(rng.integers(1, 5))):
            birth, is_stock = as_at - int(rng.integers(0, 17 * 365)), child % 3 == 0
            first = as_at - int(rng.integers(0, 500)) if is_stock else as_at + int(rng.integers(until - as_at))
            children.append((birth, locality, 1000 + 7 * family, route, route == w.UNACCOMPANIED, 1, is_stock))
            stories[child] = Story(rng, max(first, birth), birth + EIGHTEEN, until, n_providers).tell(route)
        share_homes(rng, stories)
        for child, events in stories.items():
            for event in events:
                book.add(event.pop("day"), child, event.pop("event"), locality=locality, **event)
    log = book.log()
    shuffled = rng.permutation(len(children))  # children in any order: only each child's own order is promised
    order = np.concatenate([np.flatnonzero(log.child == child) for child in shuffled])
    return type(log)(*(column[order] for column in log)), as_children(*zip(*children, strict=True))


class Story:
    """One child's events, from some day before the run (history) or in it, to adulthood or the end of the run."""

    def __init__(self, rng, day, adult, until, n_providers):
        self.rng, self.day, self.adult, self.until, self.n_providers = rng, day, adult, until, n_providers
        self.events, self.goes_on = [], day < adult

    def add(self, event, **fields):
        if self.goes_on:
            self.events.append({"day": self.day, "event": event, **fields})

    def wait(self, mean_days):
        self.day += 1 + int(self.rng.exponential(mean_days))
        self.goes_on = self.goes_on and self.day <= self.until and self.day < self.adult

    def chance(self, share):
        return self.rng.random() < share

    def tell(self, route):
        chapters = (self.early_help, self.protection, self.support, self.care, self.care, self.kinship_order)
        while self.goes_on:
            self.add(w.CONTACT_MADE, detail=route)
            self.add(w.REFERRED, detail=int(self.chance(0.1)))
            chapters[self.rng.integers(len(chapters))]()
            self.wait(60)
        return self.events

    def early_help(self):
        self.add(w.EARLY_HELP_ASKED)
        self.wait(30)
        if self.chance(0.3):
            self.add(w.EARLY_HELP_WAIT_LEFT, detail=int(self.rng.choice([w.WAIT_ESCALATED, w.WAIT_DISENGAGED])))
            return
        self.add(w.EARLY_HELP_STARTED)
        self.wait(90)
        self.add(w.EARLY_HELP_ENDED, detail=w.EARLY_HELP_ENDS)

    def protection(self):
        self.add(w.ASSESSMENT_STARTED)
        self.wait(40)
        self.add(w.ASSESSMENT_ENDED)
        self.add(w.PROTECTION_STARTED)
        self.wait(150)
        self.add(w.PROTECTION_ENDED)
        self.add(w.PRE_ENTRY_STARTED)
        self.wait(70)
        self.add(w.PRE_ENTRY_ENDED, detail=w.TO_SUPPORT)

    def support(self):
        self.add(w.SUPPORT_STARTED)
        self.wait(150)
        self.add(w.SUPPORT_ENDED)

    def kinship_order(self):
        self.after_care(w.KINSHIP_ORDER)
        self.add(w.RE_ENTRY_BEGINS)
        self.care(w.ENTRY_RETURN)

    def care(self, how=w.ENTRY_FROM_PATHWAY):
        self.add(w.ENTERED_CARE, detail=how)
        leaves = False
        while self.goes_on and not leaves:
            provider = int(self.rng.integers(-1, self.n_providers))
            multiplier = float(self.rng.choice([0.5, 1.0, 1.75]))
            miles = int(self.rng.choice([w.DISTANCE_UNKNOWN, w.DISTANCE_NOT_COUNTED, 20, 149, 150, 151, 900]))
            self.add(w.PLACEMENT_ASKED, detail=int(self.rng.integers(w.N_PLACEMENT_TYPES)))
            self.add(
                w.PLACEMENT_STARTED,
                provider=provider,
                detail=miles,
                out_of_area=int(self.chance(0.3)),
                multiplier=multiplier,
            )
            self.wait(120)
            is_adult = self.day >= self.adult and self.adult <= self.until
            leaves = is_adult or self.chance(0.4)
            self.goes_on, self.day = self.goes_on or is_adult, min(self.day, self.adult)
            cause = w.EXIT_HOME if leaves else int(self.rng.choice([w.MOVE, w.STEP_DOWN]))
            self.add(w.PLACEMENT_ENDED, provider=provider, detail=cause)
        if leaves:
            self.add(w.LEFT_CARE, detail=w.EXIT_HOME)
            state = int(self.rng.choice(AFTER_CARE))
            stays = {"provider": provider, "multiplier": multiplier} if state == w.CONTINUING_CARE else {}
            self.after_care(state, **stays)

    def after_care(self, state, **stays):
        self.add(w.AFTER_CARE_STARTED, detail=state, **stays)
        self.wait(100)
        self.add(w.AFTER_CARE_ENDED, detail=state)
        if state == w.KINSHIP_ORDER and self.chance(0.3):
            self.add(w.RE_ENTRY_BEGINS)


def share_homes(rng, stories):
    """Let some placements share the home a brother or sister has at the end of that day; never in a circle."""
    rank = dict(zip(stories, rng.permutation(len(stories)), strict=True))
    placements = [(c, e) for c, events in stories.items() for e in events if e["event"] == w.PLACEMENT_STARTED]
    for child, event in placements:
        event["shared_with"] = child
        for other in set(stories) - {child}:
            there = placement_on(stories[other], event["day"])
            if there and rng.random() < 0.7 and (there["day"] < event["day"] or rank[other] < rank[child]):
                event["shared_with"] = other


def placement_on(story, day):
    """The placement that is in place at the end of a day, or None."""
    now = None
    for event in story:
        if event["day"] <= day and event["event"] == w.PLACEMENT_STARTED:
            now = event
        elif event["day"] <= day and event["event"] == w.PLACEMENT_ENDED:
            now = None
    return now


# --- the reference ---------------------------------------------------------------------------------------------------
def spells_of(story, begins, ends, detail=None):
    """(from, to, first event, last event) of each spell; to is a day that never comes for one still open."""
    found, start = [], None
    for event in story:
        if detail is not None and event["event"] in (begins, *ends) and event["detail"] != detail:
            continue
        if event["event"] == begins:
            start = event
        elif event["event"] in ends and start is not None:
            found.append((start["day"], event["day"], start, event))
            start = None
    return found if start is None else [*found, (start["day"], w.NEVER, start, None)]


def on(spells, day):
    return [spell for spell in spells if spell[0] <= day < spell[1]]


def percent(part, whole):
    return 100.0 * part / whole if whole else 0.0


class Reference:
    """What the definitions say of one log."""

    def __init__(self, log, children, calendar, providers, localities, radius_miles):
        self.children, self.calendar, self.providers, self.localities = children, calendar, providers, localities
        self.radius_tenths = 10 * radius_miles
        self.stories = [[] for _ in children.birth_day]
        for values in zip(*(column.tolist() for column in log), strict=True):
            event = dict(zip(log._fields, values, strict=True))
            self.stories[event["child"]].append(event)
        self.all = range(len(self.stories))
        self.care = self.spells(w.ENTERED_CARE, w.LEFT_CARE)
        self.placed = self.spells(w.PLACEMENT_STARTED, w.PLACEMENT_ENDED)
        self.waiting = self.spells(w.EARLY_HELP_ASKED, w.EARLY_HELP_STARTED, w.EARLY_HELP_WAIT_LEFT)
        self.help = self.spells(w.EARLY_HELP_STARTED, w.EARLY_HELP_ENDED)
        self.support = self.spells(w.SUPPORT_STARTED, w.SUPPORT_ENDED)
        self.protection = self.spells(w.PROTECTION_STARTED, w.PROTECTION_ENDED)
        self.assessment = self.spells(w.ASSESSMENT_STARTED, w.ASSESSMENT_ENDED)
        self.pre_entry = self.spells(w.PRE_ENTRY_STARTED, w.PRE_ENTRY_ENDED)
        self.after = {
            state: self.spells(w.AFTER_CARE_STARTED, w.AFTER_CARE_ENDED, detail=state) for state in AFTER_CARE
        }

    def spells(self, begins, *ends, detail=None):
        return [spells_of(story, begins, ends, detail) for story in self.stories]

    def kind(self, spell):
        provider = spell[2]["provider"]
        return "at_home" if provider < 0 else self.providers[provider].placement_type

    def flow(self, month, what, detail=None):
        """(child, event) of a month, after the as-at day."""
        start = max(self.calendar.start_day + 1, int(self.calendar.month_start_day[month]))
        end = int(self.calendar.month_end_days[month])
        events = [(c, e) for c in self.all for e in self.stories[c] if e["event"] == what and start <= e["day"] <= end]
        return [(c, e) for c, e in events if detail in (None, e["detail"])]

    def earlier(self, child, event):
        """The child's events before this one."""
        own = self.stories[child]
        return own[: next(k for k, other in enumerate(own) if other is event)]

    def share_before(self, events, what, days):
        """Share of events whose child had such an event at most so many days before."""
        return percent(sum(self.had(c, e, what, days) for c, e in events), len(events))

    def had(self, child, event, what, days):
        return any(o["event"] == what and event["day"] - o["day"] <= days for o in self.earlier(child, event))

    def home_of(self, child, day):
        """The founder and founding day of the home a child lives in on a day."""
        placed = placement_on(self.stories[child], day)
        other = placed["shared_with"]
        return (child, placed["day"]) if other in (-1, child) else self.home_of(other, placed["day"])

    def monthly(self):
        return np.array([self.month(m) for m in range(self.calendar.n_rows)]).T

    def month(self, month):
        end = min(int(self.calendar.month_end_days[month]), self.calendar.last_day)
        found = dict.fromkeys(measure_rows(self.localities), 0.0)
        parts = (self.breakdowns(end), self.in_care(end), self.before_care(month, end), self.flows(month))
        for part in parts:
            assert set(part) <= set(found)
            found.update(part)
        return list(found.values())

    def breakdowns(self, end):
        found = {}
        for c in self.looked_after(end):
            days = end - self.children.birth_day[c]
            band = max(k for k, years in enumerate(w.AGE_BAND_STARTS_YEARS) if days >= int(years * 365.25))
            kind, locality = self.kind(on(self.placed[c], end)[0]), self.localities[self.children.locality[c]]
            for name in ("total", f"placement_type={kind}", f"age_band={w.AGE_BANDS[band]}", f"locality={locality}"):
                found["looked_after", name] = found.get(("looked_after", name), 0.0) + 1
        return found

    def looked_after(self, end):
        return [c for c in self.all if on(self.care[c], end)]

    def in_care(self, end):
        looked_after = self.looked_after(end)
        now = {c: on(self.placed[c], end)[0] for c in looked_after}
        types = {c: w.PLACEMENT_TYPES.index(self.kind(now[c])) for c in looked_after}
        away = [c for c in looked_after if types[c] != w.AT_HOME]
        community = [c for c in looked_after if types[c] < w.FIRST_RESIDENTIAL]
        miles = [now[c][2]["detail"] for c in away if not self.children.unaccompanied[c]]
        known, unknown = [m for m in miles if m >= 0], [m for m in miles if m == w.DISTANCE_UNKNOWN]
        family = self.children.family
        siblings = {c: [s for s in away if s != c and family[s] == family[c]] for c in away}
        having = [c for c in away if siblings[c]]
        homes = {c: self.home_of(c, end) for c in having}
        in_a_year = [sum(1 for p in self.placed[c] if p[0] <= end and p[1] > end - 365) for c in looked_after]
        n = len(looked_after)
        found = {
            "looked_after_away_from_home": len(away),
            "looked_after_at_home": n - len(away),
            "looked_after_in_community": len(community),
            "looked_after_in_residential": n - len(community),
            "balance_of_care_percent": percent(len(community), n),
            "within_radius_percent": percent(sum(m <= self.radius_tenths for m in known), len(known)),
            "out_of_area_percent": percent(sum(now[c][2]["out_of_area"] for c in away), len(away)),
            "distance_unknown_percent": percent(len(unknown), len(unknown) + len(known)),
            "three_placements_percent": percent(sum(k >= 3 for k in in_a_year), n),
            "more_than_one_placement_percent": percent(sum(k >= 2 for k in in_a_year), n),
            "siblings_together_percent": percent(
                sum(all(homes[s] == homes[c] for s in siblings[c]) for c in having), len(having)
            ),
        }
        return {(measure, "total"): value for measure, value in found.items()}

    def before_care(self, month, end):
        starts = self.flow(month, w.EARLY_HELP_STARTED)
        waits = [e["day"] - q[0] for c, e in starts for q in self.waiting[c] if q[3] is e]
        found = {
            "early_help_waiting": sum(len(on(s, end)) for s in self.waiting),
            "early_help_open": sum(len(on(s, end)) for s in self.help),
            "support_open": sum(len(on(s, end)) for s in self.support),
            "protection_open": sum(len(on(s, end)) for s in self.protection),
            "assessment_open": sum(len(on(s, end)) for s in self.assessment),
            "pre_entry_open": sum(len(on(s, end)) for s in self.pre_entry),
            **{
                f"{w.STATES[state]}_open": sum(len(on(s, end)) for s in spells)
                for state, spells in self.after.items()
                if state != w.CONTINUING_CARE
            },
            "continuing_care": sum(len(on(s, end)) for s in self.after[w.CONTINUING_CARE]),
            "contacts": len(self.flow(month, w.CONTACT_MADE)),
            "early_help_starts": len(starts),
            "early_help_wait_days": sum(waits) / len(starts) if starts else 0.0,
            "escalations_waiting": len(self.flow(month, w.EARLY_HELP_WAIT_LEFT, w.WAIT_ESCALATED)),
        }
        return {(measure, "total"): value for measure, value in found.items()}

    def flows(self, month):
        referrals, entries = self.flow(month, w.REFERRED), self.flow(month, w.ENTERED_CARE)
        again = [(c, e) for c, e in referrals if e["detail"] == 1 or self.had(c, e, w.REFERRED, 365)]
        back = [(c, e) for c, e in entries if e["detail"] == w.ENTRY_RETURN or self.had(c, e, w.LEFT_CARE, w.NEVER)]
        kin = [e for c, e in self.flow(month, w.PLACEMENT_ENDED, w.MOVE) if self.kind((0, 0, e)) == "kinship"]
        orders = [
            e for c, e in self.flow(month, w.RE_ENTRY_BEGINS)
            if any(s[1] == e["day"] for s in self.after[w.KINSHIP_ORDER][c])
        ]  # fmt: skip
        found = {
            "referrals": len(referrals),
            "entries_to_care": len(entries),
            "exits_from_care": len(self.flow(month, w.LEFT_CARE)),
            "moves": sum(self.is_move(c, e) for c, e in self.flow(month, w.PLACEMENT_STARTED)),
            "re_entries": len(back),
            "re_referral_12m_percent": percent(len(again), len(referrals)),
            "repeat_protection_18m_percent": self.share_before(
                self.flow(month, w.PROTECTION_STARTED), w.PROTECTION_ENDED, 548
            ),
            "re_entry_12m_percent": self.share_before(entries, w.LEFT_CARE, 365),
            "kinship_breakdowns": len(kin) + len(orders),
        }
        return {(measure, "total"): value for measure, value in found.items()}

    def is_move(self, child, event):
        """The last event of care before the one that asked was the end of another placement."""
        earlier = [o for o in self.earlier(child, event) if o["event"] in (w.ENTERED_CARE, w.PLACEMENT_ENDED)]
        return earlier[-1]["event"] == w.PLACEMENT_ENDED

    def days(self, spell, year):
        """Days of a spell, one by one, in a financial year and in the run."""
        first, last = dt.date(int(year[:4]), 4, 1).toordinal(), dt.date(int(year[:4]) + 1, 3, 31).toordinal()
        start, end = max(first, self.calendar.start_day + 1), min(last, self.calendar.last_day)
        return sum(1 for day in range(start, end + 1) if spell[0] <= day < spell[1])

    def place_days(self):
        """Days and days x price multiplier by year, provider and bucket."""
        years = self.calendar.financial_years
        days, price = np.zeros((2, len(years), len(self.providers), 2))
        for bucket, by_child in enumerate((self.placed, self.after[w.CONTINUING_CARE])):
            for spell in (s for spells in by_child for s in spells if s[2]["provider"] >= 0):
                for y, year in enumerate(years):
                    n = self.days(spell, year)
                    days[y, spell[2]["provider"], bucket] += n
                    price[y, spell[2]["provider"], bucket] += n * spell[2]["price_multiplier"]
        return days, price

    def band(self, child, day):
        """Age band of a child on a day."""
        days = day - self.children.birth_day[child]
        return max(k for k, years in enumerate(w.AGE_BAND_STARTS_YEARS) if days >= int(years * 365.25))

    def searches(self):
        """Placements begun in the run and their days, and waits for early help, by year, locality and age band."""
        years = self.calendar.financial_years
        shape = (len(years), len(self.localities), w.N_AGE_BANDS)
        types = (w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES)
        names = ("placements_made", "placed_beyond_radius", "days_placed", "days_beyond_radius")
        found = {name: np.zeros((*shape, *types), dtype=int) for name in names}
        found["early_help_waits"] = np.zeros((*shape, 6), dtype=int)
        for c in self.all:
            for spell in self.placed[c]:
                self.book_placement(c, spell, found)
            for asked, end, _, last in self.waiting[c]:
                for y, year in enumerate(years):
                    if last is not None and self.days((end, end + 1), year):
                        cell = found["early_help_waits"][y, self.children.locality[c], self.band(c, end)]
                        left = last["event"] == w.EARLY_HELP_WAIT_LEFT
                        worse = left and last["detail"] == w.WAIT_ESCALATED
                        cell += np.array([(end - asked) * (not left), not left, not left and end > asked,
                                          left, (end - asked) * left, worse], dtype=int)  # fmt: skip
        return found

    def book_placement(self, child, spell, found):
        begun, _, event, _ = spell
        asked = [o["detail"] for o in self.earlier(child, event) if o["event"] == w.PLACEMENT_ASKED][-1]
        if begun <= self.calendar.start_day:
            return
        kind = self.kind(spell)
        beyond = kind != "at_home" and not self.children.unaccompanied[child] and event["detail"] > self.radius_tenths
        where = (self.children.locality[child], self.band(child, begun), asked, w.PLACEMENT_TYPES.index(kind))
        for y, year in enumerate(self.calendar.financial_years):
            made, days = self.days((begun, begun + 1), year), self.days(spell, year) * (event["provider"] >= 0)
            found["placements_made"][(y, *where)] += made
            found["placed_beyond_radius"][(y, *where)] += made * beyond
            found["days_placed"][(y, *where)] += days
            found["days_beyond_radius"][(y, *where)] += days * beyond

    def service_units(self):
        started = {"assessment": w.ASSESSMENT_STARTED, "pre_entry": w.PRE_ENTRY_STARTED}
        open_ = {"early_help": self.help, "support": self.support, "protection": self.protection}
        open_ |= {w.STATES[state]: spells for state, spells in self.after.items()}
        units = np.zeros((len(self.calendar.financial_years), len(SERVICE_LINES)))
        for y, year in enumerate(self.calendar.financial_years):
            for k, line in enumerate(SERVICE_LINES):
                if line in started:
                    at = [e["day"] for story in self.stories for e in story if e["event"] == started[line]]
                    units[y, k] = sum(self.days((day, day + 1), year) for day in at)
                else:
                    units[y, k] = sum(self.days(s, year) for spells in open_[line] for s in spells)
        return units
