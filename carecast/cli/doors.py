"""What every command shares: one line per mistake and exit code 2, JSON alone on standard output, progress elsewhere."""

import json
import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from typer.core import TyperGroup

from carecast.model.parameters import BadFile

EXIT_WRONG = 2
EXIT_INTERRUPTED = 130
console = Console(stderr=True, highlight=False, soft_wrap=True)


class CleanGroup(TyperGroup):
    """Turns what a person can mend into one line each and exit code 2; no traceback for it."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BadFile as error:
            for line in error.lines:
                print(f"carecast: {line}", file=sys.stderr)  # noqa: T201
            raise typer.Exit(EXIT_WRONG) from None
        except KeyboardInterrupt:
            print("carecast: stopped; nothing half-written is left behind", file=sys.stderr)  # noqa: T201
            raise typer.Exit(EXIT_INTERRUPTED) from None


def say(text: str) -> None:
    """A line for the person, on standard error."""
    console.print(text, markup=False)


def show(text: str) -> None:
    """The command's own answer, on standard output."""
    print(text)  # noqa: T201


def show_json(value: Any) -> None:  # noqa: ANN401
    """JSON, alone on standard output."""
    print(json.dumps(value, indent=1, ensure_ascii=False, default=str))  # noqa: T201


def with_progress(label: str, work: Callable[[Callable[[int, int], None]], Any]) -> Any:  # noqa: ANN401
    """Do work that reports (done, total), with a bar and the time left on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
               TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=False) as bar:
        task = bar.add_task(label, total=None)
        return work(lambda done, total: bar.update(task, completed=done, total=total))
