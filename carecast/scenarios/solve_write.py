"""What the solver found as files and as one document: package.toml, frontier.csv, evaluations.csv, solve.json."""

import json
import shutil
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from carecast import __version__
from carecast.model.parameters import BadFile
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.library import save_scenario
from carecast.scenarios.request import frame_digest, text_digest
from carecast.scenarios.solve import Solution, error, frontier, least
from carecast.scenarios.solve_judge import Judged
from carecast.scenarios.wording import not_modelled

SOLVE_FORMAT = 1
FILES = ("package.toml", "frontier.csv", "evaluations.csv", "solve.json")


def check_folder(out: Path) -> None:
    """Refuse a folder that holds anything but an earlier answer.

    Raises:
        BadFile: it is a file, or holds something else.
    """
    if out.is_file():
        raise BadFile(f"{out}: is a file; the answer needs a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / "solve.json").is_file():
        raise BadFile(f"{out}: holds something else; give a new folder, or one with an earlier answer to replace")


def write(solution: Solution, out: Path) -> None:
    """Write the four files; the folder appears whole or not at all."""
    check_folder(out)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_scenario(partial / "package.toml", solution.scenario)
    _to_csv(pd.DataFrame([evaluation(solution, j, "searched") for j in frontier(solution)]), partial / "frontier.csv")
    _to_csv(pd.DataFrame(evaluations(solution)), partial / "evaluations.csv")
    text = json.dumps(document(solution), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (partial / "solve.json").write_text(text, encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (partial / name).replace(out / name)
    partial.rmdir()


def _to_csv(frame: pd.DataFrame, file: Path) -> None:
    file.write_text(frame.to_csv(index=False, lineterminator="\n"), encoding="utf-8")


# --- tables ---------------------------------------------------------------------------------------
def evaluations(solution: Solution) -> list[dict[str, Any]]:
    """Every package told: in the search in its order, then those checked, then the one verified."""
    stages = (("searched", solution.tried), ("checked", solution.checked), ("verified", (solution.verified,)))
    return [evaluation(solution, judged, stage) for stage, all_judged in stages for judged in all_judged]


def evaluation(solution: Solution, judged: Judged, stage: str) -> dict[str, Any]:
    """One package told and judged: sizes, cost, the chance of each target, what limits and safety need."""
    slack = judged.slack + (solution.shift if stage == "searched" else 0.0)
    sizes = zip(solution.space.free, solution.space.size_of(judged.point), strict=True)
    n = len(judged.targets)
    return {
        "stage": stage, "replications": judged.replications, **{free.name: size for free, size in sizes},
        "cost_gbp": round(judged.cost_gbp, 2), "one_off_gbp": round(judged.one_off_gbp, 2),
        "recurring_gbp_per_year": round(judged.recurring_gbp, 2),
        "least_probability": round(least(judged), 6), "joint_probability": round(judged.joint_probability, 6),
        **{f"probability: {t.name}": round(t.met_probability, 6) for t in judged.targets},
        **{f"reached with its probability: {t.name}": round(t.reached, 2) for t in judged.targets},
        **{f"worsening: {s.measure}": round(s.worsening, 4) for s in judged.safety},
        "within_limits_and_safety": bool((slack[n:] >= 0).all()), "meets_everything": bool((slack >= 0).all()),
    }  # fmt: skip


# --- the document ---------------------------------------------------------------------------------
def document(solution: Solution) -> dict[str, Any]:
    """Everything the solver says, for JSON."""
    q, space = solution.question, solution.space
    parameters = space.parameters
    return {
        "format": SOLVE_FORMAT, "council": parameters.council, "as_at": parameters.as_at.isoformat(),
        "until": space.until.isoformat(), "stamp": parameters.stamp, "target_file": q.asked.name,
        "built_on": q.asked.built_on, "reached": solution.is_reached, "confirmed": solution.is_confirmed,
        "package": package(solution), "targets": targets(solution), "joint_probability": round(
            solution.verified.joint_probability, 6),
        "safety": safety(solution), "limits": limits(solution), "binds": binds(solution), "alone": alone(solution),
        "frontier": [evaluation(solution, judged, "searched") for judged in frontier(solution)],
        "search": {
            "seed": q.seed, "replications": q.replications, "check_replications": solution.best.replications,
            "packages_possible": space.n_packages, "packages_told": len(solution.tried),
            "rows": [1, solution.verify_rows[0] - 1],
        },
        "verification": {
            "seed": q.seed + 1, "replications": solution.verified.replications, "rows": list(solution.verify_rows),
        },
        "inputs": {
            "parameters": text_digest(parameters.model_dump_json()), "draws": frame_digest(q.calibrated.draws),
            "stock": frame_digest(q.calibrated.stock), "target_file": text_digest(q.asked.model_dump_json()),
        },
        "not_modelled": list(not_modelled(parameters.not_modelled)), "seconds": solution.seconds,
        "versions": {"carecast": __version__, **{name: version(name) for name in ("numpy", "numba", "scipy")}},
        "command": q.command,
    }  # fmt: skip


def package(solution: Solution) -> dict[str, Any]:
    """The levers of the package with their sizes and bounds, and what it costs."""
    space, best = solution.space, solution.best
    rows = []
    for free, size, most in zip(space.free, space.size_of(best.point), space.size_of(space.most), strict=True):
        kind = KINDS[str(free.lever["kind"])]
        rows.append({
            "lever": free.name, "kind": kind.name, "size_field": free.size_field, "unit": kind.unit_of(free.size_field),
            "size": size, "min": free.min, "max": free.max, "left_out": free.is_left_out(size),
            "at_bound": size == most,
        })  # fmt: skip
    return {
        "levers": rows, "cost_gbp": round(best.cost_gbp, 2), "one_off_gbp": round(best.one_off_gbp, 2),
        "recurring_gbp_per_year": round(best.recurring_gbp, 2),
    }  # fmt: skip


def targets(solution: Solution) -> list[dict[str, Any]]:
    """Each target: its chance when checked and on fresh replications, and what is reached with the chance asked for."""
    rows = []
    for checked, fresh in zip(solution.best.targets, solution.verified.targets, strict=True):
        n = solution.verified.replications
        rows.append({
            "target": fresh.name, "required_probability": fresh.required_probability, "asked": fresh.asked,
            "checked_probability": round(checked.met_probability, 6),
            "verified_probability": round(fresh.met_probability, 6),
            "monte_carlo_error": round(error(fresh.met_probability, n), 6),
            "reached_with_required_probability": round(fresh.reached, 2), "mean": round(fresh.mean, 2),
            "expected_shortfall": round(fresh.expected_shortfall, 2),
            "met": fresh.met_probability >= fresh.required_probability,
        })  # fmt: skip
    return rows


def safety(solution: Solution) -> list[dict[str, Any]]:
    """Each safety measure on fresh replications: mean worsening, margin, chance of more."""
    return [
        {"measure": found.measure, "worsening": round(found.worsening, 4), "margin": found.margin,
         "chance_beyond_margin": round(found.chance_beyond, 6), "within": found.worsening <= found.margin}
        for found in solution.verified.safety
    ]  # fmt: skip


def limits(solution: Solution) -> list[dict[str, Any]]:
    """Each limit on fresh replications."""
    return [
        {"limit": found.name, "found": round(found.found, 4), "allowed": found.limit, "within": found.found <= found.limit}
        for found in solution.verified.limits
    ]  # fmt: skip


def alone(solution: Solution) -> list[dict[str, Any]]:
    """Each target by itself, of the packages told that keep limits and safety: the best chance, and the cheapest enough."""
    n = len(solution.best.targets)
    held = [j for j in solution.tried if ((j.slack + solution.shift)[n:] >= 0).all()]
    rows = []
    for at, target in enumerate(solution.best.targets):
        best = max(held, key=lambda j, at=at: (j.slack[at], -j.cost_gbp), default=None)  # type: ignore[misc]
        enough = [j for j in held if j.slack[at] + solution.shift[at] >= 0]
        cheapest = min(enough, key=lambda j: j.cost_gbp, default=None)
        rows.append({
            "target": target.name, "required_probability": target.required_probability,
            "best_probability": round(best.targets[at].met_probability, 6) if best else None,
            "best_reached": round(best.targets[at].reached, 2) if best else None,
            "cheapest_gbp": round(cheapest.cost_gbp, 2) if cheapest else None,
        })  # fmt: skip
    return rows


def binds(solution: Solution) -> list[dict[str, Any]]:
    """What stands in the way of a cheaper package, or of a nearer one: demands, bounds of levers, limits, margins."""
    return list(_binds_a_good_one(solution) if solution.is_reached else _binds_the_nearest(solution))


def _failed(solution: Solution, judged: Judged) -> list[str]:
    slack = judged.slack + solution.shift
    return [name for name, value in zip(solution.demands, slack, strict=True) if value < 0]


def _binds_a_good_one(solution: Solution) -> Iterable[dict[str, Any]]:
    for lever, judged in solution.back:
        failed = _failed(solution, judged)
        if failed:
            saved = solution.best.cost_gbp - judged.cost_gbp
            yield {"what": "one step less", "lever": lever, "saves_gbp": round(saved, 2), "fails": failed}


def _binds_the_nearest(solution: Solution) -> Iterable[dict[str, Any]]:
    names, slack = solution.demands, solution.best.slack
    for name, value in zip(names, slack, strict=True):
        if value < 0:
            yield {"what": "not met", "demand": name}
    for row in package(solution)["levers"]:
        if row["at_bound"]:
            yield {"what": "lever at its most", "lever": row["lever"], "size": row["size"]}
    for name, judged in solution.relaxed:
        chances = {t.name: round(t.met_probability, 6) for t in judged.targets}
        yield {"what": "without it", "demand": name, "probabilities": chances, "cost_gbp": round(judged.cost_gbp, 2)}
