"""Two longer works in a worker process: what each lever adds, and the places needed. No Streamlit.

Each writes the document that the command line prints with ``--json``, so the numbers are the same.
"""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carecast.dashboard.worker import grounds
from carecast.scenarios.library import load_scenario

ANSWER = "answer.json"
CHANCES = (0.8, 0.9, 0.95)  # of enough places, that the page offers
MOST_REPLICATIONS = 200  # of a run, as many as the command line takes
ORDERS = 2  # each with its reverse
Report = Callable[[int, int], None]


def waterfall(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """`carecast waterfall RUN --scenario NAME --year YEAR --json`."""
    from carecast.cli.waterfall import document
    from carecast.scenarios.run import open_run
    from carecast.scenarios.waterfall import waterfall as take_apart

    run = open_run(Path(question["run"]))
    _, calibrated = grounds(run.folder)
    found = take_apart(
        run, question["scenario"], calibrated, permutations=ORDERS,
        replications=min(MOST_REPLICATIONS, int(run.record["replications"])), progress=report,
    )  # fmt: skip
    said = {year: document(found, "net", year) for year in question["years"]}
    return _written(folder, {year: {key: one[key] for key in one if key != "rows"} for year, one in said.items()})


def sufficiency(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """`carecast sufficiency RUN --scenario NAME --chance CHANCE --json`, of every chance that can be known."""
    from carecast.cli.text import records
    from carecast.scenarios.sufficiency import demand, needed

    source = Path(question["run"])
    record, calibrated = grounds(source)
    n = min(MOST_REPLICATIONS, int(record["replications"]))
    told = demand(
        calibrated, load_scenario(source / "inputs" / f"{question['scenario']}.toml"),
        dt.date.fromisoformat(record["until"]), n, int(record["seed"]), report, float(record["radius_miles"]),
    )  # fmt: skip
    rows = []
    for chance in CHANCES:
        if n * (1 - chance) >= 1 - 1e-9:
            frame = needed(told, chance)
            yearly = frame[frame["basis"].isin(["year_end", "year_peak"])]
            rows += records(yearly.assign(date=yearly["date"].map(dt.date.isoformat)), 4)
    return _written(folder, {"scenario": question["scenario"], "replications": n, "rows": rows})


def _written(folder: Path, document: dict[str, Any]) -> Path:
    partial = folder / f"{ANSWER}.partial"
    partial.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    partial.replace(folder / ANSWER)
    return folder / ANSWER
