"""The money of the page *Compare*: savings by kind, year, line and funder, payback, reserves, and what each lever adds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from carecast.dashboard import charts_compare, figures, telling
from carecast.dashboard import figures_compare as f
from carecast.dashboard.figures import Figure, rows_of
from carecast.dashboard.figures_compare import Choice
from carecast.dashboard.panels.shapes import Panel, Table
from carecast.dashboard.panels.view import View, charted, named, year_words
from carecast.dashboard.telling import ABSENT, legend_name, money, percent, prose
from carecast.scenarios.describe import FUNDER_WORDS
from carecast.scenarios.money_answers import ALL_YEARS, KINDS
from carecast.scenarios.wording import placement_type_label, term

TERMS = {"cash": "cash prices", "real": "real terms", "discounted": "real terms, discounted"}
PARTS = (("cashable_saving_gbp", "C", "Cashable"), ("avoided_cost_gbp", "A", "Avoided"),
         ("released_capacity_gbp", "R", "Released, never cash"))  # fmt: skip
KINDS_SHOWN = (
    ("gross_saving_gbp", "Gross saving"), ("cashable_saving_gbp", "of which cashable"),
    ("avoided_cost_gbp", "of which avoided"), ("released_capacity_gbp", "of which released, never cash"),
    ("extra_programme_cost_gbp", "Programme cost"), ("net_saving_gbp", "Net saving"),
    ("net_saving_recurring_gbp", "Net saving, recurring: without one-off cost"),
    ("cumulative_net_saving_gbp", "Net saving since the start"),
)  # fmt: skip
STRONG = ("Gross saving", "Net saving")
MOST_LINES = 12


def when(view: View, year: str) -> str:
    """A financial year, or the whole run, in words."""
    return "the whole run" if year == ALL_YEARS else year_words(view, year)


def line_label(nation: str, line: str) -> str:
    """What a line of spend is called."""
    if line == "childrens_house_own_fixed":
        return f"Own {term(nation, 'childrens_house')}s: fixed cost"
    try:
        return placement_type_label(nation, line)
    except KeyError:
        words = term(nation, line)
        return words[:1].upper() + words[1:]


def funder_label(funder: str) -> str:
    """Who pays."""
    words = FUNDER_WORDS[funder].removeprefix("the ")
    return words[:1].upper() + words[1:]


def _cell(found: Figure | None) -> str:
    if found is None:
        return ABSENT
    return f"{money(found.mean, found.low, found.high)}\n{telling.between('net_saving_gbp', found.low, found.high)}"


# --- savings ----------------------------------------------------------------------------------------------------------
def saved_panel(view: View, choice: Choice, frame: pd.DataFrame) -> Panel:
    """Cashable, avoided and released stacked to the gross saving, and the net saving, a bar a scenario."""
    parts: list[dict[str, Any]] = []
    net: list[dict[str, Any]] = []
    spoken = []
    for name in choice.names:
        legend = legend_name(name)
        for at, (measure, letter, words) in enumerate(PARTS):
            figure = f.total_of(frame, name, measure, choice.year) or Figure(0.0, 0.0, 0.0)
            parts.append({"scenario": legend, "part": at, "name": words, "letter": letter, "pounds": figure.mean})
        total = f.total_of(frame, name, "net_saving_gbp", choice.year) or Figure(0.0, 0.0, 0.0)
        net.append({"scenario": legend, "mean": total.mean, "p10": total.low, "p90": total.high})
        gross = f.total_of(frame, name, "gross_saving_gbp", choice.year) or Figure(0.0, 0.0, 0.0)
        spoken.append(f"{legend}: gross {money(gross.mean)}, net {telling.with_interval('net_saving_gbp', total)}")
    order = [legend_name(name) for name in choice.names]
    best = max(net, key=lambda row: float(row["mean"]))
    verb = "saves" if best["mean"] >= 0 else "costs more:"
    title = f"\u201c{best['scenario']}\u201d {verb} {money(abs(float(best['mean'])))} net in {when(view, choice.year)}"
    chart = charts_compare.stacked(pd.DataFrame(parts), pd.DataFrame(net), order)
    key = (("part-0", "C: cashable"), ("part-1", "A: avoided"), ("part-2", "R: released, never cash"),
           ("diamond", "Net saving, mean and 80 % interval"))  # fmt: skip
    alt = f"Bar chart of savings in {when(view, choice.year)} by kind. {'; '.join(spoken)}."
    subtitle = prose("compare_saved", terms=TERMS[choice.kind], when=when(view, choice.year))
    return Panel("compare_saved", title, subtitle, key, chart, alt, kinds_table(view, choice, frame))


def kinds_table(view: View, choice: Choice, frame: pd.DataFrame) -> Table:
    """Every kind of saving of every scenario in the chosen year, or over the run."""
    rows = []
    for measure, label in KINDS_SHOWN:
        cells = [_cell(f.total_of(frame, name, measure, choice.year)) for name in choice.names]
        if measure != "cumulative_net_saving_gbp" or choice.year != ALL_YEARS:
            rows.append((label, *cells))
    caption = f"Savings in {when(view, choice.year)}, {TERMS[choice.kind]}, mean and 80 % interval"
    return Table(caption, ("Kind", *(legend_name(name) for name in choice.names)), tuple(rows), strong=STRONG)


def years_table(view: View, choice: Choice, frame: pd.DataFrame, name: str) -> Table:
    """One scenario's savings year by year and over the run."""
    years = [*figures.years(choice.run), ALL_YEARS]
    rows = []
    for measure, label in KINDS_SHOWN:
        rows.append((label, *(_cell(f.total_of(frame, name, measure, year)) for year in years)))
    caption = (
        f"\u201c{legend_name(name)}\u201d: savings by financial year, {TERMS[choice.kind]}, mean and 80 % interval"
    )
    columns = ("Kind", *(year_words(view, year).replace(" (", "\n(") for year in years[:-1]), "Whole run")
    return Table(caption, columns, tuple(rows), strong=STRONG)


