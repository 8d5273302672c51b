"""What was read, what became of every row, and what a person could mend."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd

from carecast.calibration.readers.rules import EXCLUDED, FATES, REFUSED, RULES, USED
from carecast.calibration.readers.table import Table

COLUMNS = ("file", "line", "column", "rule", "message", "severity")
NULLS = ("NULL", "null", "Null", "(null)", "NaN", "nan", "NaT", "#N/A")  # how databases and sheets write nothing
EXPLANATIONS = {
    "children_not_in_header": "children with episodes but no header row in the same return",
    "children_without_date_of_birth": "children whose date of birth no file gives",
    "children_vanished": "children open at the end of a return and in no later one",
}


@dataclass(slots=True)
class Report:
    """Rows and problems, filled while reading."""

    format: str = ""
    council: str = ""
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # files not needed, extra columns
    missing: list[dict[str, str]] = field(default_factory=list)  # what is missing, what it would have told
    counts: dict[str, int] = field(default_factory=dict)  # children, episodes, not in header, vanished
    shares: dict[str, float] = field(default_factory=dict)  # such as the share of distances unknown
    span: dict[str, str] = field(default_factory=dict)
    _fates: list["np.ndarray[Any, Any]"] = field(default_factory=list)
    _found: list[pd.DataFrame] = field(default_factory=list)

    # --- while reading --------------------------------------------------------------------------------------------
    def add(self, table: Table) -> int:
        """Take a file's rows into account; returns its number."""
        self.tables.append(table)
        self._fates.append(np.zeros(len(table.frame), dtype=np.int8))
        number = len(self.tables) - 1
        cut = table.frame.loc[table.too_long]
        if len(cut):
            self.flag(pd.DataFrame({"t": number, "row": cut.index.to_numpy()}), "", "row_cut_off")
        return number

    def good(self, number: int) -> pd.DataFrame:
        """A file's rows that can be read at all, with where they stand (``t``, ``row``)."""
        table = self.tables[number]
        frame = table.frame.loc[~table.too_long].copy()
        for name in frame.columns:
            nothing = frame[name].isin(NULLS)
            if nothing.any():
                frame.loc[nothing, name] = ""
        frame["t"], frame["row"] = number, frame.index
        return frame.reset_index(drop=True)

    def flag(
        self, rows: pd.DataFrame, column: str, rule: str, note: str | pd.Series = "", fate: int | None = None
    ) -> None:
        """Say one thing of some rows (columns ``t`` and ``row``): a problem each, and what it makes of them.

        ``note`` adds to the rule's sentence, for all or one by one.
        """
        if not len(rows):
            return
        said = RULES[rule]
        outcome = said.fate if fate is None else fate
        tables, at = rows["t"].to_numpy(dtype=np.int64), rows["row"].to_numpy(dtype=np.int64)
        for number in np.unique(tables):
            where = at[tables == number]
            fates = self._fates[number]
            fates[where] = np.maximum(fates[where], outcome)
        severity = "error" if outcome == REFUSED else said.severity
        if severity == "error" and outcome != REFUSED:
            severity = "warning"
        notes = note.to_numpy() if isinstance(note, pd.Series) else note
        found = pd.DataFrame(
            {"t": tables, "row": at, "column": column, "rule": rule, "note": notes, "severity": severity}
        )
        found["fate"] = outcome
        self._found.append(found)

    def lack(self, what: str, would_have_told: str, instead: str = "national shapes stand in for it") -> None:
        """Something the history does not hold."""
        self.missing.append({"missing": what, "would_have_told": would_have_told, "instead": instead})

    # --- afterwards -----------------------------------------------------------------------------------------------
    def fates(self, number: int) -> "np.ndarray[Any, Any]":
        """What became of each row of a file."""
        return self._fates[number]

    @property
    def rows(self) -> dict[str, int]:
        """Rows read and what became of them: the four add up to the first."""
        return self._count(self._fates)

    @property
    def files(self) -> list[dict[str, Any]]:
        """The same for every file."""
        names: dict[str, list[int]] = {}
        for number, table in enumerate(self.tables):
            names.setdefault(table.file, []).append(number)
        return [
            {"file": name, "kind": self.tables[numbers[0]].kind, "rows": self._count(self._fates[n] for n in numbers)}
            for name, numbers in names.items()
        ]

    @staticmethod
    def _count(fates: Iterable["np.ndarray[Any, Any]"]) -> dict[str, int]:
        arrays = list(fates)
        together = np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int8)
        counted = np.bincount(together, minlength=len(FATES))
        by_name = dict(zip(FATES, (int(n) for n in counted), strict=True))
        return {"read": len(together)} | {name: by_name[name] for name in ("used", "excluded", "repaired", "refused")}

    def found(self) -> pd.DataFrame:
        """Every problem once, in the order of files and lines."""
        if not self._found:
            return pd.DataFrame(columns=[*COLUMNS, "fate"])
        every = pd.concat(self._found, ignore_index=True)
        gravest_last = every.sort_values(["t", "row", "column", "rule", "fate"], kind="stable")
        every = gravest_last.drop_duplicates(["t", "row", "column", "rule"], keep="last")
        lines = np.empty(len(every), dtype=np.int64)
        tables, at = every["t"].to_numpy(), every["row"].to_numpy()
        for number in np.unique(tables):
            mask = tables == number
            lines[mask] = self.tables[number].lines[at[mask]]
        every["line"] = lines
        every["file"] = [self.tables[number].file for number in tables]
        texts = every["rule"].map({name: rule.text for name, rule in RULES.items()})
        every["message"] = texts + every["note"].map(lambda note: f" ({note})" if note else "")
        return every[[*COLUMNS, "fate"]].reset_index(drop=True)

    def problems(self) -> list[dict[str, Any]]:
        """What a person could mend or should know; rows left out by plain rule are counted, not listed."""
        every = self.found()
        listed = every[~((every["severity"] == "info") & (every["fate"] == EXCLUDED))]
        return [
            dict(zip(COLUMNS, row, strict=True)) for row in listed[list(COLUMNS)].itertuples(index=False, name=None)
        ]

    def by_rule(self) -> list[dict[str, Any]]:
        """How many rows each rule met, the gravest and commonest first."""
        every = self.found()
        if not len(every):
            return []
        rows = []
        for key, part in every.groupby(["rule", "severity", "fate"], sort=False):
            rule, severity, fate = cast("tuple[str, str, int]", key)
            first = f"{part['file'].iloc[0]}, line {part['line'].iloc[0]}"
            rows.append({"rule": rule, "severity": severity, "fate": FATES[fate], "rows": len(part),
                         "meaning": RULES[rule].text, "first": first})  # fmt: skip
        gravity = {"error": 0, "warning": 1, "info": 2}
        return sorted(rows, key=lambda row: (gravity[row["severity"]], -row["rows"], row["rule"]))

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": self.format,
            "council": self.council,
            "rows": self.rows,
            "files": self.files,
            "rules": self.by_rule(),
            "counts": self.counts,
            "shares": self.shares,
            "span": self.span,
            "missing": self.missing,
            "notes": self.notes,
            "problems": self.problems(),
        }


def count_of(frame: pd.DataFrame, column: str) -> int:
    """How many different values a column has."""
    return int(frame[column].nunique()) if len(frame) else 0


def said(counts: Mapping[str, int]) -> list[str]:
    """Counts in words."""
    return [f"{number} {EXPLANATIONS[name]}" for name, number in counts.items() if name in EXPLANATIONS and number]


__all__ = ["COLUMNS", "USED", "Report", "count_of", "said"]
