"""Small invented tables in the layouts of DfE's open data: two councils, their region and England, 2019 to 2025."""

import csv
from pathlib import Path

YEARS = range(2019, 2026)
PLACES = (
    "time_period",
    "time_identifier",
    "geographic_level",
    "country_code",
    "country_name",
    "region_code",
    "region_name",
    "old_la_code",
    "la_name",
    "new_la_code",
)
AREAS = {  # name -> level, size in children looked after, code, region code
    "England": ("National", 80000.0, "E92000001", ""),
    "Midshire and Coast": ("Regional", 8000.0, "", "E12000099"),
    "Northshire": ("Local authority", 300.0, "E10000901", "E12000099"),
    "South Borough": ("Local authority", 150.0, "E06000902", "E12000099"),
}
SWING = {
    "Northshire": (1.0, 1.04, 0.99, 0.97, 1.05, 1.08, 1.02),
    "South Borough": (1.0, 0.9, 1.02, 1.1, 0.96, 1.0, 1.06),
}
PLACEMENT = {
    "Foster placements": 0.68,
    "Secure homes and children's homes": 0.10,
    "Residential schools": 0.004,
    "Other residential settings": 0.016,
    "Placed for adoption": 0.03,
    "Other placements": 0.01,
    "Placed with parents or other person with parental responsibility": 0.07,
    "Independent and semi-independent living arrangements/supported accommodation": 0.09,
}
AGE = {
    "Under 1 year": 0.05,
    "1 to 4 years": 0.13,
    "5 to 9 years": 0.18,
    "10 to 15 years": 0.38,
    "16 years and over": 0.26,
}
START_AGE = {
    "Under 1 year": 0.18,
    "1 to 4 years": 0.16,
    "5 to 9 years": 0.17,
    "10 to 15 years": 0.28,
    "16 years and over": 0.21,
}
PROVIDER = {
    "Own provision (by the LA)": 0.43,
    "Private provision": 0.42,
    "Other LA provision": 0.01,
    "Parents or other person with parental responsibility": 0.07,
    "Voluntary/third sector provision": 0.07,
}
DISTANCE = {
    "Placed 20 miles or less from home": 0.70,
    "Placed more than 20 miles from home": 0.22,
    "Distance not known or not recorded": 0.08,
}
LOCALITY = {"Placed inside the local authority boundary": 0.56, "Placed outside the local authority boundary": 0.44}
UASC = "Unaccompanied asylum-seeking children"
NON = "Children excluding unaccompanied asylum-seeking children"
LEFT = {
    "Adopted": 0.09,
    "Special guardianship order": 0.12,
    "Residence order or child arrangement order granted": 0.03,
    "Returned home to live with parents or other person with parental responsibility which was part of the care planning "
    "process": 0.16,
    "Returned home to live with parents or other person with parental responsibility which was not part of the care "
    "planning process": 0.03,
    "Left care to live with parents, relatives or other person with no parental responsibility": 0.05,
    "Aged 18 (or over) and remained with current carers": 0.18,
    "Care taken by another local authority": 0.01,
    "Moved into independent living (with supportive accommodation)": 0.2,
    "Care ceased for any other reason": 0.13,
}
LEFT_AGE = {
    "Under 1 year": 0.05,
    "1 to 4 years": 0.18,
    "5 to 9 years": 0.11,
    "10 to 15 years": 0.14,
    "16 years": 0.05,
    "17 years": 0.06,
    "18 years and over": 0.41,
}
CHANGES = {"Change in the status of a placement only": 0.12, "Other": 0.48}


def size(area: str, year: int) -> int:
    """Children looked after on 31 March."""
    return round(AREAS[area][1] * SWING.get(area, (1.0,) * 7)[year - 2019])


def write(folder: Path, until: int = 2025, layout: int = 2025, without: tuple[str, ...] = ()) -> Path:
    """Write the tables; ``until`` drops later years, ``layout`` 2024 uses the columns of the releases before 2025."""
    folder.mkdir(parents=True, exist_ok=True)
    years = [year for year in YEARS if year <= until]
    for name, rows in (
        ("cla_number_and_rate_per_10k_children", _rates(years)),
        ("la_cla_on_31_march_by_characteristics", _stock([y for y in years if y > 2019])),
        ("la_children_who_started_to_be_looked_after_during_the_year", _started([y for y in years if y > 2019])),
        ("la_children_who_ceased_during_the_year", _ceased([y for y in years if y > 2019])),
        ("la_cla_during_year_new_placements", _moved([y for y in years if y > 2020])),
        ("b1_children_in_need_2013_to_2025", _need(years)),
        ("c1_children_in_need_referrals_and_rereferrals_2013_to_2025", _referred(years)),
    ):
        if name not in without:
            _save(folder / f"{name}.csv", rows, layout)
    return folder