def frames_of(choice: Choice) -> list[Choice]:
    """One frame with all scenarios, or, where they would be too many for one, a frame a scenario."""
    if len(choice.names) < charts_compare.MOST_SERIES:
        return [choice]
    return [replace(choice, names=(name,)) for name in choice.names]


def _extent(rows: pd.DataFrame, *more: float) -> tuple[float, float]:
    """Least and most that any frame has to show."""
    return min(float(rows["p10"].min()), 0.0, *more), max(float(rows["p90"].max()), 1.0, *more)


def cumulative_panels(view: View, choice: Choice, frame: pd.DataFrame) -> tuple[Panel, ...]:
    """Net saving since the start, year by year."""
    rows = charted(view, f.cumulative(choice, frame))
    return tuple(
        _cumulative(view, one, rows[rows["scenario"].isin(one.names)], _extent(rows)) for one in frames_of(choice)
    )


def _cumulative(view: View, choice: Choice, rows: pd.DataFrame, extent: tuple[float, float]) -> Panel:
    last = rows[rows["year"] == rows["year"].iloc[-1]]
    said = [f"{money(row.mean)} with \u201c{legend_name(row.scenario)}\u201d" for row in rows_of(last)]
    title = f"Net saving since the start comes to {', '.join(said)} by the end of {view.last_year}"
    names = [legend_name(name) for name in choice.everyone]
    chart = charts_compare.by_year(named(rows), names, 0.0, "Paid back", extent)
    key = tuple((f"point-{at}", f"{name}, mean and 80 % interval") for at, name in enumerate(names) if at)
    cells = [
        (row.year, *(_cell(_figure(rows, name, row.year)) for name in choice.names))
        for row in rows_of(rows.drop_duplicates("year"))
    ]
    caption = f"Net saving since the start, {TERMS[choice.kind]}, mean and 80 % interval"
    table = Table(caption, ("By the end of", *names[1:]), tuple(cells))
    alt = f"Chart of cumulative net saving by financial year: {title}."
    return Panel(_name("cumulative", choice), title, prose("compare_cumulative"), key, chart, alt, table)


