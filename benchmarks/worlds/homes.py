"""What a home is beside its type: its code, provider, number, distance and price; and what all of them cost."""

import datetime as dt

import numpy as np
import pandas as pd

from benchmarks.worlds.kinds import Kind
from carecast.model import words as w

ROW = ["child", "start", "end", "rne", "law", "type", "rec", "reason", "same_home"]
LAW_CODES = np.array(["V2", "C1", "C2", "E1", "L2", "J1"])
K3_FROM = dt.date(2023, 4, 28).toordinal()
P2_UNTIL = dt.date(2023, 10, 27).toordinal()
# type: (median £ a week in 2020, sd of the log, is residential inflation, median miles, sd of the log)
PRICES: dict[int, tuple[float, float, bool, float, float]] = {
    w.AT_HOME: (70, 0.3, False, 1.5, 1.0), w.KINSHIP: (270, 0.25, False, 4.0, 1.1),
    w.FOSTER_OWN: (490, 0.22, False, 5.0, 0.9), w.FOSTER_AGENCY: (960, 0.2, False, 13.0, 0.9),
    w.PROSPECTIVE_ADOPTERS: (110, 0.5, False, 22.0, 0.9),
    w.SUPPORTED_ACCOMMODATION: (1150, 0.5, True, 6.0, 1.1), w.OTHER_COMMUNITY: (500, 0.4, False, 8.0, 1.0),
    w.CHILDRENS_HOUSE_OWN: (4100, 0.1, False, 6.0, 0.6), w.RESIDENTIAL_EXTERNAL: (4600, 0.38, True, 26.0, 1.0),
    w.RESIDENTIAL_SCHOOL: (3900, 0.35, True, 38.0, 0.7), w.SECURE: (6900, 0.12, True, 70.0, 0.5),
    w.UNREGISTERED: (7800, 0.6, True, 18.0, 1.0), w.OTHER_RESIDENTIAL: (2900, 0.4, True, 14.0, 0.8),
}  # fmt: skip
CODES: dict[int, tuple[tuple[str, str, float], ...]] = {  # place, provider, share
    w.AT_HOME: (("P1", "PR0", 1.0),), w.KINSHIP: (("U1", "PR1", 0.5), ("U3", "PR1", 0.42), ("U2", "PR1", 0.08)),
    w.FOSTER_OWN: (("U4", "PR1", 0.42), ("U6", "PR1", 0.53), ("U5", "PR1", 0.05)),
    w.FOSTER_AGENCY: (("U4", "PR4", 0.4), ("U6", "PR4", 0.48), ("U6", "PR5", 0.12)),
    w.PROSPECTIVE_ADOPTERS: (("A6", "PR1", 0.5), ("A5", "PR1", 0.2), ("A6", "PR5", 0.3)),
    w.SUPPORTED_ACCOMMODATION: (("H5", "PR4", 0.7), ("H5", "PR5", 0.15), ("P2", "PR4", 0.15)),
    w.OTHER_COMMUNITY: (("P3", "PR4", 1.0),), w.CHILDRENS_HOUSE_OWN: (("K2", "PR1", 1.0),),
    w.RESIDENTIAL_EXTERNAL: (("K2", "PR4", 0.9), ("K2", "PR5", 0.1)), w.RESIDENTIAL_SCHOOL: (("S1", "PR4", 1.0),),
    w.SECURE: (("K1", "PR2", 0.7), ("R5", "PR3", 0.3)), w.UNREGISTERED: (("Z1", "PR4", 1.0),),
    w.OTHER_RESIDENTIAL: (("R3", "PR4", 0.75), ("R2", "PR3", 0.25)),
}  # fmt: skip


