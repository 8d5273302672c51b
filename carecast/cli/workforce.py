"""``carecast workforce``: staff needed by role and year against the posts there are."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from carecast.cli.doors import say, show, show_json
from carecast.cli.options import Json
from carecast.cli.sections import heading
from carecast.cli.text import fixed, percent, records, table, wrapped
from carecast.cli.to_file import check_csv, write_csv
from carecast.model.summary import BASELINE
from carecast.scenarios.run import Run, open_run

MOST_DATES = 5


def workforce(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", metavar="NAME", help="Of the run; all unless given.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.csv", help="Write every month and role, without small counts.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Staff needed by role and month, as full-time equivalents, against posts and vacancies.

    Example: `carecast workforce runs/demo --scenario what_would_it_take --to workforce.csv`
    """
    from carecast.scenarios.workforce import workforce as report

    check_csv(to)
    made = open_run(run_folder)
    frame = report(made, scenario or ())
    if to is not None:
        from carecast.dashboard.disclosure import suppress_staff

        write_csv(suppress_staff(made, frame), to)
        say(f"Written to {to}: {len(frame)} rows")
    if as_json:
        show_json(
            {"run": str(made.folder), "rows": records(frame.assign(date=frame["date"].map(dt.date.isoformat)), 4)}
        )
        return
    show(workforce_text(made, frame))


def workforce_text(run: Run, frame: pd.DataFrame) -> str:
    """Need at each year end and what is missing on the last date, a table a scenario."""
    parts = [heading(run)]
    for scenario in frame["scenario"].unique():
        part = frame[frame["scenario"] == scenario]
        parts += [_needed(part), _against_posts(part)]
    return "\n\n".join([*parts, _notes(frame)])


def _needed(part: pd.DataFrame) -> str:
    """Mean need by role on the first date and at each year end."""
    from carecast.scenarios.workforce import year_ends

    scenario = part["scenario"].iloc[0]
    dates = year_ends(sorted(part["date"].unique()))
    shown = [dates[0], *dates[1:][-MOST_DATES:]]
    by_role: dict[str, dict[dt.date, dict[Any, Any]]] = {}
    for row in part.to_dict("records"):
        by_role.setdefault(row["role"], {})[row["date"]] = row
    rows = []
    for role, by_date in by_role.items():
        now = [by_date[date] for date in shown]
        rows.append([now[0]["label"], *(fixed(row["needed_fte"], 1) for row in now)])
        if role == "total":
            spans = (f"{fixed(row['needed_p10'])}-{fixed(row['needed_p90'])}" for row in now)
            rows.append(["    80 % interval", *spans])
    head = [f"{scenario}: staff needed, FTE", *(f"{date.day} {date:%b %Y}" for date in shown)]
    return table(head, rows, 37, 37)


def _against_posts(part: pd.DataFrame) -> str:
    """Posts, vacancies and gap by role on the last date."""
    scenario, last = part["scenario"].iloc[0], part["date"].max()
    now = part[part["date"] == last]
    is_base = scenario == BASELINE
    rows = []
    for row in now.to_dict("records"):
        gap = f"{row['gap_fte']:+.1f} ({row['gap_p10']:+.1f} to {row['gap_p90']:+.1f})"
        change = "" if is_base else f"{row['against_baseline_fte']:+.1f}"
        posts = f"{fixed(row['establishment_fte'], 1)}{'*' if row['establishment_how'].startswith('assumed:') else ''}"
        rows.append(
            [row["label"], fixed(row["needed_fte"], 1), posts, percent(row["vacancy_share"]), fixed(row["in_post_fte"], 1),
             gap, percent(row["chance_short"]), change]
        )  # fmt: skip
    head = [
        f"{scenario}, {last.day} {last:%b %Y}", "needed", "posts", "vacant", "in post", "gap (80 %)", "chance short",
        "" if is_base else "change",
    ]  # fmt: skip
    return table(head, rows, 37)


def _notes(frame: pd.DataFrame) -> str:
    lines = [
        "Needed = open cases over the caseload norm of the role (places for children's houses, social workers for team "
        "managers). Gap = needed less staff in post; + means too few. Norms have no spread: a norm 10 % lower needs "
        "11 % more staff. Not counted: the front door, practice support, foster carers, staff of bought homes and of "
        "other agencies."
    ]
    assumed = frame["establishment_how"].str.startswith("assumed:")
    if assumed.any():
        lines.append(
            "* Posts are not known and taken as what the norms ask for on the first date, so only the growth since then "
            "and the vacancies show: give your own in a figures file, such as "
            "establishment[role=support_social_worker],28."
        )
    return "\n".join(wrapped(line) for line in lines)