def _save(file: Path, rows: list[dict[str, object]], layout: int) -> None:
    old = {
        "characteristic": "cla_group",
        "breakdown": "characteristic",
        "children_count": "number",
        "children_percent": "percentage",
    }
    if layout == 2024 and "characteristic" in rows[0]:
        rows = [{old.get(key, key): value for key, value in row.items()} for row in rows]
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _place(area: str, year: int) -> dict[str, object]:
    level, _, code, region = AREAS[area]
    national, regional = level == "National", level == "Regional"
    cells = (
        year,
        "Reporting year",
        level,
        "E92000001",
        "England",
        "" if national else "E12000099",
        "" if national else "Midshire and Coast",
        "" if national or regional else code[-3:],
        "" if national or regional else area,
        "" if national or regional else code,
    )
    return dict(zip(PLACES, cells, strict=True))


def _groups(years: list[int], group: str, shares: dict[str, float], part: float) -> list[dict[str, object]]:
    """Counts of one group that sum to its total; small ones of councils are hidden."""
    rows = []
    for year in years:
        for area, (level, *_) in AREAS.items():
            total = round(part * size(area, year))
            counts = {label: round(total * share) for label, share in shares.items()}
            first = next(iter(counts))
            counts[first] += total - sum(counts.values())
            hide = level == "Local authority"
            for label, count in [*counts.items(), ("Total", total)]:
                shown = "c" if hide and 0 < count <= 5 and label != "Total" else str(count)
                rows.append(
                    _place(area, year)
                    | {
                        "characteristic": group,
                        "breakdown": label,
                        "children_count": shown,
                        "children_percent": "c" if shown == "c" else "1",
                    }
                )
    return rows


def _rates(years: list[int]) -> list[dict[str, object]]:
    rows = []
    for year in years:
        for area in AREAS:
            stock, people = size(area, year), round(AREAS[area][1] * 150)
            for kind, part in (
                ("Children looked after on 31 March each year", 1.0),
                ("Children starting to be looked after each year", 0.38),
                ("Children ceasing to be looked after each year", 0.37),
            ):
                rows.append(
                    _place(area, year)
                    | {
                        "population_type": kind,
                        "population_estimate": people,
                        "children_count": round(part * stock),
                        "rate_per_10000": 60,
                    }
                )
    return rows


def _stock(years: list[int]) -> list[dict[str, object]]:
    rows = _groups(years, "Placement", PLACEMENT, 1.0) + _groups(years, "Age group", AGE, 1.0)
    rows += _groups(years, "Place providers", PROVIDER, 1.0)
    rows += _groups(years, "Distance between home and placement", DISTANCE, 1.0)
    rows += _groups(years, "Locality of placement", LOCALITY, 1.0)
    return rows + _groups(years, UASC, {"Non-UASC": 0.93, "UASC": 0.07}, 1.0)


def _started(years: list[int]) -> list[dict[str, object]]:
    rows = _groups(years, "Age on starting", START_AGE, 0.38)
    return rows + _groups(years, UASC, {NON: 0.86, UASC: 0.14}, 0.38)


def _ceased(years: list[int]) -> list[dict[str, object]]:
    return _groups(years, "Reason episode ceased", LEFT, 0.37) + _groups(years, "Age on ceasing", LEFT_AGE, 0.37)


def _moved(years: list[int]) -> list[dict[str, object]]:
    rows = []
    for year in years:
        for area in AREAS:
            stock = size(area, year)
            counts = {label: round(share * stock) for label, share in CHANGES.items()}
            for label, count in [*counts.items(), ("Total placements changing", sum(counts.values()))]:
                rows.append(
                    _place(area, year)
                    | {
                        "characteristic": "Reason for placement change during the year",
                        "breakdown": label,
                        "children_count": count,
                        "children_percent": 1,
                    }
                )
    return rows


def _need(years: list[int]) -> list[dict[str, object]]:
    return [
        _place(area, year)
        | {
            "category": "Children in Need",
            "At31_episodes": 5 * size(area, year),
            "Started_episodes": 5 * size(area, year),
        }
        for year in years
        for area in AREAS
    ]


def _referred(years: list[int]) -> list[dict[str, object]]:
    return [
        _place(area, year)
        | {
            "category": "Referrals and Re-referrals",
            "referral_count": 8 * size(area, year),
            "rereferral_percent": 21.5,
            "no_further_action_percent": 6.0,
            "not_in_need_percent": 30.0,
        }
        for year in years
        for area in AREAS
    ]
