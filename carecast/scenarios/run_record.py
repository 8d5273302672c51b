"""What ``run.json`` says of a run: what was asked, of what, by which versions, and how sure the numbers are."""

import datetime as dt
import hashlib
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast import __version__
from carecast.model.money import Money
from carecast.model.parameters import Calibrated
from carecast.model.summary import Answers
from carecast.scenarios.library import limits_of
from carecast.scenarios.replicate import BLOCK, Teller
from carecast.scenarios.request import Request, asked, frame_digest
from carecast.scenarios.run_folder import RUN_FORMAT
from carecast.scenarios.targets import Target
from carecast.scenarios.wording import not_modelled

ROOT = Path(__file__).parents[2]


def first_record(request: Request, teller: Teller, digests: Mapping[str, str], targets: Sequence[Target],
                 left_out: Mapping[str, str]) -> dict[str, Any]:  # fmt: skip
    """The record of a run that begins: nothing told yet."""
    p = request.calibrated.parameters
    calendar = teller.calendar
    return {
        "format": RUN_FORMAT, "status": "running", "council": p.council, "nation": p.nation, "as_at": p.as_at.isoformat(),
        "counterfactual_date": p.counterfactual_date.isoformat() if p.counterfactual_date else None,
        "until": request.until.isoformat(), "seed": request.seed, "clock": request.clock, "replications": 0,
        "asked_replications": request.replications or "auto", "block": BLOCK,
        "radius_miles": request.radius_miles or p.radius_miles, "indicative": p.indicative, "stamp": p.stamp,
        "scenarios": [plan.name for plan in teller.job.plans], "inputs": dict(digests), "asked": asked(request),
        "events": request.events, "part_years": list(calendar.part_years),
        "not_modelled": _not_modelled(request), "not_modelled_of": _limits(request),
        "backtest": _backtest(request.calibrated), "hindcast": request.calibrated.record.get("hindcast"),
        "versions": {"carecast": __version__, "python": platform.python_version(),
                     **{name: version(name) for name in ("numpy", "numba", "pandas", "pyarrow", "simpy")}},
        "commit": _commit(), "command": request.command,
        "started": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "targets": [target.model_dump(mode="json", by_alias=True, exclude_none=True) for target in targets],
        "targets_left_out": dict(left_out),
        "lines": list(teller.lines), "items": _items(teller),
        "notes": [*_upgrades(request), *(note for plan in teller.job.plans for note in plan.notes)],
        "parameters": kept_parameters(request.calibrated),
    }  # fmt: skip


def _limits(request: Request) -> dict[str, tuple[str, ...]]:
    """What each programme of the run asks for that cannot be modelled, by its title."""
    return {title: lines for scenario in request.scenarios for title, lines in limits_of(scenario).items()}


def _not_modelled(request: Request) -> list[str]:
    """What no simulation of demand holds, then what each programme of the run asks for beyond that."""
    own = (f"{title}: {line}" for title, lines in _limits(request).items() for line in lines)
    return [*not_modelled(request.calibrated.parameters.not_modelled), *own]


def _upgrades(request: Request) -> list[str]:
    """What was changed to read scenario files of an older format."""
    return [f"{scenario.name}.toml, read from an older format: {line}"
            for scenario in request.scenarios for line in scenario.upgraded]  # fmt: skip


def kept_parameters(calibrated: Calibrated) -> dict[str, Any]:
    """What screens and reports show of the parameter set; never the stock."""
    return dict(
        calibrated.parameters.model_dump(mode="json", by_alias=True, exclude={"rates", "destinations", "branches"})
    )


def _backtest(calibrated: Calibrated) -> Any:  # noqa: ANN401
    """The back-test stored beside the parameter set; None until there is one."""
    return calibrated.record.get("backtest")


def _items(teller: Teller) -> dict[str, list[dict[str, Any]]]:
    return {
        plan.name: [
            {"lever": i.lever, "label": i.label, "paid_from": i.paid_from, "recurring": i.recurring, "category": i.category,
             "funder": i.funder}
            for i in book.layout.items
        ]
        for plan, book in zip(teller.job.plans, teller.books, strict=True)
    }  # fmt: skip


def _commit() -> str:
    """The commit of carecast itself when it runs from its own checkout, with -dirty when files were changed."""
    if not (ROOT / ".git").exists():
        return ""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


def content_digest(answers: Sequence[Answers], money: Mapping[str, Money], searches: Sequence[pd.DataFrame],
                   summary: pd.DataFrame) -> str:  # fmt: skip
    """Digest of everything a run holds, of content and not of files: every replication, its pence, and the summary."""
    digest = hashlib.sha256(frame_digest(summary).encode())
    for answer in answers:
        stacked = money[answer.scenario]
        parts = (answer.monthly.values + 0.0, stacked.gross, stacked.value, stacked.by_funder, stacked.programme)
        for part in parts:
            digest.update(str(part.shape).encode() + np.ascontiguousarray(part).tobytes())
    for frame in searches:
        digest.update(frame_digest(frame).encode())
    return digest.hexdigest()[:16]
