"""A run at other prices: its days and counts stay, only money is worked out anew. No replication is told.

Figures are ``id,value`` rows: ``price.CODE`` (weekly price of a provider, or unit price of a cost line, in its own price
year), ``fixed_price.CODE`` (weekly cost of a house whoever lives there), ``uplift.pay_per_year`` (and prices, external),
``deflator.per_year``, ``discount.rate_per_year``, ``reserves.opening_gbp``, ``reserves.policy_minimum_gbp`` and
``budget.LINE.YEAR``. An uncertain price keeps its relative spread; an uncertain uplift keeps its spread as it is.
"""

import csv
import datetime as dt
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from carecast.model import pricebook
from carecast.model.calendar import make_calendar
from carecast.model.capacity import CapacityBuilder
from carecast.model.money import Money, stack
from carecast.model.parameters import BadFile, Budget, ParameterSet
from carecast.model.prices import price_replication
from carecast.model.summary import BASELINE, summarise, to_csv
from carecast.scenarios import stopping
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario
from carecast.scenarios.quantities import PRICE_DRAWS
from carecast.scenarios.run import Run, blocks_of, open_run, read_run
from carecast.scenarios.run_folder import RunFolder, money_frame
from carecast.scenarios.run_record import content_digest
from carecast.scenarios.scenario import nearest

NUMBERS = (
    "uplift.pay_per_year", "uplift.prices_per_year", "uplift.external_per_year", "deflator.per_year",
    "discount.rate_per_year", "reserves.opening_gbp", "reserves.policy_minimum_gbp",
)  # fmt: skip
SIGNED = ("uplift.", "deflator.")


class Figure(NamedTuple):
    """One figure of the user's."""

    id: str
    value: float
    source: str


# --- figures --------------------------------------------------------------------------------------
def read_figures(file: Path) -> list[Figure]:
    """Figures from a CSV file with the columns id, value and, if you like, source.

    Raises:
        BadFile: the file cannot be read or a row cannot be used, one line each.
    """
    try:
        rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{file}: cannot be read as text: {error}") from error
    found, lines = [], []
    for number, row in enumerate(rows, 2):
        where = f"{file}: row {number}"
        name = (row.get("id") or "").strip()
        try:
            value = float((row.get("value") or "").replace(",", "").replace("£", ""))
        except ValueError:
            lines.append(f"{where}, column value: found {row.get('value')!r}; should be a number")
            continue
        if not math.isfinite(value) or (value < 0 and not name.startswith(SIGNED)):
            lines.append(f"{where}, column value: found {value:g}; should be 0 or more")
        found.append(Figure(name, value, (row.get("source") or "").strip() or f"given in {file.name}"))
    if not rows:
        lines.append(f"{file}: holds no figures; should have the columns id and value")
    if lines:
        raise BadFile(*lines)
    return found


def changed(
    parameters: ParameterSet, draws: pd.DataFrame, figures: Sequence[Figure]
) -> tuple[ParameterSet, pd.DataFrame]:
    """The parameter set and its price draws with the figures in place.

    Raises:
        BadFile: a figure's id is not one that can be changed on a saved run, one line each.
    """
    document: dict[str, Any] = parameters.model_dump(mode="python", by_alias=True)
    draws, lines = draws.copy(), []
    known = _known(parameters)
    for figure in figures:
        if figure.id not in known and not figure.id.startswith("budget."):
            lines.append(f"id: found {figure.id!r}; {nearest(figure.id, known)}")
            continue
        try:
            _put(document, draws, figure)
        except BadFile as error:
            lines += error.lines
    if lines:
        raise BadFile(*lines)
    return ParameterSet.model_validate(document), draws


def _known(parameters: ParameterSet) -> list[str]:
    codes = [provider.code for provider in parameters.providers]
    lines = [cost.line for cost in parameters.cost_lines]
    names = [name for name in NUMBERS if name in parameters.numbers]
    return [*(f"price.{code}" for code in (*codes, *lines)), *(f"fixed_price.{code}" for code in codes), *names]


def _put(document: dict[str, Any], draws: pd.DataFrame, figure: Figure) -> None:
    head, _, code = figure.id.partition(".")
    tag = {"source": figure.source, "how": "published"}
    if head == "budget":
        line, _, year = code.rpartition(".")
        row = Budget(line=line, financial_year=year, amount_gbp=figure.value, source=figure.source, how="published")
        kept = [b for b in document["budgets"] if (b["line"], b["financial_year"]) != (line, year)]
        document["budgets"] = [*kept, row.model_dump()]
    elif head in ("price", "fixed_price"):
        row_of, field = _priced(document, code, head)
        before = float(row_of[field])
        row_of |= {field: figure.value, **tag}
        column = f"price.{code}"
        if head == "price" and column in draws:
            draws[column] = draws[column] * (figure.value / before) if before > 0 else figure.value
    else:
        number = document["numbers"][figure.id]
        if figure.id in draws:
            draws[figure.id] = draws[figure.id] + (figure.value - number["value"])
        document["numbers"][figure.id] = {**number, "value": figure.value, "interval_80": None, **tag}


