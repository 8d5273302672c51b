"""Published aggregates: DfE open data in both layouts, LGBF indicators, and this project's own tables of figures."""

import csv
import re
from difflib import get_close_matches
from functools import cache

import numpy as np
import pandas as pd

from carecast.calibration.readers.codes import FOLDER
from carecast.calibration.readers.history import History, tidy
from carecast.calibration.readers.repeats import without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import EXCLUDED, USED
from carecast.calibration.readers.table import Table, normal
from carecast.model.parameters import BadFile

SUPPRESSED = ("c", "z", "low", "k", "u", "x", "..", ":", "~", "-", "n/a", "")
PLACES = ("time_period", "time_identifier", "geographic_level", "country_code", "country_name", "region_code", "region_name",
          "old_la_code", "new_la_code", "la_name", "la_code")  # fmt: skip
GROUPS = ("cla_group", "category", "population_type", "age_group", "characteristic", "characteristic_type", "breakdown",
          "placement_stability")  # fmt: skip
TOPICS = (  # a word in the name of the file, and what it is about
    ("ceas", "ceased"), ("start", "started"), ("new_placement", "new_placements"), ("stability", "stability"),
    ("31_march", "looked_after"), ("number_and_rate", "rates"), ("referral", "referrals"),
    ("children_in_need", "children_in_need"), ("population", "population"),
)  # fmt: skip
RENAMED = {"number": "children_count", "percentage": "children_percent", "percent": "children_percent",
           "cla_number": "children_count", "population_count": "population_type",  # the last in releases before 2025
           "referrals": "referral_count", "re_referrals": "rereferral_count",
           "re_referrals_percent": "rereferral_percent"}  # fmt: skip


def is_dfe(table: Table) -> bool:
    """Whether a table has DfE's geography columns."""
    return table.has("time_period") and table.any_of("new_la_code", "la_name", "geographic_level")


def is_published(table: Table) -> bool:
    """Whether a table holds figures one a row."""
    return table.any_of("indicator", "id", "measure") and table.has("geography", "period", "value")


def is_lgbf(table: Table) -> bool:
    """Whether a table holds LGBF indicators by council and year."""
    cells = " ".join(
        [*table.headings, *(str(v) for v in table.frame.head(300).to_numpy().ravel() if str(v)[:3] == "CHN")]
    )
    area = any(re.search(r"authority|council|geography|area", name) for name in table.headings)
    return area and "chn" in cells.lower()


# --- DfE ----------------------------------------------------------------------------------------------------------
def read_dfe(tables: list[Table], report: Report) -> History:
    """Figures of one council (and the nation and its region beside it), or of every council when none is named.

    Raises:
        BadFile: no such table, or the council is in none of them.
    """
    parts = [_dfe(report, report.add(_kind(table, "open data"))) for table in tables if is_dfe(table)]
    report.notes += [f"{table.file}: not a table of open data, not needed" for table in tables if not is_dfe(table)]
    if not parts:
        raise BadFile("no table of DfE open data: one has time_period, geographic_level, new_la_code and la_name")
    figures = pd.concat(parts, ignore_index=True)
    if not len(figures):
        raise BadFile("no figure with a date could be read; see docs/data-formats.md")
    if report.council:
        figures = _one_council(figures, report)
    return _history("dfe", "england", figures, report)


def _kind(table: Table, kind: str) -> Table:
    table.kind = kind
    return table


def _dfe(report: Report, number: int) -> pd.DataFrame:
    """Every figure of a table; the layouts of 2024 and of 2025 give the same rows."""
    table = report.tables[number]
    frame = report.good(number).rename(columns=RENAMED)
    for name in PLACES:
        if name not in frame.columns:
            frame[name] = ""
    groups = [name for name in GROUPS if name in frame.columns]
    values = [n for n in frame.columns if n not in (*PLACES, *groups, "t", "row")]
    year = pd.to_numeric(frame["time_period"].str.extract(r"^(\d{4})", expand=False), errors="coerce")
    six = frame["time_period"].str.fullmatch(r"\d{6}")
    year = year + six.astype(int)
    report.flag(frame[year.isna()], "TIME_PERIOD", "not_a_date")
    good = frame[year.notna()].assign(year=year[year.notna()].astype(int))
    good = without_repeats(good, report, content=[*PLACES, *groups, *values])
    parts = [_column(good, name, groups, table.file, report) for name in values if len(good)]
    return pd.concat(parts, ignore_index=True) if len(good) and parts else pd.DataFrame()


