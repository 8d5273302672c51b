"""The decisions of the community side: who is helped first, and what a referral, an assessment and a hearing lead to.

Plain scalar functions on the ground of ``rules.py``, called by both clocks.
"""

from carecast.model import draws as dr
from carecast.model import rules
from carecast.model import words as w
from carecast.model.tables import Choices, Hazards


def help_priority(choices: Choices, age: int) -> int:
    """Priority in a service's queue: where infants go first, families whose lead child is under one before others."""
    return 0 if age == 0 and choices.infants_first else 1


def direct_diversion(route: int) -> int:
    """The diversion that keeps a family of a direct route together, -1 where no lever can."""
    if route == w.EMERGENCY:
        return w.DIRECT_ENTRY_TO_SUPPORT
    return w.NEWBORN_TO_SUPPORT if route == w.NEWBORN else -1


def after_referral(
    choices: Choices, hazards: Hazards, is_repeat: int, locality: int, age: int, day: int, key_1: int, key_2: int,
    spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(outcome, diversion or -1) of a referral: closed, early help or assessment.

    A repeat referral that is spared a second assessment goes at once where that assessment (the next spell) would lead.
    """
    outcome = rules.branch_outcome(choices, w.B_REFERRAL, age, key_1, key_2, spell)
    if outcome != w.TO_ASSESSMENT:
        return outcome, -1
    if rules.is_diverted(choices, hazards, w.REFERRAL_TO_EARLY_HELP, locality, age, day, key_1, key_2, spell):
        return w.TO_EARLY_HELP, w.REFERRAL_TO_EARLY_HELP
    if is_repeat and rules.is_diverted(
        choices, hazards, w.REPEAT_ASSESSMENT_SPARED, locality, age, day, key_1, key_2, spell
    ):
        found = rules.branch_outcome(choices, w.B_ASSESSMENT, age, key_1, key_2, spell + 1)
        return found, w.REPEAT_ASSESSMENT_SPARED
    return outcome, -1


def after_assessment(
    choices: Choices, hazards: Hazards, locality: int, age: int, day: int, key_1: int, key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(outcome, diversion or -1) of an assessment: closed, early help, support, protection or pre-entry."""
    outcome = rules.branch_outcome(choices, w.B_ASSESSMENT, age, key_1, key_2, spell)
    if outcome == w.TO_SUPPORT and rules.is_diverted(
        choices, hazards, w.ASSESSMENT_TO_EARLY_HELP, locality, age, day, key_1, key_2, spell
    ):
        return w.TO_EARLY_HELP, w.ASSESSMENT_TO_EARLY_HELP
    return outcome, -1


def after_pre_entry(
    choices: Choices, hazards: Hazards, locality: int, age: int, day: int, key_1: int, key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(outcome, diversion or -1) of a pre-entry decision.

    A lever changes what is offered and so how often the decision is to look after the child; it never removes the child.
    Only an assumption about hearings and courts brings into care a child whom the decision would have left at home.
    """
    outcome = rules.branch_outcome(choices, w.B_PRE_ENTRY, age, key_1, key_2, spell)
    brought = -1
    if outcome < w.TO_CARE_AT_HOME:
        if not rules.is_diverted(choices, hazards, w.PRE_ENTRY_TO_CARE, locality, age, day, key_1, key_2, spell):
            return outcome, -1
        outcome, brought = care_decided(choices, age, key_1, key_2, spell), w.PRE_ENTRY_TO_CARE
    if rules.is_diverted(choices, hazards, w.PRE_ENTRY_TO_SUPPORT, locality, age, day, key_1, key_2, spell):
        return w.TO_SUPPORT, w.PRE_ENTRY_TO_SUPPORT
    if outcome == w.TO_CARE_AT_HOME:
        return outcome, brought
    if rules.is_diverted(choices, hazards, w.PRE_ENTRY_TO_KINSHIP_ORDER, locality, age, day, key_1, key_2, spell):
        return w.TO_KINSHIP_ORDER, w.PRE_ENTRY_TO_KINSHIP_ORDER
    if rules.is_diverted(choices, hazards, w.CARE_AWAY_TO_AT_HOME, locality, age, day, key_1, key_2, spell):
        return w.TO_CARE_AT_HOME, w.CARE_AWAY_TO_AT_HOME
    return outcome, brought


def care_decided(choices: Choices, age: int, key_1: int, key_2: int, spell: int) -> int:
    """Looked after at home or away, in proportion to how often decisions that are care say one or the other."""
    at = (w.B_PRE_ENTRY * w.N_AGE_BANDS + age) * w.N_OUTCOMES
    at_home = choices.branch[at + w.TO_CARE_AT_HOME] - choices.branch[at + w.TO_KINSHIP_ORDER]
    care = choices.branch[at + w.TO_CARE_AWAY] - choices.branch[at + w.TO_KINSHIP_ORDER]
    if dr.uniform(key_1, key_2, dr.P_AT_HOME, spell) * care < at_home:
        return w.TO_CARE_AT_HOME
    return w.TO_CARE_AWAY
