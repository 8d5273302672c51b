"""Files that may stand beside any child-level return: referrals, early help, costs, capacity."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from carecast.calibration.readers import dates, row_checks
from carecast.calibration.readers.children import births, child_ids
from carecast.calibration.readers.codes import ssda903
from carecast.calibration.readers.history import DAY, tidy
from carecast.calibration.readers.repeats import is_slip, say_two_for_one, without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import EXCLUDED, REFUSED, REPAIRED, USED

KINDS = ("referrals", "early_help", "costs", "capacity")
OUTCOMES = {
    "no further action": "closed", "nfa": "closed", "closed": "closed", "early help": "early_help",
    "early_help": "early_help", "assessment": "assessment", "": "",
}  # fmt: skip
EH_OUTCOMES = {
    "needs met": "needs_met", "needs_met": "needs_met", "disengaged": "disengaged", "stepped up": "stepped_up",
    "stepped_up": "stepped_up", "": "",
}  # fmt: skip
ROUTES = {"referral": "referral", "community": "community", "": ""}
YES_NO = {"0": 0.0, "1": 1.0, "no": 0.0, "yes": 1.0, "n": 0.0, "y": 1.0, "false": 0.0, "true": 1.0, "": np.nan}
CAPACITY_COLUMNS = {"in_house_foster": "foster_own", "in_house_homes": "childrens_house_own"}
LEAST_COST, MOST_COST = 10.0, 100_000.0  # pounds a week
UNKNOWN_MILES = 999.9
MOST_MILES = 350.0  # the return's own checks ask about more
TOLD = {
    "referrals": ("how many are referred, from where, and how many again", "national funnel rates"),
    "early_help": ("how many get early help, how long, and what comes of it", "national shapes and assumptions"),
    "costs": ("what each placement costs a week, and its distance", "national unit costs"),
    "capacity": ("how many own places there are month by month", "the largest number in own homes"),
}
KNOWN = {
    "referrals": ("referral_id", "child", "dob", "ref_date", "source", "locality", "primary_need", "outcome",
                  "re_referral_12m"),
    "early_help": ("eh_id", "child", "dob", "start_date", "end_date", "locality", "route", "outcome"),
    "costs": ("child", "decom", "weekly_cost", "distance_miles"),
    "capacity": ("date", "in_house_foster", "in_house_homes", "locality"),
}  # fmt: skip
DATED_BY = {"referrals": ("child", "ref_date"), "early_help": ("child", "start_date"), "costs": ("child", "decom"),
            "capacity": ("date",)}  # fmt: skip
OPTIONAL = {
    "referrals": {"locality": "where families live", "outcome": "what came of each referral", "dob": "ages at referral",
                  "primary_need": "need", "re_referral_12m": "re-referrals"},
    "early_help": {"locality": "where families live", "end_date": "how long early help lasts", "outcome": "what came of it",
                   "route": "how families came to it", "dob": "ages"},
    "costs": {"weekly_cost": "prices", "distance_miles": "distances"},
    "capacity": {"in_house_foster": "own foster places", "in_house_homes": "places in own houses"},
}  # fmt: skip


@dataclass(slots=True)
class Companions:
    """What the companion files hold, by the council's own identifiers."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def costs(self) -> pd.DataFrame:
        """Weekly cost and distance by child and start."""
        return self.frames.get("costs", pd.DataFrame())

    @property
    def ids(self) -> set[str]:
        """Children of referrals and early help."""
        return {name for kind in ("referrals", "early_help") if kind in self.frames for name in self.frames[kind]["id"]}

    @property
    def births(self) -> pd.DataFrame:
        """Dates of birth these files give, for children no header has."""
        columns = ["id", "year", "dob", "sex", "unaccompanied", "t", "row"]
        parts = [frame for kind, frame in self.frames.items() if kind in ("referrals", "early_help")]
        if not parts:
            return pd.DataFrame({name: pd.Series(dtype="object") for name in columns}).astype({"dob": DAY})
        joined = pd.concat(parts, ignore_index=True)
        return joined.assign(year=0, sex="", unaccompanied=False)[columns]

    @property
    def last_days(self) -> list[Any]:
        """The last day each file speaks of."""
        columns = {"referrals": "date", "early_help": "start", "capacity": "date"}
        return [self.frames[kind][column].max() for kind, column in columns.items() if kind in self.frames]

    def localities(self) -> pd.Series:
        """The locality last told of each child."""
        parts = [
            self.frames[kind][["id", "locality", column]].rename(columns={column: "when"})
            for kind, column in (("referrals", "date"), ("early_help", "start"))
            if kind in self.frames
        ]
        if not parts:
            return pd.Series(dtype="object")
        told = pd.concat(parts, ignore_index=True)
        told = told[told["locality"] != ""].sort_values(["id", "when", "locality"])
        return told.groupby("id")["locality"].last()

    def tables(self, number: dict[str, int]) -> dict[str, pd.DataFrame]:
        """Tidy tables, children numbered."""
        out: dict[str, pd.DataFrame] = {}
        kinds: tuple[str, ...] = ("referrals", "early_help", "capacity")
        for kind in kinds:
            if kind in self.frames and len(self.frames[kind]):
                frame = self.frames[kind]
                if "id" in frame.columns:
                    frame = frame.assign(child=frame["id"].map(number))
                out[kind] = tidy(frame, kind)
        return out