def _column(frame: pd.DataFrame, name: str, groups: list[str], source: str, report: Report) -> pd.DataFrame:
    text = frame[name].str.replace(",", "").str.strip()
    value = pd.to_numeric(text, errors="coerce")
    hidden = value.isna() & text.str.lower().isin(SUPPRESSED)
    wrong = value.isna() & ~hidden
    report.flag(frame[wrong], name.upper(), "not_a_number", fate=1)
    report.flag(frame[hidden], name.upper(), "suppressed", fate=USED)
    level = frame["geographic_level"].str.lower()
    code = np.where(level == "national", frame["country_code"], np.where(level == "regional", frame["region_code"],
                    np.where(frame["new_la_code"] != "", frame["new_la_code"], frame["la_code"])))  # fmt: skip
    area = np.where(level == "national", frame["country_name"], np.where(level == "regional", frame["region_name"],
                    frame["la_name"]))  # fmt: skip
    told = frame[groups].apply(lambda row: " | ".join(cell for cell in row if cell), axis=1) if groups else ""
    topic = next((topic for word, topic in TOPICS if word in normal(source)), "")
    return pd.DataFrame({
        "area": area, "area_code": code, "level": level.replace({"local authority": "council"}),
        "date": pd.to_datetime(pd.DataFrame({"year": frame["year"], "month": 3, "day": 31})),
        "measure": f"{topic}.{name}" if topic else name,
        "breakdown": told, "value": value, "unit": "percent" if "percent" in name else "rate" if "rate" in name else "count",
        "status": text.where(hidden, "").str.lower().replace("", "").where(value.isna(), "published"), "source": source,
        "region_code": frame["region_code"], "t": frame["t"], "row": frame["row"],
    })  # fmt: skip


@cache
def _changes() -> dict[str, tuple[str, bool]]:
    """Council codes that were replaced: the code now, and whether the boundary stayed the same."""
    with (FOLDER / "council_changes.csv").open(encoding="utf-8", newline="") as file:
        return {row["old_code"]: (row["new_code"], row["same_boundary"] == "yes") for row in csv.DictReader(file)}


def _like(wanted: str, names: list[str]) -> list[str]:
    """Up to five names, those most like the one wanted; the first ones where none is."""
    near = get_close_matches(wanted, [normal(name) for name in names], n=4, cutoff=0.5)
    like = [name for name in names if normal(name) in near or (wanted[:4] and wanted[:4] in normal(name))]
    like.sort(key=lambda name: near.index(normal(name)) if normal(name) in near else len(near))
    return like[:5] or names[:5]


