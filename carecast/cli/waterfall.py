"""`carecast waterfall`: what each lever of a scenario adds to its saving."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from carecast.cli.doors import Bar, StoppedError, show, show_json
from carecast.cli.options import Json
from carecast.cli.sections import heading, programmes, years
from carecast.cli.text import fixed, label_of_year, middle_80, pounds, records, table, wrapped
from carecast.model import words as w
from carecast.model.money import Pence
from carecast.model.parameters import BadFile
from carecast.scenarios.run import Run, open_run
from carecast.scenarios.savings import Savings
from carecast.scenarios.scenario import nearest
from carecast.scenarios.waterfall import Waterfall, monte_carlo
from carecast.scenarios.waterfall import waterfall as take_apart

MEASURES: dict[str, Callable[[Savings], Pence]] = {  # [replication, financial year]
    "gross": lambda found: found.gross.sum(axis=-1),
    "cashable": lambda found: found.cashable.sum(axis=-1),
    "avoided": lambda found: found.avoided.sum(axis=-1),
    "released": lambda found: found.released.sum(axis=-1),
    "programme": lambda found: found.programme,
    "net": lambda found: found.net,
    "recurring": lambda found: found.recurring,
}
SHOWN = ("gross", "cashable", "avoided", "released", "programme")
ALL_YEARS = "all"
TOGETHER, ALONE, INTERACTION = "all together", "sum of each alone", "interaction"


def waterfall(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME", help="The run's first unless given.")] = "",
    parameters: Annotated[
        Path | None, typer.Option("--parameters", metavar="DIR", help="The run's own, if it was moved.")
    ] = None,
    measure: Annotated[str, typer.Option("--measure", help=f"One of {', '.join(MEASURES)}.")] = "net",
    year: Annotated[
        str, typer.Option("--year", help="A financial year such as 2028-29, or all; the last whole one unless given.")
    ] = "",
    permutations: Annotated[int, typer.Option("--permutations", min=2, help="Orders a world, an even number.")] = 2,
    replications: Annotated[int, typer.Option("--replications", min=1, help="The first so many of the run's.")] = 200,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; as many as processors.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.csv", help="Also every year, line and funder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Savings by lever: parts that add up to the scenario's saving exactly, and what levers do together.

    Example: `carecast waterfall runs/demo --scenario what_would_it_take --year 2028-29 --to waterfall.csv`
    """
    from carecast.cli.commands import default_workers
    from carecast.scenarios.run_inputs import parameter_set_of

    if measure not in MEASURES:
        raise BadFile(f"--measure: found {measure!r}; {nearest(measure, MEASURES)}")
    run = open_run(run_folder)
    name = scenario or next((found.scenario for found in programmes(run)), run.answers[-1].scenario)
    chosen = _year(run, year)
    calibrated = parameter_set_of(run, parameters)
    with Bar("Taking levers apart") as bar:
        try:
            found = take_apart(
                run, name, calibrated, permutations=permutations, replications=replications,
                workers=workers or default_workers(), progress=bar,
            )  # fmt: skip
        except KeyboardInterrupt:
            raise StoppedError("stopped; nothing was written") from None
    if to is not None:
        _write(rows_of(found), to)
    if as_json:
        show_json(document(found, measure, chosen))
        return
    show("\n\n".join([heading(run), text(found, measure, chosen)]))


def _year(run: Run, year: str) -> str:
    known = [*(label_of_year(date) for date in run.answers[0].yearly.dates), ALL_YEARS]
    if year and year not in known:
        raise BadFile(f"--year: found {year!r}; {nearest(year, known)}")
    held = years(run)
    return year or (label_of_year(run.answers[0].yearly.dates[held[-1]]) if held else ALL_YEARS)


def _write(frame: pd.DataFrame, to: Path) -> None:
    partial = to.with_name(to.name + ".partial")
    partial.write_text(frame.to_csv(index=False, float_format="%.2f", lineterminator="\n"), encoding="utf-8")
    partial.replace(to)


# --- tables ---------------------------------------------------------------------------------------
def of_year(values: Pence, found: Savings, year: str) -> np.ndarray:
    """[replication] in pounds: one financial year, or the whole run."""
    if year == ALL_YEARS:
        return np.asarray(values.sum(axis=-1) / 100.0)
    return np.asarray(values[..., found.layout.financial_years.index(year)] / 100.0)


