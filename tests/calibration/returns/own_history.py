"""Histories made by hand or by chance, with known truth, for the fits of a council's own returns."""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.readers.history import History, tidy

AS_AT = dt.date(2025, 3, 31)


def history(council="", first=dt.date(2013, 4, 1), last=AS_AT, **frames):
    """Tables by name as lists of dictionaries or frames, dates as dates."""
    tables = {name: table(name, rows) for name, rows in frames.items()}
    if "children" not in tables:
        ids = sorted({int(n) for frame in tables.values() if "child" in frame.columns for n in frame["child"]})
        tables["children"] = table("children", [{"child": n, "dob": dt.date(2012, 6, 15)} for n in ids])
    return History("tidy", "england", council, first, last, tables=tables)


def table(name, rows):
    frame = pd.DataFrame(rows)
    for column in ("dob", "date", "start", "end", "observed_to", "care_started"):
        if column in frame.columns:
            frame[column] = pd.to_datetime(frame[column])
    return tidy(frame, name)


def days_after(day, days):
    """Dates so many days after a day."""
    return [day + dt.timedelta(days=int(n)) for n in days]


def placements(starts, lasts, kinds, last=AS_AT, **more):
    """One placement a child; those that last beyond the end are open."""
    rows = []
    for child, (start, stay, kind) in enumerate(zip(starts, lasts, kinds, strict=True)):
        end = start + dt.timedelta(days=int(stay))
        still = end > last
        rows.append({
            "child": child, "spell": 0, "order": 0, "start": start, "end": None if still else end,
            "observed_to": last if still else None, "placement_type": kind, "start_kind": "entry",
            "end_kind": "open" if still else "exit", "cause": "" if still else "exit_home",
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    for name, values in more.items():
        frame[name] = values
    return frame


def month_ends(first, last):
    return [day.date() for day in pd.date_range(first, last, freq="ME")]


def kept_full(seed, places_by_month, unavailable, leave_rate=0.6, days=30):
    """Children in own foster care month by month when every usable place that falls free is taken within the month."""
    rng = np.random.default_rng(seed)
    inside, rows, child = [], [], 0
    months = sorted(places_by_month)
    for month in months:
        staying = []
        for number, start in inside:
            if rng.random() < leave_rate / 12:
                rows.append((number, start, month - dt.timedelta(days=int(rng.integers(1, days - 2)))))
            else:
                staying.append((number, start))
        inside = staying
        usable = int(np.floor(places_by_month[month] * (1 - unavailable)))
        while len(inside) < usable:
            inside.append((child, month - dt.timedelta(days=int(rng.integers(0, 2)))))
            child += 1
    rows += [(number, start, None) for number, start in inside]
    return rows
