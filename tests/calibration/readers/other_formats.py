"""Clean files of other formats (CLAS, Annex A, CIN census) written row by row, and defects planted into them one at a time.

A row is a dictionary of text; ``plant`` changes it and returns the rules by which a checker may see it.
"""

import datetime as dt
import xml.etree.ElementTree as ET

import openpyxl

FIRST, LAST = dt.date(2015, 8, 1), dt.date(2025, 3, 31)
CLAS_TYPES = ("With foster carers provided by LA", "With friends/relatives (kinship care)", "Local authority home",
              "At home with parent(s)", "With foster carers purchased by LA")  # fmt: skip
CLAS_ENDS = ("Home with biological parents", "Kinship carers: residence order", "Adoption")


def birth(rng, start):
    return start - dt.timedelta(days=rng.randrange(400, 5500))


def shown(day):
    return "" if day is None else day.strftime("%d/%m/%Y")


def spells(rng, children, most_days=900):
    """(child number, date of birth, start, end or None), one or two periods a child, none past the 18th birthday."""
    for child in range(children):
        start = FIRST + dt.timedelta(days=rng.randrange((LAST - FIRST).days - 1200))
        born = birth(rng, start)
        for _ in range(rng.choice((1, 2))):
            end = start + dt.timedelta(days=rng.randrange(30, most_days))
            if (end - born).days > 17.5 * 365:
                break
            yield child, born, start, end if end < LAST - dt.timedelta(days=40) else None
            if end >= LAST - dt.timedelta(days=40):
                break
            start = end + dt.timedelta(days=rng.randrange(60, 300))


# --- clas -----------------------------------------------------------------------------------------------------------
CLAS_NAMES = {"child": "Child ID", "dob": "Date of Birth", "sex": "Gender", "type": "Placement Type",
              "start": "Placement Start Date", "end": "Placement End Date", "legal": "Legal Reason",
              "code": "Placement Type", "reason": "Destination"}  # fmt: skip


def clas_rows(rng, children=220):
    return [
        {"Child ID": f"S{1000 + n}", "Date of Birth": shown(born), "Gender": rng.choice("MF"),
         "Placement Type": rng.choice(CLAS_TYPES), "Placement Start Date": shown(start), "Placement End Date": shown(end),
         "Legal Reason": "Compulsory Supervision Order", "Destination": rng.choice(CLAS_ENDS) if end else ""}
        for n, born, start, end in spells(rng, children)
    ]  # fmt: skip


# --- annex a: list 8 in a workbook ------------------------------------------------------------------------------------
ANNEX_NAMES = {"child": "Child Unique ID", "dob": "Date of Birth", "start": "Date Started to be Looked After",
               "end": "Date Ceased to be Looked After", "code": "Placement Type",
               "reason": "Reason Ceased to be Looked After"}  # fmt: skip


def annex_rows(rng, children=220):
    rows = []
    for n, born, start, end in spells(rng, children):
        if any(row["Child Unique ID"] == f"A{n}" for row in rows):
            continue
        rows.append({
            "Child Unique ID": f"A{n}", "Gender": "a) Male", "Date of Birth": shown(born),
            "Date Started to be Looked After": shown(start), "Child's Category of Need": "N1 - Abuse or neglect",
            "Child's Legal Status": "C2: FCO", "Date Ceased to be Looked After": shown(end),
            "Reason Ceased to be Looked After": "e) E4A: Returned home" if end else "",
            "Start Date of Most Recent Placement": shown(start), "Placement Type": "f) U6: Foster placement - not FFA",
            "Placement Provider": "e) PR4: Private provision", "Placement Location": "a) In",
        })  # fmt: skip
    return rows


def write_annex(folder, rows):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "List 8"
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append([value or None for value in row.values()])
    folder.mkdir(parents=True, exist_ok=True)
    book.save(folder / "annex a.xlsx")
    return folder, "annex a.xlsx [List 8]"


# --- cin census: one plan of support a child --------------------------------------------------------------------------
CIN_NAMES = {"child": "LAchildID", "dob": "PersonBirthDate", "start": "CINPlanStartDate", "end": "CINPlanEndDate",
             "code": "PrimaryNeedCode", "reason": "ReasonForClosure"}  # fmt: skip


def cin_rows(rng, children=220):
    rows = []
    for n, born, start, end in spells(rng, children):
        rows.append({
            "LAchildID": f"K{n}", "PersonBirthDate": born.isoformat(), "CINreferralDate": start.isoformat(),
            "PrimaryNeedCode": "N1", "ReferralNFA": "0", "CINclosureDate": end.isoformat() if end else "",
            "ReasonForClosure": "RC7" if end else "", "CINPlanStartDate": start.isoformat(),
            "CINPlanEndDate": end.isoformat() if end else "",
        })  # fmt: skip
    return rows


