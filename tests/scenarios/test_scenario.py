"""Scenario files: what they refuse and how they say it, lineage, upgrades, and what ships with carecast."""

import csv
import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

import carecast
from carecast.model import words as w
from carecast.model.parameters import BadFile, ParameterSet
from carecast.model.plan import OpenProvider, ProgrammeCost
from carecast.model.summary import PROMISED
from carecast.scenarios import wording
from carecast.scenarios.apply import apply
from carecast.scenarios.compare import SAFETY_MEASURES
from carecast.scenarios.describe import describe
from carecast.scenarios.evidence import find, table
from carecast.scenarios.kind_table import KINDS, LEVERS
from carecast.scenarios.library import (
    inherited,
    library,
    lineage,
    load_scenario,
    read_text,
    save_scenario,
    targets_of,
    write_text,
)
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.target_file import load_target_file, target_files
from carecast.scenarios.yearly import EXTRA_MEASURES
from tests import toy

TOY = ParameterSet.model_validate(toy.document())
PACK = Path(carecast.__file__).parent / "calibration" / "published" / "west_dunbartonshire"
HEAD = 'format = 2\nname = "mine"\n'


def lines_of(text):
    with pytest.raises(BadFile) as caught:
        read_text(text, "mine.toml")
    return list(caught.value.lines)


def lever(body, kind="early_help_places"):
    return f'{HEAD}[[lever]]\nkind = "{kind}"\nfrom = 2026-04-01\n{body}\n'


