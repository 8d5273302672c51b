"""`carecast solve`: what would it take, and how what was found is said."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from carecast.cli.doors import Bar, StoppedError, say, show, show_json
from carecast.cli.options import Json
from carecast.cli.text import fixed, percent, pounds, short, table, wrapped
from carecast.model.parameters import load
from carecast.scenarios.compare import SAFETY_MEASURES
from carecast.scenarios.request import gathered
from carecast.scenarios.wording import measure_label

LIMITS = {
    "one_off_gbp": "One-off cost, with capital",
    "recurring_gbp_per_year": "Recurring cost in the dearest year",
    "reserves_breach_chance": "Chance that reserves fall below their minimum",
}
MOST_ON_FRONTIER = 8


def solve(
    parameters: Annotated[
        Path, typer.Option("--parameters", metavar="DIR", help="A parameter set, from `carecast calibrate`.")
    ],
    target: Annotated[
        str, typer.Option("--target", metavar="FILE", help="A target file, or the name of a shipped one.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the package and all that was tried.")],
    replications: Annotated[int, typer.Option("--replications", min=20, help="Worlds of each package tried.")] = 64,
    check: Annotated[int, typer.Option("--check", min=20, help="Worlds of each finalist.")] = 600,
    verify: Annotated[int, typer.Option("--verify", min=20, help="Fresh worlds of the package chosen.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the search; the next verifies.", min=0,
                                      max=2**62)] = 1,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; as many as processors.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """What would it take: the cheapest package of levers that meets every target, verified on fresh worlds.

    Example: `carecast solve --parameters parameters/wd --target west_dunbartonshire --out runs/what_it_takes`
    """
    from carecast.cli.commands import asked_command, default_workers
    from carecast.model import compiled
    from carecast.scenarios import solve_write
    from carecast.scenarios.solve import Question
    from carecast.scenarios.solve import solve as find
    from carecast.scenarios.solve_space import folder_of
    from carecast.scenarios.target_file import load_target_file

    solve_write.check_folder(out)
    tasks: list[Callable[[], Any]] = [partial(load, parameters), partial(load_target_file, target)]
    calibrated, asked = gathered(tasks)
    question = Question(
        calibrated, asked, seed=seed, replications=replications, check=check, verify=verify,
        workers=workers or default_workers(), folder=folder_of(target), command=asked_command(),
    )  # fmt: skip

    def announce() -> None:
        if compiled.IS_FIRST_COMPILE:
            say("Compiling the model for this machine, once (about half a minute) ...")

    with Bar("Trying packages", announce) as bar:
        try:
            solution = find(question, bar)
        except KeyboardInterrupt:
            raise StoppedError(f"stopped; nothing was written to {out}") from None
    solve_write.write(solution, out)
    document = solve_write.document(solution)
    if as_json:
        show_json(document)
        return
    show(said(document, calibrated.parameters.nation))
    say(f"Written to {out}. Next: carecast run --parameters {parameters} --scenario {out / 'package.toml'}")


# --- in words -------------------------------------------------------------------------------------
def said(found: dict[str, Any], nation: str) -> str:
    """The whole answer for a terminal."""
    stamp = f"*** {found['stamp']} ***" if found["stamp"] else ""
    head = f"What would it take? {found['council']}: target file {found['target_file']}, to {found['until']}"
    parts = ["\n".join(line for line in (head, stamp) if line), answer_text(found), package_text(found)]
    parts += [targets_text(found), safety_text(found, nation), binds_text(found, nation), frontier_text(found)]
    parts += [alone_text(found), sure_text(found)]
    parts.append("Not modelled:\n" + "\n".join(wrapped(f"  - {line}") for line in found["not_modelled"]))
    return "\n\n".join(part for part in parts if part)


def answer_text(found: dict[str, Any]) -> str:
    """Reached or not, in a sentence or two."""
    cost = pounds(found["package"]["cost_gbp"])
    if found["reached"] and found["confirmed"]:
        text = (
            f"YES. The cheapest package found costs {cost} to {found['until']} and meets every target, limit and margin"
        )
        return wrapped(f"{text}; fresh worlds confirm it.")
    if found["reached"]:
        text = f"NOT CONFIRMED. A package of {cost} met everything in the search, but fresh worlds do not bear it out"
        return wrapped(f"{text}: see below. More --replications and --check make the search less hopeful.")
    lines = ["NO. Nothing within the bounds was found that meets every target within limits and safety margins."]
    for row in found["targets"]:
        if not row["met"]:
            lines.append(
                f"  - {row['target']}: {percent(row['verified_probability'])} where "
                f"{percent(row['required_probability'])} is asked; with that chance it reaches "
                f"{_amount(row['reached_with_required_probability'])} of {_amount(row['asked'])}"
            )
    lines.append(f"The nearest package costs {cost} to {found['until']}:")
    return "\n".join(wrapped(line) for line in lines)


def _amount(value: float) -> str:
    return pounds(value) if abs(value) >= 10_000 else fixed(value, 1)


def package_text(found: dict[str, Any]) -> str:
    """Levers and sizes."""
    rows = []
    for row in found["package"]["levers"]:
        size = "left out" if row["left_out"] else short(row["size"])
        bound = "at its most" if row["at_bound"] else ""
        rows.append(
            [f"{row['lever']} ({row['size_field']})", size, f"{short(row['min'])} to {short(row['max'])}", bound]
        )
    package = found["package"]
    last = (
        f"Programme cost {pounds(package['cost_gbp'])} in all: {pounds(package['one_off_gbp'])} once, "
        f"{pounds(package['recurring_gbp_per_year'])} in the dearest year."
    )
    return f"{table(['Package', 'size', 'free between', ''], rows)}\n{last}"


def targets_text(found: dict[str, Any]) -> str:
    """Each target on fresh worlds."""
    rows = []
    for row in found["targets"]:
        chance = f"{percent(row['verified_probability'])} ± {196 * row['monte_carlo_error']:.0f}"
        reached = _amount(row["reached_with_required_probability"])
        lacking = _amount(row["expected_shortfall"])
        rows.append(
            [row["target"], chance, percent(row["required_probability"]), reached, _amount(row["asked"]), lacking]
        )
    head = ["Targets, on fresh worlds", "probability", "required", "reached with it", "asked", "mean shortfall"]
    text = table(head, rows, 46, 46)
    return f"{text}\nAll of them together: {percent(found['joint_probability'])}."


def safety_text(found: dict[str, Any], nation: str) -> str:
    """Limits and safety margins on fresh worlds."""
    rows = []
    for row in found["limits"]:
        is_chance = row["limit"] == "reserves_breach_chance"
        shown = [percent(row[key]) if is_chance else pounds(row[key]) for key in ("found", "allowed")]
        rows.append([LIMITS[row["limit"]], *shown, "" if row["within"] else "BEYOND"])
    for row in found["safety"]:
        verdict = "" if row["within"] else "BEYOND"
        rows.append([f"Worse by: {measure_label(nation, row['measure'])}", f"{row['worsening']:+.2f}",
                     short(row["margin"]), verdict])  # fmt: skip
    return table(["Limits and safety, on fresh worlds", "found", "at most", ""], rows, 52) if rows else ""


def _named(name: str, nation: str) -> str:
    if name in LIMITS:
        return f"the limit on {LIMITS[name][:1].lower()}{LIMITS[name][1:]}"
    return f"the margin on '{measure_label(nation, name)}'" if name in SAFETY_MEASURES else f"'{name}'"


def binds_text(found: dict[str, Any], nation: str) -> str:
    """What stands in the way of a cheaper or a nearer package."""
    lines = ["WHAT BINDS"]
    for row in found["binds"]:
        if row["what"] == "one step less":
            fails = ", ".join(_named(name, nation) for name in row["fails"])
            lines.append(
                f"  - One step less of '{row['lever']}' would save {pounds(row['saves_gbp'])} and fail {fails}."
            )
        elif row["what"] == "not met":
            lines.append(f"  - Not met: {_named(row['demand'], nation)}.")
        elif row["what"] == "lever at its most":
            lines.append(f"  - '{row['lever']}' is at its most, {short(row['size'])}.")
        else:
            chances = "; ".join(f"{name} {percent(chance)}" for name, chance in row["probabilities"].items())
            lines.append(f"  - Without {_named(row['demand'], nation)}, for {pounds(row['cost_gbp'])}: {chances}.")
    return "\n".join(wrapped(line) for line in lines) if len(lines) > 1 else ""


def frontier_text(found: dict[str, Any]) -> str:
    """Cost against the chance of the least likely target."""
    rows = found["frontier"]
    if len(rows) > MOST_ON_FRONTIER:
        step = (len(rows) - 1) / (MOST_ON_FRONTIER - 1)
        rows = [rows[round(at * step)] for at in range(MOST_ON_FRONTIER)]
    names = [row["lever"] for row in found["package"]["levers"]]
    cells = [
        [pounds(row["cost_gbp"]), percent(row["least_probability"]), percent(row["joint_probability"]),
         ", ".join(short(row[name]) for name in names)]
        for row in rows
    ]  # fmt: skip
    head = ["Frontier: cost", "chance of the least likely target", "of all together", "sizes, in the order above"]
    return f"{table(head, cells, 16, 16)}\nAs searched ({found['search']['replications']} worlds each); all in frontier.csv."


def alone_text(found: dict[str, Any]) -> str:
    """Each target by itself."""
    if len(found["alone"]) < 2:
        return ""
    rows = []
    for row in found["alone"]:
        best = "none" if row["best_probability"] is None else percent(row["best_probability"])
        reached = "" if row["best_reached"] is None else _amount(row["best_reached"])
        cheapest = "out of reach" if row["cheapest_gbp"] is None else pounds(row["cheapest_gbp"])
        rows.append([row["target"], best, percent(row["required_probability"]), reached, cheapest])
    head = ["Each target by itself, as searched", "best chance", "required", "reached", "cheapest enough"]
    return table(head, rows, 46, 46)


def sure_text(found: dict[str, Any]) -> str:
    """How it was searched and verified."""
    search, verified = found["search"], found["verification"]
    rows = " to ".join(str(row) for row in verified["rows"])
    told, possible = search["packages_told"], search["packages_possible"]
    sentences = (
        f"Searched: {told} of {possible:,} packages on {search['replications']} worlds each, the best on "
        f"{search['check_replications']}, seed {search['seed']}.",
        f"Verified on {verified['replications']} worlds of rows {rows} of the draws with seed {verified['seed']}, none of "
        "which the search used.",
        f"{found['seconds']:g} s. A cheaper package that was not told may exist.",
    )
    return wrapped(" ".join(sentences))


__all__ = ["said", "solve"]
