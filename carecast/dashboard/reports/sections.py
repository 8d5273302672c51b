"""The sections that a board paper and a web page share: findings, options, money, safety, staff, assumptions, limits."""

from collections.abc import Iterable, Sequence

from carecast.dashboard import figures
from carecast.dashboard.reports import findings, lever_tables, page_money, page_tables, words
from carecast.dashboard.reports.about import About, title_of
from carecast.dashboard.reports.answers import PLACES
from carecast.dashboard.reports.blocks import Block, Bullets, Heading, Para, Shown
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.pictures import Picture
from carecast.dashboard.reports.shapes import TextTable
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE
from carecast.scenarios.library import load_scenario
from carecast.scenarios.money_answers import money_answers
from carecast.scenarios.run import Run


def rationale(run: Run, scenario: str) -> str:
    """Why a scenario is as it is, from its file."""
    return " ".join(load_scenario(run.folder / "inputs" / f"{scenario}.toml").rationale.split())


def _some(*blocks: Block | None) -> list[Block]:
    return [block for block in blocks if block is not None]


def _pictures(made: Sequence[Picture], *starts: str) -> list[Block]:
    return [Shown(picture) for picture in made if picture.name.startswith(starts)]


def summary(numbers: Numbers, told: About) -> Iterable[Block]:
    """The findings, one sentence each, and how sure."""
    yield Heading("What we found")
    yield Bullets(tuple(findings.headlines(numbers)))
    for line in told.warnings:
        yield Para(line)


def heading_for(numbers: Numbers, made: Sequence[Picture]) -> Iterable[Block]:
    """Where things are heading."""
    yield Heading("Where we are heading")
    yield page_tables.headline_table(numbers)
    yield from _pictures(made, f"children_{AWAY}", "children_looked_after", "children_within_radius")
    if numbers.years:
        yield page_money.spend_table(numbers)
        yield from (Shown(picture, with_table=False) for picture in made if picture.name == "spend")
        yield from _pictures(made, "spend_by_group")


def options(numbers: Numbers) -> Iterable[Block]:
    """Each scenario: what it is, and all of them side by side."""
    yield Heading("Options")
    if not numbers.others:
        yield Para(words.prose("baseline_only"))
        return
    yield Para(words.prose("options"))
    for name in numbers.scenarios:
        yield Heading(title_of(numbers.run, name) if name != BASELINE else words.prose("option_baseline_title"), 2)
        text = rationale(numbers.run, name)
        yield Para(words.prose("option_baseline") if name == BASELINE else text or words.prose("no_rationale"))
        if name != BASELINE and name not in numbers.programmes:
            yield Para(
                findings.assumption_sentence(numbers, name) if numbers.years else words.prose("only_assumptions")
            )
    if numbers.years:
        yield page_money.options_table(numbers)


def savings(numbers: Numbers, made: Sequence[Picture]) -> Iterable[Block]:
    """Savings by kind and year, recurring and not, who saves, payback."""
    if not numbers.programmes or not numbers.years:
        return
    yield Heading("Savings by kind and year")
    if numbers.run.record.get("budget_assumed"):
        yield Para(words.prose("budget_assumed"))
    yield from _pictures(made, "savings")
    for name in numbers.programmes:
        yield Heading(title_of(numbers.run, name), 2)
        yield from (Shown(picture, with_table=False) for picture in made if picture.name == f"saving_{name}")
        yield page_money.savings_table(numbers, name)
        yield Heading(f"Recurring and non-recurring: \u201c{legend_name(name)}\u201d", 3)
        yield page_money.recurring_table(numbers, name)
        yield Para(_payback(numbers, name))
        yield page_money.funders_table(numbers, name)


def _payback(numbers: Numbers, scenario: str) -> str:
    found = money_answers(numbers.run, scenario)
    whole, cash = found["full_year_effect_gbp"], found["cash"]
    month = cash["payback"]["median_month"]
    back = (
        f"pays back by {words.month(month)} (median)"
        if month
        else "does not pay back within the run in half of the replications"
    )
    chance = words.share(cash["payback"]["chance_within_run"])
    real, discounted = (words.gbp(found[kind]["net_saving_gbp"]["mean"]) for kind in ("real", "discounted"))
    terms = words.prose(
        "terms",
        price_year=found["price_year"],
        deflator=f"{100 * found['deflator_per_year']:g}",
        discount=f"{100 * found['discount_per_year']:g}",
        to=found["discounted_to"],
    )
    return (
        f"\u201c{legend_name(scenario)}\u201d {back}; the chance of payback within the run is {chance}. Net saving over "
        f"the run: {words.gbp(cash['net_saving_gbp']['mean'])} in cash, {real} in real terms, {discounted} discounted. "
        f"Full-year effect, recurring, at the end of the run: {words.gbp(whole['mean'])} a year (80 % interval "
        f"{words.gbp_between(whole['p10'], whole['p90'])}). {terms}"
    )