def _figure(rows: pd.DataFrame, name: str, year: str) -> Figure | None:
    at = rows[(rows["scenario"] == name) & (rows["year"] == year)]
    return None if at.empty else Figure(float(at["mean"].iloc[0]), float(at["p10"].iloc[0]), float(at["p90"].iloc[0]))


def paid_back_table(view: View, choice: Choice) -> Table:
    """Net saving of the whole run in each of the three terms, full-year effect and payback, by scenario."""
    answers = f.answers(choice)
    rows: list[tuple[str, ...]] = []
    for kind in KINDS:
        label = f"Net saving, whole run, {TERMS[kind]}"
        rows.append((label, *(_cell(_named(answers[name][kind]["net_saving_gbp"])) for name in choice.names)))
    chosen = [answers[name][choice.kind] for name in choice.names]
    rows.append((f"One-off cost, {TERMS[choice.kind]}", *(_cell(_named(one["one_off_cost_gbp"])) for one in chosen)))
    rows.append(("Full-year effect: recurring, a year, cash",
                 *(_cell(_named(answers[name]["full_year_effect_gbp"])) for name in choice.names)))  # fmt: skip
    backs = [one["payback"] for one in chosen]
    rows.append((f"Paid back by (median), {TERMS[choice.kind]}", *(_month(back["median_month"]) for back in backs)))
    chances = (telling.chance(back["chance_within_run"], view.replications) for back in backs)
    rows.append(("Chance of paying back within the run", *chances))
    caption = "Payback, full-year effect and the whole run in three terms, mean and 80 % interval"
    return Table(caption, ("What", *(legend_name(name) for name in choice.names)), tuple(rows))


def _named(found: dict[str, float]) -> Figure:
    return Figure(found["mean"], found["p10"], found["p90"])


def _month(text: str | None) -> str:
    return "not within the run" if text is None else f"{pd.Timestamp(text + '-01'):%B %Y}"


def terms_note(choice: Choice) -> str:
    """What real and discounted mean here."""
    one = next(iter(f.answers(choice).values()))
    return prose(
        "compare_terms", price_year=one["price_year"], deflator=percent(100 * one["deflator_per_year"], 1),
        discount=percent(100 * one["discount_per_year"], 1), first=one["discounted_to"],
    )  # fmt: skip


# --- spend ------------------------------------------------------------------------------------------------------------
def _name(what: str, choice: Choice) -> str:
    return f"compare_{what}_{choice.names[-1]}"


def spend_panels(view: View, choice: Choice) -> tuple[Panel, ...]:
    """What everything costs by year, programme included."""
    rows = f.spend_by_year(choice)
    return tuple(
        _spend(view, one, rows[rows["scenario"].isin(one.everyone)], _extent(rows)) for one in frames_of(choice)
    )


def _spend(view: View, choice: Choice, rows: pd.DataFrame, extent: tuple[float, float]) -> Panel:
    shown = charted(view, rows)
    at = shown[shown["year"] == view.last_year].set_index("scenario")["mean"]
    said = [f"{money(float(at[name]))} with \u201c{legend_name(name)}\u201d" for name in choice.names]
    title = f"Everything costs {money(float(at[choice.against]))} in {view.last_year} with " \
            f"\u201c{legend_name(choice.against)}\u201d, {', '.join(said)}"  # fmt: skip
    names = [legend_name(name) for name in choice.everyone]
    key = tuple((f"point-{i}", f"{name}, mean and 80 % interval") for i, name in enumerate(names))
    chart = charts_compare.by_year(named(shown), names, extent=extent)
    alt = f"Chart of gross cost by financial year: {title}."
    return Panel(
        _name("spend", choice), title, prose("compare_spend"), key, chart, alt, _spend_by_year(view, choice, rows)
    )


