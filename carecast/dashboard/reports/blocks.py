"""What papers and pages are made of: headings, sentences, lists, tables, pictures, and places that a person completes."""

from dataclasses import dataclass

from carecast.dashboard.reports.pictures import Picture
from carecast.dashboard.reports.shapes import TextTable


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is a section."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Para:
    """A paragraph; ``strong`` ones are set apart."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list, numbered or not."""

    lines: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True)
class ToComplete:
    """A place where a person decides or adds what the model cannot know; ``mark`` stands before it in brackets."""

    text: str
    mark: str = "To be completed"


@dataclass(frozen=True)
class Shown:
    """A picture with its table for those who want the numbers."""

    picture: Picture
    with_table: bool = True


Block = Heading | Para | Bullets | ToComplete | Shown | TextTable