# --- mistakes ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (lever("add = 5", "early_help_place"),
         "lever 1 (early_help_place): kind: found 'early_help_place'; did you mean 'early_help_places'?"),
        (lever("add = 5\nramp_month = 3"),
         "lever 1 (early_help_places): ramp_month: not a field; did you mean 'ramp_months'?"),
        (lever("add = 5\nshare = 0.5"),
         "lever 1 (early_help_places): share: does not belong to this kind, which takes kind, name, from"),
        (lever("multiply_by = 0.8", "early_help_places"),
         "lever 1 (early_help_places): add: missing; give a size (family places)"),
        (lever('share = 0.1', "family_first"), "lever 1 (family_first): instead: missing; family first needs it"),
        (lever('share = 0.1\ninstead = "kins"', "family_first"), "instead: found 'kins'; did you mean 'kin'?"),
        (lever("share = 1.5\ninstead = 'kin'", "family_first"), "share: found 1.5; should be less than or equal to 1"),
        (lever("add = '5'"), "add: found '5'; should be a valid number"),
        (lever("add = 5\nramp_months = -3"), "ramp_months: found -3; should be greater than or equal to 0"),
        (lever("add = 5\nto = 2026-03-31"), "to: found 2026-03-31; should be on or after from, 2026-04-01"),
        (lever('multiply_by = 0.8\nage_bands = ["5_to_8"]', "reunification"),
         "age_bands: found '5_to_8'; did you mean '5_to_9'?"),
        (lever("multiply_by = 0.8\ninterval_80 = [0.9, 1.0]", "reunification"),
         "interval_80: found [0.9, 1]; should hold multiply_by, 0.8"),
        (lever("multiply_by = 0.8\ninterval_80 = [0.7, 1.1]", "family_group_conferences"),
         "interval_80: found [0.7, 1.1]; should end below 1"),
        (lever('multiply_by = 0.8\ninterval_80 = [0.7, 0.9]\nshape = "beta"', "reunification"),
         "shape: found 'beta'; multiply_by with an interval is 'lognormal'"),
        (lever('evidence = "family_group_conference"', "early_help_support"),
         "which is about pre_entry_decision; this kind acts at early_help"),
        (lever('evidence = "no_wrong_door"', "family_first"), "instead: missing"),
        (lever('evidence = "kinship_support"', "kinship_support"),
         "multiply_by: missing; kinship_support has no size of its own"),
        (lever('evidence = "family_conference"', "family_group_conferences"),
         "did you mean 'family_group_conference'?"),
        (lever("add = 5\nreserves_taper = [1.0]"), "paid_from: missing; reserves_taper needs paid_from = 'reserves'"),
        (lever("add = 5\none_off_gbp = { value = 5, low = 6, high = 7 }"), "value 5 must lie between low 6 and high 7"),
        (lever("add = 5\none_off_gbp = -1"), "one_off_gbp.value: found -1; should be greater than or equal to 0"),
        (lever("add = 5\nfunder = 'health'"), "funder: found 'health'"),
        (lever('lines = ["*"]\nmultiply_by = 1.1', "prices"),
         "lever 1 (prices): this is an assumption: put it under [[assumption]]"),
        (lever('multiply_by = 1.1\none_off_gbp = 5', "referrals"), "one_off_gbp: does not belong to this kind"),
        (f'{HEAD}[[lever]]\nkind = "early_help_places"\nadd = 5\n', "from: missing, a date such as 2026-04-01"),
        (f'{HEAD}[[levers]]\nkind = "early_help_places"\n', "levers: not a field; did you mean 'lever'?"),
        (f'{HEAD}[lever]\nkind = "early_help_places"\n', "lever: should be a list of tables, each headed [[lever]]"),
        ('format = 1\nname = "My scenario"\n', "name: found 'My scenario'"),
        (f'{HEAD}status = "done"\n', "status: found 'done'; should be 'draft', 'proposed', 'approved', 'committed' or"),
        (f'{HEAD}[[target]]\nname = "t"\nat_least = 5\n', "target 1 (t): an annual target needs financial_year"),
        ("format = 3\n", "format: found 3; this version of carecast reads up to 2: install a newer one"),
        (f'{HEAD}[[aim]]\naim = "help early"\nmeasures = ["referal"]\n',
         "aim 1 (help early): measures: found 'referal'; did you"),
        (f'{HEAD}[[aim]]\naim = "help early"\nlevers = ["More help"]\n',
         "aim 1: levers: found 'More help'; there are none to"),
        ("format = 'one'\n", "format: found 'one'; should be a whole number"),
        ("name = \n", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_where_and_what_would_be_right(text, line):
    found = lines_of(text)
    assert all(one.startswith("mine.toml: ") for one in found)
    assert any(line in one for one in found), found


def test_all_mistakes_come_at_once():
    text = (
        f'{HEAD}colour = "red"\n[[lever]]\nkind = "early_help_places"\nfrom = 2026-04-01\nage_bands = ["x"]\n'
        '[[lever]]\nkind = "nothing"\nfrom = "soon"\n[[assumption]]\nkind = "referrals"\nfrom = 2026-04-01\n'
    )
    found = lines_of(text)
    assert [line.split(":")[1].strip() for line in found] == [
        *["lever 1 (early_help_places)"] * 3, *["lever 2 (nothing)"] * 2, "assumption 1 (referrals)", "colour",
    ]  # fmt: skip


def test_a_wrong_field_does_not_hide_the_mistakes_of_others():
    text = f'{HEAD}[[lever]]\nkind = "family_first"\nfrom = "soon"\nshare = 1.2\ninstead = "kins"\nlines = ["*"]\n'
    starts = [
        "from: found",
        "share: found",
        "lines: does not belong to this kind",
        "instead: found 'kins'; did you mean 'kin'",
    ]
    found = [line.removeprefix("mine.toml: lever 1 (family_first): ") for line in lines_of(text)]
    assert len(found) == len(starts)
    assert all(line.startswith(start) for line, start in zip(found, starts, strict=True)), found


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("multiply_by = 1.1\nto = 5", "to: found 5; should be a date such as 2026-04-01"),
        (
            "multiply_by = 1.1\nto = 2027-01-01T10:00:00",
            "to: found 2027-01-01T10:00:00; should be a date such as 2026-04-01",
        ),
        ('multiply_by = 1.1\nlocalities = "East"', "localities: found 'East'; should be a list, such as [a, b]"),
        ("multiply_by = true", "multiply_by: found True; should be a valid number"),
        ("multiply_by = nan", "multiply_by: found nan; should be a finite number"),
    ],
)
def test_values_of_the_wrong_sort(body, line):
    assert lines_of(lever(body, "reunification")) == [f"mine.toml: lever 1 (reunification): {line}"]