def _spend_by_year(view: View, choice: Choice, rows: pd.DataFrame) -> Table:
    cells = [
        (year_words(view, year), *(_cell(_figure(rows, name, year)) for name in choice.everyone))
        for year in figures.years(choice.run)
    ]
    columns = ("Financial year", *(legend_name(name) for name in choice.everyone))
    return Table("Gross cost of every line and the programme, cash, mean and 80 % interval", columns, tuple(cells))


def spend_tables(view: View, choice: Choice) -> tuple[tuple[str, Table], ...]:
    """Spend by year, by line and by funder."""
    year = view.last_year
    by_year = _spend_by_year(view, choice, f.spend_by_year(choice))
    lines = _parts_table(view, choice, "line", f"Gross cost by line in {year_words(view, year)}, cash, means")
    funders = _parts_table(
        view, choice, "funder", f"Net cost by who pays in {year_words(view, year)}, programme included, cash, means"
    )
    return (("Spend by year", by_year), ("Spend by line", lines), ("Spend by funder", funders))


def _parts_table(view: View, choice: Choice, dimension: str, caption: str) -> Table:
    frame = f.cost_parts(choice, dimension, view.last_year)
    shown, rest = (
        (frame, frame.iloc[:0]) if dimension == "funder" else (frame.iloc[:MOST_LINES], frame.iloc[MOST_LINES:])
    )
    rows = [
        (funder_label(row["part"]) if dimension == "funder" else line_label(view.nation, row["part"]),
         *_means(choice, row))
        for row in shown.to_dict("records")
    ]  # fmt: skip
    if len(rest):
        rows.append((f"{len(rest)} more", *_means(choice, rest[list(choice.everyone)].sum().to_dict())))
    rows.append(("All of it", *_means(choice, frame[list(choice.everyone)].sum().to_dict())))
    words = "Who pays" if dimension == "funder" else "Line"
    columns = (words, legend_name(choice.against), *(f"{legend_name(n)}\ndifference" for n in choice.names))
    return Table(caption, columns, tuple(rows), strong=("All of it",))


def _means(choice: Choice, row: dict[Any, Any]) -> Sequence[str]:
    base = float(row[choice.against])
    cells = [money(base)]
    for name in choice.names:
        mean = float(row[name])
        cells.append(f"{money(mean)}\n{telling.difference_words('gross_cost_gbp', mean - base)}")
    return cells


# --- reserves ---------------------------------------------------------------------------------------------------------
def reserves_panels(view: View, choice: Choice, rows: pd.DataFrame) -> tuple[Panel, ...]:
    """Reserves at each 31 March against the policy minimum."""
    extent = _extent(rows, f.minimum_reserves(choice.run) or 0.0)
    return tuple(_reserves(view, one, rows[rows["scenario"].isin(one.everyone)], extent) for one in frames_of(choice))


def _reserves(view: View, choice: Choice, rows: pd.DataFrame, extent: tuple[float, float]) -> Panel:
    minimum = f.minimum_reserves(choice.run)
    names = [legend_name(name) for name in choice.everyone]
    key = [(f"point-{at}", f"{name}, mean and 80 % interval") for at, name in enumerate(names)]
    if minimum is not None:
        key.append(("line-target", f"Policy minimum, {money(minimum)}"))
    chart = charts_compare.by_year(named(rows), names, minimum, "Policy minimum", extent)
    title = reserves_note(choice, rows)
    alt = f"Chart of reserves on 31 March: {title}"
    return Panel(_name("reserves", choice), title.rstrip("."), prose("compare_reserves"), tuple(key), chart, alt,
                 reserves_table(view, choice, rows))  # fmt: skip


