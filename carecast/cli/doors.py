"""What every command shares: one line per mistake and exit code 2, JSON alone on standard output, progress elsewhere."""

import errno
import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from typer.core import TyperGroup
from typer.exceptions import TyperException

from carecast.model.parameters import BadFile

EXIT_WRONG = 2
EXIT_INTERRUPTED = 130


class StoppedError(Exception):
    """Ctrl-C, with what to do next in one line."""


class CleanGroup(TyperGroup):
    """Turns what a person can mend into one line each and exit code 2; no traceback for it."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
             standalone_mode: bool = True, windows_expand_args: bool = True, **extra: Any) -> Any:  # noqa: ANN401  # fmt: skip
        """Run the command line; leaves with the exit code unless told not to."""
        code = self._run(args, prog_name, {**extra, "windows_expand_args": windows_expand_args})
        if not standalone_mode:
            return code
        sys.exit(code)

    def _run(self, args: Sequence[str] | None, prog_name: str | None, extra: dict[str, Any]) -> int:
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except TyperException as error:  # wrong options and arguments
            show_mistakes(
                " ".join(error.format_message().split()) + _found(error, sys.argv[1:] if args is None else args)
            )
            return EXIT_WRONG
        except (typer.Abort, EOFError):
            return EXIT_INTERRUPTED
        return code if isinstance(code, int) else 0

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run one command."""
        try:
            return super().invoke(ctx)
        except BadFile as error:
            show_mistakes(*error.lines)
            raise typer.Exit(EXIT_WRONG) from None
        except OSError as error:
            if error.errno == errno.EPIPE or not error.filename:
                raise
            show_mistakes(f"{error.filename}: {error.strerror}")
            raise typer.Exit(EXIT_WRONG) from None
        except StoppedError as error:
            show_mistakes(str(error))
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except KeyboardInterrupt:
            show_mistakes("stopped")
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _found(error: TyperException, words: Sequence[str]) -> str:
    """The value given to the option that an error is about, where the message does not say it."""
    names = getattr(getattr(error, "param", None), "opts", ())
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in names:
            given = value if equals else following
            return "" if repr(given) in error.format_message() else f": found {given!r}"
    return ""


def show_mistakes(*lines: str) -> None:
    """One line each on standard error, without colours or wrapping, so that scripts and logs can read them."""
    for line in filter(None, lines):  # asking for nothing shows the help and has no line of its own
        print(f"carecast: {line}", file=sys.stderr)  # noqa: T201


def err_console() -> Console:
    """Standard error as it is now (tests and notebooks replace it)."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A line for the person, on standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def show(text: str) -> None:
    """The command's own answer, on standard output."""
    print(text)  # noqa: T201


def show_json(value: Any) -> None:  # noqa: ANN401
    """JSON, alone on standard output; what is not a number is null."""
    print(json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False, default=str))  # noqa: T201


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value  # a number of numpy's


class Bar:
    """A bar with the time left on standard error, from the first time work is reported; nothing before it."""

    def __init__(self, label: str, at_start: Callable[[], None] = lambda: None) -> None:
        """Say what the bar is of; ``at_start`` is done just before it appears."""
        self.label, self.at_start = label, at_start
        self._progress: Progress | None = None
        self._task: Any = None
        self.done = 0

    def __call__(self, done: int, total: int) -> None:
        """So much is done, of how much."""
        if self._progress is None:
            self.at_start()
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
                       TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())  # fmt: skip
            self._progress = Progress(*columns, console=err_console())
            self._progress.start()
            self._task = self._progress.add_task(self.label, total=total)
        self.done = done
        self._progress.update(self._task, completed=done, total=total)

    def __enter__(self) -> "Bar":
        """Nothing is shown yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it stands."""
        if self._progress is not None:
            self._progress.stop()
