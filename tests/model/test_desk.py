"""The desk: who is served first, where a child finds a home, and that nothing costs more in a longer queue."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecast.model import desk, rules_care
from carecast.model import draws as dr
from carecast.model import words as w
from tests.model.by_hand import START, a_home, families_of, homes_of, nobody_placed, nobody_waiting, pools_of

STEADY = settings(max_examples=300, derandomize=True, deadline=None, database=None)
OUT = -1


# --- sorting and queues ---------------------------------------------------------------------------------------------
@given(st.lists(st.integers(0, 2**45)), st.integers(0, 5))
@STEADY
def test_sort_keys_sorts_the_first_n(keys, spare):
    rest = list(range(1000, 1000 - spare, -1))
    given_keys = keys + rest
    desk.sort_keys(given_keys, len(keys))
    assert given_keys == sorted(keys) + rest


def ask(queues, *cases, pool=0, priority=1):
    for case in cases:
        desk.ask_service(queues, case, pool, priority)


def served(queues, pools, pool=0):
    """Everybody the pool can take today, in order."""
    return list(iter(lambda: desk.next_served(queues, pools, pool, 0), -1))


def test_served_by_priority_then_day_asked_then_case():
    queues, pools = nobody_waiting(1, 100), pools_of(-1)
    ask(queues, 50, 20, 30)
    ask(queues, 70, priority=0)
    desk.file_requests(queues)
    ask(queues, 10)
    ask(queues, 60, 5, priority=0)
    ask(queues, 1, priority=2)
    desk.file_requests(queues)
    assert served(queues, pools) == [70, 5, 60, 20, 30, 50, 10, 1]
    assert queues.busy == [8]


def test_places_are_given_out_until_there_are_none_and_again_when_given_back():
    queues, pools = nobody_waiting(1, 10), pools_of(2)
    ask(queues, 3, 1, 2)
    desk.file_requests(queues)
    assert served(queues, pools) == [1, 2]
    desk.give_back(queues, 0)
    assert served(queues, pools) == [3]
    assert served(queues, pools) == []
    assert queues.busy == [2]


def test_nobody_is_served_without_places_or_by_another_pool():
    queues = nobody_waiting(2, 10)
    ask(queues, 4, pool=1)
    desk.file_requests(queues)
    assert served(queues, pools_of(-1, 0), pool=1) == []
    assert served(queues, pools_of(-1, 0), pool=0) == []
    assert served(queues, pools_of(0, 1), pool=1) == [4]


def test_places_of_a_month_are_its_own():
    queues = nobody_waiting(2, 10)
    pools = pools_of(0, 1)._replace(n_pools=1)  # one pool, two months: none, then one
    ask(queues, 4)
    desk.file_requests(queues)
    assert desk.next_served(queues, pools, 0, 0) == -1
    assert desk.next_served(queues, pools, 0, 1) == 4


@given(
    st.lists(
        st.tuples(st.sampled_from(["ask", "leave", "serve", "day"]), st.integers(0, 14), st.integers(0, 2)), max_size=60
    )
)
@STEADY
def test_any_order_of_asking_leaving_and_serving(steps):
    """Against a plain list of who waits."""
    queues, pools = nobody_waiting(1, 15), pools_of(-1)
    today, waiting, day = [], [], 0
    for step, case, priority in steps:
        if step == "ask" and case not in [c for _, _, c in today + waiting]:
            ask(queues, case, priority=priority)
            today.append((priority, day, case))
        elif step == "leave" and case in [c for _, _, c in waiting]:
            desk.leave_queue(queues, case)
            waiting = [entry for entry in waiting if entry[2] != case]
        elif step == "serve":
            expected = min(waiting)[2] if waiting else -1
            assert desk.next_served(queues, pools, 0, 0) == expected
            waiting = [entry for entry in waiting if entry[2] != expected]
        elif step == "day":
            desk.file_requests(queues)
            waiting, today, day = waiting + today, [], day + 1
    desk.file_requests(queues)
    assert served(queues, pools) == [case for _, _, case in sorted(waiting + today)]
    assert queues.head == queues.tail == [-1] * desk.N_PRIORITIES


class Counting(list):
    """A list that counts how often it is read or written."""

    reads = 0

    def __getitem__(self, at):
        Counting.reads += 1
        return super().__getitem__(at)

    def __setitem__(self, at, value):
        Counting.reads += 1
        super().__setitem__(at, value)


def steps_of(action):
    Counting.reads = 0
    action()
    return Counting.reads


@pytest.mark.parametrize("kind", ["ask", "leave first", "leave middle", "leave last", "serve", "file one"])
def test_nothing_costs_more_in_a_longer_queue(kind):
    costs = []
    for length in (10, 10_000):
        queues = type(nobody_waiting(1, 1))(*(Counting(column) for column in nobody_waiting(1, length + 1)))
        pools = pools_of(-1)
        ask(queues, *range(length))
        desk.file_requests(queues)
        if kind == "file one":
            ask(queues, length)
        actions = {
            "ask": lambda q=queues, n=length: ask(q, n),
            "leave first": lambda q=queues: desk.leave_queue(q, 0),
            "leave middle": lambda q=queues, n=length: desk.leave_queue(q, n // 2),
            "leave last": lambda q=queues, n=length: desk.leave_queue(q, n - 1),
            "serve": lambda q=queues, p=pools: desk.next_served(q, p, 0, 0),
            "file one": lambda q=queues: desk.file_requests(q),
        }
        costs.append(steps_of(actions[kind]))
    assert 0 < costs[0] == costs[1] < 40


# --- homes ----------------------------------------------------------------------------------------------------------
class Town:
    """Providers and families, and a desk to ask."""

    def __init__(self, *rows, sizes=(1,) * 20, **places):
        self.places = homes_of(*rows, **places)
        self.kids, self.families = families_of(*sizes)
        self.homes = nobody_placed(len(rows), sum(sizes))

    def find(self, child, wanted, ask=1, day=START, within_only=False, community_only=False):
        return desk.find_home(
            self.places,
            self.homes,
            self.kids,
            self.families,
            child,
            wanted,
            ask,
            day,
            0,
            1,
            within_only,
            community_only,
        )

    def place(self, child, wanted, **more):
        """The provider a child is given, moved in."""
        provider, miles, home = self.find(child, wanted, **more)
        if provider >= 0:
            desk.move_in(self.homes, child, provider, miles, home)
        return provider


SPOT = a_home(w.RESIDENTIAL_EXTERNAL)


def test_nearest_inside_the_radius_by_straight_line():
    town = Town(a_home(w.FOSTER_OWN, 5, 14.0), a_home(w.FOSTER_OWN, 5, 3.0), a_home(w.FOSTER_OWN, 5, -4.0), SPOT)
    provider, miles, home = town.find(0, w.FOSTER_OWN)
    assert (provider, home) == (1, 0)
    assert miles == pytest.approx(3.0)


def test_distances_are_pythagoras_on_the_grid():
    town = Town(a_home(w.FOSTER_OWN, 5, 3.0))
    town.places.northing_m[0] = 4.0 * w.METRES_PER_MILE
    assert town.find(0, w.FOSTER_OWN)[1] == pytest.approx(5.0)


def test_own_before_bought_even_when_the_bought_home_is_nearer():
    town = Town(a_home(w.FOSTER_AGENCY, 5, 1.0), a_home(w.FOSTER_OWN, 2, 10.0), SPOT)
    assert [town.place(child, w.FOSTER_OWN) for child in range(3)] == [1, 1, 0]


def test_inside_the_radius_before_own_beyond_it():
    town = Town(a_home(w.FOSTER_AGENCY, 1, 10.0), a_home(w.FOSTER_OWN, 2, 40.0), a_home(w.FOSTER_AGENCY), SPOT)
    assert [town.place(child, w.FOSTER_OWN) for child in range(4)] == [
        0,
        1,
        1,
        2,
    ]  # inside, own beyond, then the spot market


def test_a_homes_edge_is_inside():
    town = Town(a_home(w.FOSTER_OWN, 1, 15.0), a_home(w.FOSTER_AGENCY), radius_miles=15.0 + 1e-9)
    assert town.find(0, w.FOSTER_OWN, within_only=True)[0] == 0


def test_refuse_beyond_goes_to_the_spot_market_instead():
    rows = (a_home(w.FOSTER_OWN, 2, 40.0), a_home(w.FOSTER_AGENCY), SPOT)
    assert Town(*rows).place(0, w.FOSTER_OWN) == 0
    assert Town(*rows, refuse_beyond=1).place(0, w.FOSTER_OWN) == 1


def test_the_spot_market_comes_last_whatever_its_order_in_the_file():
    town = Town(a_home(w.FOSTER_AGENCY), a_home(w.FOSTER_OWN, 1, 30.0), SPOT)
    assert [town.place(child, w.FOSTER_OWN) for child in range(2)] == [1, 0]


def test_the_next_acceptable_kind():
    town = Town(a_home(w.FOSTER_OWN, 1, 2.0), a_home(w.FOSTER_AGENCY, 1), SPOT, a_home(w.UNREGISTERED))
    assert [town.place(child, w.KINSHIP) for child in range(3)] == [0, 1, 2]


def test_no_kind_of_home_overflows_to_secure_care():
    for wanted, chain in enumerate(desk.CHAINS):
        kinds = set(itertools.chain(*chain)) - {desk.NONE}
        assert w.SECURE not in kinds or wanted == w.SECURE
        assert chain[0][0] == wanted or wanted in (w.FOSTER_AGENCY, w.RESIDENTIAL_EXTERNAL)
    secure, spot = a_home(w.SECURE, 50, 1.0), a_home(w.RESIDENTIAL_EXTERNAL, match_chance=0.0)
    for wanted in range(w.N_PLACEMENT_TYPES):
        town = Town(secure, spot)
        assert town.place(0, wanted) == (0 if wanted == w.SECURE else 1)


def test_secure_care_that_is_full_becomes_a_residential_home():
    town = Town(a_home(w.SECURE, 1, 5.0), SPOT)
    assert [town.place(child, w.SECURE) for child in range(2)] == [0, 1]


def test_zero_places_send_everybody_on():
    town = Town(a_home(w.FOSTER_OWN, 0, 2.0), a_home(w.CHILDRENS_HOUSE_OWN, 0, 2.0), SPOT)
    assert [town.place(child, wanted) for child, wanted in enumerate((w.FOSTER_OWN, w.CHILDRENS_HOUSE_OWN))] == [2, 2]


@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.lists(st.sampled_from([w.FOSTER_OWN, w.CHILDRENS_HOUSE_OWN, w.KINSHIP]), max_size=20),
)
@STEADY
def test_nobody_is_left_out_and_no_home_is_overfull(foster, house, wanted):
    town = Town(a_home(w.FOSTER_OWN, foster, 2.0), a_home(w.CHILDRENS_HOUSE_OWN, house, 3.0), SPOT)
    found = [town.place(child, kind) for child, kind in enumerate(wanted)]
    assert min(found, default=0) >= 0
    assert town.homes.taken == np.bincount(found, minlength=3).tolist()
    assert town.homes.taken[0] <= foster
    assert town.homes.taken[1] <= house


def test_leaving_frees_the_place():
    town = Town(a_home(w.FOSTER_OWN, 1, 2.0), SPOT)
    assert [town.place(0, w.FOSTER_OWN), town.place(1, w.FOSTER_OWN)] == [0, 1]
    assert desk.leave_home(town.homes, 0) == 0
    assert town.homes.provider[0] == -1
    assert town.place(2, w.FOSTER_OWN) == 0


# --- closures and openings ------------------------------------------------------------------------------------------
def test_a_home_admits_from_its_opening_to_its_last_admission():
    opening = a_home(w.FOSTER_OWN, 5, 1.0, admits_from=START + 10, admits_until=START + 20)
    town = Town(opening, SPOT)
    assert [town.find(0, w.FOSTER_OWN, day=START + day)[0] for day in (9, 10, 20, 21)] == [1, 0, 0, 1]


def test_brothers_and_sisters_do_not_keep_a_closing_house_open():
    town = Town(a_home(w.FOSTER_OWN, 5, 1.0, admits_until=START), SPOT, sizes=(2,))
    assert town.place(0, w.FOSTER_OWN) == 0
    assert town.place(1, w.FOSTER_OWN, day=START + 1) == 1


def test_the_last_resort_is_open():
    """Nobody is sent to a provider that has closed, or not yet opened, for want of a match elsewhere."""
    kin = a_home(w.KINSHIP, admits_until=START)
    spot = a_home(w.RESIDENTIAL_EXTERNAL, match_chance=0.0)
    town = Town(kin, spot)
    assert town.find(0, w.KINSHIP)[0] == 0
    assert town.find(0, w.KINSHIP, day=START + 1)[0] == 1
    early = Town(a_home(w.KINSHIP, admits_from=START + 5), spot)
    assert early.find(0, w.KINSHIP)[0] == 1


# --- matching -------------------------------------------------------------------------------------------------------
def test_vacant_is_not_suitable():
    """One vacancy with a chance of 0.4 suits four in ten; of five at least one suits 1 - 0.6^5."""
    for free, chance in ((1, 0.4), (5, 1 - 0.6**5)):
        town = Town(a_home(w.FOSTER_OWN, free, 1.0, match_chance=0.4), SPOT, sizes=(1,) * 4000)
        share = np.mean([town.find(child, w.FOSTER_OWN)[0] == 0 for child in range(4000)])
        assert abs(share - chance) < 4.9 * np.sqrt(chance * (1 - chance) / 4000)  # false alarm: 1 in a million


def test_what_suits_with_few_vacancies_suits_with_more():
    suited = []
    for free in (1, 2, 5, 50):
        town = Town(a_home(w.FOSTER_OWN, free, 1.0, match_chance=0.3), SPOT, sizes=(1,) * 500)
        suited.append({child for child in range(500) if town.find(child, w.FOSTER_OWN)[0] == 0})
    assert suited[0] < suited[1] < suited[2] < suited[3]
    assert len(suited[3]) == 500


def test_a_new_request_is_a_new_chance():
    town = Town(a_home(w.FOSTER_OWN, 1, 1.0, match_chance=0.5), SPOT)
    assert {town.find(0, w.FOSTER_OWN, ask=ask)[0] for ask in range(1, 20)} == {0, 1}


def test_a_further_home_that_suits_is_found_behind_a_nearer_one_that_does_not():
    town = Town(a_home(w.FOSTER_OWN, 1, 1.0, match_chance=0.0), a_home(w.FOSTER_OWN, 1, 9.0), SPOT)
    assert town.place(0, w.FOSTER_OWN) == 1


# --- brothers and sisters -------------------------------------------------------------------------------------------
def test_brothers_and_sisters_first():
    rows = (a_home(w.FOSTER_OWN, 9, 1.0), a_home(w.FOSTER_OWN, 9, 8.0), SPOT)
    town = Town(*rows, sizes=(1, 3))
    desk.move_in(town.homes, 1, 1, 8.0, 1)
    assert town.find(2, w.FOSTER_OWN) == (1, 8.0, 1)  # with the sister, not in the nearer home
    assert town.find(0, w.FOSTER_OWN)[0] == 0
    desk.move_in(town.homes, 2, *town.find(2, w.FOSTER_OWN))
    assert town.find(3, w.FOSTER_OWN) == (1, 8.0, 1)  # one home for all three


def test_no_room_no_sibling_home():
    town = Town(a_home(w.FOSTER_OWN, 1, 8.0), a_home(w.FOSTER_AGENCY), sizes=(2,))
    assert town.place(0, w.FOSTER_OWN) == 0
    provider, _, home = town.find(1, w.FOSTER_OWN)
    assert (provider, home) == (1, 1)


def test_only_homes_of_the_kind_that_is_wanted_first():
    town = Town(a_home(w.CHILDRENS_HOUSE_OWN, 9, 8.0), a_home(w.FOSTER_OWN, 9, 1.0), SPOT, sizes=(2,))
    desk.move_in(town.homes, 0, 0, 8.0, 0)
    assert town.find(1, w.FOSTER_OWN)[0] == 1
    assert town.find(1, w.CHILDRENS_HOUSE_OWN)[0] == 0


def test_together_as_often_as_the_chance_says():
    rows = (a_home(w.FOSTER_OWN, 9, 1.0), a_home(w.FOSTER_OWN, 9, 8.0), SPOT)
    town = Town(*rows, sizes=(2,), together_chance={w.FOSTER_OWN: 0.6})
    desk.move_in(town.homes, 0, 1, 8.0, 0)
    found = [town.find(1, w.FOSTER_OWN, ask=ask)[0] for ask in range(3000)]
    assert abs(found.count(1) / 3000 - 0.6) < 4.9 * np.sqrt(0.24 / 3000)  # false alarm: 1 in a million


# --- a better home or none ------------------------------------------------------------------------------------------
def test_within_only_takes_nothing_beyond_or_unknown():
    beyond = (a_home(w.FOSTER_OWN, 9, 40.0), a_home(w.FOSTER_AGENCY), SPOT)
    near = {"median_miles": {w.FOSTER_AGENCY: 9.0}}
    far = {"median_miles": dict.fromkeys((w.FOSTER_AGENCY, w.RESIDENTIAL_EXTERNAL), 90.0)}
    unknown = {"unknown_share": dict.fromkeys((w.FOSTER_AGENCY, w.RESIDENTIAL_EXTERNAL), 1.0)}
    assert Town(*beyond, **near).find(0, w.FOSTER_OWN, within_only=True) == (1, 9.0, 0)
    assert Town(*beyond, **far).find(0, w.FOSTER_OWN, within_only=True)[0] == OUT
    assert Town(*beyond, **unknown).find(0, w.FOSTER_OWN, within_only=True)[0] == OUT
    assert Town(*beyond, **far).find(0, w.FOSTER_OWN)[0] == 0


def test_within_only_takes_nothing_of_another_sort():
    town = Town(a_home(w.FOSTER_OWN, 0, 1.0), a_home(w.RESIDENTIAL_EXTERNAL, 9, 2.0), SPOT)
    assert town.find(0, w.FOSTER_OWN, within_only=True)[0] == OUT
    assert town.find(0, w.FOSTER_OWN)[0] == 1


def test_within_only_does_not_join_a_sister_who_lives_far_away():
    town = Town(a_home(w.FOSTER_OWN, 9, 40.0), a_home(w.FOSTER_OWN, 9, 1.0), SPOT, sizes=(2,))
    desk.move_in(town.homes, 0, 0, 40.0, 0)
    assert town.find(1, w.FOSTER_OWN, within_only=True)[0] == 1
    assert town.find(1, w.FOSTER_OWN)[0] == 0


def test_community_only_takes_nothing_residential():
    town = Town(a_home(w.FOSTER_OWN, 0, 1.0), SPOT, sizes=(2,))
    assert town.find(0, w.FOSTER_OWN, community_only=True)[0] == OUT
    assert town.find(0, w.CHILDRENS_HOUSE_OWN, community_only=True)[0] == OUT
    assert town.find(0, w.KINSHIP, community_only=True)[0] == OUT


def test_community_only_does_not_join_a_sister_in_a_residential_home():
    town = Town(a_home(w.CHILDRENS_HOUSE_OWN, 9, 1.0), SPOT, sizes=(2,))
    desk.move_in(town.homes, 0, 0, 1.0, 0)
    assert town.find(1, w.CHILDRENS_HOUSE_OWN, community_only=True)[0] == OUT
    assert town.find(1, w.CHILDRENS_HOUSE_OWN)[0] == 0


# --- distances and areas --------------------------------------------------------------------------------------------
def test_homes_without_a_position_draw_their_distance():
    town = Town(
        SPOT,
        sizes=(1,) * 3000,
        median_miles={w.RESIDENTIAL_EXTERNAL: 8.0},
        sigma_ln={w.RESIDENTIAL_EXTERNAL: 1.0},
        unknown_share={w.RESIDENTIAL_EXTERNAL: 0.2},
    )
    miles = np.array([town.find(child, w.RESIDENTIAL_EXTERNAL)[1] for child in range(3000)])
    known = miles[miles >= 0]
    assert abs((miles == -1.0).mean() - 0.2) < 4.9 * np.sqrt(0.16 / 3000)  # false alarms: 1 in a million each
    assert abs(np.log(known / 8.0).mean()) < 4.9 / np.sqrt(len(known))
    assert abs(np.log(known / 8.0).std() - 1) < 4.9 / np.sqrt(2 * len(known))


def test_home_itself_is_no_distance():
    town = Town(a_home(w.AT_HOME), SPOT, median_miles={w.AT_HOME: 0.0})
    assert town.find(0, w.AT_HOME) == (0, 0.0, 0)


def test_foster_households_are_spread_over_the_zones_of_their_locality():
    town = Town(a_home(w.FOSTER_OWN, 9, 0.0), SPOT)
    places = town.places._replace(
        is_pool=[1, 0], locality=[0, 0], zone_start=[0, 3], zone_weight=[0.2, 0.7, 1.0], zone_northing_m=[0.0] * 3,
        zone_easting_m=[0.0, 2 * w.METRES_PER_MILE, 6 * w.METRES_PER_MILE],
    )  # fmt: skip
    miles = [round(desk.position_miles(places, town.kids, child % 20, 0, child // 20)) for child in range(2000)]
    assert set(miles) == {0, 2, 6}
    assert abs(miles.count(2) / 2000 - 0.5) < 4.9 * 0.5 / np.sqrt(2000)


def test_out_of_area_by_position_or_by_chance():
    town = Town(a_home(w.FOSTER_OWN, 9, 1.0, outside=1), a_home(w.FOSTER_OWN, 9, 1.0), SPOT, sizes=(1,) * 2000,
                outside_share={w.RESIDENTIAL_EXTERNAL: 0.3})  # fmt: skip
    assert [desk.outside_area(town.places, town.kids, 0, provider, 1) for provider in (0, 1)] == [1, 0]
    drawn = [desk.outside_area(town.places, town.kids, child, 2, 1) for child in range(2000)]
    assert abs(np.mean(drawn) - 0.3) < 4.9 * np.sqrt(0.21 / 2000)


def test_a_childs_hand_at_the_desk_is_its_own_and_the_requests_own():
    town = Town(SPOT, sigma_ln={w.RESIDENTIAL_EXTERNAL: 1.0})
    seen = {town.find(child, w.RESIDENTIAL_EXTERNAL, ask=ask)[1] for child in range(20) for ask in range(1, 6)}
    assert len(seen) == 100
    assert dr.P_MATCH + 63 < dr.SLOTS_PER_SPELL


def test_requests_of_the_day_are_served_by_priority_then_child():
    homes = nobody_placed(1, 10)
    for child, first in (
        (7, rules_care.THEN_MOVE),
        (3, rules_care.THEN_ENTRY),
        (9, rules_care.FIRST_EMERGENCY),
        (1, rules_care.THEN_MOVE),
    ):
        desk.ask_home(homes, child, w.KINSHIP, rules_care.ASK_PLACE, first)
    desk.sort_keys(homes.pending, homes.count[0])
    assert [key % desk.KEY_SHIFT for key in homes.pending[:4]] == [9, 3, 1, 7]
