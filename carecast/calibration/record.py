"""What calibration leaves behind in ``calibration.json``: fitted beside published, and every figure that was used."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from carecast.calibration.care_fit import CareModel
from carecast.calibration.funnel_fit import FunnelModel
from carecast.calibration.pack import Pack
from carecast.calibration.spend import published_spend
from carecast.model import words as w
from carecast.model.parameters import ParameterSet

if TYPE_CHECKING:
    from carecast.calibration.calibrate import Pieces

RECORD_FORMAT = 1


def record(pack: Pack, parameters: ParameterSet, pieces: "Pieces", when: dt.date) -> dict[str, Any]:
    """The calibration record."""
    care, funnel, levels = pieces.care, pieces.funnel, pieces.levels
    stock = dict(zip(w.PLACEMENT_TYPES, care.cohort.by_type.tolist(), strict=True))
    total = sum(stock.values())
    return {
        "format": RECORD_FORMAT,
        "pack": pack.name,
        "council": parameters.council,
        "as_at": when.isoformat(),
        "fit": {"care": care.fitted.table(), "funnel": funnel.fitted.table()},
        "stock_by_type": {name: round(value, 2) for name, value in stock.items()},
        "mean_years_in_care": round(total / care.starts, 3),
        "starts_per_year": _starts(care, funnel),
        "flows_per_year": _flows(funnel),
        "spend": _spend(pack, parameters, pieces),
        "own_homes": {
            kind: {
                "usable_share": own.usable_share,
                "usable": own.usable,
                "occupied": round(own.occupied, 2),
                "continuing_care": round(own.continuing, 2),
            }
            for kind, own in care.homes.items()
        },
        "levels": levels.table(),
        "stock_by_year": [
            {"date": date.isoformat(), "setting": setting, "published": float(seen), "fitted": round(float(found), 1)}
            for date, row, fitted in zip(levels.dates, levels.published, levels.reproduced, strict=True)
            for setting, seen, found in (("total", row[0], fitted[0]), ("residential", row[1], fitted[1]))
        ],
        "figures": [
            {
                "id": f.key,
                "period": f.period,
                "value": f.value,
                "low": f.low,
                "high": f.high,
                "unit": f.unit,
                "how": f.how,
                "source": f.source,
            }
            for f in pack.figures
        ],
        "replaced": list(pack.replaced),
        "backtest": None,
    }


def _spend(pack: Pack, parameters: ParameterSet, pieces: "Pieces") -> dict[str, Any]:
    """Published and modelled social work spend of the price year, and the factors on prices that join them."""
    year = parameters.price_base_year
    out: dict[str, Any] = {"financial_year": year, "price_factors": pieces.price_factors}
    for setting, left in pieces.spend_left.items():
        published = published_spend(pack, setting, year) or 0.0
        out[setting] = {"published_gbp": published, "model_gbp": round(published + left), "residual_gbp": round(left)}
    return out


def _starts(care: CareModel, funnel: FunnelModel) -> dict[str, float]:
    entries = funnel.entries
    out = {"total": care.starts, "re_entries": float(entries.returning.sum())}
    out |= {route: float(children.sum()) for route, children in entries.direct.items()}
    out |= {"pathway_at_home": float(entries.pathway_home.sum()), "pathway_away": float(entries.pathway_away.sum())}
    return {name: round(value, 2) for name, value in out.items()}


def _flows(funnel: FunnelModel) -> dict[str, float]:
    from carecast.calibration.funnel import STAGES

    children = funnel.funnel.per_year * funnel.children_per_family
    out = {"contacts": funnel.funnel.contacts * funnel.children_per_family}
    out |= dict(zip(STAGES, children.tolist(), strict=True))
    return {name: round(value, 1) for name, value in out.items()}