def read(report: Report, found: dict[str, list[int]]) -> Companions:
    """Every companion file there is."""
    readers = {"referrals": _referrals, "early_help": _early_help, "costs": _costs, "capacity": _capacity}
    out = Companions()
    for kind, reader in readers.items():
        frames = [reader(_columns(report, number, kind), report) for number in found.get(kind, [])]
        if frames:
            out.frames[kind] = pd.concat(frames, ignore_index=True)
    return out


def say_missing(report: Report, found: dict[str, list[int]]) -> None:
    """Companions and their columns that are not there, and what they would have told."""
    for kind, (told, instead) in TOLD.items():
        numbers = found.get(kind, [])
        if not numbers:
            report.lack(f"{kind}.csv", told, instead)
        for number in numbers:
            table = report.tables[number]
            for column, tells in OPTIONAL[kind].items():
                if column not in table.headings:
                    report.lack(f"{table.file}: {column.upper()}", tells)


def _columns(report: Report, number: int, kind: str) -> pd.DataFrame:
    """Rows with every column, blank when absent; exact repeats gone; extra columns noted."""
    frame = report.good(number)
    extra = [name.upper() for name in report.tables[number].headings if name not in KNOWN[kind]]
    if extra:
        report.notes.append(f"{report.tables[number].file}: columns not needed: {', '.join(sorted(extra))}")
    frame = without_repeats(frame, report, needed=[name for name in DATED_BY[kind] if name in frame.columns])
    for name in KNOWN[kind]:
        if name not in frame.columns:
            frame[name] = ""
    return frame


def dated(frame: pd.DataFrame, column: str, report: Report, blank: str | None, into: str) -> pd.DataFrame:
    """Rows whose date can be read, as ``into``; a blank one is refused by the rule ``blank`` unless that is None."""
    found, kinds = dates.parse(frame[column])
    for kind, rule in dates.RULE_OF.items():
        report.flag(frame[kinds == kind], column.upper(), rule)
    frame[into] = found
    keep = np.isin(kinds, (dates.OK, dates.SWAPPED, dates.SERIAL))
    if blank is None:
        keep |= kinds == dates.BLANK
    else:
        report.flag(frame[kinds == dates.BLANK], column.upper(), blank)
    wild = ((found < pd.Timestamp("1991-01-01")) | (found > pd.Timestamp("2060-01-01"))).to_numpy()
    report.flag(frame[wild], column.upper(), "date_out_of_range")
    return frame[keep & ~wild].reset_index(drop=True)


def spanned(frame: pd.DataFrame, start: str, end: str, report: Report) -> pd.DataFrame:
    """Rows with ``start`` and ``end`` as dates, the end blank when open; ends before starts refused."""
    frame = dated(frame, start, report, "blank_start", "start")
    frame = dated(frame, end, report, None, "end")
    before = frame["end"] < frame["start"]
    report.flag(frame[before], end.upper(), "end_before_start")
    return frame[~before].reset_index(drop=True)


