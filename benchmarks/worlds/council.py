"""A synthetic council day by day: who comes, who leaves, who moves, and which own places are taken.

All that decides what comes next is in the state, so that a copy goes on by itself with another chance: the oracle.
"""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np

from benchmarks.worlds import rates
from benchmarks.worlds.kinds import Kind
from benchmarks.worlds.levels import SEASON, Levels
from benchmarks.worlds.recorders import Recorder
from carecast.model import words as w

COLUMNS = {"child": np.int64, "birth": np.int64, "adult": np.int64, "came": np.int64, "placed": np.int64, "since": np.int64,
           "type": np.int64, "curve": np.int64, "stay": np.int64, "frailty": float, "mover": float, "exit_rate": float,
           "move_rate": float, "law_rate": float, "law": np.int64, "alone": np.int64, "family": np.int64,
           "away": np.int64}  # fmt: skip
VOLUNTARY, INTERIM, FULL, PLACEMENT_ORDER, EMERGENCY, REMAND = range(6)
AWAY_A_YEAR = 0.05  # holidays and hospital, of fostered children
TO_OWN_A_YEAR = 0.06  # planned moves from bought to own fostering, when a place suits
SIBLINGS = np.array([0.66, 0.2, 0.09, 0.04, 0.01])
ENTRY_AGES = np.array([0.2, 0.17, 0.18, 0.3, 0.15])  # of the youngest, by age group
MEAN_STAY_YEARS = 2.75  # what the rates below come to, measured; sets the entries of a council of a size
BEDS_A_HOUSE = 4
TOGETHER = 0.85  # brothers and sisters who are placed alike when they can be
ADOPTED_SHARE = 0.42  # of young fostered children whose stay ends: placed with adopters instead
LEAVING: dict[str, dict[str, float]] = {  # reasons for leaving, by who leaves
    "adopters": {"E12": 0.6, "E11": 0.4},
    "kin": {"E45": 0.62, "E41": 0.1, "E4A": 0.23, "E8": 0.05},
    "older": {"E5": 0.4, "E6": 0.15, "E4A": 0.25, "E8": 0.2},
    "younger": {"E4A": 0.5, "E4B": 0.12, "E47": 0.18, "E46": 0.08, "E13": 0.05, "E8": 0.07},
    "remand": {"E14": 1.0},
    "fostered at 18": {"E17": 0.5, "E5": 0.3, "E6": 0.13, "E7": 0.07},
    "at 18": {"E5": 0.8, "E6": 0.13, "E7": 0.07},
}
REASONS = {"CREQB": 0.2, "CARPL": 0.2, "LAREQ": 0.15, "CREQO": 0.15, "OTHER": 0.15, "CHILD": 0.15}


@dataclass
class Places:
    """Own places: of fostering with what cannot be used and what does not suit, and beds in own houses."""

    foster: int
    foster_start: float
    beds: int

    def copy(self) -> "Places":
        return Places(self.foster, self.foster_start, self.beds)


