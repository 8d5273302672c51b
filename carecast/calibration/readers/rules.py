"""The rules of the readers, by name: how grave each is, and what would mend it.

A message says which kind of value was found, never the value: no child's identifier, date of birth or postcode.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
USED, REPAIRED, EXCLUDED, REFUSED = range(4)  # what became of a row; the gravest that was said of it counts
FATES = ("used", "repaired", "excluded", "refused")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its severity, the fate of the row unless a reader says otherwise, and its sentence."""

    severity: Severity
    fate: int
    text: str


def _refuse(text: str) -> Rule:
    return Rule("error", REFUSED, text)


def _repair(text: str) -> Rule:
    return Rule("warning", REPAIRED, text)


def _exclude(text: str) -> Rule:
    return Rule("info", EXCLUDED, text)


def _warn(text: str) -> Rule:
    return Rule("warning", USED, text)


RULES: dict[str, Rule] = {
    # what cannot be read
    "blank_child": _refuse("no child identifier; give the council's own number"),
    "blank_start": _refuse("no start date; give the day it began"),
    "blank_date": _refuse("no date; give dd/mm/yyyy"),
    "impossible_date": _refuse("a day that does not exist, such as 31 February; give the true date as dd/mm/yyyy"),
    "not_a_date": _refuse("not a date; give dd/mm/yyyy"),
    "date_out_of_range": _refuse("a date far outside the years of the return; give the true date"),
    "end_before_start": _refuse("the end is before the start; correct whichever is wrong"),
    "over_18_at_start": _refuse("the child was 18 or over at the start; correct the date of birth or the start"),
    "row_cut_off": _refuse("more cells than the heading has columns; put text that holds the separator in quotes"),
    "not_a_number": _refuse("not a number; give digits alone"),
    "blank_number": _refuse("no value; give a number"),
    "unknown_label": _refuse("a label that is not known; use the labels of the return"),
    # what is mended, with a note
    "us_date": _repair("month and day the other way round (mm/dd/yyyy); read as that; give dd/mm/yyyy"),
    "serial_date": _repair("a spreadsheet's day number instead of a date; read as that day"),
    "dob_after_entry": _repair("date of birth after the start of care; correct whichever is wrong"),
    "past_18": _repair("looked after past the 18th birthday; taken to end on that day; correct the end or the birth date"),
    "overlapping_episodes": _repair("overlaps another episode of the child; the earlier then ends where the later begins"),
    "two_open_episodes": _repair("two episodes of the child are open; the earlier is taken to end where the later begins"),
    "open_then_another": _repair("open, but another episode of the child begins later; taken to end there; give the end"),
    "unknown_code": _repair("a code that is not in the list of this column; read as unknown; give a listed code"),
    "missing_code": _repair("no code where one is needed; read as unknown; give it"),
    "missing_reason": _repair("an end without the reason it ended; taken from what follows; give the reason"),
    "child_not_in_header": _repair("a child in no header row of this return; kept, age unknown unless found elsewhere"),
    "bad_dob": _repair("a date of birth that cannot be; age unknown unless found elsewhere; correct it"),
    "gap_in_chain": _repair("says it carries on, but begins days after the one before ended; taken as one stay"),
    "same_start_twice": _repair("another row of the same return has this child and start; one version kept"),
    "child_twice": _warn("the child stands in two rows of this table; keep one"),
    "number_twice": _warn("this number stands on another row as well; give each row its own, or keep one"),
    "same_day_twice": _warn("two rows of this table give this day other figures; the later row counts; keep one"),
    "code_not_needed": _warn("a code where none belongs; not used"),
    "provider_does_not_fit": _warn("a provider that this kind of placement cannot have"),
    "missing_provider": _warn("no provider; own provision assumed for fostering and external for homes"),
    # what is left out by rule
    "duplicate_row": Rule("warning", EXCLUDED, "the same row stands twice in the file; counted once"),
    "short_break": _exclude("a short break (V3, V4): not part of the children looked after"),
    "superseded": _exclude("a later return holds this episode; the later version is used"),
    "no_day": _exclude("ended on the day it began: no day looked after"),
    "not_looked_after": _exclude("not part of the children looked after"),
    "no_such_episode": Rule("warning", EXCLUDED, "no episode of this child starts on this date, so the row joins nothing"),
    "not_this_council": _exclude("a row of another council or a wider area"),
    "blank_row": _exclude("nothing in the row"),
    # what is worth a look and stops nothing
    "dob_differs": _warn("date of birth differs between returns; the plausible one of the latest is used"),
    "after_return_year": _warn("a date after the return's year"),
    "before_1991": _warn("starts before 14 October 1991"),
    "reason_without_end": _warn("a reason for ending without an end: read as open"),
    "end_without_continuation": _warn("says another episode begins the same day, but none does; taken as an exit"),
    "exit_then_continues": _warn("says the child left, but another episode begins the same day; taken as one stay"),
    "starts_again_same_day": _warn("says care began, but another episode ended the same day; taken as one stay"),
    "starts_in_the_middle": _warn("says it carries on, but nothing of the child comes before; taken as already in care"),
    "vanished_between_returns": _warn("open at the end of its return and in no later one; followed to that return's end"),
    "start_changed_between_returns": _warn("a later return gives this stay another start; the later version is used"),
    "code_out_of_date": _warn("a code that was not in use on this date"),
    "too_young_for_placement": _warn("younger than this kind of placement allows"),
    "missing_reason_for_move": _warn("a placement changed without the reason for it"),
    "distance_unknown": _warn("a distance that is no number of miles; read as unknown"),
    "distance_unlikely": _warn("a distance of more than 350 miles; used as it is, check the postcodes"),
    "before_birth": Rule("info", USED, "before the child was born; correct if that is not so"),
    "end_changed_between_returns": _warn("two returns give this episode different ends; the later return's is used"),
    "reason_changed_between_returns": _warn("two returns give this episode different reasons to start; the later is used"),
    "before_return_year": _warn("ended before the return's year began; correct the end, or the year"),
    "dob_after_referral": _warn("date of birth long after the date; age unknown; correct whichever is wrong"),
    "cost_unlikely": _warn("a weekly cost below £10 or above £100,000; left out; give pounds a week"),
    "early_help_at_once": Rule("info", USED, "overlaps other early help of the child; each is counted"),
    "suppressed": Rule("info", USED, "a suppressed or missing figure"),
}  # fmt: skip
