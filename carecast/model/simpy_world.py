"""The SimPy clock: the day and its phases, the desk, and how a story asks it for a home or a place in a service.

Time is counted in quarters of a day, so that each day has its phases: ends (0), arrivals and requests (1), the desk (2).
"""

from collections.abc import Callable, Generator, Iterable
from typing import Any

import simpy

from carecast.model import desk, rules, rules_care, rules_community
from carecast.model import words as w
from carecast.model.scene import Scene

Story = Generator[simpy.Event, Any, Any]
QUARTERS = 4
ARRIVALS, DESK = 1, 2


class Case:
    """A family on the community side: the children it stands for, and whose hand it plays."""

    __slots__ = ("birth_day", "children", "diverted", "key_1", "key_2", "locality", "number", "referred_day", "spell")

    def __init__(self, number: int, children: list[int], locality: int, key_1: int, key_2: int, birth_day: int) -> None:
        self.number = number
        self.children = children
        self.locality = locality
        self.key_1 = key_1
        self.key_2 = key_2
        self.birth_day = birth_day
        self.spell = 0
        self.diverted = False
        self.referred_day = -w.NEVER

    def hand(self) -> tuple[int, int, int]:
        """Key and spell of its draws."""
        return self.key_1, self.key_2, self.spell


class World:
    """One replication on the SimPy clock."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.log = scene.log
        self.env = simpy.Environment(initial_time=scene.start_day * QUARTERS)
        self.served: dict[int, simpy.Event] = {}

    # --- the day ---------------------------------------------------------------------------------------------------
    @property
    def today(self) -> int:
        """The day."""
        return int(self.env.now) // QUARTERS

    def until(self, day: int) -> simpy.Event:
        """The first phase of a day to come."""
        return self.env.timeout(day * QUARTERS - self.env.now)

    def run(self, opening: Iterable[Callable[["World"], Story]], receive: Callable[["World", int], None]) -> None:
        """Tell every story, of those open at the start and of families as they arrive, until the run's last day is over."""
        for start in opening:
            self.env.process(start(self))
        self.env.process(self._arrivals(receive))
        self.env.process(self._desk())
        self.env.run(until=self.scene.hazards.end_day * QUARTERS)

    def _arrivals(self, receive: Callable[["World", int], None]) -> Story:
        families = self.scene.families
        for family in self.scene.arrival_order:
            at = families.arrival_day[family] * QUARTERS + ARRIVALS
            if at > self.env.now:
                yield self.env.timeout(at - self.env.now)
            receive(self, family)

    def _desk(self) -> Story:
        yield self.env.timeout(QUARTERS + DESK)
        while True:
            self._serve()
            yield self.env.timeout(QUARTERS)

    def _serve(self) -> None:
        """The desk's phase: homes first, then services."""
        s = self.scene
        day = self.today
        month = rules.month_at(s.hazards, day)
        desk.sort_keys(s.homes.pending, s.homes.count[0])
        for i in range(s.homes.count[0]):
            child = s.homes.pending[i] % desk.KEY_SHIFT
            about = s.homes.about[child]
            provider, miles, home = desk.find_home(
                s.places, s.homes, s.kids, s.families, child, s.homes.wanted[child], s.homes.asks[child], day, month,
                s.hazards.n_months, about == rules_care.ASK_RETURN, about == rules_care.ASK_STEP_DOWN,
            )  # fmt: skip
            if provider >= 0 and about != rules_care.ASK_PLACE:
                self.end_placement(child, w.STEP_DOWN if about == rules_care.ASK_STEP_DOWN else w.RETURN_WITHIN_RADIUS)
            if provider >= 0:
                desk.move_in(s.homes, child, provider, miles, home)
                self.log.placement(day, child, s.kids.locality[child], provider, miles, home)
            self.served.pop(child).succeed(provider >= 0)
        s.homes.count[0] = 0
        desk.file_requests(s.queues)
        for pool in range(s.pools.n_pools):
            case = desk.next_served(s.queues, s.pools, pool, month)
            while case >= 0:
                self.served.pop(~case).succeed(True)
                case = desk.next_served(s.queues, s.pools, pool, month)

    def end_placement(self, child: int, cause: int) -> int:
        """Leave a home; returns the provider."""
        provider = int(desk.leave_home(self.scene.homes, child))
        self.log.add(self.today, child, w.PLACEMENT_ENDED, self.scene.kids.locality[child], provider, cause)
        return provider

    # --- asking ----------------------------------------------------------------------------------------------------
    def ask_service(self, case: Case, service: int, limit_day: int) -> Story:
        """Wait for a place in a service, at most until ``limit_day``; True when served."""
        s = self.scene
        age = rules.age_band(case.birth_day, self.today)
        pool = s.pools.pool_of[(service * s.hazards.n_localities + case.locality) * w.N_AGE_BANDS + age]
        desk.ask_service(s.queues, case.number, pool, rules_community.help_priority(s.choices, age))
        if self.today == s.start_day:
            desk.file_requests(s.queues)  # of the stock one by one: who has waited longest comes first
        served = self.served[~case.number] = self.env.event()
        if limit_day < s.hazards.end_day:
            self.until(limit_day).callbacks.append(lambda _: self._give_up(case.number, served))
        is_served = yield served
        return pool if is_served else -1

    def _give_up(self, number: int, served: simpy.Event) -> None:
        if not served.triggered:
            desk.leave_queue(self.scene.queues, number)
            del self.served[~number]
            served.succeed(False)

    def ask_home(self, child: int, wanted: int, about: int, priority: int) -> simpy.Event:
        """The event of the desk's answer today: True when a home was found."""
        homes = self.scene.homes
        desk.ask_home(homes, child, wanted, about, priority)
        self.log.add(self.today, child, w.PLACEMENT_ASKED, self.scene.kids.locality[child], -1, wanted)
        self.served[child] = self.env.event()
        return self.served[child]

    def record(self, case: Case, event: int, detail: int = 0, day: int | None = None) -> None:
        """Record an event for every child of a case, today unless the stock's history says when."""
        for child in case.children:
            locality = self.scene.kids.locality[child]
            self.log.add(self.today if day is None else day, child, event, locality, -1, detail)
