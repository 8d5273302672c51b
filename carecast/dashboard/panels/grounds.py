"""What a forecast rests on: levers, assumed numbers, the back-test, and the register of all numbers."""

from collections.abc import Sequence

from carecast.dashboard import figures, telling
from carecast.dashboard.figures import rows_of
from carecast.dashboard.panels.shapes import Table
from carecast.dashboard.panels.view import View, value_cell
from carecast.dashboard.telling import ABSENT, legend_name, prose
from carecast.scenarios.run import Run

LONGEST_SOURCE = 150


SECTIONS = {"numbers": "Demand, rates and prices", "homes": "Homes and what they cost",
            "services": "Services and their places", "series": "Series", "budgets": "Budgets"}  # fmt: skip


def levers_table(view: View) -> Table | None:
    """What the scenario changes, lever by lever."""
    texts = figures.levers(view.run, view.scenario)
    if not texts:
        return None
    rows = tuple((text.label, text.what, text.cost or "None given", text.why or "Not said") for text in texts)
    caption = f"What \u201c{legend_name(texts[-1].scenario)}\u201d assumes"
    return Table(caption, ("Lever or assumption", "What changes", "Cost", "Why this size"), rows, is_prose=True)


def levers_note(view: View) -> str:
    texts = figures.levers(view.run, view.scenario)
    if not texts:
        return ""
    return prose("levers") if figures.has_levers(texts) else prose("only_assumptions")


def assumptions_table(view: View) -> Table:
    """The assumed numbers that bear on cost."""
    rows = tuple(
        (telling.number_label(row.name), value_cell(row), row.unit, _short(row.source))
        for row in rows_of(figures.watched(view.run))
    )
    columns = ("Assumed", "Value\n80 % interval", "Unit", "Where it comes from")
    return Table("Assumed numbers that bear on cost", columns, rows, is_prose=True)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SOURCE else text[:LONGEST_SOURCE].rsplit(" ", 1)[0] + " \u2026"


def backtest_words(run: Run) -> str:
    """The verdict of the back-test, or that there is none."""
    backtest = run.record.get("backtest")
    if not backtest:
        return prose("backtest_none")
    if isinstance(backtest, dict):
        parts = (f"{key}: {value}" for key, value in backtest.items() if isinstance(value, str | int | float))
        told = str(backtest.get("verdict") or "Back-tested. " + "; ".join(parts))
        return telling.dates_in_words(f"{told} {backtest['limits']}" if backtest.get("limits") else told)
    return str(backtest)


def backtest_table(run: Run) -> Table | None:
    """How often the back-test's forecasts held, in counts; None when there is none."""
    backtest = run.record.get("backtest")
    if not isinstance(backtest, dict) or not backtest.get("counts"):
        return None
    from carecast.calibration.backtest.report import label

    names = ("nearer_than_last_value", "inside_50", "inside_80", "inside_95")
    rows = tuple(
        (f"{label(row['measure'], row['breakdown']).strip()}, {row['horizon_months']} months ahead", str(row["origins"]),
         *(ABSENT if row[name] is None else str(row[name]) for name in names))
        for row in backtest["counts"]
    )  # fmt: skip
    columns = ("Forecast of", "Origins", "Nearer than no change", "In 50 % interval", "In 80 %", "In 95 %")
    return Table("Forecasts of the back-test that held", columns, rows)


def hindcast_table(run: Run) -> Table | None:
    """Published years simulated again, beside the counts; None when the parameter set has none."""
    hindcast = run.record.get("hindcast")
    if not hindcast:
        return None
    rows = tuple(
        (
            f"{telling.iso_words(row['date'])}, {row['setting']}", f"{row['published']:.0f}", f"{row['mean']:.0f}",
            f"{row['p10']:.0f} to {row['p90']:.0f}", f"{row['p025']:.0f} to {row['p975']:.0f}",
        )
        for row in hindcast["rows"]
    )  # fmt: skip
    caption = f"{hindcast['what']}; {hindcast['replications']} replications"
    return Table(caption, ("Children looked after", "Published", "Simulated", "80 % interval", "95 % interval"), rows)


def made_with(run: Run) -> Table:
    record = run.record
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    rows = (
        ("Seed", str(record["seed"])), ("Replications of each scenario", str(record["replications"])),
        ("Scenarios", ", ".join(legend_name(name) for name in record["scenarios"])),
        ("As-at date", telling.iso_words(record["as_at"])), ("Forecast to", telling.iso_words(record["until"])),
        ("Radius", f"{record['radius_miles']:g} miles, straight line"), ("Clock", str(record["clock"])),
        ("Started", str(record["started"])), ("Versions", versions), ("Commit", str(record["commit"]) or "not known"),
        ("Digest of the results", str(record["digest"])),
        *((f"Digest of {name}", str(digest)) for name, digest in record["inputs"].items()),
    )  # fmt: skip
    return Table("What made this run", ("What", "Value"), rows, is_prose=True)


def register_table(run: Run, hows: Sequence[str], section: str | None, text: str) -> Table:
    """The register, filtered by how a number was found, by section, and by words in its name, source or note."""
    frame = figures.register(run)
    kept = frame[frame["how"].isin(hows)] if hows else frame
    kept = kept if section is None else kept[kept["section"] == section]
    wanted = text.strip().lower()
    rows = []
    for row in rows_of(kept):
        name = telling.number_label(row.name)
        if wanted and wanted not in f"{name} {row.name} {row.source} {row.note} {row.unit}".lower():
            continue
        source = "\n".join(part for part in (row.source, row.note) if part)
        rows.append((name, value_cell(row), row.unit, telling.HOW_WORDS[row.how], row.date or ABSENT, source))
    caption = f"{len(rows)} of {len(frame)} numbers"
    columns = ("Number", "Value\n80 % interval", "Unit", "How", "Of", "Source and note")
    return Table(caption, columns, tuple(rows), is_prose=True)