def write_cin(folder, rows):
    """A census in XML; every row is a child element of its own, its referral's line is what a checker names."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, text = [], ["<Message>", "<Children>"]
    for row in rows:
        text += ["<Child>", "<ChildIdentifiers>", *_tags(row, "LAchildID", "PersonBirthDate"), "</ChildIdentifiers>"]
        lines.append(len(text) + 1)
        text += ["<CINdetails>", *_tags(row, "CINreferralDate", "PrimaryNeedCode", "ReferralNFA", "CINclosureDate",
                                        "ReasonForClosure")]  # fmt: skip
        text += ["<CINPlanDates>", *_tags(row, "CINPlanStartDate", "CINPlanEndDate"), "</CINPlanDates>", "</CINdetails>",
                 "</Child>"]  # fmt: skip
    text += ["</Children>", "</Message>"]
    (folder / "cin.xml").write_text("\n".join(text) + "\n", encoding="utf-8")
    ET.parse(folder / "cin.xml")  # noqa: S314  ours: is it XML at all?
    return folder, "cin.xml", lines


def _tags(row, *names):
    return [f"<{name}>{row[name]}</{name}>" for name in names if row[name]]


# --- defects ---------------------------------------------------------------------------------------------------------
def read_day(text):
    return dt.date.fromisoformat(text) if text[4:5] == "-" else dt.datetime.strptime(text, "%d/%m/%Y").date()


def like(day, sample):
    return day.isoformat() if sample[4:5] == "-" else shown(day)


def _dob_after_entry(rows, row, names):
    row[names["dob"]] = like(read_day(row[names["start"]]) + dt.timedelta(days=600), row[names["start"]])
    return ("dob_after_entry", "dob_after_referral", "bad_dob")


def _over_18(rows, row, names):
    row[names["dob"]] = like(read_day(row[names["start"]]) - dt.timedelta(days=19 * 366), row[names["start"]])
    return ("over_18_at_start",)


def _end_before_start(rows, row, names):
    if not row[names["end"]]:
        return None
    row[names["end"]] = like(read_day(row[names["start"]]) - dt.timedelta(days=90), row[names["start"]])
    return ("end_before_start",)


def _duplicate(rows, row, names):
    rows.append(dict(row))
    return ("duplicate_row",)


def _unknown_code(rows, row, names):
    row[names["code"]] = "Q99 unheard of"
    return ("unknown_code", "unknown_label")


def _missing_reason(rows, row, names):
    if not row[names["end"]] or not row[names["reason"]]:
        return None
    row[names["reason"]] = ""
    return ("missing_reason",)


def _impossible(rows, row, names):
    start = row[names["start"]]
    row[names["start"]] = "2021-02-31" if start[4:5] == "-" else "31/02/" + start[-4:]
    return ("impossible_date",)


def _american(rows, row, names):
    start = row[names["start"]]
    if start[4:5] == "-" or int(start[:2]) <= 12:
        return None
    row[names["start"]] = start[3:5] + "/" + start[:2] + start[5:]
    return ("us_date",)


def _blank_start(rows, row, names):
    row[names["start"]] = ""
    return ("blank_start", "blank_date")


OF_ONE = {
    "dob_after_entry": _dob_after_entry, "over_18": _over_18, "end_before_start": _end_before_start,
    "duplicate": _duplicate, "unknown_code": _unknown_code, "missing_reason": _missing_reason, "impossible": _impossible,
    "us_date": _american, "blank_start": _blank_start,
}  # fmt: skip


def plant(kind, rows, at, names):
    """Put a defect into row ``at``; the rules that may see it, or None where this row cannot have it."""
    return OF_ONE[kind](rows, rows[at], names) if kind in OF_ONE else _of_two(kind, rows, at, names)


def _of_two(kind, rows, at, names):
    """Defects that take two rows of a child."""
    mine = [n for n, row in enumerate(rows) if row[names["child"]] == rows[at][names["child"]]]
    if len(mine) != 2:
        return None
    first, second = rows[mine[0]], rows[mine[1]]
    if kind == "overlap":
        if not second[names["end"]]:
            return None
        later = read_day(second[names["start"]]) + dt.timedelta(days=10)
        first[names["end"]] = like(later, first[names["start"]])
        return ("overlapping_episodes",)
    if kind == "two_open":
        first[names["end"]] = second[names["end"]] = ""
        first[names["reason"]] = second[names["reason"]] = ""
        return ("two_open_episodes", "open_then_another")
    raise KeyError(kind)


KINDS = ("dob_after_entry", "over_18", "end_before_start", "duplicate", "unknown_code", "missing_reason", "impossible",
         "us_date", "blank_start", "overlap", "two_open")  # fmt: skip
NOT_THERE = {"annex_a": ("overlap", "two_open"), "cin": ("us_date",), "clas": ()}  # one row a child; dates are ISO
FORMATS = {"clas": (clas_rows, CLAS_NAMES), "annex_a": (annex_rows, ANNEX_NAMES), "cin": (cin_rows, CIN_NAMES)}


def plant_all(rng, form, each=6):
    """(rows, [(kind, rows it may be told at, rules)], children touched), so many of each kind in children of their own."""
    make, names = FORMATS[form]
    rows = make(rng)
    count, planted, touched = len(rows), [], set()
    for kind in KINDS:
        done = 0
        for _ in range(4000):
            at = rng.randrange(count)
            child = rows[at][names["child"]]
            if done == each or kind in NOT_THERE[form]:
                break
            if child in touched:
                continue
            rules = plant(kind, rows, at, names)
            if rules is None:
                continue
            touched.add(child)
            done += 1
            mine = [n for n, row in enumerate(rows) if row[names["child"]] == child]
            two = kind in ("overlap", "two_open")
            planted.append((kind, [len(rows) - 1] if kind == "duplicate" else mine if two else [at], rules))
    return rows, planted, touched
