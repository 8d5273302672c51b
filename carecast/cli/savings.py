"""`carecast savings`: what a scenario saves by year, line, funder and lever, in cash, real or discounted terms."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from carecast.cli.doors import show, show_json
from carecast.cli.options import Json
from carecast.cli.sections import heading, programmes, reserves_text
from carecast.cli.text import fixed, percent, pounds, records, table, wrapped
from carecast.model.summary import BASELINE, TOTAL
from carecast.scenarios.money_answers import ALL_YEARS, Kind, known_terms, lever_names, money_answers, savings_table
from carecast.scenarios.run import Run, open_run

TOTALS = (
    ("gross_saving_gbp", "Gross saving"),
    ("cashable_saving_gbp", "  cashable"),
    ("avoided_cost_gbp", "  avoided"),
    ("released_capacity_gbp", "  released (never cash)"),
    ("extra_programme_cost_gbp", "Programme cost"),
    ("net_saving_gbp", "Net saving"),
    ("net_saving_recurring_gbp", "  recurring: without one-off cost"),
    ("cumulative_net_saving_gbp", "Net saving since the start"),
)
IN_WORDS = {"cash": "cash", "real": "real terms", "discounted": "real terms, discounted"}
MOST_ROWS = 12
MOST_YEARS = 5


def savings(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="One of the run's; all unless given.")
    ] = "",
    terms: Annotated[str, typer.Option("--terms", metavar="cash|real|discounted", help="How pounds compare.")] = "cash",
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="Also write every row to a file.")] = None,
    as_json: Json = False,
) -> None:
    """Savings of a run by year, line, funder and lever, payback and full-year effect, in cash, real or discounted terms.

    Example: `carecast savings runs/demo --scenario what_would_it_take --terms real --to savings.csv`
    """
    run = open_run(run_folder)
    kind = known_terms(terms)
    names = [scenario] if scenario else [found.scenario for found in run.answers if found.scenario != BASELINE]
    frames = [savings_table(run, name, kind) for name in names]
    every = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if to is not None:
        partial = to.with_name(to.name + ".partial")
        partial.write_text(every.to_csv(index=False, float_format="%.2f", lineterminator="\n"), encoding="utf-8")
        partial.replace(to)
    if as_json:
        show_json({"answers": [money_answers(run, name) for name in names], "rows": records(every)})
        return
    parts = [heading(run), *(savings_text(run, name, kind, frame) for name, frame in zip(names, frames, strict=True))]
    show(
        "\n\n".join(
            [*parts, reserves_text(run)] if frames else [*parts, "The run holds no scenario beside the baseline."]
        )
    )


# --- in words -------------------------------------------------------------------------------------
def savings_text(run: Run, scenario: str, kind: Kind, frame: pd.DataFrame) -> str:
    """One scenario: totals by year and in all, then lines, funders and levers, then payback."""
    answers = money_answers(run, scenario)
    years = [str(year) for year in frame["financial_year"].unique() if year != ALL_YEARS][-MOST_YEARS:]
    head = f"{scenario} against baseline, £m, {IN_WORDS[kind]}"
    if kind != "cash":
        head += f" at {answers['price_year']} prices"
    parts = [_totals(run, frame, years, head)]
    parts += [
        _broken_down(run, frame, years, measure, dimension, label)
        for measure, dimension, label in (
            ("gross_saving_gbp", "line", "Gross saving by line, £m"),
            ("net_saving_gbp", "funder", "Net saving by funder, £m"),
            ("programme_cost_gbp", "lever", "Programme cost by lever, £m"),
        )
    ]
    parts.append(over_time_text(answers))
    return "\n\n".join(part for part in parts if part)


def _year_names(run: Run, years: Sequence[str]) -> list[str]:
    return [f"{year} (part)" if year in run.record["part_years"] else year for year in years]


def _totals(run: Run, frame: pd.DataFrame, years: Sequence[str], head: str) -> str:
    rows = []
    for measure, label in TOTALS:
        part = frame[(frame["measure"] == measure) & (frame["breakdown"] == TOTAL)].set_index("financial_year")
        columns = [*years, ALL_YEARS]
        rows.append([label, *(_m(part, year, "mean") for year in columns)])
        if not label.startswith(" "):
            rows.append(["    80 % interval", *(_interval(part, year) for year in columns)])
    return table([head, *_year_names(run, years), "whole run"], rows, 36)


def _m(part: pd.DataFrame, year: str, column: str) -> str:
    return fixed(float(part.loc[year, column]) / 1e6, 2) if year in part.index else ""  # type: ignore[arg-type]


def _interval(part: pd.DataFrame, year: str) -> str:
    return f"{_m(part, year, 'p10')} to {_m(part, year, 'p90')}" if year in part.index else ""


def _broken_down(run: Run, frame: pd.DataFrame, years: Sequence[str], measure: str, dimension: str, label: str) -> str:
    """The largest parts of a measure; what is left in one row, so that the rows add up."""
    start = f"{dimension}="
    part = frame[(frame["measure"] == measure) & frame["breakdown"].str.startswith(start)]
    if part.empty:
        return ""
    means = part.pivot(index="breakdown", columns="financial_year", values="mean") / 1e6
    means = means.reindex(means[ALL_YEARS].abs().sort_values(ascending=False, kind="stable").index)
    shown, rest = means.iloc[:MOST_ROWS], means.iloc[MOST_ROWS:]
    columns = [*years, ALL_YEARS]
    named = lever_names(run, str(part["scenario"].iloc[0])) if dimension == "lever" else {}
    rows = []
    for name, row in shown.iterrows():
        word = str(name).removeprefix(start)
        rows.append([named.get(word, word), *(fixed(float(row[y]), 2) for y in columns)])
    if len(rest):
        rows.append([f"{len(rest)} more", *(fixed(float(rest[y].sum()), 2) for y in columns)])
    return table([label, *_year_names(run, years), "whole run"], rows, 36)


def over_time_text(answers: dict[str, Any]) -> str:
    """Full-year effect, the whole run in three terms, and payback."""
    whole = answers["full_year_effect_gbp"]
    rows = []
    for kind, words in IN_WORDS.items():
        one = answers[kind]
        net, back = one["net_saving_gbp"], one["payback"]
        month = (
            f"{back['median_month']} ({back['median_financial_year']})"
            if back["median_month"]
            else "not within the run"
        )
        rows.append([
            words[:1].upper() + words[1:], f"{pounds(net['mean'])} ({pounds(net['p10'])} to {pounds(net['p90'])})",
            pounds(one["one_off_cost_gbp"]["mean"]), month, percent(back["chance_within_run"]),
        ])  # fmt: skip
    head = [
        f"{answers['scenario']}, whole run",
        "net saving (80 %)",
        "one-off cost",
        "median payback",
        "chance of payback",
    ]
    return "\n".join([
        table(head, rows, 30),
        wrapped(
            f"Full-year effect (recurring, at the end of the run): {pounds(whole['mean'])} a year (80 % interval "
            f"{pounds(whole['p10'])} to {pounds(whole['p90'])}). Real terms: {answers['price_year']} prices, "
            f"{100 * answers['deflator_per_year']:g} % a year; discounted to {answers['discounted_to']} at "
            f"{100 * answers['discount_per_year']:g} % a year."
        ),
    ])  # fmt: skip


def money_text(run: Run) -> str:
    """For `carecast compare`: payback, full-year effect and terms of every scenario that chooses something, reserves."""
    chosen = [over_time_text(money_answers(run, found.scenario)) for found in programmes(run)]
    return "\n\n".join(["MONEY OVER TIME", *chosen, reserves_text(run)]) if chosen else ""
