"""Scenario files as a person works on them, what moving a control does, and target files."""

import datetime as dt

import pytest

from carecast.dashboard import aims, fields, studio
from carecast.dashboard.panels.library import entries_table, held_in, held_table
from carecast.model.parameters import BadFile
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.library import library, load_scenario, read_text
from carecast.scenarios.targets import Target
from tests import toy

TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def own(tmp_path):
    return tmp_path / "scenarios"


def shipped(own, name="early_help_first"):
    return next(entry for entry in studio.entries(own) if entry.name == name)


def mine(own, name):
    return next(entry for entry in studio.entries(own) if entry.name == name and not entry.is_shipped)


# --- files ------------------------------------------------------------------------------------------------------------
def test_what_comes_with_carecast_is_listed_without_the_baseline(own):
    names = [entry.name for entry in studio.entries(own)]
    assert names == [name for name in library() if name != "baseline"]
    assert all(entry.is_shipped for entry in studio.entries(own))


def test_a_new_scenario_is_a_file_and_stands_first(own):
    file = studio.new(own, "Our plan, 2027", "baseline", "Finance", TODAY)
    assert file.name == "our_plan_2027.toml"
    first = studio.entries(own)[0]
    assert (first.name, first.title, first.author, first.status) == (
        "our_plan_2027",
        "Our plan, 2027",
        "Finance",
        "draft",
    )
    assert first.lineage == ("baseline",)


@pytest.mark.parametrize("title", ["  ", "!!!", "Baseline", "Prices rise"])
def test_a_title_that_gives_no_name_of_its_own_is_refused(own, title):
    with pytest.raises(BadFile):
        studio.new(own, title, "baseline", "", TODAY)
    assert not own.exists() or not list(own.iterdir())


def test_a_copy_holds_the_same_levers_and_says_where_it_is_from(own):
    studio.copy(own, shipped(own), "Ours", "Board", TODAY)
    copy = load_scenario(str(own / "ours.toml"))
    assert copy.levers == load_scenario("early_help_first").levers
    assert copy.copied_from.startswith("early_help_first")
    assert (copy.status, copy.title, copy.author) == ("draft", "Ours", "Board")


def test_an_archived_scenario_stays_and_can_be_taken_up_again(own):
    studio.new(own, "A", "baseline", "", TODAY)
    studio.set_status(mine(own, "a"), "archived")
    assert mine(own, "a").status == "archived"
    studio.set_status(mine(own, "a"), "draft")
    assert mine(own, "a").status == "draft"


def test_what_comes_with_carecast_is_not_changed(own):
    with pytest.raises(BadFile, match="copy it first"):
        studio.set_status(shipped(own), "archived")


def test_saving_is_a_version_on_only_when_something_differs(own):
    studio.copy(own, shipped(own), "Ours", "", TODAY)
    draft = studio.draft_of(load_scenario(str(own / "ours.toml")))
    studio.save(own, draft, TODAY)
    assert load_scenario(str(own / "ours.toml")).version == 1
    fields.move(draft["lever"][0], "add", 60)
    studio.save(own, draft, TODAY)
    saved = load_scenario(str(own / "ours.toml"))
    assert (saved.version, saved.levers[0].add) == (2, 60)


def test_a_file_that_somebody_brings_is_checked_line_by_line(own):
    with pytest.raises(BadFile) as refused:
        studio.upload(own, 'name = "x"\n[[lever]]\nkind = "early_help_places"\nadd = "ten"\n', "x.toml")
    assert any("add" in line and "ten" in line for line in refused.value.lines)
    text = studio.text_of({"name": "brought", "built_on": "baseline"})
    assert studio.upload(own, text, "brought.toml").is_file()
    with pytest.raises(BadFile, match="there already"):
        studio.upload(own, text, "brought.toml")


def test_a_damaged_file_is_listed_with_what_is_wrong(own):
    own.mkdir()
    (own / "broken.toml").write_text("name = ", encoding="utf-8")
    entry = studio.entries(own)[0]
    assert "TOML" in entry.problem
    assert "mistakes" in entry.label
    assert "Has mistakes" in entries_table(studio.entries(own)).rows[0][1]


