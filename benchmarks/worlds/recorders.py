"""Who listens while a synthetic council goes on: nobody but for the months, or everything that happens to each child."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from benchmarks.worlds.council import Council, Places


class Recorder(Protocol):
    """What is told of each child's homes."""

    def opens(self, child: int, day: int, rne: str, law: int, kind: int, same_home: bool) -> None: ...

    def closes(self, child: int, day: int, rec: str, reason: str) -> None: ...

    def born(self, child: int, birth: int, alone: bool, family: int) -> None: ...

    def month(self, day: int, council: "Council") -> None: ...


class Silent:
    """Records only the months: stock by type, and how many came and left."""

    def __init__(self) -> None:
        self.months: list[np.ndarray] = []
        self.flows: list[tuple[int, int]] = []
        self._came, self._left = 0, 0

    def opens(self, child: int, day: int, rne: str, law: int, kind: int, same_home: bool) -> None:
        """Count who comes into care."""
        self._came += rne == "S"

    def closes(self, child: int, day: int, rec: str, reason: str) -> None:
        """Count who leaves care."""
        self._left += rec != "X1"

    def born(self, child: int, birth: int, alone: bool, family: int) -> None:
        """Nothing."""

    def month(self, day: int, council: "Council") -> None:
        """Children looked after by type; who came and left since the month before."""
        self.months.append(council.stock())
        self.flows.append((self._came, self._left))
        self._came, self._left = 0, 0


@dataclass
class Told:
    """What happened to whom: the recorder of a council's history."""

    rows: list[list[object]] = field(default_factory=list)  # child, start, end, rne, law, type, rec, reason, same_home
    open_row: dict[int, int] = field(default_factory=dict)
    children: dict[int, tuple[int, bool, int]] = field(default_factory=dict)  # birth, alone, family
    months: list[tuple[int, np.ndarray, "Places"]] = field(default_factory=list)

    def opens(self, child: int, day: int, rne: str, law: int, kind: int, same_home: bool) -> None:
        """A row begins."""
        self.open_row[child] = len(self.rows)
        self.rows.append([child, day, 0, rne, law, kind, "", "", same_home])

    def closes(self, child: int, day: int, rec: str, reason: str) -> None:
        """The open row ends."""
        row = self.rows[self.open_row.pop(child)]
        row[2], row[6], row[7] = day, rec, reason

    def born(self, child: int, birth: int, alone: bool, family: int) -> None:
        """A child is known."""
        self.children[child] = (birth, alone, family)

    def month(self, day: int, council: "Council") -> None:
        """The last day of a month."""
        self.months.append((day, council.stock(), council.places.copy()))
