"""What DfE's tables say of one council up to a date: counts by group and label, with a stand-in for what they hide.

A cell that is hidden (``c``, ``low``, ...) gets its share of what the visible cells leave of the total, by the mix of the
council's region, else of England. A group that is missing altogether is the council's total in the same mix. Each number
says which of these it is.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from carecast.calibration.readers.history import History
from carecast.model.parameters import BadFile, How

MIXES = Path(__file__).parents[1] / "published" / "national" / "england_mixes.csv"
TABLE_NAMES = {
    "looked_after": "la_cla_on_31_march_by_characteristics",
    "started": "la_children_who_started_to_be_looked_after_during_the_year",
    "ceased": "la_children_who_ceased_during_the_year",
    "new_placements": "la_cla_during_year_new_placements",
    "stability": "la_cla_placement_stability",
    "rates": "cla_number_and_rate_per_10k_children",
    "children_in_need": "b1_children_in_need",
    "referrals": "c1_children_in_need_referrals_and_rereferrals",
}
TELLING = {  # groups that only one table holds: for files whose names say nothing
    "age on ceasing": "ceased",
    "reason episode ceased": "ceased",
    "age on starting": "started",
    "taken into care": "started",
    "age group": "looked_after",
    "placement": "looked_after",
    "place providers": "looked_after",
    "location of new placements during the year": "new_placements",
    "reason for placement change during the year": "new_placements",
    "cla on 31 march": "stability",
    "children looked after on 31 march each year": "rates",
    "children starting to be looked after each year": "rates",
    "children ceasing to be looked after each year": "rates",
    "referrals and re referrals": "referrals",
    "children in need": "children_in_need",
}
ALIASES = {  # labels of one thing in different releases
    "special guardianship orders": "special guardianship order",
    "independent and semi independent living arrangements": (
        "independent and semi independent living arrangements supported accommodation"
    ),
    "children s homes and secure units": "secure homes and children s homes",
    "secure units children s homes and semi independent living accommodation": "secure homes and children s homes",
    "non uasc": "children excluding unaccompanied asylum seeking children",
    "non uasc children": "children excluding unaccompanied asylum seeking children",
    "non unaccompanied asylum seeking children": "children excluding unaccompanied asylum seeking children",
    "uasc": "unaccompanied asylum seeking children",
    "children looked after at 31 march each year": "children looked after on 31 march each year",
    "children looked after on 31 march": "children looked after on 31 march each year",
    "number": "children count",
}
STOCK = "Children looked after on 31 March each year"
STARTS = "Children starting to be looked after each year"
CEASES = "Children ceasing to be looked after each year"
FLOWS = {"stock": STOCK, "starts": STARTS, "ceases": CEASES}
AVERAGE, N_COUNCILS = "England (average council)", 153
FIRST_YEAR = 2011  # earlier figures are of another collection

Key = tuple[str, str, str, int]  # table, group, label, year


def plain(text: str) -> str:
    """Lower case, one space between words, nothing else; names of one thing in several releases made one."""
    words = re.sub(r"[^a-z0-9]+", " ", str(text).lower()).strip()
    words = re.sub(r"^n\d+ ", "", words)
    return ALIASES.get(words, words)


@dataclass(frozen=True, slots=True)
class Fact:
    """One number: published as it stands, derived from published ones, or assumed."""

    value: float
    how: How
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of one council, its region and England, none of them of a later day than the as-at date."""

    council: str
    region: str
    as_at: dt.date
    cells: Mapping[str, Mapping[Key, float]]  # by who: council, region, nation, shipped
    hidden: frozenset[Key]  # the council's suppressed cells
    published: Mapping[str, str] = field(default_factory=dict)  # file by table

    @property
    def year(self) -> int:
        """The last year with a count of children looked after."""
        return max(self.years())

    def years(self) -> tuple[int, ...]:
        """Years with a count of children looked after, oldest first."""
        years = {key[3] for key in self.cells["council"] if key[0] in ("rates", "looked_after")}
        return tuple(sorted(year for year in years if self.flow("stock", year)))

    def value(self, table: str, group: str, label: str, year: int, who: str = "council") -> float | None:
        """A published cell, or none."""
        return self.cells.get(who, {}).get((table, plain(group), plain(label), year))

    def flow(self, which: str, year: int, who: str = "council") -> float | None:
        """Children looked after (``stock``), starting (``starts``) or ceasing (``ceases``) of a year."""
        found = self.value("rates", FLOWS[which], "children_count", year, who)
        if found is None and which == "stock":
            found = self.value("looked_after", "Age group", "Total", year, who)
        return found

    def last(self, table: str, group: str, label: str, who: str = "council") -> tuple[int, float] | None:
        """The newest published value of a cell and its year."""
        keys = [key for key in self.cells.get(who, {}) if key[:3] == (table, plain(group), plain(label))]
        if not keys:
            return None
        newest = max(keys, key=lambda key: key[3])
        return newest[3], self.cells[who][newest]

    def mix(self, table: str, group: str, labels: Sequence[str], year: int, total: float) -> dict[str, Fact]:
        """Counts by label that sum to ``total``: what is published, and the rest of the total by the nearest mix."""
        told = {label: self.value(table, group, label, year) for label in labels}
        seen = {label: value for label, value in told.items() if value is not None}
        shape, whose = self._shape(table, group, labels, year)
        hidden = [label for label in labels if label not in seen]
        rest = max(total - sum(seen.values()), 0.0)
        if seen and not hidden:
            return {label: Fact(value, "published", self.source(table, year)) for label, value in seen.items()}
        weight = sum(shape[label] for label in hidden)
        out = {label: Fact(value, "published", self.source(table, year)) for label, value in seen.items()}
        keys = ((table, plain(group), plain(label), year) for label in labels)
        why = "hidden in the table" if seen or any(key in self.hidden for key in keys) else "not in the tables"
        for label in hidden:
            share = shape[label] / weight if weight > 0 else 1 / len(hidden)
            note = f"derived: {why}; what is left of {total:g}, in the mix of {whose}"
            out[label] = Fact(rest * share, "assumed", self.source(table, year), note)
        return out

    def _shape(self, table: str, group: str, labels: Iterable[str], year: int) -> tuple[dict[str, float], str]:
        """Mix of a group in the region, else England, in the year or the last one before it."""
        for who, name in (("region", self.region), ("nation", "England"), ("shipped", "England")):
            for at in range(year, year - 6, -1):
                values = {label: self.value(table, group, label, at, who) for label in labels}
                if any(values.values()):
                    return {label: value or 0.0 for label, value in values.items()}, f"{name}, {at}"
        shipped = shipped_mixes()
        years = sorted({key[3] for key in shipped if key[:2] == (table, plain(group))})
        for at in years:  # tables of a time before the first mix that is shipped
            values = {label: shipped.get((table, plain(group), plain(label), at)) for label in labels}
            if any(values.values()):
                return {label: value or 0.0 for label, value in values.items()}, f"England, {at}, the first there is"
        return dict.fromkeys(labels, 1.0), "no published mix, in equal parts"

    def share(self, table: str, group: str, label: str, total: str, year: int) -> tuple[float, str] | None:
        """Share of a label in a group for the council, else its region, else England, and whose it is."""
        for who, name in (
            ("council", self.council),
            ("region", self.region),
            ("nation", "England"),
            ("shipped", "England"),
        ):
            for at in range(year, year - 3, -1):
                part, whole = self.value(table, group, label, at, who), self.value(table, group, total, at, who)
                if part is not None and whole:
                    return part / whole, f"{name}, {at}"
        return None

    def source(self, table: str, year: int) -> str:
        """Where a cell of a table comes from, in words."""
        file = self.published.get(table, TABLE_NAMES.get(table, table))
        told = f"DfE open data, {file}, year {year}, "
        if self.council == AVERAGE:
            return f"{told}England over {N_COUNCILS} councils, children passed on to another council counted once"
        return told + self.council


