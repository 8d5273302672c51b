"""A council's history as tidy tables: the one thing every reader returns and every fit reads.

Children are numbered by the content of their records, never by the council's identifiers, so that renaming children or
shuffling rows changes nothing. Dates are days; a blank end is open. ``observed_to`` is the last day to which an open row
is known to have gone on.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

DAY: Final = "datetime64[s]"
TABLES: dict[str, dict[str, str]] = {
    "children": {
        "child": "int64", "dob": DAY, "sex": "object", "unaccompanied": "bool", "locality": "object", "family": "Int64",
    },
    # one row per return row that counts: for prices and checks
    "episodes": {
        "child": "int64", "start": DAY, "end": DAY, "observed_to": DAY, "start_reason": "object", "legal_status": "object",
        "need": "object", "place": "object", "provider": "object", "placement_type": "object", "end_reason": "object",
        "move_reason": "object", "distance_miles": "float64", "out_of_area": "Float64", "weekly_cost_gbp": "float64",
    },
    # one row per placement: legal changes merged, temporary absences bridged
    "placements": {
        "child": "int64", "spell": "int64", "order": "int64", "start": DAY, "end": DAY, "observed_to": DAY,
        "placement_type": "object", "provider": "object", "legal_status": "object", "need": "object",
        "care_started": DAY, "start_kind": "object", "end_kind": "object", "cause": "object", "end_reason": "object",
        "move_reason": "object", "distance_miles": "float64", "out_of_area": "Float64", "weekly_cost_gbp": "float64",
    },
    "referrals": {
        "child": "int64", "date": DAY, "source": "object", "locality": "object", "need": "object", "outcome": "object",
        "re_referral": "Float64",
    },
    "early_help": {
        "child": "int64", "start": DAY, "end": DAY, "locality": "object", "route": "object", "outcome": "object",
    },
    "support": {"child": "int64", "start": DAY, "end": DAY, "need": "object", "end_reason": "object"},
    "protection": {
        "child": "int64", "start": DAY, "end": DAY, "category": "object", "previous_plans": "Float64",
    },
    "costs": {
        "child": "int64", "start": DAY, "end": DAY, "placement_type": "object", "weekly_cost_gbp": "float64",
        "distance_miles": "float64",
    },
    "capacity": {"date": DAY, "placement_type": "object", "locality": "object", "places": "float64"},
    "providers": {
        "provider": "object", "placement_type": "object", "locality": "object", "easting_m": "float64",
        "northing_m": "float64", "places": "float64", "weekly_cost_gbp": "float64",
    },
    # published aggregates, one figure a row; ``status`` says why a value is missing
    "figures": {
        "area": "object", "area_code": "object", "level": "object", "date": DAY, "measure": "object",
        "breakdown": "object", "value": "float64", "unit": "object", "status": "object", "source": "object",
    },
}  # fmt: skip
ENDS = {
    "placements": "end",
    "episodes": "end",
    "early_help": "end",
    "support": "end",
    "protection": "end",
    "costs": "end",
}
STARTS = {"placements": "start", "episodes": "start", "early_help": "start", "support": "start", "protection": "start",
          "costs": "start", "referrals": "date", "capacity": "date", "figures": "date"}  # fmt: skip
DERIVED = {"placements": ("weekly_cost_gbp", "distance_miles")}  # means over episodes, later ones too: number no child
AFTER_END = {
    "placements": {"end_kind": "open", "cause": "", "end_reason": "", "move_reason": ""},
    "episodes": {"end_reason": "", "move_reason": ""},
    "early_help": {"outcome": ""},
    "support": {"end_reason": ""},
}


def empty(table: str) -> pd.DataFrame:
    """A table with its columns and no rows."""
    return tidy(pd.DataFrame(), table)


def tidy(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """The columns of a table, in order and of their types; what is absent is blank."""
    out = {}
    for name, kind in TABLES[table].items():
        if name in frame.columns:
            column = frame[name]
        else:
            blank: Any = {"object": "", "bool": False, "int64": -1}.get(kind)
            column = pd.Series([blank] * len(frame), index=frame.index, dtype="object")
        out[name] = column.fillna("").astype("object") if kind == "object" else _cast(column, kind)
    return pd.DataFrame(out).reset_index(drop=True)


def _cast(column: pd.Series, kind: Any) -> pd.Series:
    return column.astype(kind)


@dataclass(frozen=True, slots=True)
class History:
    """Everything a council's files tell, cleaned."""

    format: str
    nation: str  # england, scotland
    council: str
    observed_from: date | None  # from here on, every child looked after is in the files
    observed_to: date | None  # the last day the files speak of
    returns: tuple[str, ...] = ()
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """A table by name; empty when the files hold none."""
        if name not in TABLES:
            raise AttributeError(name)
        tables: dict[str, pd.DataFrame] = object.__getattribute__(self, "tables")
        found = tables.get(name)
        return empty(name) if found is None else found

    def has(self, table: str) -> bool:
        """Whether there is any row of this table."""
        return table in self.tables and len(self.tables[table]) > 0

    def as_at(self, day: date) -> "History":
        """What would have been known at the end of a day: later rows gone, later ends and outcomes blank."""
        cut = pd.Timestamp(day)
        tables = {name: _as_at(frame, name, cut) for name, frame in self.tables.items()}
        kept = {n for name, f in tables.items() if "child" in f.columns and name != "children" for n in f["child"]}
        if "children" in tables:
            tables["children"] = tables["children"][tables["children"]["child"].isin(kept)].reset_index(drop=True)
        last = day if self.observed_to is None else min(day, self.observed_to)
        return renumbered(replace(self, tables=tables, observed_to=last))


