"""What calibration leaves behind in ``calibration.json``: fitted beside published, and every figure that was used."""

import datetime as dt
from typing import Any

from carecast.calibration.care_fit import CareModel
from carecast.calibration.funnel_fit import FunnelModel
from carecast.calibration.pack import Pack
from carecast.model import words as w
from carecast.model.parameters import ParameterSet

RECORD_FORMAT = 1


def record(
    pack: Pack, parameters: ParameterSet, care: CareModel, funnel: FunnelModel, left: dict[str, float], when: dt.date
) -> dict[str, Any]:
    """The calibration record."""
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
        "spend": {f"{setting}_residual_gbp": round(value) for setting, value in left.items()},
        "figures": [
            {"id": f.key, "period": f.period, "value": f.value, "low": f.low, "high": f.high, "unit": f.unit, "how": f.how,
             "source": f.source}
            for f in pack.figures
        ],
        "replaced": list(pack.replaced),
        "back_test": None,
    }  # fmt: skip


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