def levers(numbers: Numbers, made: Sequence[Picture]) -> Iterable[Block]:
    """What each lever adds to the saving, where it was worked out; otherwise how to get it."""
    if not numbers.programmes or not numbers.years:
        return
    yield Heading("What each lever adds")
    found = [picture for name in numbers.programmes for picture in made if picture.name == f"levers_{name}"]
    if not found:
        yield Para(words.prose("waterfall_how"))
    for picture in found:
        yield Shown(picture, with_table=False)
        yield picture.table


def places(numbers: Numbers) -> Iterable[Block]:
    """Places needed, where they were worked out; otherwise how to get them."""
    if not numbers.years:
        return
    yield Heading("Places needed")
    answers = {name: numbers.answer(PLACES, name) for name in (BASELINE, *numbers.programmes)}
    found = {name: answer for name, answer in answers.items() if answer}
    if not found:
        yield Para(words.prose("places_how"))
    for name, answer in found.items():
        finding, tables = lever_tables.places_shown(numbers, name, answer)
        yield Para(f"{finding}.")
        yield from tables


def reserves(numbers: Numbers) -> Iterable[Block]:
    """What is taken from reserves, and whether they last."""
    if not numbers.years:
        return
    yield Heading("Reserves")
    if not numbers.programmes:
        yield Para(words.prose("reserves_untouched"))
    for name in numbers.programmes:
        yield Para(f"{findings.reserves_title(numbers, name)}.")
        if numbers.run.reserves(name).recurring_paid.any():
            yield Para(words.prose("recurring_from_reserves", name=legend_name(name)))
    yield page_money.reserves_table(numbers)


def targets(numbers: Numbers) -> Iterable[Block]:
    """How likely each target is."""
    yield Heading("Will we make it?")
    table = page_tables.targets_table(numbers, numbers.main)
    yield Para(f"{findings.targets_title(numbers, numbers.main)}." if table else words.prose("no_targets"))
    yield from _some(table)
    left = numbers.run.record["targets_left_out"]
    if left:
        yield Bullets(tuple(f"Not judged: {name}: {reason}" for name, reason in left.items()))


def safety(numbers: Numbers) -> Iterable[Block]:
    """Safety beside every saving."""
    if not numbers.others:
        return
    yield Heading("Safety beside savings")
    for name in numbers.others:
        if name in numbers.programmes:
            yield Para(f"{findings.safety_title(numbers, name)}.")
            yield page_tables.safety_table(numbers, name)


def staff(numbers: Numbers) -> Iterable[Block]:
    """Staff needed and what is missing most."""
    yield Heading("Workforce and gaps in services")
    table = page_tables.staff_table(numbers, numbers.main if numbers.main in numbers.programmes else None)
    yield from _some(table)
    if table is None:
        yield Para(words.prose("no_norms"))
    yield from _some(page_tables.gaps_table(numbers, numbers.main or BASELINE))


def assumptions(numbers: Numbers) -> Iterable[Block]:
    """What it rests on."""
    yield Heading("Assumptions")
    counts = figures.how_many(numbers.run)
    yield Para(words.prose("register_counts", "", **counts, count=sum(counts.values())))
    if numbers.years:
        yield page_tables.watched_table(numbers)
    yield from _some(page_tables.drivers_table(numbers))
    for name in numbers.others:
        yield page_tables.levers_table(numbers, name)


def limits(told: About) -> Iterable[Block]:
    """What is not modelled, and how sure the rest is."""
    yield Heading("What is not modelled")
    for head, lines in told.not_modelled:
        yield Para(f"{head}:")
        yield Bullets(lines)
    yield Heading("How sure we are")
    for line in (told.backtest, told.hindcast, told.monte_carlo):
        if line:
            yield Para(line)


def provenance(told: About) -> Iterable[Block]:
    """Which run, and how to make it again."""
    yield Heading("About these figures")
    yield Para(words.prose("figures"))
    yield TextTable("The run these figures come from", ("What", "Value"), told.facts, is_prose=True)
