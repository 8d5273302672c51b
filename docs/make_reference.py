"""Tables for the documentation, made from the code so that they cannot say anything else.

python docs/make_reference.py levers           write the table of kinds into docs/scenarios.md
python docs/make_reference.py programmes       write aims, levers and measures into docs/programmes/*.md
python docs/make_reference.py numbers DIR      print every number of a parameter set with its source
python docs/make_reference.py demo RUN         write the demo's figures into README.md and CHANGELOG.md
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from carecast.cli.sections import saving_text, targets_text
from carecast.model.parameters import ParameterSet, load
from carecast.model.summary import BASELINE, Values, spread
from carecast.scenarios.describe import describe
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.kinds import Kind
from carecast.scenarios.library import load_scenario
from carecast.scenarios.run import Run, open_run
from carecast.scenarios.scenario import Scenario

DOCS = Path(__file__).parent
SCENARIOS, README, CHANGELOG = DOCS / "scenarios.md", DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md"
END = "<!-- end of what make_reference.py writes -->"
PROGRAMME = "what_would_it_take"
HEADLINES = (  # measure, what it is called, pounds per unit shown, decimals
    ("looked_after", "children looked after", 1.0, 0),
    ("looked_after_away_from_home", "of them away from home", 1.0, 0),
    ("within_radius_percent", "within 15 miles of home, %", 1.0, 0),
    ("gross_cost_gbp", "gross cost, £m", 1e6, 1),
    ("programme_cost_gbp", "programme cost, £m", 1e6, 2),
    ("net_saving_gbp", "net saving, £m", 1e6, 2),
    ("cumulative_net_saving_gbp", "net saving since the start, £m", 1e6, 2),
)


def written(text: str, what: str, new: str) -> str:
    """A text with what stands between two comments made anew."""
    begin = f"<!-- {what}: written by make_reference.py -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(END)
    return f"{before}{begin}\n\n{new}\n\n{END}{after}"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def levers() -> str:
    """One row for each kind, in the order of the pathway."""
    head = ("kind", "acts at", "size (unit)", "default evidence")
    return table(head, (_kind(kind) for kind in KINDS.values()))


def _kind(kind: Kind) -> tuple[str, ...]:
    name = f"[`{kind.name}`](#{kind.name})" + (" (assumption)" if kind.is_assumption else "")
    sizes = "; ".join(f"`{size}` ({kind.unit_of(size)})" for size in kind.sizes) or "none"
    return name, kind.stage.replace("_", " "), sizes, f"`{kind.evidence}`" if kind.evidence else ""


def with_levers(text: str) -> str:
    """The text of scenarios.md with its table of kinds made anew."""
    return written(text, "table of kinds", levers())


PROGRAMMES = {  # page -> shipped scenario
    "cheshire-east": "cheshire_east_redesign",
    "kent": "kent_childrens_trust",
    "wiltshire": "wiltshire_childrens_trust",
    "serving-children-well": "serving_children_well",
}


def aims(scenario: Scenario) -> str:
    """One row for each aim of a programme: levers that serve it, measures that show it, what of it is not held."""
    head = ("aim", "levers", "measures", "not held")
    kinds = {lever.name: lever.kind for lever in scenario.levers}
    rows = (
        (
            aim.aim,
            "; ".join(f"{name} ([`{kinds[name]}`](../scenarios.md#{kinds[name]}))" for name in aim.levers)
            or "none of its own",
            ", ".join(f"`{name}`" for name in aim.measures),
            aim.not_modelled,
        )
        for aim in scenario.aims
    )
    return table(head, rows)


def sizes(scenario: Scenario) -> str:
    """One row for each lever: size, range, when, cost, and what it rests on."""
    head = ("lever", "size", "range", "from", "cost", "what it rests on")
    rows = (
        (
            told.label,
            "; ".join(part for part in (told.size, told.where) if part),
            told.spread,
            told.when.removeprefix("from "),
            told.cost,
            told.because,
        )
        for told in describe(scenario, "england")
    )
    return table(head, rows)


def limits(scenario: Scenario) -> str:
    """What the programme asks for that cannot be modelled, beside what no result holds."""
    return "\n".join(f"- {line}" for line in scenario.limits)


def with_programme(text: str, scenario: Scenario) -> str:
    """The text of a programme's page with its tables made anew."""
    for what, new in (("aims", aims(scenario)), ("levers", sizes(scenario)), ("not modelled", limits(scenario))):
        text = written(text, what, new)
    return text