def _as_at(frame: pd.DataFrame, table: str, cut: pd.Timestamp) -> pd.DataFrame:
    if table not in STARTS:
        return frame
    out = frame[~(frame[STARTS[table]] > cut)].copy()
    if table in ENDS:
        later = out[ENDS[table]] > cut
        out.loc[later, ENDS[table]] = pd.NaT
        for column, blank in AFTER_END.get(table, {}).items():
            out.loc[later, column] = blank
        if "observed_to" in out.columns:
            known = out["observed_to"].where(out["observed_to"].notna() & ~later, cut)
            out["observed_to"] = known.where(known < cut, cut).where(out[ENDS[table]].isna()).astype(DAY)
    return out.reset_index(drop=True)


def renumbered(history: History) -> History:
    """Children numbered from 0 by the content of their records, tables in the order of their content."""
    personal = {name: frame for name, frame in history.tables.items() if "child" in frame.columns}
    ids = sorted({int(n) for frame in personal.values() for n in frame["child"].unique()})
    if not ids:
        return history
    signature = pd.Series(np.zeros(len(ids), dtype=np.uint64), index=ids)
    for name, frame in personal.items():
        content = frame.drop(columns=["child", *DERIVED.get(name, ())], errors="ignore")
        hashed = pd.util.hash_pandas_object(_plain(content), index=False).to_numpy() ^ np.uint64(len(name) * 7919)
        sums = pd.Series(hashed, index=frame["child"].to_numpy()).groupby(level=0).sum()
        signature.loc[sums.index] += sums.to_numpy()
    first = pd.Series(np.iinfo(np.int64).max, index=ids, dtype="int64")
    for name in ("placements", "referrals", "early_help", "support", "protection"):
        if name in personal and len(personal[name]):
            dates = personal[name].groupby("child")[STARTS[name]].min().dropna()
            earlier = np.minimum(first.loc[dates.index].to_numpy(), dates.astype(DAY).astype("int64").to_numpy())
            first.loc[dates.index] = earlier
    order = pd.DataFrame({"first": first, "signature": signature}).sort_values(["first", "signature"]).index
    number = pd.Series(np.arange(len(order)), index=order)
    tables = dict(history.tables)
    for name, frame in personal.items():
        changed = frame.assign(child=number.loc[frame["child"]].to_numpy())
        columns = [
            column for column in ("child", "spell", "order", STARTS.get(name, "child")) if column in changed.columns
        ]
        rest = [column for column in changed.columns if column not in columns]
        tables[name] = _sorted(changed, columns, rest)
    for name in set(tables) - set(personal):
        first_columns = [column for column in (STARTS.get(name, ""),) if column in tables[name].columns]
        rest = [column for column in tables[name].columns if column not in first_columns]
        tables[name] = _sorted(tables[name], first_columns, rest)
    return replace(history, tables=tables)


def _sorted(frame: pd.DataFrame, columns: list[str], rest: list[str]) -> pd.DataFrame:
    """Rows in an order that is theirs alone, not that of the file."""
    tie = pd.util.hash_pandas_object(_plain(frame[rest]), index=False).to_numpy() if rest else np.zeros(len(frame))
    unique = list(dict.fromkeys(columns))
    return frame.assign(_tie=tie).sort_values([*unique, "_tie"]).drop(columns="_tie").reset_index(drop=True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns whose hashes do not depend on how a blank is held."""
    out: dict[str, pd.Series] = {}
    for name in frame.columns:
        column = frame[name]
        if str(column.dtype) in ("Float64", "Int64"):
            out[name] = column.astype("float64").fillna(-1.0)
        elif column.dtype == object:
            out[name] = column.astype(str)
        else:
            out[name] = column
    return pd.DataFrame(out, index=frame.index)
