"""Where a back-test stands and looks ahead: its origins and horizons."""

import datetime as dt
from collections.abc import Sequence

from carecast.calibration.backtest.past import add_months
from carecast.model.parameters import BadFile

HORIZONS = (3, 6, 12, 18, 24, 36)  # months
STEP_MONTHS = 6
FIRST_YEARS = 5  # history that the first origin has behind it
LEAST_YEARS = 2  # and that an origin asked for by name must have
LAST_MONTHS = 12  # between the last origin and the end


def horizons_up_to(months: int) -> tuple[int, ...]:
    """The standard horizons up to the longest asked for, which is among them.

    Raises:
        BadFile: not between 1 and 120 months.
    """
    if not 1 <= months <= 120:
        raise BadFile(f"--horizon: found {months}; should be a number of months from 1 to 120, such as 36")
    return tuple(sorted({h for h in HORIZONS if h <= months} | {months}))


def standard_origins(dates: Sequence[dt.date], count: int | None = None) -> tuple[dt.date, ...]:
    """Every six months back from twelve months before the end to year five; or ``count`` of them, evenly spread.

    Raises:
        BadFile: the history is too short.
    """
    last = add_months(dates[-1], -LAST_MONTHS)
    first = add_months(dates[0], 12 * FIRST_YEARS - 1)
    if last < first:
        raise BadFile(
            f"the history runs from {dates[0].replace(day=1)} to {dates[-1]}: a back-test needs at least "
            f"{FIRST_YEARS} years before its first origin and one after it; name earlier ones with --origins DATE"
        )
    found = [last]
    while (before := add_months(found[-1], -STEP_MONTHS)) >= first:
        found.append(before)
    found.reverse()
    if count is None or count >= len(found):
        return tuple(found)
    spread = [round(i * (len(found) - 1) / max(count - 1, 1)) for i in range(count)]
    return tuple(found[i] for i in spread) if count > 1 else (found[-1],)


def asked_origins(text: str | None, dates: Sequence[dt.date]) -> tuple[dt.date, ...]:
    """Origins as asked for: nothing, a count, or dates with commas between, each taken at its month's end.

    Raises:
        BadFile: not a count or dates, or dates that the history cannot serve; one line each.
    """
    if text is None or not text.strip():
        return standard_origins(dates)
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) == 1 and words[0].isascii() and words[0].isdigit() and len(words[0]) < 4:
        if int(words[0]) < 1:
            raise BadFile(
                f"--origins: found {text!r}; should be a count above 0, or dates such as 2021-03-31,2022-03-31"
            )
        return standard_origins(dates, int(words[0]))
    found, wrong = [], []
    for word in words:
        try:
            found.append(add_months(dt.date.fromisoformat(word), 0))
        except ValueError:
            wrong.append(f"--origins: found {word!r}; should be a count, or dates such as 2021-03-31,2022-03-31")
    wrong += [line for day in found if (line := _not_served(day, dates))]
    if wrong:
        raise BadFile(*wrong)
    return tuple(sorted(set(found)))


def _not_served(day: dt.date, dates: Sequence[dt.date]) -> str:
    first, last = add_months(dates[0], 12 * LEAST_YEARS - 1), add_months(dates[-1], -1)
    if first <= day <= last:
        return ""
    return (
        f"--origins: found {day}; should be from {first} ({LEAST_YEARS} years into the history) to {last} "
        "(a month before its end)"
    )
