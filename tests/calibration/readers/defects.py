"""Defects planted one by one into clean returns: where each stands, and the rules that may see it."""

import datetime as dt
from dataclasses import dataclass

from tests.calibration.readers.returns import birthday, text


@dataclass(frozen=True)
class Planted:
    kind: str
    table: str
    year: int
    at: int  # row number in its table, from 0
    rules: tuple


def day(cell):
    return dt.datetime.strptime(cell, "%d/%m/%Y").date()


def _dob_after_entry(rng, tables, row, world):
    where = next(i for i, h in enumerate(tables["header"]) if h["CHILD"] == row["CHILD"])
    tables["header"][where]["DOB"] = text(day(row["DECOM"]) + dt.timedelta(days=rng.randrange(20, 900)))
    return "header", tables["header"][where], ("dob_after_entry",)


def _end_before_start(rng, tables, row, world):
    if not row["DEC"]:
        return None
    row["DEC"] = text(day(row["DECOM"]) - dt.timedelta(days=rng.randrange(1, 400)))
    return "episodes", None, ("end_before_start",)


def _duplicate(rng, tables, row, world):
    tables["episodes"].append(dict(row))
    return "episodes", tables["episodes"][-1], ("duplicate_row",)


def _overlap(rng, tables, row, world):
    mine = sorted((day(e["DECOM"]), i) for i, e in enumerate(tables["episodes"]) if e["CHILD"] == row["CHILD"])
    for (_, a), (begins, b) in zip(mine, mine[1:], strict=False):
        first, second = tables["episodes"][a], tables["episodes"][b]
        if first["DEC"] and second["DEC"] and (day(second["DEC"]) - begins).days > 4:
            first["DEC"] = text(begins + dt.timedelta(days=2))
            return "episodes", first, ("overlapping_episodes",)
    return None


def _unknown(column):
    def plant(rng, tables, row, world):
        row[column] = rng.choice(("ZZ", "Q9", "??", "X99"))
        if column == "REC" and not row["DEC"]:
            row["REC"] = ""
            return None
        return "episodes", None, ("unknown_code",)

    return plant


def _not_in_header(rng, tables, row, world):
    tables["header"] = [h for h in tables["header"] if h["CHILD"] != row["CHILD"]]
    return "episodes", None, ("child_not_in_header",)


def _two_open(rng, tables, row, world):
    mine = [i for i, e in enumerate(tables["episodes"]) if e["CHILD"] == row["CHILD"]]
    if len(mine) < 2 or all(tables["episodes"][i]["DEC"] for i in mine):
        return None
    closed = next(i for i in mine if tables["episodes"][i]["DEC"])
    tables["episodes"][closed].update(DEC="", REC="")
    return "episodes", tables["episodes"][closed], ("two_open_episodes", "open_then_another")


def _missing_reason(rng, tables, row, world):
    if not row["DEC"]:
        return None
    row["REC"] = ""
    return "episodes", None, ("missing_reason",)


def _impossible(column):
    def plant(rng, tables, row, world):
        if not row[column]:
            return None
        row[column] = rng.choice(("31/02/", "30/02/", "31/04/", "31/11/")) + row[column][-4:]
        return "episodes", None, ("impossible_date",)

    return plant


def _american(column):
    def plant(rng, tables, row, world):
        if not row[column] or int(row[column][:2]) <= 12:
            return None
        row[column] = row[column][3:5] + "/" + row[column][:2] + row[column][5:]
        return "episodes", None, ("us_date",)

    return plant


def _blank_start(rng, tables, row, world):
    row["DECOM"] = ""
    return "episodes", None, ("blank_start",)


def _over_18(rng, tables, row, world):
    where = next(i for i, h in enumerate(tables["header"]) if h["CHILD"] == row["CHILD"])
    first = min(day(e["DECOM"]) for e in tables["episodes"] if e["CHILD"] == row["CHILD"] and e["DECOM"])
    tables["header"][where]["DOB"] = text(birthday(first, -19))
    at = next(i for i, e in enumerate(tables["episodes"]) if e["CHILD"] == row["CHILD"])
    return "episodes", tables["episodes"][at], ("over_18_at_start",)


DEFECTS = {
    "dob_after_entry": _dob_after_entry, "end_before_start": _end_before_start, "duplicate": _duplicate,
    "overlap": _overlap, "unknown_place": _unknown("PLACE"), "unknown_ls": _unknown("LS"), "unknown_rne": _unknown("RNE"),
    "unknown_rec": _unknown("REC"), "unknown_provider": _unknown("PLACE_PROVIDER"), "unknown_need": _unknown("CIN"),
    "not_in_header": _not_in_header, "two_open": _two_open, "missing_reason": _missing_reason,
    "impossible_start": _impossible("DECOM"), "impossible_end": _impossible("DEC"), "us_start": _american("DECOM"),
    "us_end": _american("DEC"), "blank_start": _blank_start, "over_18": _over_18,
}  # fmt: skip


def plant(returns, world, rng, kinds=tuple(DEFECTS), each=3):
    """So many of each kind, each in a child of its own; returns them with where they stand."""
    planted, touched = [], set()
    spots = [(year, row["CHILD"]) for year, tables in returns.items() for row in tables["episodes"]]
    for kind in kinds:
        done = 0
        for _ in range(4000):
            if done == each:
                break
            year, child = rng.choice(spots)
            if child in touched:
                continue
            tables = returns[year]
            at = rng.choice([i for i, e in enumerate(tables["episodes"]) if e["CHILD"] == child])
            made = DEFECTS[kind](rng, tables, tables["episodes"][at], world)
            if made is None:
                continue
            table, where, rules = made
            touched.add(child)
            planted.append((kind, table, year, tables["episodes"][at] if where is None else where, rules))
            done += 1
    return [_placed(returns, *one) for one in planted], touched


def _placed(returns, kind, table, year, row, rules):
    at = next(i for i, other in enumerate(returns[year][table]) if other is row)
    return Planted(kind, table, year, at, rules)