def test_every_scenario_survives_the_editor(own):
    for name in library():
        scenario = load_scenario(name)
        again = read_text(studio.text_of(studio.draft_of(scenario)), name)
        assert again.model_dump() == scenario.model_dump()


# --- mistakes beside their fields -------------------------------------------------------------------------------------
def test_a_mistake_is_placed_at_its_lever_and_field(own):
    draft = studio.draft_of(load_scenario("early_help_first"))
    draft["lever"][1]["reach"] = 3
    draft["lever"][0].pop("from")
    found = studio.check(draft, own, None, None)
    assert found.scenario is None
    assert {(m.section, m.number, m.field) for m in found.mistakes} == {("lever", 1, "from"), ("lever", 2, "reach")}
    assert [m.field for m in found.at("lever", 2)] == ["reach"]


def test_a_mistake_for_this_council_is_placed_too(own):
    draft = studio.draft_of(load_scenario("early_help_first"))
    draft["lever"][0]["localities"] = ["Nowhere"]
    found = studio.check(draft, own, toy.calibrated(toy.some_stock()).parameters, dt.date(2029, 3, 31))
    assert [(m.section, m.number, m.field) for m in found.mistakes] == [("lever", 1, "localities")]


def test_every_kind_can_be_begun_with(own):
    needs_a_choice = {
        "enlarge_childrens_house": "provider",
        "close_childrens_house": "provider",
        "decommissioning": "lines",
    }
    for kind, row in KINDS.items():
        section = "assumption" if row.is_assumption else "lever"
        item = fields.blank(kind, TODAY, None)
        found = studio.check({"name": "a", section: [item]}, own, None, None)
        assert [m.field for m in found.mistakes] == ([needs_a_choice[kind]] if kind in needs_a_choice else [])


# --- controls ---------------------------------------------------------------------------------------------------------
def test_a_range_moves_with_its_size_in_the_proportion_it_had():
    item = {"kind": "family_first", "share": 0.1, "interval_80": [0.04, 0.18]}
    fields.move(item, "share", 0.2)
    assert item["interval_80"] == [0.08, 0.36]
    fields.move(item, "share", 0.0)
    assert "interval_80" not in item
    fields.move(item, "share", 0.1)
    assert item["interval_80"] == [0.04, 0.18]


def test_a_range_of_a_ratio_moves_about_one():
    item = {"kind": "kinship_support", "multiply_by": 0.8, "interval_80": [0.7, 0.9]}
    fields.move(item, "multiply_by", 0.6)
    assert item["interval_80"] == [0.4, 0.8]


def test_a_cost_keeps_its_range_in_proportion():
    item = {"kind": "early_help_places", "add": 1, "one_off_gbp": {"value": 100.0, "low": 50.0, "high": 200.0}}
    fields.move(item, "one_off_gbp", 200.0)
    assert item["one_off_gbp"] == {"value": 200.0, "low": 100.0, "high": 400.0}
    fields.move(item, "one_off_gbp", None)
    assert "one_off_gbp" not in item


def test_a_slider_keeps_its_ends_while_it_moves():
    item = {"kind": "early_help_places", "add": 20}
    before = fields.size_control(item)
    fields.move(item, "add", 55)
    after = fields.size_control(item)
    assert (before.least, before.most) == (after.least, after.most) == (0, 80)
    assert (before.value, after.value) == (20, 55)


def test_a_lever_sized_by_evidence_has_no_slider():
    assert fields.size_control({"kind": "early_help_support", "evidence": "whole_family_keyworker"}) is None


def test_the_table_has_a_row_a_lever_and_takes_edits():
    draft = studio.draft_of(load_scenario("early_help_first"))
    rows = fields.table(draft)
    assert [row["Size"] for row in rows][0] == 40
    assert rows[1]["Size"] is not None  # from evidence
    fields.take_table(
        draft, {0: {"Size": 50, "Owner": "Head of service"}, 2: {"Low, 80 %": 0.05, "From": "2027-04-01"}}
    )
    assert draft["lever"][0]["add"] == 50
    assert draft["lever"][0]["owner"] == "Head of service"
    assert draft["lever"][2]["interval_80"] == [0.05, 0.18]
    assert draft["lever"][2]["from"] == dt.date(2027, 4, 1)


