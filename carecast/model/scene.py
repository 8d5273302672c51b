"""One replication as the SimPy clock holds it: lists, counters of each child, the log being written."""

from collections.abc import Callable
from typing import Any

from carecast.model import desk as plain_desk
from carecast.model import draws as dr
from carecast.model import rules_care, setup
from carecast.model import words as w
from carecast.model.event_log import Log, as_log
from carecast.model.setup import Setup


class ListLog:
    """The event log while it is written, one list a column."""

    def __init__(self, scene: "Scene") -> None:
        self.columns: tuple[list[float], ...] = tuple([] for _ in Log._fields)
        self.scene = scene

    def _write(self, *values: float) -> None:
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    def add(self, day: int, child: int, event: int, locality: int, provider: int, detail: int) -> None:
        """An event with nothing but a detail."""
        self._write(day, child, event, locality, provider, detail, -1, 0, 1.0)

    def placement(self, day: int, child: int, locality: int, provider: int, miles: float, home: int) -> None:
        """A placement begins: distance, whose home, in or out of the area, and its price."""
        s = self.scene
        ask = s.homes.asks[child]
        s.prices[child] = dr.price_multiplier(
            s.kids.key_1[child], s.kids.key_2[child], ask, s.places.price_sigma[provider]
        )
        detail = rules_care.miles_detail(miles, s.kids.unaccompanied[child])
        outside = plain_desk.outside_area(s.places, s.kids, child, provider, ask)
        self._write(day, child, w.PLACEMENT_STARTED, locality, provider, detail, home, outside, s.prices[child])

    def after_care(self, day: int, child: int, locality: int, provider: int, state: int) -> None:
        """A state after care begins; continuing care keeps the home and its price."""
        price = self.scene.prices[child] if provider >= 0 else 1.0
        self._write(day, child, w.AFTER_CARE_STARTED, locality, provider, state, -1, 0, price)

    def finish(self) -> Log:
        """The log as arrays."""
        return as_log(*self.columns)


class Scene:
    """Tables as lists, the desk's state, and what each child has lived through so far."""

    def __init__(self, laid_out: Setup) -> None:
        self.setup = laid_out
        self.start_day = laid_out.start_day
        self.hazards = setup.as_lists(laid_out.hazards)
        self.choices = setup.as_lists(laid_out.choices)
        self.places = setup.as_lists(laid_out.places)
        self.pools = setup.as_lists(laid_out.pools)
        self.kids = setup.as_lists(laid_out.kids)
        self.families = setup.as_lists(laid_out.families)
        homes, queues, held = setup.opening(laid_out)
        self.homes = setup.as_lists(homes)
        self.queues = setup.as_lists(queues)
        self.held = held.tolist()
        n_children = len(self.kids.birth_day)
        self.prices = [1.0] * n_children
        self.stays = [0] * n_children  # stays in care begun: the spell of exit draws
        self.turns = [0] * n_children  # waits begun in or after care: the spell of the other draws
        self.arrival_order: list[int] = laid_out.arrival_order.tolist()
        self.log = ListLog(self)

    def held_pool(self, number: int) -> int:
        """The pool a case of the stock is already served by, once; -1 otherwise."""
        pool = self.held[number]
        self.held[number] = -1
        return int(pool)

    def care_since(self, child: int, today: int) -> int:
        """Day the stay in care began."""
        if today == self.start_day and child < len(self.setup.stock.care_since):
            return int(self.setup.stock.care_since[child])
        return today

    def placed_since(self, child: int, today: int) -> int:
        """Day the placement began."""
        if today == self.start_day and child < len(self.setup.stock.since):
            return int(self.setup.stock.since[child])
        return today

    def case_of_family(self, family: int, make: Callable[..., Any]) -> Any:
        """The case of a family that arrives."""
        f = self.families
        first = f.first_child[family]
        children = list(range(first, first + f.n_children[family]))
        return make(family, children, f.locality[family], f.key_1[family], f.key_2[family], self.kids.birth_day[first])
