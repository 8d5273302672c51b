"""Options that several commands share, worded once."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Form = Annotated[
    str | None, typer.Option("--format", metavar="F", help="Read it as this format, not as its columns tell.")
]
Council = Annotated[str | None, typer.Option("--council", metavar="NAME", help="The council, in tables of many.")]