def facts_of(history: History, council: str, as_at: dt.date | None) -> Facts:
    """Figures of a council from a history of DfE tables.

    Raises:
        BadFile: no such council (with the names nearest to it), or no count of children looked after by the date.
    """
    frame = history.figures
    frame = frame[frame["date"].notna() & (frame["date"].dt.year >= FIRST_YEAR)]
    council_rows = frame[frame["level"] == "council"]
    if not history.council:  # of many; else the reader has left this one's, under codes it had before as well
        council_rows = council_rows[same_council(council_rows, council)]
    if as_at is not None:
        frame = frame[frame["date"] <= pd.Timestamp(as_at)]
    own = council_rows[council_rows.index.isin(frame.index)]
    if not len(own):
        raise BadFile(_nobody(frame, council, as_at) if not len(council_rows) else _too_early(council_rows, as_at))
    name = str(own["area"].iloc[-1])
    regions = frame.loc[frame["level"] == "regional", "area"].unique().tolist()
    region = str(regions[0]) if len(regions) == 1 else ""
    cells: dict[str, dict[Key, float]] = {
        "council": _cells(own),
        "region": _cells(frame[(frame["level"] == "regional") & (frame["area"] == region)]),
        "nation": _cells(frame[frame["level"] == "national"]),
        "shipped": shipped_mixes(),
    }
    if as_at is not None:
        cells["shipped"] = {key: value for key, value in cells["shipped"].items() if key[3] <= as_at.year}
    hidden = own[own["value"].isna()]
    files = own.groupby(own["measure"].str.split(".").str[0])["source"].first().to_dict()
    found = Facts(name, region or "the region", as_at or dt.date.max, cells, frozenset(_keys(hidden)), files)
    if not found.years():
        raise BadFile(
            f"{name}: no count of children looked after{_by(as_at)}, or it is hidden; calibration needs that figure at least"
        )
    return found


