"""Staff needed: open cases over caseload norms, as full-time equivalents by role and month.

Need of a role at a month end = open cases of the role / its norm (number ``caseload.ROLE`` of the parameter set). Roles
without a norm are left out. Cases are those of each replication, so need is as uncertain as the children are; a norm is
a standard the council sets itself and has no spread. Computed from tables after the simulation: a change of norm needs
no new run, and staff decide nothing in the simulation but for places in service pools (``capacity.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carecast.model.parameters import ParameterSet
from carecast.model.summary import TOTAL, Grid, Row, Values

MEASURE = "workforce_fte"
FOSTER_OWN, KINSHIP = "placement_type=foster_own", "placement_type=kinship"


@dataclass(frozen=True, slots=True)
class Role:
    """Who the work falls to: rows of the monthly tables whose sum is the role's open cases."""

    name: str
    label: str
    cases: tuple[Row, ...] = ()  # none: counted otherwise (``Staffing``, or staff of other roles)


@dataclass(frozen=True, slots=True)
class Staffing:
    """What the monthly tables do not hold of one scenario, at each month end."""

    house_places: Values  # [month] places of the council's own houses that are staffed
    conferences_offered: Values  # [month] share of pre-entry decisions with a family group conference


ROLES = (
    Role("early_help_worker", "Early help worker", (("early_help_open", TOTAL),)),
    Role("assessment_social_worker", "Social worker: assessment", (("assessment_open", TOTAL),)),
    Role("support_social_worker", "Social worker: support", (("support_open", TOTAL), ("home_after_care_open", TOTAL))),
    Role(
        "protection_social_worker", "Social worker: protection and decisions",
        (("protection_open", TOTAL), ("pre_entry_open", TOTAL)),
    ),
    Role("looked_after_social_worker", "Social worker: looked after children", (("looked_after", TOTAL),)),
    Role("supervising_social_worker", "Social worker: own foster carers", (("looked_after", FOSTER_OWN),)),
    Role("kinship_worker", "Kinship worker", (("looked_after", KINSHIP),)),
    Role("reviewing_officer", "Independent reviewing officer", (("looked_after", TOTAL),)),
    Role("aftercare_worker", "Aftercare worker", (("aftercare_open", TOTAL), ("continuing_care", TOTAL))),
    Role(
        "permanence_support_worker", "Support after orders and adoption",
        (("kinship_order_open", TOTAL), ("adopted_open", TOTAL)),
    ),
    Role("family_group_conference_coordinator", "Family group conference coordinator"),
    Role("childrens_house_worker", "Children's house care staff"),
    Role("team_manager", "Team manager"),
)  # fmt: skip
LABELS = {role.name: role.label for role in ROLES}
MANAGED = (
    "assessment_social_worker", "support_social_worker", "protection_social_worker", "looked_after_social_worker",
    "supervising_social_worker",
)  # fmt: skip


def norms(parameters: ParameterSet) -> dict[str, float]:
    """Cases (places, social workers) per full-time equivalent of each role that has a norm above 0."""
    found = {role.name: parameters.numbers.get(f"caseload.{role.name}") for role in ROLES}
    return {name: number.value for name, number in found.items() if number is not None and number.value > 0}


def with_workforce(monthly: Grid, norm: Mapping[str, float], staffing: Staffing) -> Grid:
    """The monthly grid with ``workforce_fte``: total, then each role that has a norm; nothing where there is no norm.

    Values are full-time equivalents at month end, [replication, row, month].
    """
    if not norm:
        return monthly
    need: dict[str, Values] = {}
    for role in ROLES:
        if role.name in norm:
            need[role.name] = _cases(role, monthly, staffing, need) / norm[role.name]
    rows = ((MEASURE, TOTAL), *((MEASURE, f"role={name}") for name in need))
    values = np.stack([np.sum(list(need.values()), axis=0), *need.values()], axis=1)
    return Grid((*monthly.rows, *rows), monthly.dates, np.concatenate([monthly.values, values], axis=1))


def _cases(role: Role, monthly: Grid, staffing: Staffing, need: Mapping[str, Values]) -> Values:
    """Open cases of a role, [replication, month]."""
    shape = (monthly.n_replications, len(monthly.dates))
    if role.name == "team_manager":
        managed: Values = np.sum([np.zeros(shape), *(need[name] for name in MANAGED if name in need)], axis=0)
        return managed
    if role.name == "childrens_house_worker":
        return np.broadcast_to(staffing.house_places, shape)
    if role.name == "family_group_conference_coordinator":
        offered: Values = monthly.of("pre_entry_open") * staffing.conferences_offered
        return offered
    total: Values = np.sum([monthly.of(*row) for row in role.cases], axis=0)
    return total
