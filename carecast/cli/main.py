"""The ``carecast`` command: a thin door to the same functions as the dashboard."""

import typer

from carecast.cli import commands
from carecast.cli.doors import CleanGroup

app = typer.Typer(
    cls=CleanGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
commands.register(app)