def _one_council(figures: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Rows of the council by its code, codes it had before on the same boundary included; the rest left out by rule."""
    wanted = normal(report.council)
    council = figures["level"] == "council"
    code, same = _changes().get(report.council.upper(), (report.council, True))
    mine = council & (
        (figures["area"].map(normal) == wanted)
        | figures["area_code"].str.lower().isin({report.council.lower(), code.lower() if same else ""} - {""})
    )
    if not mine.any():
        names = sorted(figures.loc[council, "area"].unique())
        hint = ", ".join(_like(wanted, names))
        raise BadFile(f"--council: found {report.council!r}; the tables hold {len(names)} councils, such as {hint}")
    latest = figures[mine].sort_values("date")["area_code"].iloc[-1]
    codes = {latest} | {old for old, (new, same) in _changes().items() if new == latest and same}
    other = mine & ~figures["area_code"].isin(codes)
    if other.any():
        report.notes.append(
            f"{report.council} had another boundary before: rows under the codes "
            f"{', '.join(sorted(figures.loc[other, 'area_code'].unique()))} are left out"
        )
    keep = council & figures["area_code"].isin(codes)
    regions = set(figures.loc[keep, "region_code"]) - {""}
    beside = (figures["level"] == "national") | (
        (figures["level"] == "regional") & figures["region_code"].isin(regions)
    )
    report.flag(figures.loc[~keep & ~beside, ["t", "row"]].drop_duplicates(), "", "not_this_council", fate=EXCLUDED)
    return figures[keep | beside]


# --- LGBF and tables of figures -----------------------------------------------------------------------------------
def read_lgbf(tables: list[Table], report: Report) -> History:
    """LGBF indicators, whether a row is one figure or a column is one year.

    Raises:
        BadFile: no such table.
    """
    parts = [_lgbf(report, report.add(_kind(table, "indicators"))) for table in tables if is_lgbf(table)]
    if not parts:
        raise BadFile("no table of LGBF indicators: one has a council, an indicator such as CHN9, a year and a value")
    return _history("lgbf", "scotland", _by_name(pd.concat(parts, ignore_index=True), report), report)


def _lgbf(report: Report, number: int) -> pd.DataFrame:
    table = report.tables[number]
    frame = report.good(number)
    area = _first(table, r"authority|council|geography|area")
    indicator, frame = _indicator(table, frame)
    period = _first(table, r"period|year")
    value = _first(table, r"^value|real_value|cash|^figure")
    if indicator and period and value:
        long = pd.DataFrame(
            {"area": frame[area], "measure": frame[indicator], "period": frame[period], "text": frame[value]}
        )
        return _figures(long.assign(t=frame["t"], row=frame["row"]), value, table.file, report)
    columns = [name for name in table.headings if re.search(r"chn\d|\d{4}_\d{2}", name)]
    keys = ["area", "t", "row", "held"]
    wide = frame.rename(columns={area: "area"})
    wide["held"] = wide[indicator] if indicator else ""
    melted = wide.melt(id_vars=keys, value_vars=columns, var_name="heading", value_name="text")
    melted["period"] = melted["heading"].str.extract(r"(\d{4}_\d{2,4}|\d{4})", expand=False).str.replace("_", "-")
    melted["measure"] = melted["held"].where(melted["held"] != "", melted["heading"])
    return _figures(melted, "value", table.file, report)


def _indicator(table: Table, frame: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """(column that says what a row measures, frame): its code and its title together where both are there."""
    columns = [name for name in table.headings if re.search(r"indicator|^code$|measure|title", name)]
    if not columns:
        return "", frame
    joined = frame[columns[0]]
    for name in columns[1:]:
        joined = joined.where(joined == frame[name], joined + " " + frame[name])
    return columns[0], frame.assign(**{columns[0]: joined.str.strip()})


def _first(table: Table, pattern: str) -> str:
    return next((name for name in table.headings if re.search(pattern, name)), "")


def read_published(tables: list[Table], report: Report) -> History:
    """Figures one a row, with source.

    Raises:
        BadFile: no such table.
    """
    parts = []
    for table in tables:
        if not is_published(table):
            report.notes.append(f"{table.file}: not a table of figures, not needed")
            continue
        frame = report.good(report.add(_kind(table, "figures")))
        measure = next(name for name in ("indicator", "id", "measure") if table.has(name))
        told = frame.rename(columns={measure: "measure", "geography": "area", "value": "text"})
        parts.append(_figures(told, "VALUE", table.file, report))
    if not parts:
        raise BadFile("no table of figures: one has indicator (or id), geography, period and value")
    return _history("published", "", _by_name(pd.concat(parts, ignore_index=True), report), report)


def _figures(frame: pd.DataFrame, column: str, source: str, report: Report) -> pd.DataFrame:
    """Rows of measure, area, period and text as figures."""
    text = frame["text"].str.replace(r"[£,%\s]", "", regex=True)
    value = pd.to_numeric(text, errors="coerce")
    hidden = value.isna() & text.str.lower().isin(SUPPRESSED)
    report.flag(frame[value.isna() & ~hidden], column.upper(), "not_a_number", fate=1)
    report.flag(frame[hidden], column.upper(), "suppressed", fate=USED)
    days = {str(period): period_end(str(period)) for period in frame["period"].unique()}
    date = frame["period"].map(days)
    report.flag(frame[date.isna() & (frame["period"] != "")], "PERIOD", "not_a_date", fate=1)
    out = pd.DataFrame({"area": frame["area"], "area_code": "", "level": "council", "date": date.astype("datetime64[s]"),
                        "measure": frame["measure"], "value": value, "status": text.where(hidden, "").where(value.isna(),
                        "published"), "t": frame["t"], "row": frame["row"]})  # fmt: skip
    out["breakdown"] = frame["breakdown"] if "breakdown" in frame.columns else ""
    out["unit"] = frame["unit"] if "unit" in frame.columns else ""
    named = next((frame[name] for name in ("source_title", "source") if name in frame.columns), None)
    out["source"] = source if named is None else named
    return out


def period_end(text: str) -> pd.Timestamp:
    """The last day of a period: a financial year, a calendar date or a year; NaT when it is none of these."""
    if found := re.search(r"(\d{4})\s*[-/_]\s*(\d{2,4})$", text):
        second = int(found[2])
        year = second if second > 99 else int(found[1][:2] + found[2])
        if year == int(found[1]) + 1:
            return pd.Timestamp(year=year, month=3, day=31)
    if found := re.fullmatch(r"(?:mid[- ])?(\d{4})", text.strip().lower()):
        mid = text.strip().lower().startswith("mid")
        return pd.Timestamp(year=int(found[1]), month=6 if mid else 12, day=30 if mid else 31)
    for form in ("%Y-%m-%d", "%d %B %Y", "%d/%m/%Y", "%B %Y", "%Y-%m"):
        day = pd.to_datetime(text.strip(), format=form, errors="coerce")
        if isinstance(day, pd.Timestamp):
            return day
    return pd.NaT  # type: ignore[return-value]


def _by_name(figures: pd.DataFrame, report: Report) -> pd.DataFrame:
    if not report.council:
        return figures
    wanted = normal(report.council)
    mine = figures["area"].map(normal) == wanted
    if not mine.any():
        hint = ", ".join(_like(wanted, sorted(figures["area"].unique())))
        raise BadFile(f"--council: found {report.council!r}; the closest in the tables are {hint}")
    nation = figures["area"].map(normal).isin(["scotland", "england"])
    report.flag(figures[~mine & ~nation], "", "not_this_council", fate=EXCLUDED)
    return figures[mine | nation]


def _history(form: str, nation: str, figures: pd.DataFrame, report: Report) -> History:
    table = tidy(figures, "figures").sort_values(["measure", "breakdown", "area", "date"]).reset_index(drop=True)
    days = table["date"].dropna()
    if not len(days):
        raise BadFile("no figure with a date could be read; see docs/data-formats.md")
    report.counts.update({"figures": len(table), "figures_suppressed": int(table["value"].isna().sum()),
                          "areas": int(table["area"].nunique())})  # fmt: skip
    report.lack("child-level returns", "stays, moves, ages and prices of the council's own children")
    return History(form, nation, report.council, days.min().date(), days.max().date(), tables={"figures": table})
