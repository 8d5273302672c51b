"""``carecast scenario``: new, copy, check, show and diff as a person uses them."""

import json
import tomllib

import pytest

from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.library import library, load_scenario
from tests import small_runs

HELP = small_runs.MORE_HELP


def written(folder, text, name="ours.toml"):
    (folder / name).write_text(text, encoding="utf-8")
    return name


def said(result):
    """Standard output of a command that went well."""
    assert result.exit_code == 0, result.output
    return result.stdout


# --- new ------------------------------------------------------------------------------------------------------------
def test_a_new_file_is_valid_as_it_stands_and_lists_every_kind(carecast, tmp_path):
    assert "Written: our_plan.toml" in said(carecast("scenario", "new", "our_plan", "--author", 'A "B" C'))
    text = (tmp_path / "our_plan.toml").read_text(encoding="utf-8")
    assert all(kind in text for kind in KINDS)
    found = load_scenario(tmp_path / "our_plan.toml")
    assert (found.name, found.author, found.built_on, found.status, found.levers) == (
        "our_plan", 'A "B" C', "baseline", "draft", ())  # fmt: skip
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines() if not line.startswith("#   "))
    example = tomllib.loads(uncommented[uncommented.index("[[lever]]") :].replace("Kinds of lever:\n", "").replace(
        "Kinds of assumption:\n", "").replace("\n#\n", "\n"))  # fmt: skip
    assert [item["kind"] for item in (*example["lever"], *example["assumption"])] == ["early_help_places", "referrals"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_can_begin_with_any_kind(carecast, tmp_path, kind):
    said(carecast("scenario", "new", "mine", "--lever", kind, "--built-on", "early_help_first"))
    found = load_scenario(tmp_path / "mine.toml")
    (item,) = (*found.levers, *found.assumptions)
    assert item.kind == kind


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["new", "Our plan"], "name: found 'Our plan'; should be small letters, digits and underscores"),
        (["new", "mine", "--lever", "stepdown"], "kind: found 'stepdown'; did you mean 'step_down'?"),
        (["new", "mine", "--built-on", "price_rise"], "did you mean 'prices_rise'?"),
        (["new", "mine", "--out", "mine.txt"], "mine.txt: should end in .toml"),
        (["new", "mine", "--out", "nowhere/mine.toml"], "nowhere: no such folder"),
        (["copy", "what_would_it_tak", "mine"], "did you mean 'what_would_it_take'?"),
        (["copy", "baseline", "My plan"], "name: found 'My plan'"),
        (["show", "nothing_like_it"], "nothing_like_it: no scenario of this name"),
        (["show", "baseline", "--until", "soon"], "--until: found 'soon'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(carecast, tmp_path, words, line):
    result = carecast("scenario", *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    (told,) = result.stderr.splitlines()
    assert line in told
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_never_written_over(carecast, tmp_path):
    file = written(tmp_path, "mine")
    result = carecast("scenario", "copy", "baseline", file)
    assert result.exit_code == 2
    assert "ours.toml: is there already" in result.stderr
    assert (tmp_path / file).read_text(encoding="utf-8") == "mine"


# --- copy -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", library())
def test_a_copy_holds_the_same_and_says_where_it_comes_from(carecast, tmp_path, name):
    said(carecast("scenario", "copy", name, "our_own", "--author", "Us"))
    copy, source = load_scenario(tmp_path / "our_own.toml"), load_scenario(name)
    assert (copy.name, copy.author, copy.status, copy.version) == ("our_own", "Us", "draft", 1)
    assert copy.copied_from == f"{name}, version {source.version}"
    assert copy.built_on == source.built_on
    assert (copy.levers, copy.assumptions, copy.aims, copy.not_modelled) == (
        source.levers, source.assumptions, source.aims, source.not_modelled)  # fmt: skip
    text = (tmp_path / "our_own.toml").read_text(encoding="utf-8")
    assert ("# ---" in text) == (name in ("what_would_it_take", "cheshire_east_redesign"))  # comments are kept


def test_a_copy_under_the_same_name_is_the_next_version(carecast, tmp_path):
    (tmp_path / "next").mkdir()
    said(carecast("scenario", "copy", written(tmp_path, HELP, "more_help.toml"), "next/more_help.toml"))
    assert load_scenario(tmp_path / "next" / "more_help.toml").version == 2


def test_a_copy_that_would_lose_what_it_is_built_on_is_refused(carecast, tmp_path):
    written(tmp_path, HELP, "more_help.toml")
    written(tmp_path, 'name = "ours"\nbuilt_on = "more_help"\n')
    (tmp_path / "elsewhere").mkdir()
    result = carecast("scenario", "copy", "ours.toml", "elsewhere/mine.toml")
    assert result.exit_code == 2
    assert "more_help: no scenario of this name" in result.stderr


def test_an_old_file_is_copied_in_the_new_format_and_says_what_changed(carecast, tmp_path):
    old = 'format = 1\nname = "ours"\nstatus = "active"\n'
    result = carecast("scenario", "copy", written(tmp_path, old), "mine")
    assert "of an older format: status: active is now called approved" in result.stderr
    assert load_scenario(tmp_path / "mine.toml").upgraded == ()


# --- check ----------------------------------------------------------------------------------------------------------
def test_check_says_what_a_valid_file_will_do_and_what_is_weak(carecast, tmp_path, parameters):
    shown = said(carecast("scenario", "check", written(tmp_path, HELP), "--parameters", parameters))
    shown = " ".join(shown.split())
    assert "ours.toml: valid, and fits Toytown. more_help (version 1, draft) has 2 levers and 0 assumptions" in shown
    assert "- Ten more places: +10 family places; East; from 1 October 2022" in shown
    assert "more_help.lever_1.early_help_places: no owner" in shown
    assert "Changes nothing" not in shown


def test_check_says_which_levers_change_nothing_and_which_meet(carecast, tmp_path, parameters):
    more = '[[lever]]\nkind = "placement_radius"\nfrom = 2023-04-01\nmiles = 15\nbecause = "x"\n' + (
        '[[lever]]\nkind = "reunification"\nfrom = 2023-04-01\nmultiply_by = 1.1\nbecause = "x"\n' * 2
    )
    file = written(tmp_path, HELP + more)
    shown = said(carecast("scenario", "check", file, "--parameters", parameters, "--until", "2024-03-31"))
    assert "Changes nothing in Toytown" in shown
    assert "placement_radius: changes nothing: homes are looked for within 15 miles already" in shown
    assert "their ratios multiply" in shown
    alone = said(carecast("scenario", "check", file))
    assert "more_help.lever_4.reunification and more_help.lever_5.reunification; their ratios multiply" in alone
    assert "whether it fits a council is checked with --parameters" in " ".join(alone.split())


def test_check_gives_every_mistake_of_every_file_one_line_and_exit_code_2(carecast, tmp_path, parameters):
    written(tmp_path, HELP, "good.toml")
    written(tmp_path, HELP.replace("add = 10", "ad = 10"), "bad.toml")
    written(tmp_path, HELP.replace('"East"', '"Easst"'), "elsewhere.toml")
    result = carecast("scenario", "check", "good.toml", "bad.toml", "elsewhere.toml", "--parameters", parameters)
    assert result.exit_code == 2
    assert "good.toml: valid" in result.stdout
    assert "bad.toml: not valid, 2 mistakes" in result.stdout
    starts = ["bad.toml: lever 1 (early_help_places): ad", "bad.toml: lever 1 (early_help_places): add",
              "elsewhere.toml: more_help.lever_1.early_help_places: localities: found 'Easst'"]  # fmt: skip
    lines = result.stderr.splitlines()
    assert len(lines) == len(starts)
    assert all(line.startswith(f"carecast: {start}") for line, start in zip(lines, starts, strict=True)), lines
    as_json = carecast("scenario", "check", "good.toml", "bad.toml", "--json")
    assert as_json.exit_code == 2
    assert [file["valid"] for file in json.loads(as_json.stdout)["files"]] == [True, False]


@pytest.mark.parametrize("name", library())
def test_every_shipped_scenario_passes_its_own_check(carecast, name):
    found = json.loads(said(carecast("scenario", "check", name, "--json")))["files"][0]
    assert found["valid"]
    assert not [doubt for doubt in found["doubts"] if "no source" in doubt or "no author" in doubt]


# --- show -----------------------------------------------------------------------------------------------------------
def test_show_tells_a_scenario_in_plain_words(carecast, tmp_path, parameters):
    assumption = '[[assumption]]\nkind = "referrals"\nfrom = 2023-04-01\nmultiply_by = 1.1\nbecause = "What if."\n'
    shown = said(carecast("scenario", "show", written(tmp_path, HELP + assumption), "--parameters", parameters))
    flat = " ".join(shown.split())
    for text in (
        "version 1, draft, by nobody named, no date",
        "built on baseline (version 1, committed)",
        "1. Ten more places [early_help_places, from more_help]",
        "size +10 family places",
        "range taken as exact",
        "where, who East",
        "cost £1,000 (£500 to £2,000) a year for each place, from reserves (100 % of recurring cost year by year",
        "range 8 in 10 chance between 20 % and 80 %",
        "because Invented for tests.",
        "owner none named",
        "ASSUMPTIONS: what it cannot choose",
        "families in contact x 1.1",
    ):
        assert text in flat, text
    assert shown.index("LEVERS") < shown.index("ASSUMPTIONS")
    assert max(len(line) for line in shown.splitlines()) <= 120


@pytest.mark.parametrize("name", library())
def test_show_of_every_shipped_scenario_has_all_that_is_asked(carecast, name):
    found = json.loads(said(carecast("scenario", "show", name, "--json")))
    wanted = {"size", "spread", "source", "because", "owner", "cost", "kind", "identity", "does", "when", "where"}
    assert all(wanted <= set(item) for item in (*found["levers"], *found["assumptions"]))
    assert [ancestor["name"] for ancestor in found["lineage"]] == ([] if name == "baseline" else ["baseline"])
    shown = said(carecast("scenario", "show", name))
    assert max(len(line) for line in shown.splitlines() if "https://" not in line) <= 120
    for line in found["not_modelled"]:
        assert line in " ".join(shown.split())


# --- diff -----------------------------------------------------------------------------------------------------------
def test_diff_says_what_differs_lever_by_lever(carecast, tmp_path):
    written(tmp_path, HELP, "first.toml")
    other = HELP.replace("add = 10", "add = 12").replace(
        '[[lever]]\nkind = "family_first"', '[[lever]]\nkind = "crisis_support"'
    )
    other = other.replace('instead = "home_with_support"\n', "").replace('name = "Family first"', 'name = "Crisis"')
    written(tmp_path, other, "second.toml")
    found = json.loads(said(carecast("scenario", "diff", "first.toml", "second.toml", "--json")))
    (item,) = found["changed"]
    assert (item["name"], item["fields"]) == ("Ten more places", [{"field": "add", "first": 10.0, "second": 12.0}])
    assert [one["name"] for one in found["only_in_first"]] == ["Family first"]
    assert [one["name"] for one in found["only_in_second"]] == ["Crisis"]
    shown = said(carecast("scenario", "diff", "first.toml", "second.toml"))
    assert "add         10.0 -> 12.0" in shown
    assert "Only in more_help" in shown


def test_a_scenario_and_itself_say_the_same(carecast):
    shown = said(carecast("scenario", "diff", "what_would_it_take", "what_would_it_take"))
    assert shown == "what_would_it_take and what_would_it_take say the same.\n"


def test_a_copy_differs_in_its_head_only(carecast):
    said(carecast("scenario", "copy", "kent_childrens_trust", "ours"))
    found = json.loads(said(carecast("scenario", "diff", "kent_childrens_trust", "ours.toml", "--json")))
    assert not any(found[name] for name in ("only_in_first", "only_in_second", "changed", "targets"))
    assert found["same"] == 9
    assert {row["field"] for row in found["head"]} == {"date", "copied_from"}
