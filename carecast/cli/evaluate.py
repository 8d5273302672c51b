"""``carecast evaluate``: how a saved forecast did, and why it missed."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from carecast.cli.doors import show, show_json
from carecast.cli.options import Council, Form, Json
from carecast.cli.text import label_of_year, pounds, records, table, wrapped
from carecast.model.summary import BASELINE

if TYPE_CHECKING:
    from carecast.calibration.backtest.past import Past
    from carecast.calibration.evaluation import Saved
    from carecast.calibration.readers.history import History

MOST_DATES = 6
PART_WORDS = {
    "opening": "another number at the start", "entries": "entries", "exits": "exits",
    "undated": "records that do not join up", "capacity": "own places", "mix": "mix of placements", "price": "price",
}  # fmt: skip


def evaluate(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    history: Annotated[
        str, typer.Argument(metavar="HISTORY", help="What is known now: returns, tables, or a shipped council pack.")
    ],
    as_at: Annotated[
        str | None, typer.Option("--as-at", metavar="DATE", help="Use what was known by this day, included.")
    ] = None,
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="The scenario that came about.")
    ] = BASELINE,
    form: Form = None,
    council: Council = None,
    small_counts: Annotated[
        bool, typer.Option("--small-counts", help="Show counts of 1 to 5 too: for use within the council only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score a saved forecast against what has come since, and take its miss apart: entries, exits, mix, capacity, price.

    Example: `carecast evaluate runs/demo returns/ --as-at 2025-03-31`
    """
    from carecast.calibration import evaluation
    from carecast.scenarios.run import open_run

    made = open_run(run_folder)
    answers = made.answer(scenario)
    providers = made.record["parameters"]["providers"]
    saved = evaluation.saved_run(answers, made.money[scenario], providers)
    past, found = _known(history, form, council, as_at)
    document = evaluated(saved, past, found, small_counts or found is None)
    document = {"run": str(run_folder), "scenario": scenario, "council": made.record["council"], **document}
    if as_json:
        show_json(document)
        return
    show(on_screen(document))


def _known(history: str, form: str | None, council: str | None, as_at: str | None) -> "tuple[Past, History | None]":
    """What is known now, month by month; and the history when it is one of children."""
    from carecast.calibration.backtest import sources
    from carecast.calibration.backtest.past import read_past
    from carecast.calibration.readers import read_history
    from carecast.cli.commands import day

    last = day(as_at, "--as-at") if as_at else None
    if not sources.is_published(history, form):
        found, _ = read_history(history, form, council or "")
        if found.has("placements"):
            found = found.as_at(last) if last else found
            return read_past(found), found
    past = sources.published_past(history, form, council)
    return (past.until(last) if last else past), None


def evaluated(saved: "Saved", past: "Past", history: "History | None", small_counts: bool) -> dict[str, Any]:
    """Scores of every known month, and the parts of the miss at the latest and of each whole year's spend.

    Unless ``small_counts``, what tells a count of 1 to 5 children is null.
    """
    from carecast.calibration import evaluation
    from carecast.calibration.backtest.past import of_type
    from carecast.calibration.backtest.small_counts import hidden_at, hide_small

    rows = evaluation.score_rows(saved, past)
    latest = max(evaluation.known_dates(saved, past))
    out: dict[str, Any] = {"as_at": saved.dates[0].isoformat(), "latest": latest.isoformat()}
    out["scores"] = _dated(rows if small_counts else hide_small(rows, past))
    if history is None:
        said = "published counts hold no entries and exits by month, so the miss is not taken apart"
        return out | {"miss": None, "miss_by_type": [], "spend": [], "note": said}
    stock = evaluation.stock_misses(saved, past, [latest])
    kinds = evaluation.type_misses(saved, past, latest, evaluation.places_at(history, latest))
    if not small_counts:
        few = [of_type(name) in hidden_at(past, latest) for name in kinds["placement_type"]]
        kinds.loc[few, ["observed", "miss", "mix"]] = float("nan")
    spend = evaluation.spend_misses(saved, past, history)
    note = "" if len(spend) else "no whole financial year of the forecast has come with its costs yet"
    return out | {
        "miss": _dated(stock)[0], "miss_by_type": records(kinds, 4), "spend": _dated(spend), "note": note,
        "own_places": {"assumed": dict(saved.places), "counted": evaluation.places_at(history, latest)},
    }  # fmt: skip


