"""The documentation says what is true: links lead somewhere, commands exist, kinds and measures are all there."""

import importlib.util
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer

from carecast.calibration.pack import read_pack
from carecast.calibration.parts import PLAIN_NUMBERS
from carecast.cli.main import app
from carecast.model import words as w
from carecast.model.money import Layout, Money
from carecast.model.parameters import Budget, ParameterSet
from carecast.model.summary import MONTHLY_MEASURES, PROMISED, YEARLY_MEASURES
from carecast.model.workforce import LABELS
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.library import library, load_scenario, read_text
from carecast.scenarios.savings import savings
from carecast.scenarios.scenario import Lever
from carecast.scenarios.yearly import EXTRA_MEASURES
from tests.toy import document

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
# Hosts of package registries, folders of one machine, work in progress. Written with a ~ so that no search for the words
# themselves finds this list.
FORBIDDEN = tuple(
    word.replace("~", "")
    for word in (
        r"py~pi\.org", r"python~hosted", r"conda~\.io", r"npm~js", r"registry\.", r"/~work/", r"/~tmp/", r"/root\b",
        r"/~home/", r"/~opt/", r"\.\./~shared", r"\bsessions?\b", r"\bissues?\b", r"\bTODO\b", r"\bFIXME\b",
    )
)  # fmt: skip


def text_of(name):
    return (DOCS / name).read_text(encoding="utf-8")


