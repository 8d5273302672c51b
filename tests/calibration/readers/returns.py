"""A small world of looked-after children written as a council would return it, with planted defects and known truth.

As unlike the model as can be: stays are drawn whole from a gamma, placements by rolling a table, nothing competes, nothing
queues, no drift. What matters is that every row is lawful, so that any row the readers refuse is their mistake.
"""

import csv
import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path

PLACES = [("U6", "PR1"), ("U4", "PR1"), ("U6", "PR4"), ("U4", "PR5"), ("U1", "PR1"), ("U3", "PR1"), ("K2", "PR1"),
          ("K2", "PR4"), ("P1", "PR0"), ("S1", "PR4"), ("A5", "PR1"), ("K1", "PR2")]  # fmt: skip
WEIGHTS = [20, 18, 12, 8, 8, 8, 5, 9, 6, 2, 3, 1]
EXITS = ["E4A", "E4B", "E13", "E11", "E12", "E45", "E46", "E41", "E8", "E3"]
EPISODE_COLUMNS = ["CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC", "REASON_PLACE_CHANGE",
                   "HOME_POST", "PL_POST", "URN", "PL_DISTANCE"]  # fmt: skip
HEADER_COLUMNS = ["CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB"]


def birthday(born, years):
    """The day someone turns so old."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return born.replace(year=born.year + years, day=28)


@dataclass
class World:
    """Truth: children and their episodes, in order."""

    children: dict = field(default_factory=dict)  # id -> dict(sex, dob, uasc)
    episodes: list = field(default_factory=list)  # dict per episode, dates as dates, None when open
    referrals: list = field(default_factory=list)
    early_help: list = field(default_factory=list)
    first_year: int = 2015
    last_year: int = 2025

    @property
    def end(self):
        return dt.date(self.last_year, 3, 31)

    def stock(self, day):
        """Children looked after on a day, short breaks apart."""
        return {
            e["CHILD"] for e in self.episodes
            if e["LS"] not in ("V3", "V4") and e["DECOM"] <= day and (e["DEC"] is None or day < e["DEC"])
        }  # fmt: skip


def make_world(seed=1, children=160, first_year=2015, last_year=2025, referrals=300, prefix="C"):
    """So many children, each with one or two periods of care between the years before the first return and the end."""
    rng = random.Random(seed)
    world = World(first_year=first_year, last_year=last_year)
    begin = dt.date(first_year - 4, 4, 1)
    for at in range(children):
        name = f"{prefix}{1000 + at}"
        start = begin + dt.timedelta(days=rng.randrange((world.end - begin).days))
        uasc = rng.random() < 0.06
        age_days = rng.randrange(5600, 6400) if uasc else rng.randrange(1, 6200)
        dob = start - dt.timedelta(days=age_days)
        world.children[name] = {"sex": rng.choice("MF"), "dob": dob, "uasc": uasc}
        for _ in range(rng.choice((1, 1, 1, 2))):
            start = _spell(rng, world, name, dob, start)
            if start is None or start > min(world.end, birthday(dob, 18)) - dt.timedelta(days=60):
                break
    seen = _years_needed(world)
    world.children = {name: about for name, about in world.children.items() if name in seen}
    world.episodes = [e for e in world.episodes if e["CHILD"] in world.children]
    _helped(rng, world, referrals)
    return world


def _years_needed(world):
    first = dt.date(world.first_year - 1, 4, 1)
    return {e["CHILD"] for e in world.episodes if e["DEC"] is None or e["DEC"] >= first}


def _spell(rng, world, name, dob, start):
    """One period of care; returns a day after it on which another could begin, or None."""
    adult = birthday(dob, 18)
    out = start + dt.timedelta(days=max(5, int(rng.gammavariate(1.2, 500))))
    aged = out >= adult
    out = min(out, adult)
    day, rne, ls, need = (
        start,
        "S",
        rng.choice(("V2", "V2", "C1", "L2", "L1")),
        rng.choice(("N1", "N1", "N2", "N5", "N8")),
    )
    place, urn = rng.choices(PLACES, WEIGHTS)[0], f"SC{rng.randrange(10**5):06d}"
    miles = round(rng.expovariate(1 / 12), 1)
    while True:
        stay = max(1, int(rng.expovariate(1 / 220)))
        finish = min(day + dt.timedelta(days=stay), out)
        last = finish >= out
        shown = finish if finish <= world.end else None
        rec = (
            ""
            if shown is None
            else (rng.choice(("E5", "E6", "E17")) if last and aged else rng.choice(EXITS))
            if last
            else "X1"
        )
        step = rng.choice("PPBLTU")
        reason = rng.choice(("CARPL", "OTHER", "CREQB")) if rec == "X1" and step in "PBTU" else ""
        world.episodes.append({
            "CHILD": name, "DECOM": day, "RNE": rne, "LS": ls, "CIN": need, "PLACE": place[0], "PLACE_PROVIDER": place[1],
            "DEC": shown, "REC": rec, "REASON_PLACE_CHANGE": reason, "HOME_POST": "", "PL_POST": "", "URN": urn,
            "PL_DISTANCE": miles, "COST": round(rng.lognormvariate(6.5, 0.8), 2),
        })  # fmt: skip
        if shown is None:
            return None
        if last:
            break
        day, rne = finish, step
        if step in "LBU":
            ls = rng.choice([code for code in ("C1", "C2", "V2", "E1") if code != ls])
        if step in "PB":
            place, urn = rng.choices(PLACES, WEIGHTS)[0], f"SC{rng.randrange(10**5):06d}"
            miles = round(rng.expovariate(1 / 12), 1)
        if step in "TU":
            place = {"U6": ("U4", place[1]), "U4": ("U6", place[1])}.get(place[0], place)
    return None if aged else out + dt.timedelta(days=rng.randrange(40, 500))


def _helped(rng, world, referrals):
    first = dt.date(world.first_year - 1, 4, 1)
    days = (world.end - first).days
    born = {at: first + dt.timedelta(days=rng.randrange(days) - rng.randrange(1, 2400)) for at in range(referrals)}
    for at in range(referrals):
        who = rng.randrange(referrals)
        dob = born[who]
        soonest = max(first, dob)
        when = soonest + dt.timedelta(days=rng.randrange(max(1, min((world.end - soonest).days, 6000))))
        world.referrals.append({
            "REFERRAL_ID": f"R{at}", "CHILD": f"F{who}", "DOB": dob, "REF_DATE": when,
            "SOURCE": rng.choice(("Police", "School", "Health")), "LOCALITY": rng.choice(("East", "West")),
            "PRIMARY_NEED": f"N{rng.randrange(1, 9)}",
            "OUTCOME": rng.choice(("No further action", "Early help", "Assessment")),
            "RE_REFERRAL_12M": rng.choice("01"),
        })  # fmt: skip
    for at in range(referrals // 5):
        when = first + dt.timedelta(days=rng.randrange(days))
        end = when + dt.timedelta(days=rng.randrange(20, 300))
        world.early_help.append({
            "EH_ID": f"E{at}", "CHILD": f"G{at}", "DOB": when - dt.timedelta(days=rng.randrange(1, 6400)),
            "START_DATE": when, "END_DATE": end if end <= world.end else None, "LOCALITY": rng.choice(("East", "West")),
            "ROUTE": rng.choice(("Referral", "Community")),
            "OUTCOME": rng.choice(("Needs met", "Disengaged", "Stepped up")) if end <= world.end else "",
        })  # fmt: skip


def yearly(world):
    """{year: {"episodes": rows, "header": rows, "uasc": rows}} of text, each return as it stood on its 31 March."""
    out = {}
    for year in range(world.first_year, world.last_year + 1):
        first, last = dt.date(year - 1, 4, 1), dt.date(year, 3, 31)
        rows = []
        for e in world.episodes:
            if e["DECOM"] > last or (e["DEC"] is not None and e["DEC"] < first):
                continue
            later = e["DEC"] is None or e["DEC"] > last
            shown = {**e, "DEC": None, "REC": "", "REASON_PLACE_CHANGE": ""} if later else e
            rows.append({name: text(shown[name]) for name in EPISODE_COLUMNS})
        names = list(dict.fromkeys(row["CHILD"] for row in rows))
        about = world.children
        header = [
            {"CHILD": n, "SEX": sex(about[n]["sex"], year), "DOB": text(about[n]["dob"]), "ETHNIC": "WBRI", "UPN": "UN1",
             "MOTHER": "", "MC_DOB": ""} for n in names
        ]  # fmt: skip
        uasc = [{"CHILD": n, "SEX": sex(about[n]["sex"], year), "DOB": text(about[n]["dob"]), "DUC": ""} for n in names
                if about[n]["uasc"]]  # fmt: skip
        out[year] = {"episodes": rows, "header": header, "uasc": uasc}
    return out


def sex(letter, year):
    """1 and 2 until the return of 2024."""
    return letter if year > 2024 else {"M": "1", "F": "2"}[letter]


def text(value):
    """As in a file."""
    if value is None:
        return ""
    return value.strftime("%d/%m/%Y") if isinstance(value, dt.date) else str(value)


def write_csv(path, rows, columns=None, encoding="utf-8", separator=","):
    """Rows of dictionaries as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = columns or list(rows[0])
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(names)
        writer.writerows([[row.get(name, "") for name in names] for row in rows])