def _priced(document: dict[str, Any], code: str, head: str) -> tuple[dict[str, Any], str]:
    for provider in document["providers"]:
        if provider["code"] == code:
            return provider, "weekly_cost_gbp" if head == "price" else "fixed_weekly_cost_gbp"
    for cost in document["cost_lines"]:
        if cost["line"] == code:
            return cost, "price_gbp"
    raise BadFile(f"id: found {head}.{code}; there is no such provider or cost line")


# --- the run --------------------------------------------------------------------------------------
def reprice(folder: Path, figures: Sequence[Figure], out: Path, command: str = "") -> Run:
    """Write a run like another at other prices into ``out``, whole or not at all, and read it back.

    Raises:
        BadFile: the run is not complete, keeps no quantities, or ``out`` holds something.
    """
    before = open_run(folder)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise BadFile(f"{out}: holds something already; give a new folder for the run at other prices")
    source = RunFolder(folder)
    draws_file = folder / PRICE_DRAWS
    if not draws_file.is_file():
        raise BadFile(f"{draws_file}: not found; the run keeps no price draws: tell it again with this version")
    parameters, draws = changed(parameters_of(before.record), pd.read_parquet(draws_file), figures)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial, ignore=shutil.ignore_patterns("*.yearly.*", "summary.csv", "run.json", "*.lock"))
    money = priced(before, source, parameters, draws)
    target = RunFolder(partial)
    draws.to_parquet(partial / PRICE_DRAWS, index=False)
    blocks = blocks_of(int(before.record["replications"]))
    for name, stacked in money.items():
        for first, last in blocks:
            part = Money(stacked.layout, *(getattr(stacked, field)[first : last + 1]
                                           for field in ("gross", "value", "by_funder", "programme")))  # fmt: skip
            money_frame(part, first).to_parquet(target.table_path(name, "yearly", (first, last)), index=False)
    _conclude(target, before.record, parameters, figures, command)
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return open_run(out)


def parameters_of(record: dict[str, Any]) -> ParameterSet:
    """What a run keeps of its parameter set; rates, branches and destinations are left out."""
    return ParameterSet.model_validate({**record["parameters"], "rates": [], "branches": [], "destinations": []})


def priced(run: Run, folder: RunFolder, parameters: ParameterSet, draws: pd.DataFrame) -> dict[str, Money]:
    """Money of every scenario of a run at the prices of a parameter set, from the run's days and counts."""
    record = run.record
    seed, lines = int(record["seed"]), tuple(record["lines"])
    calendar = make_calendar(dt.date.fromisoformat(record["as_at"]), dt.date.fromisoformat(record["until"]))
    blocks = blocks_of(int(record["replications"]))
    staff: list[Any] = []
    found = {}
    for name in record["scenarios"]:
        plan = apply(parameters, load_scenario(folder.path / "inputs" / f"{name}.toml"), calendar.until)
        capacity = CapacityBuilder(parameters, plan, calendar, float(record["radius_miles"]))
        book = pricebook.price_book(parameters, plan, capacity.providers, calendar, draws, lines)
        quantities = folder.read_quantities(name, blocks, len(calendar.financial_years))
        money = [
            price_replication(book, one, i, seed=seed, staff_units=staff[i] if name != BASELINE else None)
            for i, one in enumerate(quantities.each())
        ]
        if name == BASELINE:
            staff = list(quantities.service_units)
        found[name] = stack(money)
    return found


def _conclude(folder: RunFolder, record: dict[str, Any], parameters: ParameterSet, figures: Sequence[Figure],
              command: str) -> None:  # fmt: skip
    said = ", ".join(f"{figure.id} {figure.value:g}" for figure in figures) or "nothing"
    note = f"prices changed after the run was told: {said}; what goes with the answers is from before"
    document = parameters.model_dump(mode="json", by_alias=True, exclude={"rates", "destinations", "branches"})
    new = {
        **record, "parameters": document, "command": command or record["command"], "notes": [*record["notes"], note],
        "inputs": {**record["inputs"], "parameters": "other prices"},
        "repriced": [figure._asdict() for figure in figures],
    }  # fmt: skip
    run = read_run(folder, new)
    summary = summarise(run.answers)
    folder.write_text("summary.csv", to_csv(summary))
    searches = [run.searches(name) for name in record["scenarios"]]
    new |= {
        "monte_carlo": stopping.monte_carlo(run.answers, record["part_years"]), "budget_assumed": run.budget.is_assumed,
        "digest": content_digest(run.answers, run.money, searches, summary),
    }  # fmt: skip
    folder.write_record(new)
