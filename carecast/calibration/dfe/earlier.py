"""An English pack as it would have stood at an earlier count: for a back-test of the pack without DfE's tables at hand.

Only what the pack keeps by year can be taken back: counts by setting, starts, ceases and unaccompanied starts. Placement
types are scaled with their setting, flows with the level of starts. Unaccompanied children who stay are held at their
number of the last year, since a council over its threshold passes the others on. Shares, prices and shapes stay today's.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from carecast.calibration.dfe.flow_rows import MEMORY, averaged
from carecast.calibration.figures import Figure
from carecast.calibration.pack import Pack
from carecast.model import words as w

KEPT_BY_DATE = ("stock_total", "stock_residential", "stock_community")
NOT_KNOWN_THEN = ("matched_shift", "net_level_spread", "stock_by_placement", "stock_by_age", "stock_unaccompanied",
                  "expected_residential_in", "expected_residential", "expected_community")  # fmt: skip
WITH_STARTS = ("adoptions_per_year", "kinship_orders_per_year", "returns_home_per_year", "aged_out_per_year",
               "pre_entry_decisions_per_year")  # fmt: skip
NOTE = "as at an earlier count: scaled from the pack's last"


def as_of(pack: Pack, when: dt.date) -> Pack:
    """The pack at an earlier count; the pack itself at its last."""
    last = max(figure.period for figure in pack.all_of("stock_total"))
    if when.isoformat() >= last:
        return pack
    setting = {name: _at(pack, f"stock_{name}", when) / _at(pack, f"stock_{name}", dt.date.fromisoformat(last))
               for name in ("residential", "community")}  # fmt: skip
    stays, alone = _unaccompanied(pack, when.year)
    main = _level(pack, when.year) / _level(pack, int(last[:4]))
    starts_now, alone_now = pack.value("starts_per_year"), pack.value("unaccompanied_starts_per_year")
    starts = (starts_now - alone_now) * main + alone
    values = {
        "starts_per_year": starts,
        "unaccompanied_starts_per_year": alone,
        "unaccompanied_transferred_share": max(1 - stays / alone, 0.0) if alone > 0 else 0.0,
        "direct_entry_share[route=unaccompanied]": alone / starts,
    }
    known = [figure for figure in pack.figures if _known(figure, when)]
    figures = [_then(figure, values, setting, main) for figure in known]
    counts = {name: _at(pack, f"stock_{name}", when) for name in ("residential", "community")}
    return replace(pack, figures=(*figures, *_expected(figures[0], counts, when)))


def _known(figure: Figure, when: dt.date) -> bool:
    if figure.id in NOT_KNOWN_THEN:
        return False
    return figure.id not in KEPT_BY_DATE or figure.period <= when.isoformat()


def _at(pack: Pack, name: str, when: dt.date) -> float:
    return max(pack.value(name, period=when.isoformat()), 1.0)


def _by_year(pack: Pack, name: str) -> dict[int, float]:
    return {int(figure.period[:4]) + 1: figure.value for figure in pack.all_of(name) if figure.value is not None}


def _level(pack: Pack, year: int) -> float:
    """Level of starts, unaccompanied children apart, in a year: starts alone, averaged as in the pack."""
    alone = _by_year(pack, "starts_unaccompanied")
    rest = {at: value - alone.get(at, 0.0) for at, value in _by_year(pack, "starts").items() if at <= year}
    return averaged(rest, max(rest), MEMORY) or 1.0


def _unaccompanied(pack: Pack, year: int) -> tuple[float, float]:
    """(children who start and stay, children who start) a year, unaccompanied, at an earlier date."""
    now = pack.value("unaccompanied_starts_per_year")
    stays = now * (1 - pack.value("unaccompanied_transferred_share"))
    past = {at: value for at, value in _by_year(pack, "starts_unaccompanied").items() if at <= year}
    return stays, (averaged(past, max(past)) or now) if past else min(now, stays)


def _then(figure: Figure, values: Mapping[str, float], setting: Mapping[str, float], main: float) -> Figure:
    """One figure at the earlier date."""
    name = figure.id if figure.id in values else figure.key
    if name in values:
        return _scaled(figure, values[name] / figure.value if figure.value else 1.0, values[name])
    kind = figure.breakdown.removeprefix("placement_type=")
    if figure.id.startswith("stock_") and (kind in w.PLACEMENT_TYPES or figure.id == "stock_foster"):
        inside = kind in w.PLACEMENT_TYPES and w.PLACEMENT_TYPES.index(kind) >= w.FIRST_RESIDENTIAL
        return _scaled(figure, setting["residential" if inside else "community"])
    return _scaled(figure, main) if figure.id in WITH_STARTS else figure


def _scaled(figure: Figure, factor: float, value: float | None = None) -> Figure:
    low, central, high = (None if end is None else end * factor for end in (figure.low, figure.value, figure.high))
    centre = central if value is None else value
    if centre is not None and low is not None and high is not None:
        low, high = min(low, centre), max(high, centre)
    return replace(figure, value=centre, low=low, high=high, how="assumed", note=NOTE)


def _expected(like: Figure, counts: Mapping[str, float], when: dt.date) -> list[Figure]:
    """Where the stock was heading then: its own count."""
    base = replace(like, period=when.isoformat(), low=None, high=None, unit="children", how="assumed",
                   source="the count of that date", note=NOTE)  # fmt: skip
    made = [replace(base, id=f"expected_{name}", breakdown="total", value=value) for name, value in counts.items()]
    made += [
        replace(base, id="expected_residential_in", breakdown=f"years={n}", value=counts["residential"]) for n in (1, 2)
    ]
    return made