def numbers(parameters: ParameterSet) -> str:
    """Every single number, series and price of a parameter set: value, interval, unit, how and source."""
    head = ("id", "value", "80 % interval", "unit", "how", "source")
    rows = [
        (f"`{name}`", f"{n.value:.6g}", _interval(n.interval_80), n.unit, n.how, n.source)
        for name, n in parameters.numbers.items()
    ]
    rows += [
        (f"`{name}`", f"{len(s.values)} values", "", s.unit, s.how, s.source) for name, s in parameters.series.items()
    ]
    rows += [
        (f"`price.{p.code}`", f"{p.weekly_cost_gbp:,.2f}", "", "£ a child a week", p.how, p.source)
        for p in parameters.providers
    ]
    rows += [
        (
            f"`price.{c.line}`",
            f"{c.price_gbp:,.2f}",
            _interval(c.interval_80),
            "£ a " + c.unit.replace("_", " "),
            c.how,
            c.source,
        )
        for c in parameters.cost_lines
    ]
    return table(head, rows)


def _interval(ends: tuple[float, float] | None) -> str:
    return f"{ends[0]:.6g} to {ends[1]:.6g}" if ends else ""


def excerpt(run: Run) -> str:
    """The stamp, the programme's savings and its first target, as the demo prints them."""
    savings = saving_text(run, run.answer(PROGRAMME))
    targets = targets_text(run).splitlines()[:3]
    return "\n".join(["```", f"*** {run.record['stamp']} ***", "", savings, "", *targets, "```"])


def headlines(run: Run) -> str:
    """Means and 80 % intervals at the end of the run, and the chance of its first target."""
    rows = []
    for measure, label, unit, decimals in HEADLINES:
        cells = []
        for name in (BASELINE, PROGRAMME):
            grid = run.answer(name).grid_of(measure)
            of_baseline = name == BASELINE and measure.endswith(("saving_gbp", "programme_cost_gbp"))
            cells.append("" if of_baseline else _spread(grid.of(measure)[:, -1] / unit, decimals))
        rows.append((label, *cells))
    first = next(found for found in run.assessments() if found.scenario == PROGRAMME)
    chance = f"{100 * first.met_probability:.0f} % ± {196 * first.monte_carlo_error:.0f}"
    rows.append((f"chance of: {first.target}", "", chance))
    year = run.calendar.financial_years[-1]
    return table((f"on {run.record['until']}, or in {year}", BASELINE, PROGRAMME), rows)


def _spread(values: Values, decimals: int) -> str:
    mean, _, low, high = (f"{value:.{decimals}f}".replace("-", "\u2212") for value in spread(values, [100, 900]))
    return f"{mean} ({low} to {high})"


def main(arguments: list[str]) -> int:
    """Do what the arguments say; 2 when they say nothing that is known."""
    if arguments == ["levers"]:
        _write(SCENARIOS, "table of kinds", levers())
    elif arguments == ["programmes"]:
        for page, name in PROGRAMMES.items():
            file = DOCS / "programmes" / f"{page}.md"
            file.write_text(with_programme(file.read_text(encoding="utf-8"), load_scenario(name)), encoding="utf-8")
    elif len(arguments) == 2 and arguments[0] == "numbers":
        sys.stdout.write(numbers(load(Path(arguments[1])).parameters) + "\n")
    elif len(arguments) == 2 and arguments[0] == "demo":
        run = open_run(Path(arguments[1]))
        _write(README, "excerpt of the demo", excerpt(run))
        _write(CHANGELOG, "headlines of the demo", headlines(run))
    else:
        sys.stderr.write((__doc__ or "").strip() + "\n")
        return 2
    return 0


def _write(file: Path, what: str, new: str) -> None:
    file.write_text(written(file.read_text(encoding="utf-8"), what, new), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
