"""Answers that take a simulation of their own: what each lever adds, and the places needed. Kept with the run.

They lie in ``answers/KIND.SCENARIO.json`` of the run folder and carry the run's id, so that an answer of another run is
never shown. The numbers are those of ``carecast waterfall`` and ``carecast sufficiency``. A report shows what is kept;
it works nothing out unless it is asked to.
"""

import datetime as dt
import json
import os
from collections.abc import Callable
from typing import Any

from carecast.model.parameters import Calibrated
from carecast.scenarios.library import load_scenario
from carecast.scenarios.run import Run

FOLDER, WATERFALL, PLACES = "answers", "waterfall", "places"
CHANCES = (0.8, 0.9, 0.95)  # of enough places
CHANCE = 0.9  # that papers and slides show, or the nearest that can be known
MOST_REPLICATIONS, ORDERS = 200, 2
ALL_YEARS = "all"
Answer = dict[str, Any]
Progress = Callable[[int, int], None]


def name_of(kind: str, scenario: str) -> str:
    """The file of an answer inside the run folder."""
    return f"{FOLDER}/{kind}.{scenario}.json"


def kept(run: Run, kind: str, scenario: str) -> Answer | None:
    """An answer that lies with the run; None where there is none, it is of another run or it cannot be read."""
    try:
        found: Answer = json.loads((run.folder / name_of(kind, scenario)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(found, dict) and found.get("run_id") == run.record["digest"] and found.get("scenario") == scenario
    return found if same and found.get("kind") == kind else None


def keep(run: Run, answer: Answer) -> None:
    """Put an answer beside the run, whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    file = run.folder / name_of(answer["kind"], answer["scenario"])
    file.parent.mkdir(exist_ok=True)
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps(answer, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


# --- working out ----------------------------------------------------------------------------------
def waterfall(
    run: Run, scenario: str, calibrated: Calibrated, replications: int | None = None, workers: int = 1,
    progress: Progress | None = None,
) -> Answer:  # fmt: skip
    """What each lever of a scenario adds: every year and the whole run, as `carecast waterfall` says it.

    Args:
        run: a complete run.
        scenario: one of its scenarios.
        calibrated: the parameter set the run was made with.
        replications: the first so many of the run's; as many as it has, at most 200, unless given.
        workers: processes.
        progress: told how far it is.

    Raises:
        BadFile: the scenario changes nothing, or is not of the run.
    """
    from carecast.cli.waterfall import document, rows_of
    from carecast.scenarios.waterfall import waterfall as take_apart

    n = min(replications or MOST_REPLICATIONS, int(run.record["replications"]))
    found = take_apart(
        run, scenario, calibrated, permutations=ORDERS, replications=n, workers=workers, progress=progress
    )
    layout = found.total.layout
    held = [year for year, days in zip(layout.financial_years, layout.run_days, strict=True) if days]
    years = {year: document(found, "net", year) for year in (*held, ALL_YEARS)}
    rows = rows_of(found)
    rows = rows[(rows["breakdown"] == "total") & (rows["measure"] != "recurring")].drop(
        columns=["scenario", "breakdown"]
    )
    return {
        **_of(run, WATERFALL, scenario), "replications": n, "orders": found.orders, "every_order": found.is_every_order,
        "years": {year: {key: said[key] for key in said if key != "rows"} for year, said in years.items()},
        "rows": rows.to_dict("records"),
    }  # fmt: skip


def places(
    run: Run, scenario: str, calibrated: Calibrated, replications: int | None = None, progress: Progress | None = None
) -> Answer:
    """Places needed at year ends and peaks for each chance that can be known, as `carecast sufficiency` says it.

    Raises:
        BadFile: nothing of the council's own is limited, so there is nothing to compare with.
    """
    from carecast.cli.text import records
    from carecast.scenarios.sufficiency import demand, needed

    n = min(replications or MOST_REPLICATIONS, int(run.record["replications"]))
    told = demand(
        calibrated, load_scenario(run.folder / "inputs" / f"{scenario}.toml"),
        dt.date.fromisoformat(run.record["until"]), n, int(run.record["seed"]), progress,
        float(run.record["radius_miles"]),
    )  # fmt: skip
    rows: list[Any] = []
    for chance in known_chances(n):
        frame = needed(told, chance)
        frame = frame[frame["basis"].isin(["year_end", "year_peak"])]
        rows += records(frame.assign(date=frame["date"].map(dt.date.isoformat)), 4)
    return {**_of(run, PLACES, scenario), "replications": n, "rows": rows}


def known_chances(replications: int) -> tuple[float, ...]:
    """Chances that so many replications can tell; the least of all where they tell none."""
    found = tuple(chance for chance in CHANCES if replications * (1 - chance) >= 1 - 1e-9)
    return found or (0.5,)


def shown_chance(answer: Answer) -> float:
    """The chance that papers and slides show."""
    return float(min({row["chance"] for row in answer["rows"]}, key=lambda chance: abs(chance - CHANCE)))


def _of(run: Run, kind: str, scenario: str) -> Answer:
    return {"kind": kind, "run_id": str(run.record["digest"]), "scenario": scenario}
