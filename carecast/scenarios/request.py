"""What is asked of a run, and what of it decides the numbers: the same inputs, the same content."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from carecast import __version__
from carecast.model.engine import Clock
from carecast.model.parameters import BadFile, Calibrated, ParameterSet
from carecast.model.summary import BASELINE
from carecast.scenarios.library import inherited, lineage, load_scenario, targets_of, write_text
from carecast.scenarios.replicate import BLOCK
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.target_file import load_target_file, target_files
from carecast.scenarios.targets import Target

Found = TypeVar("Found")


@dataclass(frozen=True)
class Request:
    """What is asked of a run."""

    calibrated: Calibrated
    scenarios: tuple[Scenario, ...]  # without the baseline, or with it anywhere
    until: dt.date
    seed: int = 1
    replications: int | None = 200  # None: as many as the stopping rule asks for
    workers: int = 1
    scheduler: str = ""  # address of a Dask scheduler, whose workers tell the run instead
    clock: Clock = "compiled"
    radius_miles: float | None = None
    targets: tuple[Target, ...] = ()
    command: str = ""
    events: bool = False  # also write events.parquet: every event of simulated entrants
    all_targets: bool = False  # refuse a target that the run cannot judge; otherwise it is left out, and said so


def gathered(tasks: Iterable[Callable[[], Found]]) -> tuple[Found, ...]:
    """The answers of all tasks, or the mistakes of all that fail.

    Raises:
        BadFile: one line for each mistake in any of them.
    """
    found: list[Found] = []
    lines: list[str] = []
    for task in tasks:
        try:
            found.append(task())
        except BadFile as error:
            lines += error.lines
    if lines:
        raise BadFile(*dict.fromkeys(lines))
    return tuple(found)


def with_baseline(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """The baseline first, then each scenario once.

    Raises:
        BadFile: two scenarios share a name.
    """
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadFile(*(f"scenario {name!r} is given twice; two scenarios of a run need two names" for name in twice))
    own = [scenario for scenario in scenarios if scenario.name == BASELINE]
    others = tuple(scenario for scenario in scenarios if scenario.name != BASELINE)
    return (own[0] if own else load_scenario(BASELINE), *others)


def scenario_files(scenarios: tuple[Scenario, ...]) -> dict[str, str]:
    """Text of every scenario and of all it is built on, by name: a run folder must not need another folder.

    Raises:
        BadFile: two of them share a name and differ.
    """
    texts: dict[str, str] = {}
    lines = []
    for scenario in scenarios:
        for ancestor in reversed(lineage(scenario)):
            text = write_text(ancestor)
            if texts.setdefault(ancestor.name, text) != text:
                lines.append(
                    f"{scenario.name}: is built on a scenario {ancestor.name!r} that differs from the one of the same name "
                    "in this run; put both files in one folder, or give one another name"
                )
    if lines:
        raise BadFile(*dict.fromkeys(lines))
    return texts


def default_targets(parameters: ParameterSet, scenarios: tuple[Scenario, ...]) -> tuple[Target, ...]:
    """Targets that the scenarios bring, and those shipped for this council or these scenarios; each name once."""
    found = {target.name: target for scenario in scenarios for target in targets_of(scenario)}
    names = (parameters.council.lower().replace(" ", "_"), *(scenario.name for scenario in scenarios))
    for name in dict.fromkeys(name for name in names if name in target_files()):
        for target in load_target_file(name).targets:
            found.setdefault(target.name, target)
    return tuple(found.values())


# --- the same inputs? ----------------------------------------------------------------------------------------------------
def text_digest(*texts: str) -> str:
    """Digest of some texts in order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def frame_digest(frame: pd.DataFrame) -> str:
    """Digest of the content of a table: columns, rows and their order; the same however it was stored."""
    whole = {name: "int64" for name in frame.select_dtypes("integer").columns}  # -1 hashes by the width of its column
    hashed = pd.util.hash_pandas_object(frame.astype(whole), index=False, categorize=True).to_numpy()
    return hashlib.sha256("|".join(map(str, frame.columns)).encode() + hashed.tobytes()).hexdigest()[:16]


def input_digests(request: Request, scenarios: tuple[Scenario, ...]) -> dict[str, str]:
    """Digests of content of everything that decides a run."""
    c = request.calibrated
    return {
        "parameters": text_digest(c.parameters.model_dump_json()),
        "draws": frame_digest(c.draws),
        "stock": frame_digest(c.stock),
        **{f"scenario {s.name}": text_digest(repr(inherited(s))) for s in scenarios},
        "targets": text_digest(*(target.model_dump_json() for target in request.targets)),
    }


def asked(request: Request) -> dict[str, Any]:
    """What was asked in so many words, as ``run.json`` keeps it to compare with."""
    return {
        "replications": request.replications or "auto",
        "seed": request.seed,
        "until": request.until.isoformat(),
        "clock": request.clock,
        "radius_miles": request.radius_miles or request.calibrated.parameters.radius_miles,
        "events": request.events,
        "block": BLOCK,
        "carecast": __version__,
    }


def differences(request: Request, digests: dict[str, str], record: dict[str, Any]) -> list[str]:
    """What was asked of the run in a folder that is not asked now, in words; nothing when it is the same run."""
    before = record.get("inputs", {})
    lines = [
        key if key in digests and key in before else f"{key} ({'only now' if key in digests else 'only then'})"
        for key in dict.fromkeys((*digests, *before))
        if digests.get(key) != before.get(key)
    ]
    then = record.get("asked", {})
    for key, value in asked(request).items():
        if then.get(key) != value:
            lines.append(f"{key} ({then.get(key)} then, {value} now)")
    return lines