def identified(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Rows with a child."""
    report.flag(frame[frame["child"] == ""], "CHILD", "blank_child")
    frame = frame[frame["child"] != ""].reset_index(drop=True)
    frame["id"] = child_ids(frame)
    return frame


def worded(frame: pd.DataFrame, column: str, words: dict[str, Any], report: Report) -> pd.Series:
    """A column's words as ours; unknown ones said and left blank."""
    asked = frame[column].str.strip().str.lower()
    report.flag(frame[~asked.isin(list(words))], column.upper(), "unknown_code")
    blank = words.get("", "")
    return asked.map(words).where(asked.isin(list(words)), blank)


def aged(frame: pd.DataFrame, when: str, column: str, report: Report) -> pd.DataFrame:
    """Rows with dates of birth that can be; adults refused."""
    frame["dob"] = births(frame, report, optional=True) if (frame["dob"] != "").any() else pd.NaT
    frame["dob"] = frame["dob"].astype(DAY)
    late = frame["dob"] > frame[when] + pd.Timedelta(days=row_checks.UNBORN_DAYS)
    report.flag(frame[late], "DOB", "dob_after_referral", fate=REPAIRED)
    report.flag(frame[(frame["dob"] > frame[when]) & ~late], "DOB", "before_birth")
    frame.loc[late, "dob"] = pd.NaT
    adult = frame[when] >= dates.birthday(frame["dob"], 18)
    report.flag(frame[adult], column, "over_18_at_start", fate=REFUSED)
    return frame[~adult].reset_index(drop=True)


def needs(frame: pd.DataFrame, column: str, report: Report) -> pd.Series:
    """Codes of need, N1 to N8; N0 and N9 are known and mean unknown and none."""
    asked = frame[column].str.upper().str.extract(r"^\s*(N\d)(?![0-9A-Z])", expand=False).fillna("")
    known = [*ssda903("CIN"), "N0", "N9"]
    wrong = (frame[column] != "") & ~asked.isin(known)
    report.flag(frame[wrong], column.upper(), "unknown_code")
    return asked.where(asked.isin(known), "").astype("object")


def _referrals(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    frame = dated(identified(frame, report), "ref_date", report, "blank_date", "date")
    say_two_for_one(frame, report, ["referral_id"], "REFERRAL_ID", "number_twice")
    frame = aged(frame, "date", "REF_DATE", report)
    frame["need"] = needs(frame, "primary_need", report)
    frame["outcome"] = worded(frame, "outcome", OUTCOMES, report)
    say_blank(frame, "outcome", "missing_code", report)
    say_blank(frame, "primary_need", "missing_code", report)
    frame["re_referral"] = worded(frame, "re_referral_12m", YES_NO, report).astype("Float64")
    return frame


def _early_help(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    frame = aged(spanned(identified(frame, report), "start_date", "end_date", report), "start", "START_DATE", report)
    say_two_for_one(frame, report, ["eh_id"], "EH_ID", "number_twice")
    frame["route"] = worded(frame, "route", ROUTES, report)
    frame["outcome"] = worded(frame, "outcome", EH_OUTCOMES, report)
    report.flag(frame[frame["end"].notna() & (frame["outcome"] == "")], "OUTCOME", "missing_reason")
    is_open = frame["end"].isna()
    report.flag(frame[is_open & (frame["outcome"] != "")], "OUTCOME", "reason_without_end")
    frame.loc[is_open, "outcome"] = ""
    row_checks.say_open_twice(frame, "END_DATE", report)
    return frame


def _costs(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    frame = dated(identified(frame, report), "decom", report, "blank_start", "decom")
    frame["cost"] = number(frame, "weekly_cost", report)
    say_blank(frame, "weekly_cost", "blank_number", report)
    unlikely = (frame["cost"] < LEAST_COST) | (frame["cost"] > MOST_COST)
    free = frame["cost"] == 0
    report.flag(frame[unlikely & ~free], "WEEKLY_COST", "cost_unlikely", fate=REPAIRED)
    if is_slip(free):  # a council that writes 0 for children placed with parents means it
        report.flag(frame[free], "WEEKLY_COST", "cost_unlikely", "nothing", fate=USED)
    frame.loc[unlikely, "cost"] = np.nan
    frame["miles"] = likely_miles(frame, number(frame, "distance_miles", report), "DISTANCE_MILES", report)
    return frame


def likely_miles(frame: pd.DataFrame, miles: pd.Series, column: str, report: Report) -> pd.Series:
    """Miles from 0 to 999; 999 and more (999.9: not known) blank, what can be no distance said."""
    wrong = (miles < 0) | (miles > UNKNOWN_MILES)
    report.flag(frame[wrong], column, "distance_unknown")
    report.flag(frame[(miles > MOST_MILES) & (miles < 999)], column, "distance_unlikely")
    return miles.where((miles >= 0) & (miles < 999)).astype("float64")


def say_blank(frame: pd.DataFrame, column: str, rule: str, report: Report, fate: int = USED) -> None:
    """Say which cells are blank in a column that is filled as a rule."""
    blank = frame[column].str.lower().isin(dates.BLANKS)
    if is_slip(blank) and blank.mean() <= 0.5:
        report.flag(frame[blank & (frame[column] == "")], column.upper(), rule, fate=fate)


def number(frame: pd.DataFrame, column: str, report: Report) -> pd.Series:
    """A column as numbers: £ signs and commas gone; what is no number is said and left blank."""
    text = frame[column].str.replace(r"[£,\s]", "", regex=True)
    found = pd.to_numeric(text.where(text != ""), errors="coerce").astype("float64")
    report.flag(frame[found.isna() & (text != "")], column.upper(), "not_a_number", fate=REPAIRED)
    return found.where(np.isfinite(found))


def _capacity(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    frame = dated(frame, "date", report, "blank_date", "date")
    say_two_for_one(frame, report, ["date", "locality"], "DATE", "same_day_twice")
    counted = ~frame.duplicated(["date", "locality"], keep="last")
    _say_gaps(frame, report)
    parts = []
    for column, kind in CAPACITY_COLUMNS.items():
        places = number(frame, column, report)
        wrong = places < 0
        report.flag(frame[wrong], column.upper(), "not_a_number", "below nought", fate=REPAIRED)
        part = frame.assign(places=places, placement_type=kind)[places.notna() & ~wrong & counted]
        parts.append(part[["date", "placement_type", "locality", "places"]])
    return pd.concat(parts, ignore_index=True)


def _say_gaps(frame: pd.DataFrame, report: Report) -> None:
    """Months between the first and the last that no row is of."""
    months = frame["date"].dt.to_period("M")
    if not len(months):
        return
    absent = pd.period_range(months.min(), months.max(), freq="M").difference(pd.PeriodIndex(months))
    if 0 < len(absent) <= len(months):  # a file by quarter or year has no gaps to tell
        named = ", ".join(str(month) for month in absent[:6]) + (" ..." if len(absent) > 6 else "")
        months = "month" if len(absent) == 1 else "months"
        report.notes.append(f"capacity: no row for {len(absent)} {months} ({named}); places are not known there")


def join_costs(rows: pd.DataFrame, costs: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Costs and distances on the episodes they name; those that name none are left out and said."""
    starts = pd.MultiIndex.from_frame(rows[["id", "decom"]])
    joins = pd.MultiIndex.from_frame(costs[["id", "decom"]]).isin(starts)
    report.flag(costs[~joins], "DECOM", "no_such_episode", fate=EXCLUDED)
    told = costs[joins].sort_values(["id", "decom", "cost", "miles"], na_position="first")
    again = told.duplicated(["id", "decom"], keep="last")
    report.flag(told[again], "DECOM", "same_start_twice", fate=REPAIRED)
    both = told.duplicated(["id", "decom"], keep=False)
    report.flag(told[both & ~again], "DECOM", "same_start_twice", "this one is kept", fate=USED)
    rows = rows.merge(told[~again][["id", "decom", "cost", "miles"]], on=["id", "decom"], how="left")
    rows["weekly_cost_gbp"] = rows["cost"]
    rows["distance_miles"] = rows["miles"].where(rows["miles"].notna(), rows["distance_miles"])
    return rows
