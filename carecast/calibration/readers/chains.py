"""Episodes chained into periods of care and placements: what overlaps is cut, what only changes in law is merged."""

import numpy as np
import pandas as pd

from carecast.calibration.readers.codes import placement_type, ssda903
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import REPAIRED, USED

PLACEMENT = ["id", "spell", "order"]
BRIDGED_GAP_DAYS = 7  # a row that says it carries on so few days after the last ended does
LONGEST_ABSENCE_DAYS = 42  # a temporary placement (hospital, holidays) beyond this is a placement of its own
SAME_CARER = ("L", "T", "U")
START_KINDS = {"S": "entry", "P": "move", "B": "move", "L": "same_carer", "T": "same_carer", "U": "same_carer"}


def untangle(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """No two rows of a child at once: the earlier ends where the later begins; small gaps inside a stay are closed."""
    rows = rows.sort_values(["id", "decom"]).reset_index(drop=True)
    following = rows.groupby("id", sort=False)["decom"].shift(-1)
    next_rne = rows.groupby("id", sort=False)["rne"].shift(-1).fillna("")
    over = rows["dec"].notna() & (rows["dec"] > following)
    report.flag(rows[over], "DEC", "overlapping_episodes", fate=REPAIRED)
    rows.loc[over, "dec"], rows.loc[over, "rec"] = following[over], "X1"
    gap = (following - rows["dec"]).dt.days
    says_on = next_rne.isin([*SAME_CARER, "P", "B"]) & rows["rec"].isin(["X1", ""])
    small = says_on & (gap > 0) & (gap <= BRIDGED_GAP_DAYS)
    report.flag(rows[small.groupby(rows["id"]).shift(1, fill_value=False)], "DECOM", "gap_in_chain")
    rows.loc[small, "dec"], rows.loc[small, "rec"] = following[small], "X1"
    return rows


def chain(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Number the periods of care; say where a row and its neighbour disagree about beginning and ending."""
    before = rows.groupby("id", sort=False)["dec"].shift(1)
    first_of_child = ~rows.duplicated("id")
    joins = ~first_of_child & (before == rows["decom"])
    rows["spell"] = (~joins).groupby(rows["id"], sort=False).cumsum().astype("int64") - 1
    continues = joins.groupby(rows["id"], sort=False).shift(-1, fill_value=False)
    leaves = ~rows["rec"].isin(["", "X1"])
    report.flag(rows[leaves & continues], "REC", "exit_then_continues", fate=USED)
    report.flag(rows[joins & (rows["rne"] == "S")], "RNE", "starts_again_same_day", fate=USED)
    stranded = (rows["rec"] == "X1") & rows["dec"].notna() & ~continues
    report.flag(rows[stranded], "REC", "end_without_continuation", fate=USED)
    middle = ~joins & rows["rne"].isin([*SAME_CARER, "P", "B"])
    report.flag(rows[middle & (rows["decom"] >= rows["window"])], "RNE", "starts_in_the_middle", fate=USED)
    rows["joins"], rows["continues"] = joins, continues
    rows["begins"] = np.where(joins, rows["rne"].map(START_KINDS).fillna("move"), "entry")
    rows.loc[joins & (rows["rne"] == "S"), "begins"] = "move"
    rows.loc[middle, "begins"] = "already_in_care"
    causes = {code: entry.means for code, entry in ssda903("REC").items()}
    rows["cause"] = np.where(
        rows["dec"].isna() | continues, "", rows["rec"].map(causes).fillna("").replace("", "exit_other")
    )
    return rows


def type_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The placement type of every row; unknown codes take that of the row they carry on, absences that of the stay."""
    pairs = list(zip(rows["place"], rows["place_provider"], strict=True))
    rows["placement_type"] = pd.Series([placement_type(*pair) for pair in pairs], index=rows.index, dtype="object")
    lasted = (rows["dec"].fillna(rows["observed_to"]) - rows["decom"]).dt.days
    away = rows["placement_type"] == "temporary"
    rows["absence"] = away & rows["joins"] & (lasted <= LONGEST_ABSENCE_DAYS)
    rows.loc[away & ~rows["absence"], "placement_type"] = "other_community"
    unknown = rows["placement_type"] == ""
    rows["inherits"] = rows["absence"] | (unknown & rows["joins"] & rows["rne"].isin(SAME_CARER))
    known = rows["placement_type"].where(~(rows["inherits"] | unknown))
    filled = known.groupby([rows["id"], rows["spell"]], sort=False).ffill()
    rows.loc[rows["inherits"], "placement_type"] = filled[rows["inherits"]].fillna("other_community")
    rows.loc[unknown & ~rows["inherits"], "placement_type"] = "other_community"
    return rows


def placements(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per stay with one carer in one type: changes of law merged, absences bridged when the child comes back."""
    keys = [rows["id"], rows["spell"]]
    carrier = rows[["placement_type", "place_provider", "urn"]].where(~rows["absence"])
    carrier = carrier.groupby(keys, sort=False).ffill()
    back = rows["absence"].groupby(keys, sort=False).shift(1, fill_value=False)
    was = carrier.groupby(keys, sort=False).shift(1)
    same_home = (was == carrier).all(axis=1)
    same_type = was["placement_type"] == carrier["placement_type"]
    merged = rows["joins"] & (rows["absence"] | (back & same_home) | (rows["rne"].isin(SAME_CARER) & same_type))
    number = (~merged).groupby(keys, sort=False).cumsum().astype("int64") - 1
    weight = (rows["dec"].fillna(rows["observed_to"]) - rows["decom"]).dt.days.clip(lower=1).astype("float64")
    paid = rows["weekly_cost_gbp"].notna()
    frame = rows.assign(
        order=number, _cost=(rows["weekly_cost_gbp"] * weight).where(paid), _weight=weight.where(paid),
        _type=carrier["placement_type"].fillna(rows["placement_type"]),
    )  # fmt: skip
    grouped = frame.groupby(PLACEMENT, sort=True)
    out = grouped.agg(
        start=("decom", "first"),
        placement_type=("_type", "first"), provider=("place_provider", "first"), legal_status=("ls", "first"),
        need=("cin", "first"), start_kind=("begins", "first"), cause=("cause", "last"), end_reason=("rec", "last"),
        move_reason=("reason_place_change", "last"), continues=("continues", "last"), vanished=("vanished", "last"),
        distance_miles=("distance_miles", "first"), out_of_area=("out_of_area", "first"),
        cost=("_cost", "sum"), weight=("_weight", "sum"),
    ).reset_index()  # fmt: skip
    last = frame.drop_duplicates(PLACEMENT, keep="last").set_index(PLACEMENT)[["dec", "observed_to"]]  # blank or not
    last = last.reindex(pd.MultiIndex.from_frame(out[PLACEMENT]))
    out["end"], out["observed_to"] = last["dec"].to_numpy(), last["observed_to"].to_numpy()
    out["weekly_cost_gbp"] = out["cost"] / out["weight"].where(out["weight"] > 0)
    out["end_kind"] = np.select(
        [out["end"].isna() & out["vanished"], out["end"].isna(), out["continues"]], ["vanished", "open", "move"], "exit"
    )
    opens = out.groupby(["id", "spell"], sort=False)
    known = opens["start_kind"].transform("first") != "already_in_care"
    out["care_started"] = opens["start"].transform("first").where(known)
    return out