def write_returns(folder, returns, companions_of=None, style=0):
    """Yearly folders (or files) in one of several styles, and the companion files."""
    folder = Path(folder)
    for year, tables in returns.items():
        for kind, columns in (
            ("episodes", EPISODE_COLUMNS),
            ("header", HEADER_COLUMNS),
            ("uasc", ["CHILD", "SEX", "DOB", "DUC"]),
        ):
            if tables[kind] or kind != "uasc":
                write_csv(_path(folder, year, kind, style), tables[kind], columns)
    if companions_of is not None:
        write_companions(folder, companions_of)
    return folder


def _path(folder, year, kind, style):
    """Where a table goes: in yearly folders, in files with the year in their names, or in folders in capitals."""
    span = f"{year - 1}-{year % 100:02d}"
    return (
        folder / span / f"{kind.title()}.csv",
        folder / f"SSDA903_{year}_{kind.upper()}.CSV",
        folder / f"903 {year - 1}_{year}" / f"{kind}.csv",
    )[style]


def write_companions(folder, world):
    """referrals, early help, costs and capacity."""
    write_csv(folder / "referrals.csv", [{k: text(v) for k, v in row.items()} for row in world.referrals])
    write_csv(folder / "early_help.csv", [{k: text(v) for k, v in row.items()} for row in world.early_help])
    write_csv(folder / "costs.csv", [
        {"CHILD": e["CHILD"], "DECOM": text(e["DECOM"]), "WEEKLY_COST": e["COST"], "DISTANCE_MILES": e["PL_DISTANCE"]}
        for e in world.episodes if e["DEC"] is None or e["DEC"] >= dt.date(world.first_year - 1, 4, 1)
    ])  # fmt: skip
    months = [dt.date(y, m, 28) for y in range(world.first_year, world.last_year) for m in range(1, 13)]
    write_csv(folder / "capacity.csv", [{"DATE": text(d), "IN_HOUSE_FOSTER": 60, "IN_HOUSE_HOMES": 12} for d in months])