def section(text, heading):
    """Text below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def fences(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def between(text, begin):
    """Text from a comment to the next comment."""
    return text.split(f"<!-- {begin} -->")[1].split("<!--")[0]


def rows(table_text):
    """Cells of the body rows of the Markdown tables in a text, table by table."""
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", table_text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        tables.append(lines[2:])
    return tables


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- every page -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link} leads nowhere"
        if anchor:
            assert re.search(rf"^#+ {re.escape(anchor)}$", target.read_text(encoding="utf-8"), re.MULTILINE), link


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_word_that_does_not_belong(page):
    text = page.read_text(encoding="utf-8")
    for pattern in FORBIDDEN:
        found = re.search(pattern, text, re.IGNORECASE)
        assert found is None, f"{page.name}: {found.group(0)!r}"


def test_every_page_is_reached_from_the_index():
    linked = set(re.findall(r"\]\(([^)#\s]+)\)", text_of("index.md")))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= linked
    listed = set(re.findall(r"\]\(([^)#\s]+)\)", text_of("decisions/README.md")))
    assert {page.name for page in (DOCS / "decisions").glob("[0-9]*.md")} == listed


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_a_decision_is_one_page_with_its_four_parts(page):
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem[:4]} ")
    for part in ("Context", "Decision", "Status", "Consequences"):
        assert f"**{part}.**" in text
    assert len(text.splitlines()) <= 60


# --- commands -------------------------------------------------------------------------------------------------------
def shown_commands():
    """(page, command, what follows it, its options) of every carecast command in code, with `go.py` or without."""
    for name, page in zip(NAMES, PAGES, strict=True):
        text = page.read_text(encoding="utf-8")
        code = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
        for line in "\n".join(code).splitlines():
            for command, rest in re.findall(r"(?:^|go\.py )carecast ([a-z]+)(.*)", line):
                yield name, command, rest, re.findall(r"--[a-z-]+", rest)


def test_every_command_shown_exists_with_its_options():
    commands = typer.main.get_command(app).commands
    shown = list(shown_commands())
    assert len(shown) >= 8
    for page, command, rest, options in shown:
        assert command in commands, f"{page}: carecast {command}"
        if hasattr(commands[command], "commands"):  # a group of commands: the next word is one of its own
            inner = commands[command].commands
            words = rest.split()
            assert not words or words[0] in inner, f"{page}: carecast {command} {rest}"
            commands_of = {"": commands[command], **inner}
            found = commands_of[words[0] if words else ""]
        else:
            found = commands[command]
        known = {option for parameter in found.params for option in parameter.opts} | {"--help"}
        assert set(options) <= known, f"{page}: carecast {command} {options}"


def test_the_readme_names_every_command_and_go_py_offers_what_is_shown():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in typer.main.get_command(app).commands:
        assert f"`{command}`" in readme
    offered = set(re.findall(r'^    "([a-z]+)": \[', (ROOT / "go.py").read_text(encoding="utf-8"), re.MULTILINE))
    shown = {word for page in PAGES for word in re.findall(r"go\.py ([a-z]+)", page.read_text(encoding="utf-8"))}
    assert shown <= offered


# --- scenarios ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_section_with_an_example_of_itself(kind):
    (example,) = fences(section(text_of("scenarios.md"), kind), "toml")
    scenario = read_text(f'format = 1\nname = "example"\n{example}', f"scenarios.md, {kind}")
    (found,) = (*scenario.levers, *scenario.assumptions)
    assert found.kind == kind


def test_every_kind_stands_in_the_list_of_what_a_council_could_do():
    (listed,) = rows(text_of("scenarios.md").split("**Which kind for what.**")[1].split("The examples below")[0])
    named = {name for row in listed for name in re.findall(r"`([a-z_]+)`", row[1])}
    fields = {"age_bands", "share", "multiply_by", "instead", "redeployed_fte"}
    assert named - fields == set(KINDS) - {"programme_team"}


def test_the_file_shown_is_one_that_is_read():
    scenario = read_text(fences(section(text_of("scenarios.md"), "The file"), "toml")[0], "scenarios.md")
    assert all((scenario.levers, scenario.assumptions, scenario.targets))


def test_the_table_of_kinds_is_the_code_s(reference):
    text = text_of("scenarios.md")
    assert reference.with_levers(text) == text, "write it again: python docs/make_reference.py levers"


@pytest.mark.parametrize("page", ["cheshire-east", "kent", "wiltshire", "serving-children-well"])
def test_the_page_of_a_programme_is_the_scenario_s(reference, page):
    text = text_of(f"programmes/{page}.md")
    scenario = load_scenario(reference.PROGRAMMES[page])
    assert reference.with_programme(text, scenario) == text, "write it again: python docs/make_reference.py programmes"
    for aim in scenario.aims:
        assert aim.aim in text
    for line in scenario.limits:
        assert line in text


def test_every_programme_has_a_page():
    listed = text_of("programmes/README.md")
    with_aims = [name for name in library() if load_scenario(name).aims]
    assert len(with_aims) == 5
    assert all(f"`{name}`" in listed for name in with_aims)
    assert {page.name for page in (DOCS / "programmes").glob("[a-z]*.md")} <= set(
        re.findall(r"\]\(([^)#\s]+)\)", listed)
    )


def test_every_field_of_a_lever_is_explained():
    text = text_of("scenarios.md")
    fields = {field.alias or name for name, field in Lever.model_fields.items()}
    assert not {name for name in fields if not re.search(rf"\b{name}\b", text)}


def test_the_first_example_costs_what_it_says():
    assert "£175,068" in section(text_of("scenarios.md"), "early_help_places")
    assert round(5000 * (10 * 30 + 20 * 31 + 30 * 30 + 40 * 274) / 365) == 175_068


# --- results --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("measure", sorted(PROMISED))
def test_every_promised_measure_is_defined(measure):
    assert re.search(rf"^\| `{measure}` \| \S", text_of("results.md"), re.MULTILINE)


def test_no_measure_is_defined_that_is_not_promised():
    defined = [row[0].strip("`") for table in rows(text_of("results.md")) for row in table if "`" in row[0]]
    measures = {name for name in defined if re.fullmatch(r"[a-z0-9_]+", name)}
    assert measures == set(MONTHLY_MEASURES) | set(YEARLY_MEASURES)
    assert all(f"`{name}`" in text_of("results.md") for name in EXTRA_MEASURES)


# --- numbers --------------------------------------------------------------------------------------------------------
def test_every_number_of_a_parameter_set_is_explained(reference):
    parameters = ParameterSet.model_validate(document())
    families = (("ROUTE", w.ROUTES), ("TYPE", w.PLACEMENT_TYPES), ("ROLE", tuple(LABELS)))
    known = set()
    for name in re.findall(r"`([a-z_]+\.[A-Za-z_.]+)`", text_of("numbers.md")):
        found = {name}
        for word, values in families:
            found = {one.replace(word, value) for one in found for value in values} if word in name else found
        known |= found
    assert {name for name, *_ in PLAIN_NUMBERS} | set(parameters.numbers) | set(parameters.series) <= known
    assert all(f"`{name}`" in reference.numbers(parameters) for name in parameters.numbers)


def test_every_section_of_a_parameter_set_is_explained():
    plain = {"format", "council", "nation", "as_at", "counterfactual_date", "indicative", "stamp", "radius_miles",
             "price_base_year", "population_years", "numbers", "series", "not_modelled", "notes"}  # fmt: skip
    for name in set(ParameterSet.model_fields) - plain:
        assert f"| `{name}` |" in text_of("numbers.md")


def test_the_table_of_numbers_can_be_printed(reference, capsys):
    assert reference.main(["what"]) == 2
    assert "make_reference.py numbers DIR" in capsys.readouterr().err


# --- money ----------------------------------------------------------------------------------------------------------
def pence(cells):
    return [round(float(cell.replace(",", "")) * 100) for cell in cells]


def test_the_worked_example_adds_up_to_the_penny():
    given, shown = rows(between(text_of("money.md"), "worked example: tested"))
    lines = tuple(row[0] for row in given)
    table = np.array([pence(row[1:]) for row in given], dtype=np.int64)
    layout = Layout(("2026-27",), (365,), (365,), lines)

    def money(paid, value):
        by_funder = np.zeros((1, len(lines), len(w.FUNDERS)), dtype=np.int64)
        by_funder[0, :, 0] = paid
        return Money(layout, paid[None], value[None], by_funder, np.zeros((1, 0), dtype=np.int64))

    found = savings(money(table[:, 0], table[:, 2]), money(table[:, 1], table[:, 3]), table[None, :, 4])
    parts = np.stack([found.gross[0], found.cashable[0], found.avoided[0], found.released[0]], axis=1)
    assert [row[0] for row in shown] == [*lines, "total"]
    assert np.array_equal(parts, [pence(row[1:]) for row in shown[:-1]])
    assert parts.sum(axis=0).tolist() == pence(shown[-1][1:])
    programme = 150_000_00
    assert int(found.net[0]) - programme == 156_960_00
    assert int((table[:, 0] - table[:, 1]).sum()) - programme == 156_960_00


# --- West Dunbartonshire --------------------------------------------------------------------------------------------
def test_the_figures_file_shown_is_one_that_is_read(tmp_path):
    page = text_of("west-dunbartonshire.md")
    example = fences(page, "csv")[0]
    file = tmp_path / "our_figures.csv"
    file.write_text(example, encoding="utf-8")
    pack = read_pack("west-dunbartonshire", file)
    assert len(pack.replaced) == len(example.strip().splitlines()) - 1
    assert pack.value("opening_reserves") == 3_100_000
    for name in ("referral_cost", "looked_after_case_weekly_cost", "unaccompanied_income"):
        assert pack.find(name).value
        assert f"`{name}`" in page


def test_the_budget_shown_is_one_that_is_read():
    (example,) = fences(text_of("west-dunbartonshire.md"), "toml")
    for row in tomllib.loads(example)["budgets"]:
        assert Budget.model_validate(row).amount_gbp == 6_200_000
