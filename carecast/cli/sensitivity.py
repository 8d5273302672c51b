"""`carecast sensitivity`: tornado, global measures, and which assumption to research first."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from carecast.cli.doors import Bar, StoppedError, show, show_json
from carecast.cli.options import Json
from carecast.cli.text import fixed, percent, pounds, records, short, table, wrapped
from carecast.model.parameters import BadFile, load
from carecast.model.summary import BASELINE
from carecast.scenarios.library import load_scenario
from carecast.scenarios.request import gathered
from carecast.scenarios.sensitivity import Important, Question, Sensitivity
from carecast.scenarios.sensitivity import sensitivity as ask

SHOWN = 10
FILES = ("tornado.csv", "global.csv", "sensitivity.json")


def sensitivity(
    parameters: Annotated[
        Path, typer.Option("--parameters", metavar="DIR", help="A parameter set, from `carecast calibrate`.")
    ],
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME_OR_FILE", help="A scenario with levers.")],
    measure: Annotated[str, typer.Option("--measure", help="A yearly measure, of the last whole year.")] = "net_saving_gbp",
    replications: Annotated[int, typer.Option("--replications", help="Worlds for global measures and values.")] = 400,
    tornado: Annotated[int, typer.Option("--tornado", min=0, help="Numbers held at their ends; 0 for none.")] = 10,
    tornado_replications: Annotated[int, typer.Option("--tornado-replications", min=2, help="Worlds of each end.")] = 60,
    seed: Annotated[int, typer.Option("--seed", metavar="S", min=0, max=2**62)] = 1,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Last day, included.")] = "2029-03-31",
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; as many as processors.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder for the tables.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """What a saving hangs on: tornado, global sensitivity, and which assumption to research first, in pounds.

    Example: `carecast sensitivity --parameters parameters/wd --scenario what_would_it_take --out runs/sensitivity`
    """
    from carecast.cli.commands import day, default_workers

    if out is not None:
        _check_folder(out)
    tasks: list[Callable[[], Any]] = [
        partial(load, parameters), partial(load_scenario, scenario), partial(day, until, "--until"),
    ]  # fmt: skip
    calibrated, chosen, last = gathered(tasks)
    if chosen.name == BASELINE:
        raise BadFile("--scenario: the baseline saves nothing against itself; name a scenario with levers")
    question = Question(
        calibrated,
        chosen,
        last,
        measure,
        seed,
        replications,
        tornado,
        tornado_replications,
        workers or default_workers(),
    )
    with Bar("Telling replications") as bar:
        try:
            found = ask(question, bar)
        except KeyboardInterrupt:
            raise StoppedError("stopped; nothing was written") from None
    if out is not None:
        _write(found, out)
    if as_json:
        show_json(document(found))
        return
    show(text(found))


def _check_folder(out: Path) -> None:
    if out.is_file():
        raise BadFile(f"{out}: is a file; the tables need a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / "sensitivity.json").is_file():
        raise BadFile(f"{out}: holds something else; give a new folder, or one with earlier tables to replace")


def _write(found: Sensitivity, out: Path) -> None:
    partial_folder = out.with_name(out.name + ".partial")
    shutil.rmtree(partial_folder, ignore_errors=True)
    partial_folder.mkdir(parents=True)
    for name, frame in (("tornado.csv", tornado_frame(found)), ("global.csv", global_frame(found))):
        (partial_folder / name).write_text(frame.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    said = json.dumps(document(found), indent=1, ensure_ascii=False, default=str) + "\n"
    (partial_folder / "sensitivity.json").write_text(said, encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (partial_folder / name).replace(out / name)
    partial_folder.rmdir()


# --- tables ---------------------------------------------------------------------------------------
def global_frame(found: Sensitivity) -> pd.DataFrame:
    """Every number that varies: what it is, where it is, its part in the answer, what knowing it would be worth."""
    rows = []
    for one in found.numbers:
        number = one.number
        rows.append({
            "id": number.id, "label": number.label, "central": number.central, "low_80": number.low_80,
            "high_80": number.high_80, "unit": number.unit, "how": number.how, "where": number.where,
            "can_be_researched": one.can_be_researched, "pawn": round(one.pawn, 4),
            "variance_share": round(one.variance_share, 4), "value_adopting_gbp": round(one.value_adopting_gbp, 2),
            "value_budgeting_gbp": round(one.value_budgeting_gbp, 2),
            "p_value": float(f"{one.p_value:.3g}"), "clear": one.is_clear, "perhaps_chance": one.is_perhaps,
        })  # fmt: skip
    return pd.DataFrame(rows)


def tornado_frame(found: Sensitivity) -> pd.DataFrame:
    """Each number at its ends: mean paired change of the measure, in pounds."""
    rows = [
        {"id": bar.number.id, "label": bar.number.label, "p10": bar.low, "p90": bar.high,
         "at_p10_gbp": round(bar.at_low_gbp, 2), "at_p90_gbp": round(bar.at_high_gbp, 2),
         "error_p10_gbp": round(bar.error_low_gbp, 2), "error_p90_gbp": round(bar.error_high_gbp, 2),
         "how": bar.number.how, "where": bar.number.where}
        for bar in found.bars
    ]  # fmt: skip
    return pd.DataFrame(rows)


def document(found: Sensitivity) -> dict[str, Any]:
    """The answer for JSON."""
    q = found.question
    return {
        "scenario": q.scenario.name, "measure": q.measure, "financial_year": found.financial_year, "seed": q.seed,
        "replications": found.replications, "mean_gbp": round(found.mean_gbp, 2), "sd_gbp": round(found.sd_gbp, 2),
        "decision": "adopt the scenario or not, by its net saving over the run in real, discounted pounds",
        "net_benefit_gbp": round(found.benefit_gbp, 2), "chance_of_loss": round(found.chance_of_loss, 6),
        "value_of_perfect_information_gbp": round(found.perfect_gbp, 2), "mean_miss_gbp": round(found.miss_gbp, 2),
        "chance_alone_pawn": round(found.chance_pawn, 4), "drift_share": round(found.drift_share, 4),
        "research_first": [one.number.id for one in found.research[:SHOWN]],
        "tornado": records(tornado_frame(found)), "global": global_frame(found).to_dict("records"),
    }  # fmt: skip


# --- in words -------------------------------------------------------------------------------------
def text(found: Sensitivity) -> str:
    """Tornado, global, research first."""
    q = found.question
    head = (
        f"{q.scenario.name}: {q.measure} in {found.financial_year} is {pounds(found.mean_gbp)} on average over "
        f"{found.replications} worlds, give or take {pounds(found.sd_gbp)} (one standard deviation)."
    )
    stamp = q.calibrated.parameters.stamp
    first = wrapped(head) + (f"\n*** {stamp} ***" if stamp else "")
    return "\n\n".join(part for part in (first, _tornado(found), _global(found), _research(found)) if part)


def _tornado(found: Sensitivity) -> str:
    if not found.bars:
        return ""
    rows = []
    for bar in found.bars:
        ends = f"{short(bar.low)} / {short(bar.high)}"
        rows.append([bar.number.label, ends, _change(bar.at_low_gbp), _change(bar.at_high_gbp),
                     fixed(max(bar.error_low_gbp, bar.error_high_gbp) / 1e6, 2)])  # fmt: skip
    head = ["Tornado: one number at a time, £m", "p10 / p90", "at p10", "at p90", "± error"]
    return table(head, rows, 56, 56)


def _change(value: float) -> str:
    return f"{value / 1e6:+.2f}"


def _global(found: Sensitivity) -> str:
    rows = [
        [one.number.label, f"{one.pawn:.2f}", percent(one.variance_share) + _mark(one)]
        for one in [one for one in found.numbers if one.is_clear or one.is_perhaps][:SHOWN]
    ]
    note = (
        f"Drift of demand, leaving care and moves: {percent(found.drift_share)} of the variance. PAWN runs from 0 to 1; a "
        f"number without any part reaches {found.chance_pawn:.2f} one time in twenty. '?': could be chance, of "
        f"{len(found.numbers)} numbers looked at; more --replications would tell."
    )
    if not rows:
        return wrapped(f"Global: no number stands out. {note}")
    return f"{table(['Global: all numbers at once', 'PAWN', 'of the variance'], rows, 56, 56)}\n{wrapped(note)}"


def _mark(one: Important) -> str:
    return " " if one.is_clear else "?"


def _research(found: Sensitivity) -> str:
    lines = [
        "WHICH ASSUMPTION TO RESEARCH FIRST",
        wrapped(
            f"The choice: adopt {found.question.scenario.name} or not, by its net saving over the run, real and discounted: "
            f"{pounds(found.benefit_gbp)} on average, below nought in {percent(found.chance_of_loss)} of worlds. Knowing "
            f"everything beforehand would be worth {pounds(found.perfect_gbp)}. A budget set by the forecast misses by "
            f"{pounds(found.miss_gbp)} a year on average; knowing a number makes it miss by less."
        ),
    ]
    rows = []
    for one in found.research[:SHOWN]:
        rows.append([one.number.label, pounds(one.value_adopting_gbp), pounds(one.value_budgeting_gbp) + _mark(one),
                     one.number.how])  # fmt: skip
        rows.append([f"    {one.number.where}", "", "", ""])
    if rows:
        lines.append(table(["Number", "for adopting", "for budgeting, a year", "how"], rows, 60, 60))
        lines.append("'for adopting' is £0 where the choice would be the same whatever the number turns out to be.")
    else:
        lines.append("No single number stands out beyond chance; more --replications would tell.")
    return "\n".join(lines)