def test_the_schema_is_the_same_door_for_code():
    with pytest.raises(ValidationError, match="this is an assumption"):
        Scenario.model_validate(
            {"name": "mine", "lever": [{"kind": "referrals", "from": dt.date(2026, 4, 1), "multiply_by": 1.1}]}
        )


# --- against a council and a run --------------------------------------------------------------------------------
def scenario(*levers):
    given = [{"from": dt.date(2024, 4, 1), **item} for item in levers]
    return Scenario.model_validate({"name": "mine", "built_on": "", "lever": given})


HOUSE = {
    "kind": "open_childrens_house", "name": "One", "places": 5, "locality": "East", "easting_m": 1, "northing_m": 1,
    "lead_months": 1, "fixed_weekly_cost_gbp": 1, "weekly_cost_gbp": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"kind": "early_help_places", "add": 5, "localities": ["Est"]},
         "localities: found 'Est'; did you mean 'East'?"),
        ({"kind": "early_help_places", "add": -26, "localities": ["East"]},
         "takes away more places than there are: 25 in early help, East, -1 would be left"),
        ({"kind": "foster_recruitment", "add": -50}, "38 in own foster care, Toytown, -12 would be left"),
        ({"kind": "enlarge_childrens_house", "provider": "house_1", "add": -7}, "6 in house_1, -1 would be left"),
        ({"kind": "close_childrens_house", "provider": "house1"}, "provider: found 'house1'; did you mean 'house_1'?"),
        ({"kind": "framework_prices", "lines": ["foster_agncy"], "multiply_by": 0.9},
         "lines: found 'foster_agncy'; did you mean"),
        ({"kind": "reunification", "multiply_by": 1.1, "from": dt.date(2022, 7, 30)},
         "from: found 2022-07-30; should be on or after the as-at date, 2022-07-31"),
        ({"kind": "step_down", "per_year": 0.3}, "per_year: Toytown has step-downs already; give multiply_by instead"),
        ({**HOUSE, "locality": "North"}, "locality: found 'North'"),
        ({**HOUSE, "name": "1"}, "name: found '1'; another provider is house_1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_council_or_the_run(item, line):
    with pytest.raises(BadFile) as caught:
        apply(TOY, scenario(item), dt.date(2029, 3, 31))
    assert caught.value.lines[0].startswith(f"mine.lever_1.{item['kind']}: ")
    assert line in caught.value.lines[0]


def test_places_taken_away_in_two_steps_count_together():
    with pytest.raises(BadFile, match="-5 would be left"):
        apply(TOY, scenario(*[{"kind": "early_help_places", "add": -15, "localities": ["East"]}] * 2))


def test_a_run_that_ends_before_it_starts():
    with pytest.raises(BadFile, match="until: found 2021-01-01"):
        apply(TOY, scenario(), dt.date(2021, 1, 1))


# --- lineage ----------------------------------------------------------------------------------------------------
def write(folder, name, built_on, add=5):
    body = f'[[lever]]\nkind = "early_help_places"\nfrom = 2026-04-01\nadd = {add}\n'
    (folder / f"{name}.toml").write_text(
        f'format = 1\nname = "{name}"\nbuilt_on = "{built_on}"\n{body}', encoding="utf-8"
    )


def test_levers_of_the_ancestors_are_inherited_oldest_first(tmp_path):
    write(tmp_path, "first", "baseline")
    write(tmp_path, "second", "first", add=7)
    found = load_scenario(tmp_path / "second.toml")
    assert [ancestor.name for ancestor in lineage(found)] == ["baseline", "first", "second"]
    assert [(identity, item.add) for identity, item in inherited(found)] == [
        ("first.lever_1.early_help_places", 5.0), ("second.lever_1.early_help_places", 7.0)]  # fmt: skip
    plan = apply(TOY, found)
    assert plan.name == "second"
    assert "their places add" in plan.notes[-1]


def test_an_inherited_lever_has_the_same_draw_as_in_its_own_scenario(tmp_path):
    write(tmp_path, "first", "baseline")
    write(tmp_path, "second", "first")
    alone, within = (apply(TOY, load_scenario(tmp_path / f"{name}.toml")).changes for name in ("first", "second"))
    assert within[: len(alone)] == alone


def test_a_councils_own_baseline_beside_the_file_comes_before_the_librarys(tmp_path):
    write(tmp_path, "baseline", "")
    write(tmp_path, "mine", "baseline")
    assert len(inherited(load_scenario(tmp_path / "mine.toml"))) == 2


def test_a_circle_is_refused(tmp_path):
    write(tmp_path, "first", "second")
    write(tmp_path, "second", "first")
    with pytest.raises(BadFile, match="built_on goes in a circle: first -> second -> first"):
        load_scenario(tmp_path / "first.toml")
    (tmp_path / "third.toml").write_text('format = 1\nname = "other"\nbuilt_on = "third"\n', encoding="utf-8")
    with pytest.raises(BadFile, match="other -> third -> third"):
        load_scenario(tmp_path / "third.toml")


def test_a_name_that_is_nowhere():
    with pytest.raises(BadFile, match="did you mean 'prices_rise'"):
        load_scenario("price_rise")
    with pytest.raises(BadFile, match="not found"):
        load_scenario("nowhere/mine.toml")


def test_targets_come_from_the_nearest_ancestor_that_has_any(tmp_path):
    target = '[[target]]\nname = "few"\nmeasure = "looked_after"\nkind = "level"\nto = 2029-03-31\nat_most = 5\n'
    (tmp_path / "first.toml").write_text(f'format = 1\nname = "first"\n{target}', encoding="utf-8")
    write(tmp_path, "second", "first")
    assert [found.name for found in targets_of(load_scenario(tmp_path / "second.toml"))] == ["few"]
    assert targets_of(load_scenario("baseline")) == ()


# --- writing and upgrading --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", library())
def test_writing_and_reading_gives_the_same_scenario(name, tmp_path):
    first = load_scenario(name)
    save_scenario(tmp_path / "copy.toml", first)
    again = load_scenario(tmp_path / "copy.toml")
    assert again.model_dump() == first.model_dump()
    assert write_text(again) == write_text(first)


def test_a_file_of_format_0_is_upgraded_and_says_what_changed():
    old = 'name = "mine"\n[[lever]]\nkind = "reunification"\nstart = 2026-04-01\nend = 2027-03-31\nmultiply_by = 1.1\n'
    found = read_text(old, "mine.toml")
    assert found.format == 2
    assert (found.levers[0].from_date, found.levers[0].to_date) == (dt.date(2026, 4, 1), dt.date(2027, 3, 31))
    assert found.upgraded == ("lever 1: start is now called from", "lever 1: end is now called to")
    assert read_text(write_text(found), "mine.toml").upgraded == ()


def test_a_file_of_format_1_calls_what_was_active_approved():
    found = read_text('format = 1\nname = "mine"\nstatus = "active"\n', "mine.toml")
    assert (found.status, found.upgraded) == ("approved", ("status: active is now called approved",))


def test_the_old_word_is_not_a_field_of_the_current_format():
    assert "start: not a field" in lines_of(lever("add = 5\nstart = 2026-04-01"))[0]


# --- what ships with carecast -----------------------------------------------------------------------------------
def west_dunbartonshire():
    """The toy council with West Dunbartonshire's localities, houses and foster pools."""
    document = toy.document()
    names = ("Clydebank", "Dumbarton/Alexandria")
    document["localities"] = [{**old, "name": new} for old, new in zip(document["localities"], names, strict=True)]
    pools = [
        {"code": f"help_{number}", "service": "early_help", "localities": [name], "places": 100, **toy.TAG}
        for number, name in enumerate(names)
    ]
    document["service_pools"] = [*pools, document["service_pools"][-1]]
    with (PACK / "providers.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["placement_type"] in ("foster_own", "childrens_house_own")]
    own = [
        toy.provider(row["provider"], row["placement_type"], places=int(row["places"]),
                     locality=row["locality"] if row["locality"] in names else "")
        for row in rows
    ]  # fmt: skip
    others = [
        row for row in document["providers"] if row["placement_type"] not in ("foster_own", "childrens_house_own")
    ]
    document["providers"] = [*own, *others]
    return ParameterSet.model_validate(document)


def test_the_library_holds_the_baseline_first():
    assert library()[0] == "baseline"
    assert {"what_would_it_take", "prices_rise", "early_help_first"} <= set(library())
    assert inherited(load_scenario("baseline")) == ()


@pytest.mark.parametrize("name", library())
def test_every_shipped_scenario_says_why_and_can_be_described(name):
    found = load_scenario(name)
    assert found.name == name
    assert found.rationale
    for _, item in inherited(found):
        assert item.because or item.source
    for nation in wording.NATIONS:
        assert all(text.sentence.endswith(".") and text.what for text in describe(found, nation))


@pytest.mark.parametrize("name", [name for name in library() if name != "what_would_it_take"])
def test_scenarios_without_localities_fit_any_council(name):
    assert apply(TOY, load_scenario(name), dt.date(2029, 3, 31)).name == name


def test_what_would_it_take_fits_west_dunbartonshire():
    plan = apply(west_dunbartonshire(), load_scenario("what_would_it_take"), dt.date(2029, 3, 31))
    assert not [note for note in plan.notes if "changes nothing" in note]
    (house,) = [change for change in plan.changes if isinstance(change, OpenProvider)]
    assert house.open_day == dt.date(2026, 4, 1).toordinal()
    first_day = dt.date(2024, 4, 1).toordinal()
    assert all(change.window.from_day >= first_day for change in plan.changes if hasattr(change, "window"))


def test_what_would_it_take_keeps_its_call_on_reserves_small():
    """One-off and tapered costs in the middle of their intervals stay within the pack's placeholder for reserves."""
    plan = apply(west_dunbartonshire(), load_scenario("what_would_it_take"), dt.date(2029, 3, 31))
    from_reserves = [c for c in plan.changes if isinstance(c, ProgrammeCost) and c.paid_from == "reserves"]
    one_off = sum(c.amount_gbp.median for c in from_reserves if c.basis == "one_off")
    recurring = sum(c.amount_gbp.median * (c.places or 1) for c in from_reserves if c.basis != "one_off")
    assert one_off == pytest.approx(1_146_000)
    assert recurring == pytest.approx(0.75 * (2 * 20 * 5000 + 180_000 + 2 * 45_000))
    assert one_off + recurring < 1_500_000


def test_the_target_file_of_west_dunbartonshire():
    assert target_files() == ("cheshire_east", "kent", "serving_children_well", "west_dunbartonshire", "wiltshire")
    found = load_target_file("west_dunbartonshire")
    yearly, in_all, away, within, balance = found.targets
    assert (yearly.value, yearly.financial_year, yearly.row_measure) == (
        3_500_000,
        "2028-29",
        "net_saving_recurring_gbp",
    )
    assert (in_all.kind, in_all.from_date, in_all.to_date) == ("cumulative", dt.date(2024, 4, 1), dt.date(2029, 3, 31))
    assert (away.at_most, within.at_least, balance.at_least) == (330, 85, 90)
    assert set(found.safety) == set(SAFETY_MEASURES) <= set(PROMISED)
    for free in found.free_levers:
        assert apply(west_dunbartonshire(), scenario(free.at(free.max).model_dump(by_alias=True, exclude_unset=True)))


@pytest.mark.parametrize("name", [name for name in target_files() if name != "west_dunbartonshire"])
def test_the_free_levers_of_every_target_file_fit_any_council_at_both_ends(name):
    found = load_target_file(name)
    assert set(found.safety) == set(SAFETY_MEASURES)
    assert found.limits.one_off_gbp
    assert found.limits.recurring_gbp_per_year
    for free in found.free_levers:
        for end in (free.min, free.max):
            item = free.at(end).model_dump(by_alias=True, exclude_unset=True)
            plan = apply(TOY, scenario(item), dt.date(2029, 3, 31))
            is_neutral = end == (1.0 if free.size_field == "multiply_by" else 0.0)
            assert any("its size is zero" in note for note in plan.notes) == is_neutral, (name, free.lever)
        assert free.lever["kind"] in LEVERS


def test_a_free_lever_is_rounded_to_its_steps():
    free = load_target_file("west_dunbartonshire").free_levers[0]
    assert (free.at(14).add, free.at(16).add) == (10, 20)


def test_a_target_file_with_mistakes(tmp_path):
    file = tmp_path / "mine.target.toml"
    file.write_text(
        'name = "mine"\n[[target]]\nname = "t"\nkind = "level"\nmeasure = "looked_after"\nto = 2029-03-31\n'
        '[[free_lever]]\nkind = "stepdown"\n[[free_lever]]\nkind = "step_down"\nfrom = 2026-04-01\nmin = 2\nmax = 1\n'
        '[[free_lever]]\nkind = "step_down"\nfrom = 2026-04-01\nmin = -1\nmax = 1\n[safety]\nmove = 1\n',
        encoding="utf-8",
    )
    with pytest.raises(BadFile) as caught:
        load_target_file(file)
    text = "\n".join(caught.value.lines)
    assert "free_lever 1 (stepdown): kind: found 'stepdown'; did you mean 'step_down'?" in text
    assert "free_lever 2 (step_down): min: found 2; should be below max, 1" in text
    assert "free_lever 3 (step_down): multiply_by: found -1" in text
    assert "at_least and at_most" in text


# --- evidence and words -----------------------------------------------------------------------------------------
def test_evidence_that_found_nothing_is_no_effect():
    found = find("multisystemic_therapy", "optimistic")
    assert (found.ratio, found.low_80) == (1.0, None)


def test_default_evidence_of_every_kind_is_about_its_stage():
    names = {name for name, _ in table()}
    for kind in KINDS.values():
        if kind.evidence:
            assert kind.evidence in names
            assert find(kind.evidence).stage == kind.stage


def test_words_cover_everything_in_both_nations():
    for nation in wording.NATIONS:
        assert set(wording.PLACEMENT_TYPE_LABELS[nation]) == set(w.PLACEMENT_TYPES)
        assert all(wording.measure_label(nation, name) for name in wording.MEASURES)
    assert set(wording.TERMS["scotland"]) == set(wording.TERMS["england"])
    assert set(wording.AGE_BAND_LABELS) == set(w.AGE_BANDS)
    assert PROMISED | set(EXTRA_MEASURES) <= set(wording.MEASURES)
    assert wording.measure_label("england", "difference_in_support_open") == (
        "Difference: Children with an open case: child in need")  # fmt: skip
    assert wording.measure_unit("difference_in_balance_of_care_percent") == "percentage points"
    assert wording.breakdown_label("scotland", "locality=Clydebank") == "Clydebank"
    assert wording.breakdown_label("scotland", "age_band=5_to_9") == "Aged 5 to 9"
    assert len(wording.not_modelled(("own",))) == len(wording.NOT_MODELLED) + 1
