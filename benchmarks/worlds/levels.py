"""Levels of a synthetic council: walks that are pulled back, noise that lasts a year, scripted changes, school terms."""

import datetime as dt
import math
from dataclasses import dataclass, field

import numpy as np

from benchmarks.worlds.kinds import Kind

MONTHS_A_YEAR = 12
# school terms and court sittings: families come less in August and late December, more in June, July and November
SEASON = (1.02, 1.0, 1.06, 0.94, 1.02, 1.08, 1.1, 0.84, 0.98, 1.03, 1.07, 0.86)
COVID_FROM, COVID_TO = dt.date(2020, 3, 23).toordinal(), dt.date(2021, 4, 30).toordinal()
WALKS = ("entry", "exit", "move", "kin", "homes", "alone", "unavailable")


@dataclass
class Levels:
    """All that moves the rates, at a day. ``step`` goes on by a month; the logs of scripted changes are a pure function."""

    kind: Kind
    begins: int  # first day of history
    ends: int  # last day of history
    phase_days: int = 0  # in which month of the year the noise that lasts a year changes
    walk: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WALKS, 0.0))
    noise: dict[str, float] = field(default_factory=lambda: {"entry": 0.0, "exit": 0.0})

    def copy(self) -> "Levels":
        return Levels(self.kind, self.begins, self.ends, self.phase_days, dict(self.walk), dict(self.noise))

    def step(self, day: int, rng: np.random.Generator) -> None:
        """One month on."""
        kind = self.kind
        spreads = {"entry": kind.entry_walk, "exit": kind.exit_walk, "move": kind.move_walk, "kin": kind.mix_walk,
                   "homes": kind.mix_walk, "alone": kind.alone_walk, "unavailable": kind.unavailable_walk}  # fmt: skip
        pulls = {"unavailable": 1.0, "kin": 0.08, "homes": 0.08}
        for name, spread in spreads.items():
            keep = math.exp(-pulls.get(name, kind.pull) / MONTHS_A_YEAR)
            self.walk[name] = keep * self.walk[name] + spread / math.sqrt(MONTHS_A_YEAR) * float(rng.standard_normal())
        if ((day - self.begins) // 30) % MONTHS_A_YEAR == self.phase_days:
            self.noise["entry"] = kind.entry_noise * float(rng.standard_normal())
            self.noise["exit"] = kind.exit_noise * float(rng.standard_normal())

    # --- scripted -------------------------------------------------------------------------------------------------
    def _shifted(self, day: int) -> float:
        """How far through the change for good: 0 to 1, over nine months."""
        if not self.kind.shift_years:
            return 0.0
        return min(max((day - (self.ends - 365.25 * self.kind.shift_years)) / 270, 0.0), 1.0)

    def _covid(self, day: int, which: str) -> float:
        if not self.kind.covid:
            return 0.0
        if COVID_FROM <= day <= COVID_TO:
            return -0.22 if which == "entry" else -0.30
        if COVID_TO < day <= COVID_TO + 270:
            return 0.10 if which == "entry" else 0.08
        return 0.0

    def entries(self, day: int) -> float:
        """Factor on families' coming, season apart."""
        grown = self.kind.growth * max(0, min(day, self.ends + 1100) - self.begins) / 365.25
        shift = self._shifted(day) * math.log(self.kind.shift_entries)
        return math.exp(self.walk["entry"] + self.noise["entry"] + grown + shift + self._covid(day, "entry"))

    def exits(self, day: int) -> float:
        """Factor on leaving."""
        shift = self._shifted(day) * math.log(self.kind.shift_exits)
        return math.exp(self.walk["exit"] + self.noise["exit"] + shift + self._covid(day, "exit"))

    def moves(self) -> float:
        """Factor on changes of home."""
        return math.exp(self.walk["move"])

    def alone(self, day: int) -> float:
        """Factor on children who come alone."""
        kind = self.kind
        risen = 0.0
        if kind.alone_surge_years:
            risen = min(max((day - (self.ends - 365.25 * kind.alone_surge_years)) / 365, 0.0), 1.0)
        return math.exp(self.walk["alone"] - 0.5 * kind.alone_walk**2 + risen * math.log(kind.alone_surge))

    def unavailable(self) -> float:
        """Share of own foster places that cannot be used now: carers on leave, between children, under review."""
        return min(0.6, self.kind.unavailable * math.exp(self.walk["unavailable"]))

    def foster_path(self, day: int) -> float:
        """The scripted number of own foster places, as a multiple."""
        if not self.kind.foster_path:
            return 1.0
        before = (self.ends - day) / 365.25
        at = [-years for years, _ in self.kind.foster_path]
        return float(np.interp(-before, at, [size for _, size in self.kind.foster_path]))

    def house_steps(self, first: int, last: int) -> int:
        """Houses opened less houses closed from the first day to before the last."""
        days = [(self.ends - int(365.25 * years), change) for years, change in self.kind.house_events]
        return sum(change for day, change in days if first <= day < last)
