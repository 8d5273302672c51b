"""What a person wrote in a scenario file stays when the screen saves it."""

import datetime as dt
import tomllib

import pytest

from carecast.dashboard import keeping, studio
from carecast.scenarios.library import LIBRARY, library, load_scenario, read_text
from tests.dashboard.test_studio import TODAY, mine

FILE = """# What the board asked for on 3 May
format = 2
name = "ours"            # nobody else's
title = "Ours"
built_on = "baseline"
status = "draft"

# Agreed with the team leaders
[[lever]]
kind = "early_help_places"
from = 2026-04-01   # the new year
add = 20            # the board asked for 30
localities = ["East"]
gbp_per_place_per_year = { value = 5000, low = 4000, high = 7000 }
because = "Invented for tests."

# Not agreed yet: ask finance
[[lever]]
kind = "family_first"
name = "Family first"
from = 2026-04-01
instead = "home_with_support"
share = 0.5
because = "Invented for tests."
# at the end of the file
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "ours.toml").write_text(FILE, encoding="utf-8")
    return tmp_path


def saved(own, change):
    draft = studio.draft_of(load_scenario(str(own / "ours.toml")))
    change(draft)
    studio.save(own, draft, TODAY)
    return (own / "ours.toml").read_text(encoding="utf-8"), draft


def test_the_parts_of_a_file_are_the_file():
    head, blocks = keeping.split(FILE)
    assert head + "".join(block.text for block in blocks) == FILE
    assert [block.section for block in blocks] == ["lever", "lever"]
    assert blocks[0].text.startswith("# Agreed with the team leaders\n[[lever]]")
    assert "at the end" in blocks[1].text


def test_a_size_that_changes_leaves_every_other_letter(own):
    text, _ = saved(own, lambda draft: draft["lever"][0].update(add=30.0))
    told = f'title = "Ours"\nbuilt_on = "baseline"\nstatus = "draft"\nversion = 2\ndate = {TODAY}\n'
    changed = FILE.replace("add = 20            #", "add = 30.0            #").replace(
        'title = "Ours"\nbuilt_on = "baseline"\nstatus = "draft"\n', told
    )
    assert text == changed
    assert load_scenario(str(own / "ours.toml")).levers[0].add == 30


def test_saving_again_adds_nothing_but_the_version(own):
    first, _ = saved(own, lambda draft: draft["lever"][0].update(add=30.0))
    second, _ = saved(own, lambda draft: draft["lever"][0].update(add=31.0))
    assert second == first.replace("version = 2", "version = 3").replace("30.0", "31.0")


def test_a_lever_that_goes_takes_its_own_comment_and_no_other(own):
    text, _ = saved(own, lambda draft: draft["lever"].pop(0))
    assert "Agreed with the team leaders" not in text
    assert "the board asked for 30" not in text
    for kept in (
        "# What the board asked for on 3 May",
        "# nobody else's",
        "# Not agreed yet: ask finance",
        "# at the end",
    ):
        assert kept in text
    assert [lever.kind for lever in load_scenario(str(own / "ours.toml")).levers] == ["family_first"]


def test_a_lever_that_comes_stands_after_the_others(own):
    new = {"kind": "family_first", "name": "Two", "from": dt.date(2027, 4, 1), "instead": "home_with_support", "share": 0.1,
           "gbp_per_family": {"value": 900.0, "low": 800.0, "high": 1000.0}, "because": "More\nthan a line."}  # fmt: skip
    text, draft = saved(own, lambda draft: draft["lever"].append(new))
    assert FILE.splitlines()[-1] in text
    assert text.index("Family first") < text.index("Two")
    assert studio.draft_of(load_scenario(str(own / "ours.toml")))["lever"] == draft["lever"]


def test_levers_that_change_places_keep_their_comments(own):
    text, _ = saved(own, lambda draft: draft["lever"].reverse())
    assert text.index("# Not agreed yet") < text.index("family_first") < text.index("# Agreed with")
    assert text.index("# Agreed with") < text.index("early_help_places")


def test_a_first_assumption_and_a_field_that_goes(own):
    def change(draft):
        draft["assumption"] = [
            {"kind": "prices", "lines": ["external"], "per_year": 0.05, "from": dt.date(2026, 4, 1), "because": "x"}
        ]
        del draft["lever"][0]["localities"]

    draft = studio.draft_of(load_scenario(str(own / "ours.toml")))
    change(draft)
    text = keeping.rewritten(FILE, studio.document(studio.draft_of(load_scenario(str(own / "ours.toml")))),
                             studio.document(draft), "plain")  # fmt: skip
    told = tomllib.loads(text)
    assert told["assumption"][0]["per_year"] == 0.05
    assert "localities" not in told["lever"][0]
    assert keeping.comments(text) == keeping.comments(FILE)


def test_archiving_and_copying_keep_comments(own):
    studio.set_status(mine(own, "ours"), "archived")
    text = (own / "ours.toml").read_text(encoding="utf-8")
    assert text == FILE.replace('status = "draft"', 'status = "archived"')
    studio.copy(own, mine(own, "ours"), "Theirs", "Board", TODAY)
    copy = (own / "theirs.toml").read_text(encoding="utf-8")
    assert keeping.comments(copy) == keeping.comments(FILE)
    assert 'title = "Theirs"' in copy


def test_what_cannot_be_taken_apart_keeps_its_comments_on_top():
    inline = '# said so\nformat = 2\nname = "a"\nlever = [{ kind = "x" }]\n'
    before = tomllib.loads(inline)
    text = keeping.rewritten(inline, before, {**before, "lever": [{"kind": "y"}]}, 'name = "a"\n')
    assert text == f'{keeping.LOST_HEAD}\n# said so\n\nname = "a"\n'


@pytest.mark.parametrize("name", [name for name in library() if name != "baseline"])
def test_every_scenario_that_comes_with_carecast_survives_a_change(name):
    text = (LIBRARY / f"{name}.toml").read_text(encoding="utf-8")
    before = studio.draft_of(load_scenario(name))
    rest = {key: value for key, value in before.items() if key != "aim"}  # aims name levers
    after = {**rest, "title": "Another", "lever": [dict(lever) for lever in before.get("lever", [])][1:]}
    made = studio.changed_text(text, before, after)
    assert keeping.LOST_HEAD not in made
    plain = read_text(studio.text_of(after), "plain.toml")
    assert studio.content(studio.draft_of(read_text(made, "made.toml"))) == studio.content(studio.draft_of(plain))
