"""The council's own association of early help with entry to care: shown, never used in a forecast or a saving.

Riskier families are offered early help, so a plain comparison mixes what help does with who is helped. Compared are
children whose early help began with children whose referral led to none: who was looked after within twelve months.

    RR = (a / n1) / (c / n0),  var ln RR = 1/a - 1/n1 + 1/c - 1/n0  (Katz);
    E-value = R + sqrt(R (R - 1)), R = max(RR, 1 / RR)  (VanderWeele and Ding, Annals of Internal Medicine 2017):

how strongly, as a risk ratio, something not recorded would have to go with both early help and entry to explain it away.
"""

import datetime as dt
import math
from typing import Any

import numpy as np

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis

FOLLOW_UP_DAYS = 365
LOOK_BACK_DAYS = 182  # early help so soon after a referral means that the referral was not left without it
Z95 = 1.959963984540054
WARNING = "Not evidence of effect: families who are helped differ from those who are not. Not used in any result."


def e_value(ratio: float) -> float:
    """Least risk ratio of an unrecorded cause with both sides that could explain a risk ratio away."""
    strong = max(ratio, 1 / ratio)
    return strong + math.sqrt(strong * (strong - 1))


def risk_ratio(helped_entered: int, helped: int, others_entered: int, others: int) -> dict[str, float]:
    """Risk ratio with its 95 % interval, and the E-values of both; half an event is added to each side when one has none."""
    more = 0.5 if 0 in (helped_entered, others_entered) else 0.0
    a, c, n1, n0 = helped_entered + more, others_entered + more, helped + 2 * more, others + 2 * more
    log = math.log((a / n1) / (c / n0))
    sd = math.sqrt(max(1 / a - 1 / n1 + 1 / c - 1 / n0, 0.0))
    low, high = math.exp(log - Z95 * sd), math.exp(log + Z95 * sd)
    crosses = low <= 1 <= high
    nearest = 1.0 if crosses else (low if low > 1 else high)
    ratio = math.exp(log)
    return {
        "risk_ratio": round(ratio, 3), "low_95": round(low, 3), "high_95": round(high, 3),
        "e_value": round(e_value(ratio), 2), "e_value_of_interval": round(e_value(nearest), 2),
    }  # fmt: skip


def association(history: History, as_at: dt.date) -> dict[str, Any]:
    """What the record says of the council's own comparison; empty when the files cannot tell."""
    if not (history.has("referrals") and history.has("early_help") and history.has("placements")):
        return {}
    last = basis.day_of(as_at) - FOLLOW_UP_DAYS
    first_care = _first_days(history)
    helped, begun = history.early_help["child"].to_numpy(dtype=np.int64), basis.day_number(history.early_help["start"])
    child, day = history.referrals["child"].to_numpy(dtype=np.int64), basis.day_number(history.referrals["date"])
    order = np.argsort(helped * 100_000 + begun, kind="stable")
    key = (helped * 100_000 + begun)[order]
    at = np.searchsorted(key, child * 100_000 + day - LOOK_BACK_DAYS)
    soon = key[np.minimum(at, len(key) - 1)]
    was_helped = (at < len(key)) & (soon // 100_000 == child) & (soon % 100_000 <= day + LOOK_BACK_DAYS)
    told = _entered(helped, begun, first_care, last), _entered(child[~was_helped], day[~was_helped], first_care, last)
    (a, n1), (c, n0) = told
    if min(n1, n0) < 20:
        return {}
    return {
        "what": "looked after within 12 months: children whose early help began, beside referred children without any",
        "helped": n1, "helped_entered": a, "not_helped": n0, "not_helped_entered": c, **risk_ratio(a, n1, c, n0),
        "used": False, "warning": WARNING,
    }  # fmt: skip


def _first_days(history: History) -> Array:
    """Start of each child's first period of care, by child; far off when none."""
    rows = history.placements
    out = np.full(int(history.children["child"].max()) + 1 if len(history.children) else 1, 10**8)
    np.minimum.at(out, rows["child"].to_numpy(dtype=np.int64), basis.day_number(rows["start"]))
    return out


def _entered(child: Ints, day: Ints, first_care: Array, last: int) -> tuple[int, int]:
    """(children who entered within the follow-up, children followed): each child's first day, not yet in care then."""
    use = day <= last
    order = np.lexsort((day[use], child[use]))
    who, when = child[use][order], day[use][order]
    first = np.append(True, who[1:] != who[:-1]) if len(who) else np.zeros(0, dtype=bool)
    who, when = who[first], when[first]
    entry = first_care[who]
    free = entry > when
    return int((free & (entry <= when + FOLLOW_UP_DAYS)).sum()), int(free.sum())
