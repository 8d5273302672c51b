"""The run folder: what a run was asked, what it has told so far, and what came of it. No pickle; whole or it says it is not.

``run.json`` (status, versions, hashes, seed, command), ``inputs/`` (scenario files; never the stock),
``replications/SCENARIO.TABLE.FIRST_LAST.parquet`` (monthly and yearly tables per replication; placements and waits summed),
``summary.csv``, ``events.parquet`` only when asked. Every file appears by one rename, and a block of replications counts
when all of its files are there and whole, so an interrupted run resumes block by block.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.money import Layout, Money
from carecast.model.parameters import BadFile
from carecast.model.summary import Row
from carecast.scenarios.quantities import (
    PRICE_DRAWS,
    Quantities,
    joined,
    price_draws,
    quantities_frame,
    quantities_from,
)
from carecast.scenarios.replicate import BlockOf, Searches
from carecast.scenarios.run_lock import LOCK, RunLock

RUN_FORMAT = 2  # 2: placements and waits by locality and age band together; cases open by service
TABLES = ("monthly", "yearly", "searches", "quantities")
EVENTS = "events"
SEARCH_KEYS = ("financial_year", "locality", "age_band", "wanted", "got")
EVENT_COLUMNS = pa.schema(
    [
        ("scenario", pa.string()), ("replication", pa.int32()), ("date", pa.date32()), ("child", pa.int32()),
        ("event", pa.string()), ("locality", pa.string()), ("provider", pa.string()), ("detail", pa.string()),
        ("distance_miles", pa.float64()), ("shared_with", pa.int32()), ("out_of_area", pa.bool_()),
        ("price_multiplier", pa.float64()),
    ]
)  # fmt: skip
Block = tuple[int, int]  # first and last replication


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        """Point at a folder; nothing is read or written yet."""
        self.path = Path(path)
        self._lock = RunLock(self.path)

    # --- run.json ---------------------------------------------------------------------------------
    @property
    def record(self) -> dict[str, Any]:
        """What ``run.json`` says.

        Raises:
            BadFile: there is no run here, or its record cannot be read.
        """
        file = self.path / "run.json"
        if not file.is_file():
            raise BadFile(f"{self.path}: not a run folder (no run.json); a run comes from `carecast run --out DIR`")
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadFile(f"{file}: cannot be read as JSON: {error}") from error
        if not isinstance(record, dict) or record.get("format") != RUN_FORMAT or "status" not in record:
            found = record.get("format") if isinstance(record, dict) else None
            raise BadFile(
                f"{file}: format: found {found!r}; this version of carecast reads runs of format {RUN_FORMAT}"
            )
        return record

    def write_record(self, record: dict[str, Any]) -> None:
        """Replace ``run.json`` in one step."""
        self.write_text("run.json", json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a file of the folder in one step, the same bytes on every machine."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        with partial.open("w", encoding="utf-8", newline="") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(file)

    def write_price_draws(self, draws: pd.DataFrame) -> None:
        """Keep the columns of the joint draws that prices read, for other prices later."""
        file = self.path / PRICE_DRAWS
        partial = file.with_name(file.name + ".partial")
        price_draws(draws).to_parquet(partial, index=False)
        partial.replace(file)

    @property
    def is_empty(self) -> bool:
        """Nothing here but perhaps a lock or what an interrupted first write left.

        Raises:
            BadFile: there is a file in place of the folder.
        """
        if self.path.exists() and not self.path.is_dir():
            raise BadFile(f"{self.path}: is a file; a run needs a folder")
        return not self.path.exists() or all(
            item.name == LOCK or item.name.endswith(".partial") for item in self.path.iterdir()
        )

    # --- the lock ---------------------------------------------------------------------------------
    def lock(self) -> None:
        """Claim the folder for this process.

        Raises:
            BadFile: a living process is writing it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock.take()

    def unlock(self) -> None:
        """Let go of the folder."""
        self._lock.release()

    def clear(self) -> None:
        """Take away a run, to put another in its place.

        Raises:
            BadFile: it is being written, or what is there is no run.
        """
        if self.is_empty:
            return
        _ = self.record
        self.lock()
        self.wipe()
        self.unlock()

    def wipe(self) -> None:
        """Take away everything a run writes; the folder itself and what is not a run's stays."""
        for name in ("inputs", "replications"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in ("summary.csv", "events.parquet", "run.json"):
            (self.path / name).unlink(missing_ok=True)

    # --- blocks -----------------------------------------------------------------------------------
    def table_path(self, name: str, table: str, block: Block) -> Path:
        """File of one table of one scenario for a block of replications."""
        return self.path / "replications" / f"{name}.{table}.{block[0]:05d}_{block[1]:05d}.parquet"

    def has_block(self, block: Block, names: Iterable[str], tables: Sequence[str] = TABLES) -> bool:
        """Whether every table of the block is there and whole."""
        return all(_is_whole(self.table_path(name, table, block)) for name in names for table in tables)

    def write_block(self, block: Block, names: Sequence[str], rows: tuple[Row, ...], calendar: Calendar,
                    told: Sequence[BlockOf]) -> None:  # fmt: skip
        """Write one block, each file whole."""
        (self.path / "replications").mkdir(parents=True, exist_ok=True)
        for name, part in zip(names, told, strict=True):
            frames = {
                "monthly": monthly_frame(part.monthly, rows, calendar, block[0]),
                "yearly": money_frame(part.money, block[0]),
                "searches": searches_frame(part.searches),
                "quantities": quantities_frame(part.quantities, block[0], calendar.financial_years),
            }
            if part.events is not None:
                frames[EVENTS] = part.events
            for table, frame in frames.items():
                file = self.table_path(name, table, block)
                partial = file.with_name(file.name + ".partial")
                frame.to_parquet(partial, index=False)
                partial.replace(file)

    def _frames(self, name: str, table: str, blocks: Sequence[Block]) -> list[pd.DataFrame]:
        """The parts of one table, in order.

        Raises:
            BadFile: a part is missing or damaged.
        """
        frames = []
        for block in blocks:
            file = self.table_path(name, table, block)
            if not _is_whole(file):
                raise BadFile(f"{file}: missing or damaged; the run's own command with --resume tells it again")
            frames.append(pd.read_parquet(file))
        return frames

    def read_monthly(self, name: str, blocks: Sequence[Block], rows: Sequence[Row]) -> np.ndarray:
        """Monthly values of a scenario, [replication, row, month]."""
        columns = ["|".join(row) for row in rows]
        parts = [
            frame[columns].to_numpy(dtype=float).reshape(last - first + 1, -1, len(columns)).transpose(0, 2, 1)
            for (first, last), frame in zip(blocks, self._frames(name, "monthly", blocks), strict=True)
        ]
        return np.concatenate(parts)

    def read_money(self, name: str, blocks: Sequence[Block], layout: Layout) -> Money:
        """Money of a scenario, stacked over its replications."""
        return money_from(pd.concat(self._frames(name, "yearly", blocks), ignore_index=True), layout)

    def read_searches(self, name: str, blocks: Sequence[Block]) -> pd.DataFrame:
        """Placements and waits of a scenario, summed over its replications."""
        frames = self._frames(name, "searches", blocks)
        keys = [column for column in frames[0].columns if column != "total"]
        summed: pd.DataFrame = pd.concat(frames).groupby(keys, sort=True)["total"].sum().reset_index()
        return summed

    def read_quantities(self, name: str, blocks: Sequence[Block], years: int) -> Quantities:
        """Days and counts of a scenario for other prices, stacked over its replications."""
        return joined([quantities_from(frame, years) for frame in self._frames(name, "quantities", blocks)])

    # --- events -----------------------------------------------------------------------------------
    def gather_events(self, names: Sequence[str], blocks: Sequence[Block]) -> None:
        """Write ``events.parquet`` from the blocks' events, a block at a time: scenario by scenario, in order."""
        partial = self.path / "events.parquet.partial"
        writer = None
        for name in names:
            for block in blocks:
                part = pq.read_table(self.table_path(name, EVENTS, block))
                part = part.add_column(0, "scenario", pa.array([name] * len(part), pa.string()))
                writer = writer or pq.ParquetWriter(partial, EVENT_COLUMNS, compression="zstd")
                writer.write_table(part.select(EVENT_COLUMNS.names).cast(EVENT_COLUMNS))
        if writer is not None:
            writer.close()
            partial.replace(self.path / "events.parquet")

    def drop_block_events(self) -> None:
        """Take away the blocks' own events once ``events.parquet`` holds them all."""
        for file in (self.path / "replications").glob(f"*.{EVENTS}.*.parquet"):
            file.unlink()


def _is_whole(file: Path) -> bool:
    """Whether a Parquet file is there with its footer, which is written last."""
    try:
        pq.read_metadata(file)
    except (OSError, pa.ArrowException):
        return False
    return True


# --- frames ---------------------------------------------------------------------------------------
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
    """Non-zero cells, one a line: table, index columns (-1 unused), total over the block's replications.

    Of ``early_help_waits`` the last index (``ledger.WAITS``) stands under ``wanted``; of ``type_days`` the placement
    type stands under ``locality``.
    """
    parts = []
    for table, array in vars(searches).items():
        cells = np.argwhere(array)
        index = np.full((len(cells), len(SEARCH_KEYS)), -1, dtype=np.int64)
        index[:, : cells.shape[1]] = cells
        part = pd.DataFrame(index, columns=list(SEARCH_KEYS))
        part.insert(0, "table", table)
        part["total"] = array[tuple(cells.T)].astype(np.int64)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
