"""Tables for the documentation, made from the code so that they cannot say anything else.

python docs/make_reference.py levers           write the table of kinds into docs/scenarios.md
python docs/make_reference.py numbers DIR      print every number of a parameter set with its source
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from carecast.model.parameters import ParameterSet, load
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.kinds import Kind

SCENARIOS = Path(__file__).parent / "scenarios.md"
BEGIN, END = "<!-- table of kinds: written by make_reference.py -->", "<!-- end of the table -->"


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
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{levers()}\n\n{END}{after}"


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


def main(arguments: list[str]) -> int:
    """Do what the arguments say; 2 when they say nothing that is known."""
    if arguments == ["levers"]:
        SCENARIOS.write_text(with_levers(SCENARIOS.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if len(arguments) == 2 and arguments[0] == "numbers":
        sys.stdout.write(numbers(load(Path(arguments[1])).parameters) + "\n")
        return 0
    sys.stderr.write((__doc__ or "").strip() + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