def average_council(history: History, as_at: dt.date | None) -> Facts:
    """England over its 153 councils, as if it were one of them.

    Raises:
        BadFile: the tables hold no national row.
    """
    frame = history.figures
    frame = frame[(frame["level"] == "national") & frame["date"].notna() & (frame["date"].dt.year >= FIRST_YEAR)]
    if as_at is not None:
        frame = frame[frame["date"] <= pd.Timestamp(as_at)]
    if not len(frame):
        raise BadFile(f"England: the tables hold no national row{_by(as_at)}")
    nation = _cells(frame)
    stay = _without_transfers(nation)
    mean = {key: value if "percent" in key[2] else value / N_COUNCILS for key, value in stay.items()}
    files = frame.groupby(frame["measure"].str.split(".").str[0])["source"].first().to_dict()
    cells = {"council": mean, "nation": nation, "shipped": shipped_mixes()}
    return Facts(AVERAGE, "England", as_at or dt.date.max, cells, frozenset(), files)


TAKEN_OVER = "Care taken by another local authority"
TRANSFERRED = {  # cells of England that count a child who is passed on twice, and the part of those passed on in each
    ("rates", STARTS, "children_count"): 1.0,
    ("rates", CEASES, "children_count"): 1.0,
    ("started", "Unaccompanied asylum-seeking children", "Unaccompanied asylum-seeking children"): 1.0,
    ("started", "Unaccompanied asylum-seeking children", "Total"): 1.0,
    ("started", "Age on starting", "Total"): 1.0,
    ("started", "Age on starting", "16 years and over"): 0.86,
    ("started", "Age on starting", "10 to 15 years"): 0.14,
    ("ceased", "Unaccompanied asylum-seeking children", "Unaccompanied asylum-seeking children"): 1.0,
    ("ceased", "Unaccompanied asylum-seeking children", "Total"): 1.0,
    ("ceased", "Reason episode ceased", "Total"): 1.0,
    ("ceased", "Reason episode ceased", TAKEN_OVER): 1.0,
}


def _without_transfers(nation: Mapping[Key, float]) -> dict[Key, float]:
    """England's cells without children taken over by another council, most of them in a few gateway councils."""
    out = dict(nation)
    passed_on = ("ceased", plain("Reason episode ceased"), plain(TAKEN_OVER))
    taken = {key[3]: value for key, value in nation.items() if key[:3] == passed_on}
    for (table, group, label), part in TRANSFERRED.items():
        for year, count in taken.items():
            key = (table, plain(group), plain(label), year)
            if key in out:
                out[key] = max(out[key] - part * count, 0.0)
    return out


def same_council(frame: pd.DataFrame, council: str) -> "pd.Series[bool]":
    """Rows of a council, by name or code."""
    return (frame["area"].map(plain) == plain(council)) | (frame["area_code"].str.lower() == council.lower())


def _by(as_at: dt.date | None) -> str:
    return f" by {as_at}" if as_at else ""


def closest(wanted: str, names: Iterable[str]) -> str:
    """The names most like the one asked for, in words; the first few where none is like it."""
    from difflib import get_close_matches

    by_plain = {plain(name): name for name in names}
    text = plain(wanted)
    near = [by_plain[found] for found in get_close_matches(text, list(by_plain), n=4, cutoff=0.5)]
    near += [name for key, name in by_plain.items() if text[:4] and text[:4] in key]
    return ", ".join(list(dict.fromkeys(near))[:5] or list(by_plain.values())[:5])


def _nobody(frame: pd.DataFrame, council: str, as_at: dt.date | None) -> str:
    """One line that names the councils most like the one asked for."""
    names = sorted(frame.loc[frame["level"] == "council", "area"].unique())
    if not names:
        return f"--council: found {council!r}; the tables hold no council's row{_by(as_at)}"
    near = closest(council, names)
    return f"--council: found {council!r}; the tables hold {len(names)} councils{_by(as_at)}, the closest {near}"


def _too_early(rows: pd.DataFrame, as_at: dt.date | None) -> str:
    """One line for a council that is newer than the date."""
    first = rows["date"].min().date()
    return f"{rows['area'].iloc[-1]}: no figure{_by(as_at)}, its first is of {first}; give that date or a later one"


def _keys(frame: pd.DataFrame) -> list[Key]:
    """Table, group, label and year of each row."""
    out = []
    for measure, breakdown, date in zip(frame["measure"], frame["breakdown"], frame["date"], strict=True):
        table, _, column = str(measure).rpartition(".")
        group, _, label = str(breakdown).rpartition(" | ")
        if not group:  # one figure a column, or a population type
            group, label = label, column
        table = table or TELLING.get(plain(group), "")
        out.append((table, plain(group), plain(label), int(date.year)))
    return out


def _cells(frame: pd.DataFrame) -> dict[Key, float]:
    """Published counts by table, group, label and year; percentages and rates are left out where a count stands."""
    keep = frame["value"].notna() & ~frame["measure"].str.contains("children_percent|rate_per")
    kept = frame[keep]
    return dict(zip(_keys(kept), kept["value"].astype(float).tolist(), strict=True))


@cache
def shipped_mixes() -> dict[Key, float]:
    """England's own counts, as shipped, for folders of tables that hold no national row."""
    if not MIXES.is_file():
        return {}
    with MIXES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["table"], plain(row["group"]), plain(row["label"]), int(row["year"])): float(row["count"]) for row in rows
    }
