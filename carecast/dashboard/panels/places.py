"""The page *Placements and distance*: where children live, how far, why so far or so dear, and the map."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from carecast.dashboard import charts_compare, charts_places, figures, telling
from carecast.dashboard import figures_places as f
from carecast.dashboard.figures import rows_of
from carecast.dashboard.figures_compare import records_by
from carecast.dashboard.panels.compare_money import line_label
from carecast.dashboard.panels.front import front
from carecast.dashboard.panels.shapes import Front, Line, Panel, Table, Tile
from carecast.dashboard.panels.view import AWAY, View, lower_first, named, two_lines
from carecast.dashboard.telling import ABSENT, count, legend_name, money, percent, prose, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios import gaps as report
from carecast.scenarios.run import Run
from carecast.scenarios.wording import AGE_BAND_LABELS, placement_type_label

NEAR, UNKNOWN, OUTSIDE = "within_radius_percent", "distance_unknown_percent", "out_of_area_percent"
REASON_WORDS = (("W", "for want of a nearer home"), ("S", "kept far for the child's safety"),
                ("N", "by the nature of the home: kin, adopters, schools, secure care"))  # fmt: skip
MOST_NAMED = 12  # homes named above the map
KINDS = {"zone": "Where children live", "house": "A home", "opened": "A home the scenario opens"}


@dataclass(frozen=True)
class Places:
    """Everything on the page *Placements and distance* but what is simulated on asking."""

    finding: str
    front: Front
    tiles: tuple[Tile, ...]
    types: Panel
    parts: tuple[tuple[str, Table], ...]  # by locality, by age
    providers: Table
    distance: tuple[Panel, ...]
    outside: Table
    why: Panel | None
    no_why: str
    wanted: Table
    where: tuple[tuple[str, Table], ...]
    why_note: str
    map: Panel
    nowhere: str
    year: str


def places(run: Run, scenario: str | None, year: str) -> Places:
    """The page for a run, the scenario beside its baseline, and a financial year."""
    view = View(run, scenario)
    subject = scenario or BASELINE
    found = report.gaps(run, subject, [year])
    reasons = f.beyond_by(found.homes, "wanted")
    return Places(
        finding=_finding(view),
        front=front(run, scenario),
        tiles=_tiles(view, found, year),
        types=_types_panel(view),
        parts=(("By locality", part_table(view, "locality")), ("By age", part_table(view, "age_band"))),
        providers=provider_table(view, subject, year),
        distance=(_fan(view, NEAR), _fan(view, OUTSIDE)),
        outside=_outside_table(view, found),
        why=_why_panel(view, reasons, year, subject) if reasons["beyond_radius"].sum() > 0 else None,
        no_why=prose("places_none_beyond", year=year, miles=f"{run.record['radius_miles']:g}"),
        wanted=wanted_table(view, found, year),
        where=(("By locality", where_table(view, found, "locality", year)),
               ("By age", where_table(view, found, "age_band", year))),
        why_note=prose("places_why", scenario=legend_name(subject), replications=found.replications,
                       miles=f"{run.record['radius_miles']:g}", kept=percent(100 * found.kept_for_safety_share)),
        map=_map_panel(view),
        nowhere=_nowhere(run, scenario),
        year=year,
    )  # fmt: skip


# --- the head ---------------------------------------------------------------------------------------------------------
def _finding(view: View) -> str:
    away = figures.figure_of(view.run, BASELINE, AWAY)
    last = f"{figures.last_date(view.run):%B %Y}"
    if away.mean < 0.05:
        return f"No child is expected to be looked after away from home in {last}"
    near = {name: figures.figure_of(view.run, name, NEAR) for name in view.names}
    miles = f"{view.run.record['radius_miles']:g}"
    text = f"{percent(near[BASELINE].mean)} of children away from home will live within {miles} miles of home in {last}"
    if view.scenario is not None:
        text += f", {percent(near[view.scenario].mean)} with \u201c{legend_name(view.scenario)}\u201d"
    return text


def _tiles(view: View, found: report.Gaps, year: str) -> tuple[Tile, ...]:
    tiles = []
    for measure in (NEAR, UNKNOWN, OUTSIDE):
        lines = []
        for name in view.names:
            number = figures.figure_of(view.run, name, measure)
            lines.append(Line(name, value_words(measure, number.mean), telling.interval(measure, number)))
        foot = "Of children away from home whose distance is known" if measure == NEAR else "Of children away from home"
        tiles.append(Tile(f"{view.label(measure)}, {figures.last_date(view.run):%B %Y}", tuple(lines), foot))
    both = {name: found if name == found.scenario else report.gaps(view.run, name, [year]) for name in view.names}
    lines, far, extra = [], [], []
    for name, one in both.items():
        homes = one.homes
        dearer = homes.loc[homes["gap"] == "dearer home", "placements"].sum()
        extra.append(money(float(homes["extra_cost_gbp"].sum())))
        lines.append(Line(name, f"{count(dearer)} of {count(homes['placements'].sum())}"))
        far.append(Line(name, count(homes["beyond_for_want"].sum())))
    label = f"Placements in a dearer home than was wanted, {year}"
    tiles.append(Tile(label, tuple(lines), f"They cost {' and '.join(extra)} more in the year"))
    miles = f"{view.run.record['radius_miles']:g}"
    tiles.append(
        Tile(f"Placements beyond {miles} miles for want of a nearer home, {year}", tuple(far), "Begun in the year")
    )
    return tuple(tiles)


# --- who lives where --------------------------------------------------------------------------------------------------
def part_label(nation: str, dimension: str, part: str) -> str:
    """A placement type, locality or age band in words."""
    if dimension == "placement_type":
        return placement_type_label(nation, part)
    return f"Aged {AGE_BAND_LABELS[part]}" if dimension == "age_band" else part


def _types_panel(view: View) -> Panel:
    frame = f.stock(view.run, view.scenario, "placement_type")
    rows: list[dict[str, Any]] = []
    for row in frame.to_dict("records"):
        label = part_label(view.nation, "placement_type", str(row["part"]))
        rows += [
            {"part": label, "scenario": legend_name(name), **{key: row[f"{key}|{name}"] for key in ("mean", "p10", "p90")}}
            for name in view.names
        ]  # fmt: skip
    last = f"{figures.last_date(view.run):%B %Y}"
    if not rows:
        rows = [{"part": "No child is looked after", "scenario": "Baseline", "mean": 0.0, "p10": 0.0, "p90": 0.0}]
        title = f"No child is looked after in {last}"
    else:
        title = _types_title(view, frame, last)
    key = [("point-baseline", "Baseline, mean and 80 % interval")]
    if view.scenario is not None:
        key.append(("point-scenario", f"{legend_name(view.scenario)}, mean and 80 % interval"))
    chart = charts_places.ranges(pd.DataFrame(rows), view.legends)
    alt = f"Dot chart of children looked after by placement type in {last}: {title}."
    table = part_table(view, "placement_type")
    return Panel("places_types", title, prose("places_types"), tuple(key), chart, alt, table)


def _types_title(view: View, frame: pd.DataFrame, last: str) -> str:
    base = frame.set_index("part")[f"mean|{BASELINE}"]
    if view.scenario is None:
        part = str(base.idxmax())
        return f"Most children, {count(float(base[part]))}, live {_within(view, part)} in {last}"
    change = frame.set_index("part")[f"mean|{view.scenario}"] - base
    part = str(change.abs().idxmax())
    if abs(change[part]) < 0.05:
        return f"Children live in the same kinds of home with \u201c{legend_name(view.scenario)}\u201d"
    side = "fewer" if change[part] < 0 else "more"
    return f"{count(abs(float(change[part])))} {side} children live {_within(view, part)} in {last} with " \
           f"\u201c{legend_name(view.scenario)}\u201d"  # fmt: skip


def _within(view: View, part: str) -> str:
    return lower_first(placement_type_label(view.nation, part))


def part_table(view: View, dimension: str) -> Table:
    """Children looked after by part: on the as-at date and at the end of the run."""
    frame = f.stock(view.run, view.scenario, dimension)
    rows = []
    for row in frame.to_dict("records"):
        start = "not shown" if math.isnan(float(row["start"])) else count(float(row["start"]))
        cells = [
            f"{count(float(row[f'mean|{name}']))}\n{telling.between('looked_after', row[f'p10|{name}'], row[f'p90|{name}'])}"
            for name in view.names
        ]
        rows.append((part_label(view.nation, dimension, str(row["part"])), start, *cells))
    last = telling.iso_words(figures.last_date(view.run).isoformat())
    words = {"placement_type": "Placement type", "locality": "Locality the child comes from", "age_band": "Age"}[
        dimension
    ]
    columns = (words, telling.iso_words(view.run.record["as_at"]), *(f"{legend}, {last}" for legend in view.legends))
    return Table(f"Children looked after by {lower_first(words)}, mean and 80 % interval", columns, tuple(rows))


def provider_table(view: View, subject: str, year: str) -> Table:
    """Homes and pools of homes: their places, and how many children lived in them on an average day of the year."""
    frame = f.by_provider(view.run, subject, year)
    rows = []
    for row in rows_of(frame):
        limited = row.places is not None and row.places == row.places
        places = count(float(row.places)) if limited else "no limit"
        full = percent(100 * row.mean / float(row.places)) if limited and row.places > 0 else ABSENT
        where = row.locality or ("Outside the area" if limited else "No one place")
        label = f"{row.name}\n{part_label(view.nation, 'placement_type', row.type)}"
        rows.append((label, where, places, f"{count(row.mean)}\n{count(row.p10)} to {count(row.p90)}", full))
    columns = ("Home or pool of homes", "Where", "Places", "Child-years in the year\n80 % interval", "Of its places")
    caption = f"Homes in {year}, \u201c{legend_name(subject)}\u201d: child-years, continuing care included"
    return Table(caption, columns, tuple(rows))


# --- distance ---------------------------------------------------------------------------------------------------------
def _fan(view: View, measure: str) -> Panel:
    paths, history = figures.fan(view.run, view.scenario, measure), figures.history(view.run, measure)
    ends = {name: figures.figure_of(view.run, name, measure) for name in view.names}
    last = f"{figures.last_date(view.run):%B %Y}"
    title = f"{view.label(measure)}: {value_words(measure, ends[BASELINE].mean)} in {last} if nothing changes"
    if view.scenario is not None:
        title += f", {value_words(measure, ends[view.scenario].mean)} with \u201c{legend_name(view.scenario)}\u201d"
    key = [("line-0", "Baseline, mean"), ("bands", "its 50, 80 and 95 % bands")]
    if view.scenario is not None:
        key.append(("line-1", f"{legend_name(view.scenario)}, mean and 80 % interval each March"))
    if len(history):
        key.append(("dot", "Published"))
    top = max(float(paths["p975"].max()), float(history["value"].max()) if len(history) else 0.0, 1.0)
    start = pd.Timestamp(view.run.record["as_at"])
    chart = charts_compare.fans(named(paths), history, view.legends, start, min(top * 1.1, 100.0), True)
    spoken = [f"{legend_name(n)} {telling.with_interval(measure, one)}" for n, one in ends.items()]
    alt = f"Line chart of {lower_first(view.label(measure))} to {last}: {'; '.join(spoken)}. Mean and 80 % interval."
    subtitle = prose("places_distance" if measure == NEAR else "places_outside")
    return Panel(f"places_{measure}", title, subtitle, tuple(key), chart, alt, _share_table(view, measure))


def _share_table(view: View, measure: str) -> Table:
    dates = view.run.answer(BASELINE).monthly.dates
    kept = [at for at, date in enumerate(dates) if at in (0, len(dates) - 1) or date.month == 3]
    rows = []
    for at in kept:
        cells = [
            two_lines(telling.with_interval(measure, figures.figure_of(view.run, name, measure, at)))
            for name in view.names
        ]
        unknown = figures.figure_of(view.run, view.names[-1], UNKNOWN, at)
        rows.append((telling.iso_words(dates[at].isoformat()), *cells, value_words(UNKNOWN, unknown.mean)))
    columns = ("On", *view.legends, f"Distance not known, {lower_first(view.legends[-1])}")
    return Table(f"{view.label(measure)}, mean and 80 % interval", columns, tuple(rows))


def _outside_table(view: View, found: report.Gaps) -> Table:
    """Why children live outside the area: which kinds of home they got, and how many of those are outside."""
    got = found.homes.groupby("got", sort=True)["placements"].sum()
    shares = f.outside_shares(view.run)
    order = sorted(got.index, key=lambda kind: -float(got[kind]))
    rows = []
    for kind in order:
        share, how = shares.get(str(kind), (float("nan"), ""))
        told = ABSENT if share != share else f"{percent(100 * share)}\n{how}"
        rows.append((placement_type_label(view.nation, str(kind)), count(float(got[kind])), told))
    columns = ("Kind of home got", "Placements begun in the year", "Of such homes outside the area\nhow it is known")
    return Table("Out of area, by the kind of home", columns, tuple(rows))


# --- why --------------------------------------------------------------------------------------------------------------
def _why_panel(view: View, reasons: pd.DataFrame, year: str, subject: str) -> Panel:
    ordered = reasons[reasons["beyond_radius"] > 0].sort_values("beyond_radius", ascending=False, kind="stable")
    rows = [
        {"part": line_label(view.nation, str(row["wanted"])), "reason": at, "letter": letter, "words": words,
         "placements": float(row[column])}
        for row in ordered.to_dict("records")
        for at, (column, (letter, words)) in enumerate(zip(f.REASONS, REASON_WORDS, strict=True))
    ]  # fmt: skip
    want, every = float(ordered["beyond_for_want"].sum()), float(ordered["beyond_radius"].sum())
    miles = f"{view.run.record['radius_miles']:g}"
    title = f"{count(want)} of {count(every)} placements beyond {miles} miles were for want of a nearer home in {year}"
    marks = ("part-3", "part-2", "part-0")
    key = tuple((mark, f"{letter}: {words}") for mark, (letter, words) in zip(marks, REASON_WORDS, strict=True))
    order = list(dict.fromkeys(str(row["part"]) for row in rows))
    chart = charts_places.reasons(pd.DataFrame(rows), order)
    spoken = "; ".join(
        f"{line_label(view.nation, str(row['wanted']))} {count(float(row['beyond_radius']))}"
        for row in ordered.to_dict("records")
    )
    alt = f"Bar chart of placements beyond {miles} miles by the kind of home wanted: {spoken}."
    table = _reasons_table(
        view, ordered, "wanted", f"Placements beyond {miles} miles in {year}, {legend_name(subject)}"
    )
    return Panel("places_why", title, prose("places_why_chart"), key, chart, alt, table)


def _reasons_table(view: View, frame: pd.DataFrame, by: str, caption: str) -> Table:
    dimension = {"wanted": "placement_type"}.get(by, by)
    rows = tuple(
        (part_label(view.nation, dimension, str(row[by])), count(row["placements"]), count(row["beyond_radius"]),
         *(count(row[reason]) for reason in f.REASONS))
        for row in frame.to_dict("records")
    )  # fmt: skip
    columns = ("Wanted" if by == "wanted" else "Where", "Placements begun", "Beyond the radius", "For want of a nearer home",
               "For safety", "By nature")  # fmt: skip
    return Table(caption, columns, rows)


def wanted_table(view: View, found: report.Gaps, year: str) -> Table:
    """Placements begun in the year by the type wanted: how many were in a dearer home, and what that cost."""
    prices = found.type_prices.set_index("placement_type")["price_gbp_per_week"]
    rows = []
    homes = found.homes.assign(dearer=found.homes["placements"].where(found.homes["gap"] == "dearer home", 0.0),
                               other=found.homes["placements"].where(found.homes["gap"] == "another home", 0.0))  # fmt: skip
    by_type = homes.groupby("wanted")[["placements", "dearer", "other", "beyond_for_want", "extra_cost_gbp"]].sum()
    ordered = by_type.sort_values("placements", ascending=False, kind="stable").reset_index()
    for wanted, row in records_by(ordered, "wanted").items():
        rows.append((
            placement_type_label(view.nation, str(wanted)), count(row["placements"]), count(row["dearer"]),
            count(row["other"]), count(row["beyond_for_want"]), f"£{float(prices[str(wanted)]):,.0f}",
            money(row["extra_cost_gbp"]),
        ))  # fmt: skip
    columns = ("Wanted", "Placements begun", "In a dearer home", "In another home", "Too far away", "Price a week",
               "Extra cost in the year")  # fmt: skip
    return Table(f"What was wanted and what was got in {year}", columns, tuple(rows))


def where_table(view: View, found: report.Gaps, by: str, year: str) -> Table:
    """The same by locality or age."""
    frame = f.beyond_by(found.homes, by)
    names = list(AGE_BAND_LABELS) if by == "age_band" else sorted(frame[by])
    by_name = records_by(frame, by)
    rows = []
    for name in names:
        if name in by_name:
            row = by_name[name]
            rows.append((
                part_label(view.nation, by, str(name)), count(row["placements"]), count(row["dearer"]),
                count(row["beyond_for_want"]), count(row["beyond_for_safety"] + row["beyond_by_nature"]),
                money(row["extra_cost_gbp"]),
            ))  # fmt: skip
    columns = ("Locality" if by == "locality" else "Age", "Placements begun", "In a dearer home", "Too far away",
               "Far for safety or by nature", "Extra cost in the year")  # fmt: skip
    return Table(f"Gaps in homes by {'locality' if by == 'locality' else 'age'} in {year}", columns, tuple(rows))


# --- the map ----------------------------------------------------------------------------------------------------------
def _map_panel(view: View) -> Panel:
    shown = f.places(view.run, view.scenario)
    homes = len(shown.homes)
    inside = [home for home in shown.homes if _nearest(shown, home) <= shown.radius_miles]
    one = "the one home" if homes == 1 else f"{len(inside)} of {homes} homes"
    title = f"{one[:1].upper()}{one[1:]} with a known position {'is' if homes == 1 else 'are'} within " \
            f"{shown.radius_miles:g} miles of the middle of a locality"  # fmt: skip
    if homes == 1 and not inside:
        title = f"The one home with a known position is more than {shown.radius_miles:g} miles from every locality"
    if not homes:
        title = "No home of this council has a known position"
    key = [("place", "Where children live, the larger the more"), ("square", "A home, with its number"),
           ("ring", f"{shown.radius_miles:g} miles around the middle of a locality")]  # fmt: skip
    if any(home.kind == "opened" for home in shown.homes):
        key.insert(2, ("point-scenario", "A home that the scenario opens"))
    spoken = "; ".join(
        f"{home.name} {_nearest(shown, home):.1f} miles from the nearest locality" for home in shown.homes
    )
    localities = ", ".join(place.name for place in shown.middles)
    alt = f"Map of {localities} with a ring of {shown.radius_miles:g} miles around each, and homes: {spoken or 'none'}."
    table = _map_table(shown)
    numbered = "; ".join(f"{at} {home.name}" for at, home in enumerate(shown.homes[:MOST_NAMED], 1))
    more = f" and {homes - MOST_NAMED} more, in the table" if homes > MOST_NAMED else ""
    subtitle = prose("places_map") + (f" Homes: {numbered}{more}." if homes else "")
    return Panel("places_map", title, subtitle, tuple(key), charts_places.area_map(shown), alt, table)


def _nearest(shown: f.Map, place: f.Place) -> float:
    return min(math.hypot(place.east - m.east, place.north - m.north) for m in shown.middles)


def _map_table(shown: f.Map) -> Table:
    rows = []
    numbers = [f"{at}: " for at in range(1, len(shown.homes) + 1)] + [""] * len(shown.zones)
    for number, place in zip(numbers, (*shown.homes, *shown.zones), strict=True):
        miles = [f"{math.hypot(place.east - m.east, place.north - m.north):.1f}" for m in shown.middles]
        size = f"{count(place.size)} {'children' if place.kind == 'zone' else 'places'}"
        rows.append((f"{number}{place.name}\n{KINDS[place.kind]}", place.locality or "Outside the area", size, *miles))
    columns = ("Place", "Locality", "How many", *(f"Miles from the middle of {m.name}" for m in shown.middles))
    return Table("Places on the map, straight-line miles", columns, tuple(rows))


def _nowhere(run: Run, scenario: str | None) -> str:
    names = f.places(run, scenario).nowhere
    return prose("places_nowhere", names=", ".join(names)) if names else ""
