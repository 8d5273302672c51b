"""The run folder: what a run was asked, what it has told so far, and what came of it. No pickle; whole or it says it is not.

``run.json`` (status, versions, hashes, seed, command), ``inputs/`` (scenario files and parameters; never the stock),
``replications/block_FIRST_LAST/`` (monthly and yearly tables per replication, Parquet), ``summary.csv``,
``events.parquet`` only when asked. A block's folder appears by one rename, so an interrupted run resumes block by block.
"""

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.money import Layout, Money
from carecast.model.parameters import BadFile
from carecast.model.summary import Row
from carecast.scenarios.replicate import BlockOf, Searches

RUN_FORMAT = 1
LOCK = "run.lock"
Shape = tuple[int, ...]


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        """Point at a folder; nothing is read or written yet."""
        self.path = Path(path)

    # --- run.json -------------------------------------------------------------------------------------------------------
    @property
    def record(self) -> dict[str, Any]:
        """What ``run.json`` says.

        Raises:
            BadFile: there is no run here, or its record cannot be read.
        """
        file = self.path / "run.json"
        if not file.is_file():
            raise BadFile(f"{self.path}: not a run folder (no run.json); `carecast run --out {self.path}` makes one")
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except json.JSONDecodeError as error:
            raise BadFile(f"{file}: not valid JSON: {error}") from error

    def write_record(self, record: dict[str, Any]) -> None:
        """Replace ``run.json`` in one step."""
        self.write_text("run.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a file of the folder in one step."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)

    @property
    def is_empty(self) -> bool:
        """Nothing here but perhaps a lock or what an interrupted write left."""
        return not self.path.exists() or all(
            item.name == LOCK or item.name.endswith(".partial") for item in self.path.iterdir()
        )

    # --- the lock --------------------------------------------------------------------------------------------------------
    def lock(self) -> None:
        """Claim the folder for this process.

        Raises:
            BadFile: a living process of this machine is writing it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / LOCK
        mine = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
        try:
            with file.open("x", encoding="utf-8") as handle:
                handle.write(mine)
            return
        except FileExistsError:
            owner = _read_lock(file)
        if owner.get("host") == socket.gethostname() and _is_alive(int(owner.get("pid", 0))):
            raise BadFile(f"{self.path}: another carecast (process {owner['pid']}) is writing this run; wait for it, or end it")
        file.write_text(mine, encoding="utf-8")

    def unlock(self) -> None:
        """Let go of the folder."""
        (self.path / LOCK).unlink(missing_ok=True)

    # --- blocks ----------------------------------------------------------------------------------------------------------
    def block_path(self, first: int, last: int) -> Path:
        """Folder of the block of replications ``first`` to ``last``."""
        return self.path / "replications" / f"block_{first:05d}_{last:05d}"

    def write_block(self, first: int, last: int, names: tuple[str, ...], rows: tuple[Row, ...], calendar: Calendar,
                    block: list[BlockOf]) -> None:  # fmt: skip
        """Write one block; its folder appears whole."""
        final = self.block_path(first, last)
        partial = final.with_name(final.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, part in zip(names, block, strict=True):
            monthly_frame(part.monthly, rows, calendar, first).to_parquet(partial / f"{name}.monthly.parquet", index=False)
            money_frame(part.money, first).to_parquet(partial / f"{name}.money.parquet", index=False)
            searches_frame(part.searches).to_parquet(partial / f"{name}.searches.parquet", index=False)
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)

    def read_monthly(self, name: str, blocks: list[tuple[int, int]], n_rows: int) -> np.ndarray:
        """Monthly values of a scenario, [replication, row, month]."""
        parts = []
        for first, last in blocks:
            values = pd.read_parquet(self.block_path(first, last) / f"{name}.monthly.parquet").to_numpy()[:, 2:]
            parts.append(values.astype(float).reshape(last - first + 1, -1, n_rows).transpose(0, 2, 1))
        return np.concatenate(parts)

    def read_money(self, name: str, blocks: list[tuple[int, int]], layout: Layout) -> Money:
        """Money of a scenario, stacked over its replications."""
        frames = [pd.read_parquet(self.block_path(a, b) / f"{name}.money.parquet") for a, b in blocks]
        return money_from(pd.concat(frames, ignore_index=True), layout)

    def read_searches(self, name: str, blocks: list[tuple[int, int]]) -> pd.DataFrame:
        """Placements and waits of a scenario, summed over its replications."""
        frames = [pd.read_parquet(self.block_path(a, b) / f"{name}.searches.parquet") for a, b in blocks]
        keys = [column for column in frames[0].columns if column != "total"]
        return pd.concat(frames).groupby(keys, as_index=False, sort=True)["total"].sum()


def _read_lock(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError):
        return {}


def _is_alive(pid: int) -> bool:
    if pid <= 0 or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


# --- frames ------------------------------------------------------------------------------------------------------------------
def monthly_frame(monthly: np.ndarray, rows: tuple[Row, ...], calendar: Calendar, first: int) -> pd.DataFrame:
    """One line a replication and month end, one column a ``measure|breakdown``."""
    n, _, months = monthly.shape
    head = pd.DataFrame(
        {
            "replication": np.repeat(np.arange(first, first + n), months),
            "date": np.tile([day.isoformat() for day in calendar.month_end_dates], n),
        }
    )
    body = pd.DataFrame(monthly.transpose(0, 2, 1).reshape(n * months, -1), columns=["|".join(row) for row in rows])
    return pd.concat([head, body], axis=1)


def money_columns(layout: Layout) -> list[str]:
    """Names of the pence columns: gross, value, each funder by line; programme by item."""
    lines = layout.lines
    names = [f"gross|{line}" for line in lines] + [f"value|{line}" for line in lines]
    names += [f"{funder}|{line}" for line in lines for funder in w.FUNDERS]
    return names + [f"programme|{at}|{item.lever}|{item.label}" for at, item in enumerate(layout.items)]


def money_frame(money: Money, first: int) -> pd.DataFrame:
    """One line a replication and financial year, pence in every column."""
    n, years = money.gross.shape[:2]
    head = pd.DataFrame(
        {
            "replication": np.repeat(np.arange(first, first + n), years),
            "financial_year": np.tile(list(money.layout.financial_years), n),
        }
    )
    body = np.concatenate(
        [money.gross, money.value, money.by_funder.reshape(n, years, -1), money.programme], axis=2
    ).reshape(n * years, -1)
    return pd.concat([head, pd.DataFrame(body, columns=money_columns(money.layout))], axis=1)


def money_from(frame: pd.DataFrame, layout: Layout) -> Money:
    """The stack that ``money_frame`` wrote."""
    years, lines, funders = len(layout.financial_years), len(layout.lines), len(w.FUNDERS)
    body = frame[money_columns(layout)].to_numpy(dtype=np.int64).reshape(-1, years, len(money_columns(layout)))
    parts = np.split(body, [lines, 2 * lines, 2 * lines + lines * funders], axis=2)
    return Money(layout, parts[0], parts[1], parts[2].reshape(len(body), years, lines, funders), parts[3])


def searches_frame(searches: Searches) -> pd.DataFrame:
    """Non-zero cells, one a line: table, five index columns (-1 unused), total over the block's replications."""
    parts = []
    for table, array in vars(searches).items():
        cells = np.argwhere(array)
        index = np.full((len(cells), 4), -1, dtype=np.int64)
        index[:, : cells.shape[1]] = cells
        part = pd.DataFrame(index, columns=["financial_year", "where", "wanted", "got"])
        part.insert(0, "table", table)
        part["total"] = array[tuple(cells.T)].astype(np.int64)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
