"""Which files are there, what each holds, and which format they make together."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from carecast.calibration.readers.table import BOOK_SUFFIXES, TEXT_SUFFIXES, Table, read_tables
from carecast.model.parameters import BadFile

FORMATS = ("ssda903", "clas", "annex_a", "cin", "tidy", "dfe", "lgbf", "published")
OLD_SUFFIXES = (".xls", ".xlsb", ".ods", ".zip", ".accdb", ".mdb")
SUFFIXES = (*TEXT_SUFFIXES, *BOOK_SUFFIXES, ".xml")
ALIASES = {
    "child": ("child_id", "childid", "child_number", "lachildid", "la_child_id", "child_unique_id", "person_id"),
    "dob": ("date_of_birth", "birth_date", "personbirthdate", "dateofbirth"),
    "sex": ("gender",),
}
ALIASES_903 = {
    "place_provider": ("placement_provider", "provider_type"),
    "place": ("placement",),
    "reason_place_change": ("reason_for_placement_change",),
}
OTHER_903 = {  # a column that tells, the table it belongs to
    "sdq_score": "oc2", "sdq_reason": "oc2", "health_check": "oc2", "immunisations": "oc2", "date_int": "ad1",
    "date_match": "ad1", "mis_start": "missing", "missing": "missing", "in_touch": "oc3", "accom": "oc3",
    "date_placed": "placed for adoption", "prev_perm": "previous permanence", "review": "reviews",
    "review_code": "reviews", "sw_id": "social workers", "sw_decom": "social workers", "dolo_start": "dolo",
}  # fmt: skip
YEAR_COLUMNS = ("year", "return_year", "collection_year", "submission_year", "reporting_year", "financial_year", "yr")
NAMES_903 = (
    "oc2",
    "oc3",
    "ad1",
    "reviews",
    "missing",
    "prevperm",
    "prev_perm",
    "sbpfa",
    "placedadoption",
    "social",
    "dolo",
)
COMPANIONS = {
    "referrals": ("ref_date",),
    "early_help": ("eh_id", "start_date"),
    "costs": ("child", "decom", "weekly_cost"),
    "capacity": ("date", "in_house_foster"),
}


def files_under(path: Path) -> list[Path]:
    """The files to look at, in an order that does not depend on the disk.

    Raises:
        BadFile: there is no such path, or nothing in it that could be read.
    """
    try:
        there = path.exists()
    except OSError:  # a folder above it that may not be looked into
        there = False
    if not there:
        raise BadFile(f"{path}: no such file or folder, or no leave to read it")
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise BadFile(f"{path}: files of this kind are not read; should be CSV, XLSX or XML, or a folder of them")
        return [path]
    inside = [found for found in _walk(path, []) if found.suffix.lower() in SUFFIXES]
    if not inside:
        raise BadFile(f"{path}: holds no CSV, XLSX or XML file", *unread_under(path))
    return sorted(inside, key=lambda found: (str(found.relative_to(path)).lower(), str(found)))


def unread_under(path: Path) -> list[str]:
    """What a folder holds that cannot be read: old workbooks and folders without leave, each with what would help."""
    closed: list[str] = []
    old = [found for found in _walk(path, closed) if found.suffix.lower() in OLD_SUFFIXES]
    return [
        *(f"{found.relative_to(path).as_posix()}: not read; save it as XLSX or CSV" for found in sorted(old)),
        *(f"{folder}: cannot be opened; give leave to read it" for folder in sorted(closed)),
    ]


def _walk(path: Path, closed: list[str]) -> list[Path]:
    """Every file under a folder but hidden ones and locks; folders that cannot be opened go on the list."""
    found = []
    for folder, _, names in os.walk(path, onerror=lambda error: closed.append(str(error.filename))):
        found += [Path(folder) / name for name in names if not name.startswith((".", "~$"))]
    return [each for each in found if each.is_file()]


def all_tables(path: Path) -> tuple[list[Table], list[Path], list[str]]:
    """(tables of CSV and XLSX files with standard headings, XML files, what could not be opened)."""
    tables: list[Table] = []
    documents: list[Path] = []
    bad: list[str] = [] if path.is_file() else unread_under(path)
    for found in files_under(path):
        shown = found.name if path.is_file() else found.relative_to(path).as_posix()
        if found.suffix.lower() == ".xml":
            documents.append(found)
            continue
        try:
            made = read_tables(found, shown)
        except BadFile as error:
            bad += error.lines
            continue
        if not made:
            bad.append(f"{shown}: holds no table with a heading; see docs/data-formats.md")
        for table in made:
            _rename(table)
            table.year = year_in(shown)
            tables.append(table)
    return tables, documents, bad


def _rename(table: Table) -> None:
    names = set(table.headings)
    change = {}
    for wanted, others in (ALIASES | (ALIASES_903 if "decom" in names else {})).items():
        if wanted not in names:
            found = next((other for other in others if other in names), None)
            if found is not None:
                change[found] = wanted
    if change:
        table.frame = table.frame.rename(columns=change)
        table.headings = tuple(change.get(name, name) for name in table.headings)


def year_in(name: str) -> int | None:
    """The calendar year a return ends in, as its folder or file says: ``2019-20``, ``201920`` and ``2020`` are 2020."""
    spans = re.findall(r"(?<!\d)(20\d\d)\s*(?:[-_/ ]|to)?\s*(20)?(\d\d)(?!\d)", name)
    for first, _, second in spans:
        if (int(first) + 1) % 100 == int(second):
            return int(first) + 1
    single = re.findall(r"(?<!\d)(20[0-4]\d)(?!\d)", name)
    return int(single[-1]) if single else None


def split_by_year(table: Table) -> list[Table]:
    """A table that holds several returns, the year of each row in a column, as one table a return; else as it is."""
    column = next((name for name in YEAR_COLUMNS if name in table.headings), None)
    if column is None:
        return [table]
    years = [year_in(text) or 0 for text in table.frame[column].astype(str)]
    told = set(years) - {0}
    if len(told) < 2 or years.count(0) > 0.05 * len(years):
        return [table]
    return table.parts(years)


def kind_of_903(table: Table) -> str:
    """``episodes``, ``header``, ``uasc``, a companion, another table of the return (in brackets), or nothing."""
    name = table.file.rsplit("/", 1)[-1].lower()
    if table.has("child", "decom") and table.any_of("place", "ls", "rne", "rec", "dec"):
        return "episodes"
    companion = companion_of(table)
    if companion:
        return companion
    if not table.has("child"):
        return ""
    if table.has("duc") or "uasc" in name:
        return "uasc"
    other = next((OTHER_903[column] for column in table.headings if column in OTHER_903), None)
    if other or any(word in name for word in NAMES_903):
        return f"({other or 'other table of the return'})"
    if table.has("dob") and (table.any_of("sex", "ethnic", "upn", "mother", "mc_dob") or "header" in name):
        return "header"
    return ""


def companion_of(table: Table) -> str:
    """Which companion file this is, if one."""
    if table.has("ref_date") and table.any_of("referral_id", "child", "outcome"):
        return "referrals"
    if table.has("start_date") and table.any_of("eh_id", "route"):
        return "early_help"
    if table.has("child", "decom") and table.any_of("weekly_cost", "distance_miles"):
        return "costs"
    if table.has("date") and table.any_of("in_house_foster", "in_house_homes"):
        return "capacity"
    return ""


def names(tables: Iterable[Table]) -> str:
    """Their files, for a message."""
    return ", ".join(sorted({table.file for table in tables}))