def test_sizes_travel_in_an_address():
    before = studio.draft_of(load_scenario("early_help_first"))
    now = studio.draft_of(load_scenario("early_help_first"))
    assert studio.sizes_text(before, now) == ""
    fields.move(now["lever"][0], "add", 55)
    fields.move(now["lever"][2], "share", 0.15)
    text = studio.sizes_text(before, now)
    assert text == "lever1.add:55,lever3.share:0.15"
    studio.take_sizes(before, text)
    assert studio.content(before) == studio.content(now)


@pytest.mark.parametrize("text", ["lever9.add:5", "lever1.name:5", "nonsense", "lever1.share:0.5", "lever1.add:x"])
def test_an_address_that_does_not_fit_changes_nothing(text):
    draft = studio.draft_of(load_scenario("early_help_first"))
    before = studio.content(draft)
    studio.take_sizes(draft, text)
    assert studio.content(draft) == before


# --- runs that are stale ----------------------------------------------------------------------------------------------
def test_a_run_is_stale_when_the_scenario_or_the_parameters_changed(runs, run):
    from carecast.dashboard import door

    found = door.find_runs(None, runs)
    name, digests = "more_early_help", {key: run.record["inputs"][key] for key in ("parameters", "draws", "stock")}
    key = run.record["inputs"][f"scenario {name}"]
    same = held_in(found, name, key, digests)
    assert [one.is_stale for one in same] == [False] * len(same)
    assert same
    assert held_in(found, name, "other", digests)[0].why == "the scenario"
    assert held_in(found, name, key, {**digests, "stock": "other"})[0].why == "the parameter set"
    assert "Stale" in held_table(held_in(found, name, "other", digests)).rows[0][-1]
    assert held_table(()) is None


# --- targets ----------------------------------------------------------------------------------------------------------
def test_a_target_keeps_only_what_goes_with_its_measure():
    years, until = ("2027-28", "2028-29"), dt.date(2029, 3, 31)
    draft = aims.blank(years, until)
    Target.model_validate(aims.fitting(draft, years, until))
    level = aims.fitting({**draft, "measure": "looked_after", "at_least": None, "at_most": 300}, years, until)
    found = Target.model_validate(level)
    assert (found.kind, found.at_most, found.basis) == ("level", 300, None)
    cumulative = aims.fitting({**draft, "kind": "cumulative"}, years, until)
    assert Target.model_validate(cumulative).from_date == dt.date(2026, 4, 1)


def test_mistakes_of_targets_are_said_at_their_place():
    good = {"name": "A", "kind": "annual", "financial_year": "2028-29", "at_least": 1.0}
    targets, wrong = aims.check([good, {**good, "name": ""}, {**good, "at_most": 3.0, "name": "B"}])
    assert [target.name for target in targets] == ["A"]
    assert set(wrong) == {1, 2}
    targets, wrong = aims.check([good, good])
    assert len(targets) == 1
    assert "already" in wrong[1][0]


def test_a_target_file_with_other_targets_is_read_back(tmp_path):
    from carecast.scenarios.target_file import load_target_file

    shipped_file = next(aim for aim in aims.files(tmp_path) if aim.name == "west_dunbartonshire")
    document = aims.document_of(shipped_file)
    aims.take_free(document, {0: {"Most": 60}})
    text = aims.text_of(document, document["target"][:1])
    file = aims.save(tmp_path, "Our targets", text)
    found = load_target_file(file)
    assert len(found.targets) == 1
    assert found.free_levers[0].max == 60
    assert found.limits.one_off_gbp == 2_000_000
    assert [aim.name for aim in aims.files(tmp_path)][0] == "our_targets"
    file.write_text("# agreed in May\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    changed = [{**document["target"][0], "because": "As the board asked."}]
    aims.save(tmp_path, "Our targets", aims.text_of(document, changed))
    assert file.read_text(encoding="utf-8").startswith("# agreed in May\n")
    assert load_target_file(file).targets[0].because == "As the board asked."


def test_targets_that_were_checked_go_into_a_file_and_back():
    from carecast.scenarios.target_file import load_target_file

    targets = load_target_file("west_dunbartonshire").targets
    again, wrong = aims.check([aims.draft_of(target) for target in targets])
    assert again == targets
    assert not wrong
