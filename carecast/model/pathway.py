"""The pathway told with SimPy: one generator for a family before care, one for a child in care and after.

Here the children in the system at the start take up their stories; the stories are told in ``pathway_community.py`` and
``pathway_care.py``, and the days go by in ``simpy_world.py``.
"""

from collections.abc import Callable
from functools import partial

from carecast.model import setup
from carecast.model import words as w
from carecast.model.event_log import Log
from carecast.model.pathway_care import child_story
from carecast.model.pathway_community import family_story, receive
from carecast.model.scene import Scene
from carecast.model.simpy_world import Case, Story, World


def run(laid_out: setup.Setup) -> Log:
    """Tell one replication with SimPy.

    Returns:
        The event log in the order in which it was told.
    """
    world = World(Scene(laid_out))
    world.run(opening_stories(world.scene), receive)
    return world.log.finish()


def opening_stories(scene: Scene) -> list[Callable[[World], Story]]:
    """The stories of the children in the system at the start: families first, then children in care and after."""
    stories: list[Callable[[World], Story]] = []
    stock = scene.setup.stock
    for number, first, n, since, state in scene.setup.stock_cases.tolist():
        family = int(stock.family[first])
        case = Case(
            number, list(range(first, first + n)), scene.kids.locality[first],
            scene.families.key_1[family], scene.families.key_2[family], scene.kids.birth_day[first],
        )  # fmt: skip
        case.spell = setup.STOCK_SPELL * (number != family)
        case.referred_day = since if state in setup.REFERRED_STATES else -w.NEVER
        stage = setup.STAGE_OF_STATE[state]
        stories.append(partial(family_story, case=case, outcome=stage, since=since))
    for child, state in enumerate(stock.state.tolist()):
        since = int(stock.since[child])
        if state == w.IN_CARE:
            stories.append(partial(child_story, child=child, how=w.ENTRY_STOCK))
        elif state in (w.HOME_AFTER_CARE, w.KINSHIP_ORDER, w.ADOPTED, w.CONTINUING_CARE, w.AFTERCARE):
            stories.append(partial(child_story, child=child, after=state, since=since))
    return stories