def _dated(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = records(frame, 4)
    return [
        {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in row.items()}
        for row in rows
    ]


# --- on screen ------------------------------------------------------------------------------------
def on_screen(document: dict[str, Any]) -> str:
    """A few months of the total, the latest month by measure, and the miss taken apart."""
    from carecast.calibration.backtest.report import label

    scores = document["scores"]
    total = [row for row in scores if (row["measure"], row["breakdown"]) == ("looked_after", "total")]
    head = wrapped(
        f"{document['council']}, {document['scenario']}: forecast from {document['as_at']}, known to {document['latest']}."
    )
    parts = [head, verdict(total)]
    parts.append(table(["Looked after", *COLUMNS], [[row["date"], *_cells(row)] for row in _some(total)], 12))
    latest = [row for row in scores if row["date"] == document["latest"] and row not in total]
    parts.append(table([f"At {document['latest']}", *COLUMNS], [
        [label(row["measure"], row["breakdown"]), *_cells(row)] for row in latest
    ]))  # fmt: skip
    parts += [why_children(document), why_types(document), why_spend(document)]
    if any(row["observed"] is None for row in scores):
        parts.append("few: 1 to 5 children, or a number that would give such a one away; --small-counts shows them.")
    parts += [wrapped(f"Note: {document['note']}.")] if document["note"] else []
    return "\n\n".join(part for part in parts if part)


COLUMNS = ("counted", "forecast", "80 % interval", "held", "nearer than no change")


def _cells(row: dict[str, Any]) -> list[str]:
    money = row["measure"].endswith("_gbp")
    mean, low, high = (_shown(row[name], money) for name in ("mean", "p10", "p90"))
    if row["observed"] is None:
        return ["few", mean, f"{low} to {high}", "-", "-"]
    counted = _shown(row["observed"], money)
    held = "80 %" if row["inside_80"] else "95 %" if row["inside_95"] else "no"
    base = row["crps_last_value"]
    nearer = "-" if base is None else "yes" if row["crps"] < base else "no"
    return [counted, mean, f"{low} to {high}", held, nearer]


def _shown(value: float, is_money: bool) -> str:
    return pounds(value) if is_money else f"{value:,.0f}"


def _some(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A few months, evenly spread, the last among them."""
    step = max(1, -(-len(rows) // MOST_DATES))
    return rows[::-1][::step][::-1]


def verdict(total: list[dict[str, Any]]) -> str:
    """What the months say together: they follow on from each other, so they are one story."""
    held = sum(row["inside_80"] for row in total)
    last = total[-1]
    miss = last["observed"] - last["mean"]
    said = "as forecast" if abs(miss) < 0.5 else f"{abs(miss):.0f} {'more' if miss > 0 else 'fewer'} than forecast"
    return wrapped(
        f"The 80 % interval held {held} of {len(total)} months (one story, not {len(total)} tests). Latest: {said}."
    )


def why_children(document: dict[str, Any]) -> str:
    """The miss of the number looked after, in parts."""
    miss = document["miss"]
    if miss is None:
        return ""
    rows = [[f"  {PART_WORDS[name]}", _signed(miss[name])] for name in ("opening", "entries", "exits", "undated")]
    rows.append(["together: counted less forecast", _signed(miss["miss"])])
    return table(["Why the number looked after missed", "children"], rows)


def why_types(document: dict[str, Any]) -> str:
    """The miss of each placement type, in parts."""
    rows = [
        [
            row["placement_type"].replace("_", " "),
            *(_signed(row[name]) for name in ("miss", "volume", "capacity", "mix")),
        ]
        for row in document["miss_by_type"]
    ]
    head = ["By placement type", "miss", "its share of the total's", "own places", "mix"]
    return table(head, rows) if rows else ""


def why_spend(document: dict[str, Any]) -> str:
    """The miss of each whole year's placement cost, in parts."""
    years = document["spend"]
    if not years:
        return ""
    names = [label_of_year(dt.date.fromisoformat(row["date"])) for row in years]
    body = [
        ["Counted", *(pounds(row["observed"]) for row in years)],
        ["Forecast", *(pounds(row["mean"]) for row in years)],
    ]
    body += [[f"  {word}", *(pounds(row[name]) for row in years)] for name, word in PART_WORDS.items()]
    body.append(["together: counted less forecast", *(pounds(row["miss"]) for row in years)])
    return table(["Why the cost of placements missed", *names], body)


def _signed(value: float | None) -> str:
    if value is None:
        return "few"
    text = f"{value:+.1f}"
    return "0" if text.strip("+-0.") == "" else text