def rows_of(found: Waterfall) -> pd.DataFrame:
    """Every measure of every lever by year and in all; of gross and released by line, of net by funder."""
    rows: list[tuple[Any, ...]] = []
    held = [
        name for name, days in zip(found.total.layout.financial_years, found.total.layout.run_days, strict=True) if days
    ]
    parts = [*zip([p.identity for p in found.players], [p.name for p in found.players], found.parts, strict=True)]
    for identity, name, part in [*parts, (TOGETHER, TOGETHER, found.total)]:
        for measure, breakdown, values in _measures(part):
            for year in (*held, ALL_YEARS):
                rows.append(
                    (found.scenario, identity, name, year, measure, breakdown, *_statistics(values, part, year))
                )
    for measure, of in MEASURES.items():
        values = found.interaction(of)
        for year in (*held, ALL_YEARS):
            rows.append((found.scenario, INTERACTION, INTERACTION, year, measure, "total",
                         *_statistics(values, found.total, year)))  # fmt: skip
    columns = (
        "scenario",
        "lever",
        "name",
        "financial_year",
        "measure",
        "breakdown",
        "mean",
        "p10",
        "p90",
        "standard_error",
    )
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _measures(part: Savings) -> list[tuple[str, str, Pence]]:
    rows = [(measure, "total", of(part)) for measure, of in MEASURES.items()]
    for at, line in enumerate(part.layout.lines):
        for measure in ("gross", "cashable", "avoided", "released"):
            values = getattr(part, measure)[..., at]
            if values.any():
                rows.append((measure, f"line={line}", values))
    rows += [
        ("net", f"funder={name}", part.by_funder[..., at])
        for at, name in enumerate(w.FUNDERS)
        if part.by_funder[..., at].any()
    ]
    return rows


def _statistics(values: Pence, part: Savings, year: str) -> tuple[float, float, float, float]:
    chosen = of_year(values, part, year)
    low, high = middle_80(chosen)
    return float(chosen.mean()), low, high, monte_carlo(chosen)


def document(found: Waterfall, measure: str, year: str) -> dict[str, Any]:
    """The answer for JSON: the chosen measure and year by lever, then every row."""
    of = MEASURES[measure]
    levers = []
    for player, part, alone in zip(found.players, found.parts, found.alone, strict=True):
        mean, low, high, error = _statistics(of(part), part, year)
        levers.append({
            "lever": player.identity, "name": player.name, "assumption": player.is_assumption,
            "changes_children": player.changes_children, "mean_gbp": mean, "p10_gbp": low, "p90_gbp": high,
            "standard_error_gbp": error, "alone_gbp": float(of_year(of(alone), alone, year).mean()),
        })  # fmt: skip
    together = float(of_year(of(found.total), found.total, year).mean())
    return {
        "scenario": found.scenario, "measure": measure, "financial_year": year, "replications": len(found.total.net),
        "orders": found.orders, "every_order": found.is_every_order, "told": found.told, "priced_only": found.priced,
        "levers": levers, "all_together_gbp": together, "sum_alone_gbp": sum(row["alone_gbp"] for row in levers),
        "interaction_gbp": float(of_year(found.interaction(of), found.total, year).mean()), "rows": records(rows_of(found)),
    }  # fmt: skip


# --- in words -------------------------------------------------------------------------------------
def text(found: Waterfall, measure: str, year: str) -> str:
    """A row a lever, the largest first, and interaction."""
    of = MEASURES[measure]
    when = "the whole run" if year == ALL_YEARS else year
    head = [f"{found.scenario}: {measure} saving in {when}, £m", f"{measure} (80 %)", "± error", *SHOWN, "alone"]
    rows = [
        (float(of_year(of(part), part, year).mean()), _row(player.name, part, alone, measure, year))
        for player, part, alone in zip(found.players, found.parts, found.alone, strict=True)
    ]
    cells = [cells for _, cells in sorted(rows, key=lambda row: -row[0])]
    total = _row(TOGETHER, found.total, None, measure, year)
    sum_alone = sum(float(of_year(of(alone), alone, year).mean()) for alone in found.alone)
    total[-1] = _m(sum_alone)
    interaction = float(of_year(found.interaction(of), found.total, year).mean())
    together = float(of_year(of(found.total), found.total, year).mean())
    how = "all orders" if found.is_every_order else f"{found.orders} orders, each with its reverse,"
    notes = [
        f"Interaction: all together {pounds(together)} less the sum of each alone {pounds(sum_alone)} = "
        f"{pounds(interaction)}.",
        f"Mean over {how} in each of {len(found.total.net)} worlds of the run; parts add up to the penny in every world. "
        f"{found.told} coalitions told, {found.priced} only priced anew. ± error: one standard error of the mean.",
    ]
    return "\n".join([table(head, [*cells, total], 44, 44), *(wrapped(note) for note in notes)])


def _m(pounds: float) -> str:
    return fixed(pounds / 1e6, 2)


def _row(name: str, part: Savings, alone: Savings | None, measure: str, year: str) -> list[str]:
    mean, low, high, error = _statistics(MEASURES[measure](part), part, year)
    others = [_m(float(of_year(MEASURES[other](part), part, year).mean())) for other in SHOWN]
    by_itself = "" if alone is None else _m(float(of_year(MEASURES[measure](alone), alone, year).mean()))
    return [name, f"{_m(mean)} ({_m(low)} to {_m(high)})", _m(error), *others, by_itself]
