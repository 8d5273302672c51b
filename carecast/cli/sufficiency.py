"""``carecast sufficiency``: places needed for a stated chance that nobody overflows."""

import datetime as dt
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from carecast.cli.doors import Bar, say, show, show_json
from carecast.cli.options import Json
from carecast.cli.text import fixed, percent, records, table, wrapped
from carecast.cli.to_file import check_csv, write_csv
from carecast.model.parameters import BadFile, Calibrated, load
from carecast.scenarios.library import load_scenario
from carecast.scenarios.request import text_digest
from carecast.scenarios.wording import term

if TYPE_CHECKING:
    from carecast.scenarios.scenario import Scenario

KIND_LABELS = {
    "foster_own": "Own foster homes", "childrens_house_own": "Own {house}s", "early_help": "Early help, families",
    "assessment": "Assessment, families",
}  # fmt: skip


def sufficiency(
    source: Annotated[Path, typer.Argument(metavar="PARAMETERS_OR_RUN", help="A parameter set, or a run of it.")],
    chance: Annotated[float, typer.Option("--chance", help="That places are enough.", min=0.5, max=0.999)] = 0.9,
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME_OR_FILE", help="What is done.")] = "baseline",
    replications: Annotated[
        int | None, typer.Option("--replications", min=2, help="Worlds; 200, or as many as the run has.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**62, help="1, or the run's.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Last day, or the run's.")] = None,
    parameters: Annotated[
        Path | None, typer.Option("--parameters", metavar="DIR", help="The parameter set of the run, if it has moved.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="Write every month and year.")] = None,
    as_json: Json = False,
) -> None:
    """Places needed by kind and locality so that, with a stated chance, no child or family finds them full.

    Example: `carecast sufficiency parameters/wd --chance 0.9 --scenario baseline`
    """
    from carecast.cli.commands import day
    from carecast.scenarios.sufficiency import demand, needed

    check_csv(to)
    calibrated, found, defaults = _inputs(source, scenario, parameters)
    n = replications or defaults["replications"]
    if n * (1 - chance) < 1 - 1e-9:
        raise BadFile(f"--chance: {chance:g} cannot be known from {n} replications; at least {round(1 / (1 - chance))}")
    last = day(until, "--until") if until else defaults["until"]
    with Bar("Telling replications with unlimited places") as bar:
        told = demand(
            calibrated, found, last, n, defaults["seed"] if seed is None else seed, bar, defaults["radius_miles"]
        )
    frame = needed(told, chance)
    if to is not None:
        write_csv(frame, to)
        say(f"Written to {to}: {len(frame)} rows")
    if as_json:
        rows = records(frame.assign(date=frame["date"].map(dt.date.isoformat)), 4)
        show_json({"council": calibrated.parameters.council, "replications": n, "chance": chance, "rows": rows})
        return
    show(sufficiency_text(calibrated, frame, n))


# --- inputs -----------------------------------------------------------------------------------------
def _inputs(source: Path, scenario: str, parameters: Path | None) -> tuple[Calibrated, "Scenario", dict[str, Any]]:
    """Parameter set, scenario and defaults of a parameter set folder or of a run.

    Raises:
        BadFile: it is neither, or the run's parameter set is not found.
    """
    from carecast.cli.commands import END_OF_HORIZON

    defaults: dict[str, Any] = {
        "replications": 200, "seed": 1, "until": dt.date.fromisoformat(END_OF_HORIZON), "radius_miles": None,
    }  # fmt: skip
    if (source / "parameters.toml").is_file():
        return load(source), load_scenario(scenario), defaults
    if not (source / "run.json").is_file():
        raise BadFile(f"{source}: neither a parameter set (no parameters.toml) nor a run (no run.json)")
    from carecast.scenarios.run import open_run

    run = open_run(source)
    kept = source / "inputs" / f"{scenario}.toml"
    found = load_scenario(kept if kept.is_file() else scenario)
    defaults = {
        "replications": int(run.record["replications"]), "seed": int(run.record["seed"]),
        "until": dt.date.fromisoformat(run.record["until"]), "radius_miles": float(run.record["radius_miles"]),
    }  # fmt: skip
    return parameters_of_run(source, run.record, parameters), found, defaults


def parameters_of_run(folder: Path, record: dict[str, Any], given: Path | None = None) -> Calibrated:
    """The parameter set a run was told from: it is not in the run folder, which never holds the stock.

    Raises:
        BadFile: it is not where the run's own command says, or it has been changed since.
    """
    words = shlex.split(str(record.get("command", "")))
    named = [Path(b) for a, b in zip(words, words[1:], strict=False) if a == "--parameters"]
    named += [Path(word.partition("=")[2]) for word in words if word.startswith("--parameters=")]
    places = [given] if given else [*named, folder.with_name(f"{folder.name}-parameters")]
    there = [place for place in places if (place / "parameters.toml").is_file()]
    if not there:
        looked = ", ".join(str(place) for place in places)
        raise BadFile(f"{folder}: its parameter set is not at {looked}; give it with --parameters DIR")
    calibrated = load(there[0])
    if text_digest(calibrated.parameters.model_dump_json()) != record["inputs"]["parameters"]:
        raise BadFile(
            f"{there[0]}: is not the parameter set the run {folder} was told from; give that with --parameters DIR"
        )
    return calibrated


# --- on screen --------------------------------------------------------------------------------------
def sufficiency_text(calibrated: Calibrated, frame: pd.DataFrame, replications: int) -> str:
    """Places needed at the end of each financial year and at its peak, beside those there are."""
    p = calibrated.parameters
    chance, scenario = float(frame["chance"].iloc[0]), str(frame["scenario"].iloc[0])
    lines = [
        f"{p.council}: places needed in {scenario} for a chance of {percent(chance)} that they are enough",
        f"{replications} replications with unlimited places: demand before any child or family is turned away",
    ]
    if p.stamp:
        lines.append(f"*** {p.stamp} ***")
    parts = ["\n".join(lines)]
    years = list(dict.fromkeys(frame.loc[frame["basis"] == "year_peak", "financial_year"]))
    for basis, label in (("year_end", "at the year's end"), ("year_peak", "at the peak of the year")):
        parts.append(_by_year(p.nation, frame[frame["basis"] == basis], label, years[-5:]))
    if years:
        parts.append(
            _last_year(p.nation, frame[(frame["basis"] == "year_peak") & (frame["financial_year"] == years[-1])])
        )
    return "\n\n".join([*parts, _NOTES])


def _label(nation: str, row: dict[Any, Any]) -> str:
    return f"{KIND_LABELS[row['kind']].format(house=term(nation, 'childrens_house'))}: {row['where']}"


def _by_year(nation: str, frame: pd.DataFrame, label: str, years: list[str]) -> str:
    """Places needed by year."""
    rows = []
    for _, part in frame.groupby(["kind", "where"], sort=False):
        by_year = {row["financial_year"]: row for row in part.to_dict("records")}
        last = by_year[max(by_year)]
        cells = [fixed(by_year[year]["needed"]) if year in by_year else "" for year in years]
        rows.append([_label(nation, last), *cells, fixed(last["usable_there_are"]), fixed(max(last["short_of"], 0))])
    return table([f"Places needed {label}", *years, "there are", "short of"], rows, 46)


def _last_year(nation: str, frame: pd.DataFrame) -> str:
    """Demand, and how likely the places there are to be enough, in the last year."""
    rows = []
    for row in frame.to_dict("records"):
        demand = f"{fixed(row['demand_mean'])} ({row['demand_p10']} to {row['demand_p90']})"
        numbers = (fixed(row["needed"]), fixed(row["places_to_have"]))
        there_are, enough = fixed(row["usable_there_are"]), percent(row["chance_of_enough"])
        rows.append([_label(nation, row), demand, there_are, enough, *numbers])
    year = frame["financial_year"].iloc[0] if len(frame) else ""
    head = [f"At the peak of {year}", "demand (80 %)", "there are", "chance enough", "needed", "places to have"]
    return table(head, rows, 46)


_NOTES = "\n".join(
    wrapped(line)
    for line in (
        "Needed: usable places that demand does not exceed in that share of replications. There are: usable places, in "
        "homes of the locality (the whole council: also homes outside its area). Places to have: needed over the share "
        "of places that can be used. Localities are where the children come from; the council as a whole needs fewer "
        "places than its parts added up, since they do not peak together.",
        "A free place does not suit every child, so a plan needs some more. Own homes are sought before bought ones, so "
        "demand for children's houses holds every child for whom a children's house of any provider is wanted.",
    )
)
