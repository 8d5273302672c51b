"""Numbers and names in words as every report says them; the prose is in ``prose.md``."""

import datetime as dt
import re
import string
from functools import cache
from pathlib import Path

from carecast.cli.text import fixed, percent, pounds
from carecast.dashboard.telling import MINUS, NARROW, legend_name
from carecast.scenarios.describe import FUNDER_WORDS, date_words
from carecast.scenarios.wording import PLACEMENT_TYPE_LABELS, TERMS

PROSE = Path(__file__).parent / "prose.md"
HIDDEN, ABSENT = "[c]", "[x]"  # the Government Analysis Function's shorthand: confidential, not available
SERVICE_LINES = {
    "early_help": "Early help",
    "assessment": "Assessment",
    "support": "{support}",
    "protection": "{protection}",
    "pre_entry": "{pre_entry}",
    "home_after_care": "Support at home after care",
    "kinship_order": "Allowances of a {kinship_order}",
    "adopted": "Adoption support",
    "continuing_care": "{continuing_care}",
    "aftercare": "{aftercare}",
}


# --- prose ----------------------------------------------------------------------------------------
@cache
def _sections() -> dict[str, str]:
    parts = PROSE.read_text(encoding="utf-8").split("## ")[1:]
    return {head.strip(): body.strip() for head, _, body in (part.partition("\n") for part in parts)}


def prose(key: str, nation: str = "", **filled: object) -> str:
    """A passage of ``prose.md`` with its blanks filled; the nation's own where it has one."""
    found = _sections()
    text = found.get(f"{key}: {nation}", found.get(key, ""))
    if not text and f"{key}: {nation}" not in found and key not in found:
        raise KeyError(f"prose.md has no passage {key!r} for {nation!r}")
    terms = TERMS.get(nation, {})
    return string.Formatter().vformat(text, (), {**terms, **filled})


def items(key: str, nation: str = "", **filled: object) -> list[str]:
    """The lines of a passage that is a list."""
    return [line.removeprefix("- ").strip() for line in prose(key, nation, **filled).splitlines() if line.strip()]


def plain(text: str) -> str:
    """Text without marks: what stands between backticks stands in quotation marks."""
    return re.sub(r"`([^`]+)`", "\u201c\\1\u201d", text)


def with_code(text: str) -> list[tuple[str, bool]]:
    """Text in parts: what it says, and whether it is to be typed as it stands."""
    return [(part, at % 2 == 1) for at, part in enumerate(text.split("`")) if part]


# --- numbers --------------------------------------------------------------------------------------
def gbp(value: float) -> str:
    """``£2.85m``, with a real minus sign."""
    return pounds(value).replace("-", MINUS)


def million(value: float) -> str:
    """``£2.85m`` whatever the size, for tables in which sums stand side by side; ``£0`` only for nothing at all."""
    if round(value) == 0:
        return "£0"
    text = fixed(abs(value) / 1e6, 2)
    return f"{MINUS if value < 0 and text != '0.00' else ''}£{text}m"


def gbp_between(low: float, high: float) -> str:
    """An interval of money."""
    return f"{gbp(low)} to {gbp(high)}"


def number(value: float, digits: int = 0) -> str:
    """A number with so many decimals and a real minus sign."""
    return fixed(value, digits).replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """A difference with its sign."""
    text = number(value, digits)
    return text if text.startswith(MINUS) or not any(mark in text for mark in "123456789") else f"+{text}"


def share(value: float) -> str:
    """``33 %`` of a share between 0 and 1, held together."""
    return percent(value).replace(" ", NARROW)


# --- names ----------------------------------------------------------------------------------------
def sentence(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Without a capital letter at the start."""
    return text[:1].lower() + text[1:]


def line_label(nation: str, line: str) -> str:
    """What a line of cost is called."""
    if line in SERVICE_LINES:
        return sentence(SERVICE_LINES[line].format(**TERMS[nation]))
    base = line.removesuffix("_fixed")
    label = PLACEMENT_TYPE_LABELS[nation].get(base, sentence(base.replace("_", " ")))
    return f"{label}: fixed cost" if line.endswith("_fixed") else label


def funder_label(funder: str) -> str:
    """Who pays, in words."""
    return sentence(FUNDER_WORDS.get(funder, funder.replace("_", " ")))


def day(text: str) -> str:
    """``2022-07-31`` as ``31 July 2022``."""
    return date_words(dt.date.fromisoformat(text[:10]))


def month(text: str | None) -> str:
    """``2028-03`` as ``March 2028``; ``not within the run`` for none."""
    return f"{dt.date.fromisoformat(f'{text}-01'):%B %Y}" if text else "not within the run"


def names(scenarios: list[str] | tuple[str, ...]) -> str:
    """Scenarios as people say them, joined."""
    said = [legend_name(name) for name in scenarios]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