def reserves_note(choice: Choice, rows: pd.DataFrame) -> str:
    """Whether any scenario takes reserves below the policy minimum, and when first."""
    minimum = f.minimum_reserves(choice.run)
    if minimum is None:
        return prose("compare_no_minimum")
    parts = []
    for name in choice.everyone:
        low = rows[(rows["scenario"] == name) & (rows["breach"] > 0)]
        if len(low):
            first, most = low.iloc[0], low.iloc[int(low["breach"].to_numpy().argmax())]
            chance = telling.chance(float(most["breach"]), int(choice.run.record["replications"]))
            parts.append(
                f"\u201c{legend_name(name)}\u201d takes reserves below the minimum: first in {first['year']}, most often in "
                f"{most['year']} (chance {chance})"
            )
    return (
        "; ".join(parts) + "." if parts else f"Reserves stay above the policy minimum of {money(minimum)} throughout."
    )


def reserves_table(view: View, choice: Choice, rows: pd.DataFrame) -> Table:
    """Reserves, the chance of a breach, and recurring cost paid from reserves, by scenario and year."""
    lines = []
    for name in choice.everyone:
        for row in rows_of(rows[rows["scenario"] == name]):
            lines.append((
                f"{legend_name(name)}, {row.year}", _cell(Figure(row.mean, row.p10, row.p90)),
                telling.chance(row.breach, view.replications), money(row.recurring),
            ))  # fmt: skip
    minimum = f.minimum_reserves(choice.run)
    below = "Chance below the minimum" + ("" if minimum is None else f" of {money(minimum)}")
    columns = ("Scenario and year", "Reserves on 31 March\n80 % interval", below, "Recurring cost paid from reserves")
    return Table("Reserves at the end of each financial year", columns, tuple(lines))


# --- what each lever adds ---------------------------------------------------------------------------------------------
def levers_panel(view: View, document: dict[str, Any]) -> Panel:
    """The waterfall of one scenario from the answer of ``carecast waterfall --json``."""
    levers = sorted(document["levers"], key=lambda row: -float(row["mean_gbp"]))
    rows, at = [], 0.0
    for row in levers:
        mean = float(row["mean_gbp"])
        kind = "more" if mean >= 0 else "less"
        rows.append({"name": row["name"], "start": at, "end": at + mean, "kind": kind, "text": money(mean)})
        at += mean
    whole = float(document["all_together_gbp"])
    rows.append({"name": "All together", "start": 0.0, "end": whole, "kind": "all", "text": money(whole)})
    order = [str(row["name"]) for row in rows]
    chart = charts_compare.levers(pd.DataFrame(rows), order)
    most = levers[0]
    year = when(view, str(document["financial_year"]))
    title = f"\u201c{most['name']}\u201d adds most: {money(float(most['mean_gbp']))} of {money(whole)} net in {year}"
    spoken = "; ".join(f"{row['name']} {money(float(row['mean_gbp']))}" for row in levers)
    key = (("part-0", "Adds to the saving"), ("part-3", "Takes from it"))
    alt = f"Waterfall of net saving by lever: {spoken}; all together {money(whole)}."
    subtitle = prose("compare_waterfall", orders=document["orders"], replications=document["replications"])
    return Panel("compare_levers", title, subtitle, key, chart, alt, _levers_table(document, levers, year))


def _levers_table(document: dict[str, Any], levers: Sequence[dict[str, Any]], year: str) -> Table:
    rows = [
        (str(row["name"]), _cell(Figure(row["mean_gbp"], row["p10_gbp"], row["p90_gbp"])),
         f"\u00b1{money(row['standard_error_gbp'])}", money(row["alone_gbp"]))
        for row in levers
    ]  # fmt: skip
    rows.append(("All together", money(document["all_together_gbp"]), ABSENT, money(document["sum_alone_gbp"])))
    rows.append(("Interaction: all together less each alone", money(document["interaction_gbp"]), ABSENT, ABSENT))
    columns = ("Lever", "Net saving it adds\n80 % interval", "By chance alone", "By itself")
    return Table(f"Net saving by lever in {year}, against the baseline", columns, tuple(rows), strong=("All together",))