class Council:
    """The state. ``size`` is about how many are looked after when history begins."""

    def __init__(
        self, kind: Kind, size: int, begins: int, ends: int, rng: np.random.Generator, recorder: Recorder
    ) -> None:
        self.kind, self.size, self.rng, self.recorder = kind, size, rng, recorder
        self.levels = Levels(kind, begins, ends, int(rng.integers(12)))
        self.day = self.month_before = begins
        self.n = 0
        self.of: dict[str, np.ndarray] = {name: np.zeros(64, dtype=form) for name, form in COLUMNS.items()}
        self.next_child, self.next_family = 0, 0
        self.echoes = 0.0
        self.left: list[tuple[int, int, int, int]] = []  # child, birth, family, day: may come back
        self.places = Places(round(kind.foster_places * size), kind.foster_places * size, round(kind.house_beds * size))
        self.curves = rates.exit_curves(kind.stretch)
        self.moving, self.returning = rates.move_curve(), rates.return_curve()
        self.now = {"entries": 0.0, "exits": 1.0, "moves": 1.0, "alone": 0.0, "week": 1.0}
        entries = size / MEAN_STAY_YEARS
        per_family = float(SIBLINGS @ np.arange(1, 6))
        self.families_a_day = entries * (1 - kind.alone_share) / per_family / (1 + kind.echo) / 1.1 / 365.25
        self.alone_a_day = entries * kind.alone_share / 365.25

    def copy(self, rng: np.random.Generator, recorder: Recorder) -> "Council":
        """The same council on the same day with another chance before it."""
        made = object.__new__(Council)
        made.__dict__.update(self.__dict__)
        made.rng, made.recorder = rng, recorder
        made.levels, made.places = self.levels.copy(), self.places.copy()
        made.of = {name: column.copy() for name, column in self.of.items()}
        made.left, made.now = list(self.left), dict(self.now)
        return made

    # --- the days -------------------------------------------------------------------------------------------------
    def run(self, until: int) -> None:
        """Go on day by day to a day, included."""
        while self.day < until:
            self.day += 1
            today = dt.date.fromordinal(self.day)
            if today.day == 1:
                self._month()
            if self.day % 7 == 0:
                burst = self.kind.burst
                self.now["week"] = float(self.rng.gamma(1 / burst, burst)) if burst else 1.0
            self._leave_and_move()
            self._come(today.month)
            if (today + dt.timedelta(days=1)).day == 1:
                self.recorder.month(self.day, self)

    def _month(self) -> None:
        levels, kind = self.levels, self.kind
        levels.step(self.day, self.rng)
        self.now |= {"entries": levels.entries(self.day), "exits": levels.exits(self.day), "moves": levels.moves(),
                     "alone": levels.alone(self.day)}  # fmt: skip
        self._foster_places()
        closed = levels.house_steps(self.month_before, self.day)
        self.month_before = self.day
        if closed:
            self.places.beds = max(0, self.places.beds + closed * BEDS_A_HOUSE)
            self._turn_out(w.CHILDRENS_HOUSE_OWN, self.places.beds)
        age = (self.day - self.of["birth"][: self.n]) / 365.25
        older = (age >= 16) & np.isin(self.of["type"][: self.n], rates.LEFT_AT_16)
        for at in np.flatnonzero(older & (self.rng.random(self.n) < 0.30 / 12)):
            self._move(int(at), w.SUPPORTED_ACCOMMODATION, "CARPL")
        keen = (self.of["type"][: self.n] == w.FOSTER_AGENCY) & (self.rng.random(self.n) < TO_OWN_A_YEAR / 12)
        for at in np.flatnonzero(keen):
            if kind.foster_places and self._own_foster_place(1):
                self._move(int(at), w.FOSTER_OWN, "CARPL", found=True)

    def _foster_places(self) -> None:
        """Own foster places come and go around their path."""
        places = self.places
        target = places.foster_start * self.levels.foster_path(self.day)
        flow = self.kind.foster_churn * places.foster_start / 12
        pull = 0.15 * (target - places.foster)
        won = self.rng.poisson(max(0.0, flow + max(pull, 0.0))) if flow else round(max(pull, 0.0))
        lost = self.rng.poisson(max(0.0, flow + max(-pull, 0.0))) if flow else round(max(-pull, 0.0))
        places.foster = max(0, places.foster + int(won) - int(lost))
        self._turn_out(w.FOSTER_OWN, places.foster)

    def _turn_out(self, kind: int, most: int) -> None:
        """Children whose carers stopped or whose house closed, when more live there than there are places."""
        inside = np.flatnonzero(self.of["type"][: self.n] == kind)
        for at in self.rng.permutation(inside)[: max(0, len(inside) - most)]:
            if self.of["placed"][at] < self.day:
                wanted = w.FOSTER_AGENCY if kind == w.FOSTER_OWN else w.RESIDENTIAL_EXTERNAL
                self._move(int(at), wanted, "CLOSE", found=True)

    def _leave_and_move(self) -> None:
        of, n, rng = self.of, self.n, self.rng
        if not n:
            return
        exits = self.curves[of["curve"][:n], np.minimum(self.day - of["since"][:n], rates.DAYS - 1)]
        exits = exits * of["exit_rate"][:n] * self.now["exits"]
        moves = self.moving[np.minimum(self.day - of["placed"][:n], rates.DAYS - 1)]
        moves = moves * of["move_rate"][:n] * self.now["moves"]
        law = of["law_rate"][:n]
        absent = np.where(of["curve"][:n] <= rates.LONG, AWAY_A_YEAR / 365.25, 0.0)
        chance = rng.random(n)
        due = (chance < exits + moves + law + absent) | (of["adult"][:n] <= self.day)
        due &= (of["away"][:n] == 0) & (of["placed"][:n] < self.day) | (of["adult"][:n] <= self.day)
        back = (of["away"][:n] > 0) & (of["away"][:n] <= self.day) & (of["adult"][:n] > self.day)
        bounds = [(int(c), float(x), float(e), float(e + m), float(e + m + a)) for c, x, e, m, a in zip(
            of["child"][:n][due], chance[due], exits[due], moves[due], law[due], strict=True)]  # fmt: skip
        for child in of["child"][:n][back]:
            self._comes_back(int(child))
        for child, x, e, m, a in bounds:
            at = int(np.flatnonzero(of["child"][: self.n] == child)[0])
            if of["adult"][at] <= self.day:
                self._comes_of_age(at)
            elif x < e:
                self._leaves(at)
            elif x < m:
                self._move(at, self._next_home(at), self._one_of(REASONS))
            elif x < a:
                self._law(at)
            elif of["type"][at] in (*rates.FOSTER, w.KINSHIP):
                self._goes_away(at)

    # --- leaving --------------------------------------------------------------------------------------------------
    def _leaves(self, at: int) -> None:
        of, rng = self.of, self.rng
        kind, age = int(of["type"][at]), (self.day - of["birth"][at]) / 365.25
        freed = age < 6 and of["stay"][at] == rates.MIDDLE and kind in rates.FOSTER
        if freed and rng.random() < ADOPTED_SHARE:
            of["law"][at] = PLACEMENT_ORDER
            self._move(at, w.PROSPECTIVE_ADOPTERS, "CARPL", rne="B")
            return
        if kind in (w.PROSPECTIVE_ADOPTERS, w.KINSHIP):
            reasons = LEAVING["adopters" if kind == w.PROSPECTIVE_ADOPTERS else "kin"]
        elif age >= 16:
            reasons = LEAVING["older"]
        else:
            reasons = LEAVING["remand" if of["law"][at] == REMAND else "younger"]
        rec = self._one_of(reasons)
        if rec in ("E4A", "E4B", "E13", "E8"):
            self.left.append((int(of["child"][at]), int(of["birth"][at]), int(of["family"][at]), self.day))
        self._ends(at, rec)

    def _one_of(self, options: dict[str, float]) -> str:
        """One of some codes, by their shares."""
        return str(self.rng.choice(list(options), p=list(options.values())))

    def _comes_of_age(self, at: int) -> None:
        self.of["away"][at] = 0
        with_carers = int(self.of["type"][at]) in (*rates.FOSTER, w.KINSHIP)
        self._ends(at, self._one_of(LEAVING["fostered at 18" if with_carers else "at 18"]))

    def _ends(self, at: int, rec: str) -> None:
        self.recorder.closes(int(self.of["child"][at]), self.day, rec, "")
        self.n -= 1
        for column in self.of.values():
            column[at] = column[self.n]

    # --- moving ---------------------------------------------------------------------------------------------------
    def _next_home(self, at: int) -> int:
        """What is looked for when a home ends."""
        of = self.of
        kind, age_days = int(of["type"][at]), self.day - of["birth"][at]
        group = rates.age_group(age_days)
        chances = rates.tilted(rates.WANTED_AT_ENTRY[group], self.levels.walk["kin"] - 0.6, self.levels.walk["homes"])
        if kind in rates.RESIDENTIAL and self.rng.random() < 0.66:
            return w.RESIDENTIAL_EXTERNAL if self.rng.random() < 0.93 else w.UNREGISTERED
        if kind in rates.FOSTER and self.rng.random() < 0.62 and group < 4:
            return w.FOSTER_OWN
        if kind == w.SUPPORTED_ACCOMMODATION and self.rng.random() < 0.85:
            return kind
        return int(self.rng.choice(rates.WANTED_TYPES, p=chances))

    def _move(self, at: int, wanted: int, reason: str, rne: str = "P", found: bool = False) -> None:
        of = self.of
        if of["placed"][at] >= self.day or of["away"][at] or of["adult"][at] <= self.day:
            return
        child = int(of["child"][at])
        self.recorder.closes(child, self.day, "X1", reason)
        of["type"][at] = -1  # its place is free for whoever comes next
        kind = wanted if found else self._search(wanted, 1, (self.day - of["birth"][at]) / 365.25)
        self._settle(at, kind)
        self.recorder.opens(child, self.day, rne, int(of["law"][at]), kind, False)

    def _settle(self, at: int, kind: int) -> None:
        """In a home from today: its rates."""
        of = self.of
        of["type"][at], of["placed"][at] = kind, self.day
        curve = {w.PROSPECTIVE_ADOPTERS: rates.ADOPTERS, w.AT_HOME: rates.AT_HOME}.get(kind, int(of["stay"][at]))
        of["curve"][at] = curve
        of["since"][at] = of["came"][at] if curve <= rates.LONG else self.day
        of["exit_rate"][at] = of["frailty"][at] * rates.EXIT_FACTOR.get(kind, 1.0)
        of["move_rate"][at] = of["mover"][at] * rates.MOVES_A_YEAR[kind]
        self._law_rate(at)

    def _law_rate(self, at: int) -> None:
        law, stay = int(self.of["law"][at]), int(self.of["stay"][at])
        a_year = {VOLUNTARY: 0.5, EMERGENCY: 9.0, INTERIM: 1.5}.get(law, 0.0)
        self.of["law_rate"][at] = a_year / 365.25 if stay != rates.SHORT and not self.of["alone"][at] else 0.0

    def _law(self, at: int) -> None:
        """Another legal status in the same home."""
        of = self.of
        child = int(of["child"][at])
        of["law"][at] = FULL if of["law"][at] == INTERIM else INTERIM
        self._law_rate(at)
        self.recorder.closes(child, self.day, "X1", "")
        self.recorder.opens(child, self.day, "L", int(of["law"][at]), int(of["type"][at]), True)

    def _goes_away(self, at: int) -> None:
        child = int(self.of["child"][at])
        until = self.day + int(self.rng.integers(2, 20))
        if until >= self.of["adult"][at]:
            return
        self.of["away"][at] = until
        self.recorder.closes(child, self.day, "X1", "OTHER")
        self.recorder.opens(child, self.day, "T", int(self.of["law"][at]), -1, True)

    def _comes_back(self, child: int) -> None:
        at = int(np.flatnonzero(self.of["child"][: self.n] == child)[0])
        self.of["away"][at] = 0
        self.recorder.closes(child, self.day, "X1", "")
        self.recorder.opens(child, self.day, "T", int(self.of["law"][at]), int(self.of["type"][at]), True)

    # --- places ---------------------------------------------------------------------------------------------------
    def _count(self, kind: int) -> int:
        return int(np.count_nonzero(self.of["type"][: self.n] == kind))

    def _own_foster_place(self, children: int) -> bool:
        """Whether an own place is free, can be used and suits."""
        free = math.floor(self.places.foster * (1 - self.levels.unavailable())) - self._count(w.FOSTER_OWN)
        if free < children:
            return False
        return bool(self.rng.random() < 1 - (1 - self.kind.match) ** (free / children))

    def _search(self, wanted: int, children: int, age: float) -> int:
        """The home found for what was wanted: own before bought, and what is left when there is none."""
        rng = self.rng
        if wanted == w.FOSTER_OWN:
            if rng.random() > 0.12 and self._own_foster_place(children):
                return w.FOSTER_OWN
            scarce = 0.02 + (0.06 if age >= 10 else 0.0)
            if age >= 8 and rng.random() < scarce:
                return self._search(w.RESIDENTIAL_EXTERNAL, children, age)
            return w.FOSTER_AGENCY
        if wanted == w.RESIDENTIAL_EXTERNAL:
            free = self.places.beds - self._count(w.CHILDRENS_HOUSE_OWN)
            if free >= children and rng.random() < 1 - 0.65**free:
                return w.CHILDRENS_HOUSE_OWN
            return w.UNREGISTERED if age >= 13 and rng.random() < 0.03 else w.RESIDENTIAL_EXTERNAL
        if wanted == w.SUPPORTED_ACCOMMODATION and age < 16:
            return self._search(w.FOSTER_OWN, children, age)
        return wanted

    # --- coming ---------------------------------------------------------------------------------------------------
    def _come(self, month: int) -> None:
        rng, now = self.rng, self.now
        self.echoes *= math.exp(-1 / 35)
        rate = self.families_a_day * now["entries"] * SEASON[month - 1] * now["week"] + self.echoes / 35
        for _ in range(int(rng.poisson(rate))):
            self.echoes += self.kind.echo * float(rng.random() * 2)
            self._family_comes()
        for _ in range(int(rng.poisson(self.alone_a_day * now["alone"]))):
            birth = self.day - int(365.25 * min(17.9, rng.normal(16.5, 0.9)))
            self._enters(self._new_child(birth, True, self._new_family()), birth, True, self.next_family)
        self._some_return()

    def _some_return(self) -> None:
        if not self.left:
            return
        self.left = [row for row in self.left if self.day - row[3] < len(self.returning)]
        gone = self.day - np.array([row[3] for row in self.left])
        again = np.flatnonzero(self.rng.random(len(gone)) < self.returning[gone] * self.now["entries"])
        for at in again[::-1]:
            child, birth, family, day = self.left.pop(int(at))
            if day < self.day and rates.birthday(birth, 18) > self.day + 5:
                self._enters(child, birth, False, family)

    def _new_family(self) -> int:
        self.next_family += 1
        return self.next_family

    def _new_child(self, birth: int, alone: bool, family: int) -> int:
        self.next_child += 1
        self.recorder.born(self.next_child, birth, alone, family)
        return self.next_child

    def _family_comes(self) -> None:
        """Brothers and sisters on one day, kept together when places allow."""
        rng = self.rng
        children = 1 + int(rng.choice(5, p=SIBLINGS))
        group = int(rng.choice(5, p=ENTRY_AGES))
        low, high = ((0, 1), (1, 5), (5, 10), (10, 16), (16, 17.8))[group]
        age = float(low + (high - low) * rng.random() ** (2.0 if group == 0 else 1.0))
        family, like = self._new_family(), None
        for _ in range(children):
            if age >= 17.95:
                break
            birth = self.day - int(age * 365.25)
            child = self._new_child(birth, False, family)
            like = self._enters(child, birth, False, family, children, like)
            age += float(rng.gamma(4.0, 0.6))

    def _enters(
        self, child: int, birth: int, alone: bool, family: int, siblings: int = 1, like: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """A child comes into care; ``like``: home and stay of the brother or sister before. Returns its own."""
        rng, kind = self.rng, self.kind
        group = 5 if alone else rates.age_group(self.day - birth)
        stay = int(rng.choice(3, p=rates.KINDS_OF_STAY[group]))
        if like is not None and rng.random() < 0.7:
            stay = like[1]
        found = self._first_home(group, (self.day - birth) / 365.25, siblings, like)
        law = VOLUNTARY if alone else int(rng.choice([VOLUNTARY, INTERIM, EMERGENCY], p=[0.5, 0.36, 0.14]))
        if found in (w.AT_HOME, w.PROSPECTIVE_ADOPTERS):
            law = INTERIM
        if found == w.SECURE:
            law = REMAND if rng.random() < 0.5 else FULL
        at = self._room()
        often = rng.random() < kind.movers
        values = {"child": child, "birth": birth, "adult": rates.birthday(birth, 18), "came": self.day, "stay": stay,
                  "frailty": rng.gamma(1 / kind.frailty, kind.frailty), "law": law, "alone": int(alone), "family": family,
                  "mover": rng.gamma(4.0, 0.25) * (2.4 if often else 0.4) * (0.6 if alone else 1.0), "away": 0}  # fmt: skip
        for name, value in values.items():
            self.of[name][at] = value
        self._settle(at, found)
        self.recorder.opens(child, self.day, "S", law, found, False)
        return found, stay

    def _first_home(self, group: int, age: float, siblings: int, like: tuple[int, int] | None) -> int:
        """Where a child who comes in is placed: with the one before when places allow."""
        before = None if like is None else like[0]
        if before in (w.AT_HOME, w.KINSHIP, w.FOSTER_AGENCY) and self.rng.random() < TOGETHER:
            return before
        chances = rates.tilted(rates.WANTED_AT_ENTRY[group], self.levels.walk["kin"], self.levels.walk["homes"])
        wanted = int(self.rng.choice(rates.WANTED_TYPES, p=chances))
        if before == w.FOSTER_OWN and self.rng.random() < TOGETHER:
            wanted = w.FOSTER_OWN
        return self._search(wanted, siblings if like is None else 1, age)

    def _room(self) -> int:
        if self.n == len(self.of["child"]):
            self.of = {name: np.concatenate([column, np.zeros_like(column)]) for name, column in self.of.items()}
        self.n += 1
        return self.n - 1

    def stock(self) -> np.ndarray:
        """Children looked after by placement type."""
        return np.bincount(self.of["type"][: self.n], minlength=w.N_PLACEMENT_TYPES)