def furnish(
    rows: list[list[object]], born: dict[int, tuple[int, bool, int]], kind: Kind, rng: np.random.Generator,
    begins: dt.date, end: dt.date,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Episodes with codes, prices and distances, and the children of them: those that concern history or the future."""
    frame = pd.DataFrame(rows, columns=ROW)
    from_day = begins.toordinal()
    frame = frame[(frame["end"] == 0) | (frame["end"] >= from_day)].reset_index(drop=True)
    frame = frame.sort_values(["child", "start"], kind="stable").reset_index(drop=True)
    away = frame["type"] == -1
    new_home = ~frame["same_home"].to_numpy(dtype=bool) | ~frame["child"].duplicated().to_numpy()
    number = np.cumsum(new_home) - 1  # the home of each row
    kinds = frame["type"].where(~away).groupby(number).first().fillna(w.FOSTER_OWN).astype(int).to_numpy()
    first_day = frame["start"].groupby(number).first().to_numpy()
    place, provider, miles = _codes(kinds, first_day, rng)
    frame["home_type"] = kinds[number]
    frame["place"] = np.where(away, rng.choice(["T1", "T2", "T3"], len(frame)), place[number])
    frame.loc[(frame["place"] == "P2") & (frame["start"] > P2_UNTIL), "place"] = "K3"  # its code was withdrawn
    frame["provider"] = np.where(away, "", provider[number])
    frame["miles"] = miles[number].round(1)
    frame["urn"] = [f"SC{n:06d}" for n in (number * 7919) % 900000]
    frame["law_code"] = LAW_CODES[frame["law"].to_numpy()]
    needs = pd.Series({child: rng.choice(["N1", "N5", "N4", "N2", "N3", "N6"], p=[0.62, 0.14, 0.08, 0.06, 0.04, 0.06])
                       for child in frame["child"].unique()})  # fmt: skip
    frame["need"] = frame["child"].map(needs)
    weekly = _prices(kinds, first_day, kind, rng, begins, end)
    frame["weekly_gbp"] = weekly[number].round(2)
    people = pd.DataFrame([(child, *born[child]) for child in sorted(set(frame["child"]))],
                          columns=["child", "birth", "alone", "family"])  # fmt: skip
    people["sex"] = np.where(rng.random(len(people)) < np.where(people["alone"], 0.93, 0.54), "M", "F")
    frame.loc[frame["child"].isin(people.loc[people["alone"].astype(bool), "child"]), "need"] = "N8"
    return frame, people


def _codes(
    kinds: np.ndarray, first_day: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place code, provider and miles of each home."""
    place, provider = np.empty(len(kinds), dtype=object), np.empty(len(kinds), dtype=object)
    miles = np.zeros(len(kinds))
    for kind, options in CODES.items():
        at = np.flatnonzero(kinds == kind)
        chosen = rng.choice(len(options), len(at), p=np.array([share for _, _, share in options]))
        place[at] = [options[c][0] for c in chosen]
        provider[at] = [options[c][1] for c in chosen]
        miles[at] = np.minimum(PRICES[kind][3] * np.exp(PRICES[kind][4] * rng.standard_normal(len(at))), 400)
    supported = kinds == w.SUPPORTED_ACCOMMODATION
    place[supported & (first_day > P2_UNTIL)] = "K3"
    place[supported & (first_day >= K3_FROM) & (first_day <= P2_UNTIL)] = "H5"
    return place, provider, miles


def _prices(
    kinds: np.ndarray, first_day: np.ndarray, kind: Kind, rng: np.random.Generator, begins: dt.date, end: dt.date
) -> np.ndarray:
    """Price a week agreed when each home began: its own inflation year by year, a spread, a heavy tail for bought homes."""
    years = np.arange(begins.year - 20, end.year + 6)
    steps = {residential: np.cumsum(mean + kind.inflation_sd * rng.standard_normal(len(years))) for residential, mean in
             ((False, kind.inflation), (True, kind.residential_inflation))}  # fmt: skip
    at_2020 = int(np.flatnonzero(years == 2020)[0])
    when = (first_day - dt.date(int(years[0]), 4, 1).toordinal()) / 365.25
    out = np.zeros(len(kinds))
    for number, (median, sd, residential, _, _) in PRICES.items():
        at = np.flatnonzero(kinds == number)
        level = np.interp(when[at], np.arange(len(years)), steps[residential] - steps[residential][at_2020])
        out[at] = median * np.exp(level + sd * rng.standard_normal(len(at)))
        if number in (w.RESIDENTIAL_EXTERNAL, w.UNREGISTERED):
            dear = at[rng.random(len(at)) < kind.tail]
            out[dear] *= 1.5 + rng.pareto(2.2, len(dear))
    return np.clip(out, 12, 60_000)


def spend(episodes: pd.DataFrame, begins: dt.date, last: dt.date) -> pd.Series:
    """Pounds by financial year (named by the calendar year it ends in), whole years only."""
    out = {}
    start = episodes["start"].to_numpy()
    stop = np.where(episodes["end"] == 0, last.toordinal() + 1, episodes["end"])
    for year in range(begins.year + 1, last.year + 1):
        first, after = dt.date(year - 1, 4, 1).toordinal(), dt.date(year, 4, 1).toordinal()
        if after - 1 > last.toordinal():
            break
        days = np.clip(np.minimum(stop, after) - np.maximum(start, first), 0, None)
        out[year] = float((days * episodes["weekly_gbp"].to_numpy() / 7).sum())
    return pd.Series(out, name="spend_gbp")
