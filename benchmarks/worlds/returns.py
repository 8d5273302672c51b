"""The council's yearly returns (SSDA903), one folder a year, as they would be on a day."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from benchmarks.worlds.world import World

EPISODE_COLUMNS = ("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "PLACE_PROVIDER", "DEC", "REC", "REASON_PLACE_CHANGE",
                   "HOME_POST", "PL_POST", "URN", "PL_DISTANCE")  # fmt: skip
RESPITE_SHARE = 0.03  # children in short breaks, per child looked after: in the files, not in the stock


def name_of(child: "pd.Series[int]") -> pd.Series:
    """The council's own number of a child."""
    return "C" + child.astype(int).map("{:07d}".format)


def as_text(days: pd.Series) -> pd.Series:
    """Ordinal days as dd/mm/yyyy; blank for 0."""
    shown = {day: "" if day == 0 else dt.date.fromordinal(int(day)).strftime("%d/%m/%Y") for day in days.unique()}
    return days.map(shown)


def known_on(episodes: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Episodes as known at the end of a day: later ones gone, later ends and their reasons blank."""
    last = day.toordinal()
    out = episodes[episodes["start"] <= last].copy()
    later = (out["end"] > last) | (out["end"] == 0)
    out.loc[later, "end"] = 0
    out.loc[later, ["rec", "reason"]] = ""
    return out


def write_returns(world: "World", folder: Path, as_at: dt.date) -> None:
    """Header, episodes and unaccompanied children of every year, the last one cut on the day."""
    every = pd.concat([world.episodes, _respite(world)], ignore_index=True).sort_values(
        ["child", "start"], kind="stable"
    )
    last = as_at.year + (as_at > dt.date(as_at.year, 3, 31))
    for year in range(world.begins.year + 1, last + 1):
        closes = min(as_at, dt.date(year, 3, 31))
        opened = dt.date(year - 1, 4, 1).toordinal()
        rows = known_on(every, closes)
        rows = rows[(rows["end"] == 0) | (rows["end"] >= opened)]
        inside = folder / f"SSDA903_{year - 1}-{year % 100:02d}"
        inside.mkdir(parents=True, exist_ok=True)
        _episodes(rows).to_csv(inside / "Episodes.csv", index=False)
        people = world.children[world.children["child"].isin(rows["child"])]
        people = pd.concat([people, _respite_children(world, rows)], ignore_index=True)
        sex = people["sex"].map({"M": "1", "F": "2"}) if year <= 2023 else people["sex"]
        born = as_text(people["birth"])
        number = name_of(people["child"])
        pd.DataFrame({"CHILD": number, "SEX": sex, "DOB": born, "ETHNIC": "WBRI", "UPN": "UN3", "MOTHER": "", "MC_DOB": ""}
                     ).to_csv(inside / "Header.csv", index=False)  # fmt: skip
        alone = people["alone"].astype(bool)
        pd.DataFrame({"CHILD": number[alone], "SEX": sex[alone], "DOB": born[alone], "DUC": ""}
                     ).to_csv(inside / "UASC.csv", index=False)  # fmt: skip


def _episodes(rows: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "CHILD": name_of(rows["child"]), "DECOM": as_text(rows["start"]), "RNE": rows["rne"], "LS": rows["law_code"],
        "CIN": rows["need"], "PLACE": rows["place"], "PLACE_PROVIDER": rows["provider"], "DEC": as_text(rows["end"]),
        "REC": rows["rec"], "REASON_PLACE_CHANGE": rows["reason"], "HOME_POST": "", "PL_POST": "", "URN": rows["urn"],
        "PL_DISTANCE": rows["miles"],
    }  # fmt: skip
    return pd.DataFrame(columns)[list(EPISODE_COLUMNS)]


def _respite(world: "World") -> pd.DataFrame:
    """Short breaks (V4) of children who are not looked after."""
    rng = np.random.default_rng([world.seed, world.size, 4])
    number = round(RESPITE_SHARE * world.size)
    first, last = world.begins.toordinal(), world.end.toordinal()
    top = int(world.children["child"].max()) + 1
    rows = []
    for child in range(top, top + number):
        start = int(rng.integers(first, last - 400))
        end = start + int(rng.integers(90, 700))
        rows.append((child, start, end if end < last + 900 else 0, int(rng.integers(1500, 4200))))
    made = pd.DataFrame(rows, columns=["child", "start", "end", "age_days"])
    return made.assign(rne="S", law_code="V4", need="N2", place="R2", provider="PR3", rec="E8", reason="", urn="", miles=8.0,
                       weekly_gbp=np.nan)  # fmt: skip


def _respite_children(world: "World", rows: pd.DataFrame) -> pd.DataFrame:
    some = rows[rows["law_code"] == "V4"]
    return pd.DataFrame({"child": some["child"], "birth": some["start"] - some["age_days"].astype(int), "alone": False,
                         "family": 0, "sex": "M"})  # fmt: skip
