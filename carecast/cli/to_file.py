"""Writing a command's table to a file: whole or not at all."""

from pathlib import Path

import pandas as pd

from carecast.model.parameters import BadFile


def check_csv(path: Path | None, option: str = "--to") -> None:
    """Refuse what cannot become a CSV file, before any work is done.

    Raises:
        BadFile: the name does not end in .csv, or its folder does not exist.
    """
    if path is None:
        return
    if path.suffix.lower() != ".csv":
        raise BadFile(f"{option}: found {str(path)!r}; should be a file name that ends in .csv")
    if path.is_dir() or not path.parent.is_dir():
        raise BadFile(f"{option}: {path}: {'is a folder' if path.is_dir() else f'there is no folder {path.parent}'}")


def write_csv(frame: pd.DataFrame, path: Path, decimals: int = 4) -> None:
    """Write a table, UTF-8 and ISO dates; the file appears by one rename."""
    partial = path.with_name(path.name + ".partial")
    frame.to_csv(partial, index=False, float_format=f"%.{decimals}f", lineterminator="\n", encoding="utf-8")
    partial.replace(path)
