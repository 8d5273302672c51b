"""One simulated entrant's story in words."""

import datetime as dt
from typing import Any

import numpy as np

from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.model.parameters import BadFile, Calibrated
from carecast.scenarios.apply import apply
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.wording import placement_type_label, term

PLAIN = {
    w.CONTACT_MADE: "Somebody contacts the council about the family",
    w.ADVICE_GIVEN: "Advice is given; nothing more is needed",
    w.EARLY_HELP_ASKED: "The family asks for early help and joins the queue",
    w.EARLY_HELP_STARTED: "Early help begins",
    w.ASSESSMENT_ASKED: "An assessment is wanted",
    w.ASSESSMENT_STARTED: "An assessment begins",
    w.ASSESSMENT_ENDED: "The assessment ends",
    w.CASE_CLOSED: "The case is closed",
}
TERMS = {
    w.SUPPORT_STARTED: ("support", "begins"), w.SUPPORT_ENDED: ("support", "ends"),
    w.PROTECTION_STARTED: ("protection", "begins"), w.PROTECTION_ENDED: ("protection", "ends"),
    w.PRE_ENTRY_STARTED: ("pre_entry", "begins"), w.PRE_ENTRY_ENDED: ("pre_entry", "ends"),
}  # fmt: skip
ENTRIES = {
    w.EMERGENCY: "in an emergency", w.NEWBORN: "as a newborn", w.REMAND: "on remand",
    w.UNACCOMPANIED: "as an unaccompanied child", w.ENTRY_FROM_PATHWAY: "after a decision", w.ENTRY_RETURN: "again",
}  # fmt: skip
ENDS = (*w.CAUSES, *w.CERTAIN_ENDS)


def tell(
    calibrated: Calibrated, scenario: Scenario, until: dt.date, seed: int, replication: int, child: int
) -> list[dict[str, Any]]:
    """Events of the ``child``-th simulated entrant of one replication, on the SimPy clock.

    Raises:
        BadFile: there is no such entrant, or a lever of the scenario keeps the family away.
    """
    world = World(calibrated, apply(calibrated.parameters, scenario, until), until, seed)
    told = simulate(world, replication, "simpy")
    first = int(told.children.is_stock.sum())  # children of the stock come first and are never told
    entrants = len(told.children.birth_day) - first
    if child >= entrants:
        raise BadFile(
            f"--child: {child} is not one of the {entrants} entrants of this replication, 0 to {entrants - 1}"
        )
    row = first + child
    lines = []
    age_first = None
    for at in np.flatnonzero(told.log.child == row):
        day = int(told.log.day[at])
        age_years = (day - int(told.children.birth_day[row])) / w.DAYS_PER_YEAR
        age_first = age_years if age_first is None else age_first
        lines.append({
            "date": dt.date.fromordinal(day).isoformat(), "age_years": round(age_years, 1),
            "event": _words(world, told.log, int(at)),
        })  # fmt: skip
    if not lines:
        raise BadFile(f"--child: entrant {child} does not arrive in this scenario; try another number")
    place = world.locality_names[int(told.children.locality[row])]
    who = f"A simulated child of {place}, {lines[0]['age_years']} years old, comes to notice"
    return [{"date": lines[0]["date"], "age_years": lines[0]["age_years"], "event": who}, *lines]


def _words(world: World, log: Any, at: int) -> str:  # noqa: ANN401
    event, detail = int(log.event[at]), int(log.detail[at])
    nation = world.parameters.nation
    if event in PLAIN:
        return PLAIN[event]
    if event in TERMS:
        word, verb = TERMS[event]
        name = term(nation, word)
        return f"{name[:1].upper()}{name[1:]} {verb}"
    if event == w.REFERRED:
        return "Referred" + (", again within twelve months" if detail else "")
    if event == w.ENTERED_CARE:
        return f"Becomes looked after {ENTRIES[detail]}"
    if event == w.DIVERTED:
        return f"A lever changes what is offered: {w.DIVERSIONS[detail].replace('_', ' ')}"
    if event in (w.EARLY_HELP_ENDED, w.EARLY_HELP_WAIT_LEFT, w.LEFT_CARE, w.PLACEMENT_ENDED):
        what = {
            w.EARLY_HELP_ENDED: "Early help ends", w.EARLY_HELP_WAIT_LEFT: "Leaves the early help queue",
            w.LEFT_CARE: "Is no longer looked after", w.PLACEMENT_ENDED: "The placement ends",
        }[event]  # fmt: skip
        return f"{what} ({ENDS[detail].replace('_', ' ')})"
    if event == w.PLACEMENT_ASKED:
        return f"A home is looked for: {placement_type_label(nation, w.PLACEMENT_TYPES[detail])}"
    if event == w.PLACEMENT_STARTED:
        return _placement(world, log, at)
    if event == w.RE_ENTRY_BEGINS:
        return "Cannot stay; comes back into care"
    verb = "begins" if event == w.AFTER_CARE_STARTED else "ends"
    return f"After care: {w.STATES[detail].replace('_', ' ')} {verb}"


def _placement(world: World, log: Any, at: int) -> str:  # noqa: ANN401
    provider = world.providers[int(log.provider[at])]
    tenths = int(log.detail[at])
    distance = "distance not known" if tenths == w.DISTANCE_UNKNOWN else f"{tenths / 10:.1f} miles from home"
    if tenths == w.DISTANCE_NOT_COUNTED:
        distance = "distance not counted"
    label = placement_type_label(world.parameters.nation, provider.placement_type)
    siblings = ", with a brother or sister" if int(log.shared_with[at]) != int(log.child[at]) else ""
    if provider.placement_type == "at_home":
        return f"Lives {label}"
    return f"Moves in: {label} ({provider.name}), {distance}{siblings}"
