"""What need of staff follows beside open cases: places of own houses, and family group conferences offered."""

import numpy as np

from carecast.model import spans
from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.capacity import STAFF_OF
from carecast.model.parameters import ParameterSet
from carecast.model.plan import ChangePlaces, CloseProvider, OpenProvider, Plan, Window
from carecast.model.summary import Values
from carecast.model.workforce import Staffing
from carecast.scenarios.library import inherited
from carecast.scenarios.scenario import Lever, Scenario

HOUSE = "childrens_house_own"
CONFERENCES = "family_group_conferences"


def staffing(parameters: ParameterSet, scenario: Scenario, plan: Plan, calendar: Calendar) -> Staffing:
    """Places of own houses that are staffed, and the share of decisions with a conference offered, by month end."""
    return Staffing(house_places(parameters, plan, calendar), conferences_offered(parameters, scenario, calendar))


def _in_force(window: Window, calendar: Calendar) -> Values:
    """How much of a change holds at each month end, 0 to 1; ramps step monthly."""
    days = calendar.month_end_days
    last = w.NEVER if window.to_day is None else window.to_day
    held = (days >= window.from_day) & (days <= last)
    in_force: Values = held * spans.ramp_by_month(calendar, window)[: calendar.n_rows]
    return in_force


def house_places(parameters: ParameterSet, plan: Plan, calendar: Calendar) -> Values:
    """Places of the council's own houses at each month end, whoever lives there.

    A house is staffed from the day its first child can move in until its fixed cost stops, some months after it closes:
    staff are redeployed by then. Places are central values; changes of uncertain size count at their median.
    """
    days = calendar.month_end_days
    houses = {p.code: float(p.places or 0) for p in parameters.providers if p.placement_type == HOUSE}
    from_day = dict.fromkeys(houses, 0)
    to_day = dict.fromkeys(houses, w.NEVER)
    for change in plan.changes:
        if isinstance(change, OpenProvider) and change.row["placement_type"] == HOUSE:
            code = str(change.row["code"])
            houses[code], from_day[code], to_day[code] = float(str(change.row["places"])), change.open_day, w.NEVER
        elif isinstance(change, CloseProvider) and change.provider in houses:
            to_day[change.provider] = min(to_day[change.provider], change.cost_stops_day)
    total = np.zeros(len(days))
    for code, places in houses.items():
        added = [c for c in plan.changes if isinstance(c, ChangePlaces) and c.target == code]
        now = places + sum((c.add.median * _in_force(c.window, calendar) for c in added), np.zeros(len(days)))
        total += np.where((days >= from_day[code]) & (days < to_day[code]), np.maximum(now, 0.0), 0.0)
    return total


def staff_moved(scenario: Scenario, calendar: Calendar) -> dict[str, Values]:
    """Staff in post that a scenario's levers add to a role (``staffing``) or take from it (staff redeployed into a lever,
    who leave their service for as long as it holds): full-time equivalents by role, [month end].
    """  # noqa: D205
    moved: dict[str, Values] = {}
    for _, lever in inherited(scenario):
        last = None if lever.to_date is None else lever.to_date.toordinal()
        steps = []
        if lever.kind == "staffing":
            steps.append((lever.service, lever.add or 0.0, lever.ramp_months))
        if lever.redeployed_fte is not None:
            steps.append((lever.redeployed_from, -lever.redeployed_fte, 0))
        for service, number, ramp_months in steps:
            change = number * _in_force(Window(lever.from_date.toordinal(), last, ramp_months), calendar)
            moved[STAFF_OF[service]] = moved.get(STAFF_OF[service], np.zeros(len(change))) + change
    return moved


def conferences_offered(parameters: ParameterSet, scenario: Scenario, calendar: Calendar) -> Values:
    """Share of pre-entry decisions before which a family group conference is offered, by month end.

    The reach of each such lever in force times the share of the council's children whom it is for, by locality and age;
    several levers add up, to 1 at most.
    """
    offered = np.zeros(len(calendar.month_end_days))
    for _, lever in inherited(scenario):
        if lever.kind == CONFERENCES:
            last = None if lever.to_date is None else lever.to_date.toordinal()
            within = Window(lever.from_date.toordinal(), last, lever.ramp_months)
            offered += lever.reach * _share_meant(parameters, lever) * _in_force(within, calendar)
    return np.minimum(offered, 1.0)


def _share_meant(parameters: ParameterSet, lever: Lever) -> float:
    """Share of the council's children, in the first population year, in the localities and age bands of a lever."""
    meant = everyone = 0.0
    for locality in parameters.localities:
        for band, children in zip(w.AGE_BANDS, locality.population.by_band(), strict=False):
            everyone += children[0]
            here = not lever.localities or locality.name in lever.localities
            meant += children[0] * (here and (not lever.age_bands or band in lever.age_bands))
    return meant / everyone if everyone else 0.0
