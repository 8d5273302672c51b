"""The board paper: what a board needs to decide, in the order it expects, with places for what only people can say."""

from collections.abc import Iterable, Sequence

from carecast.dashboard.reports import findings, sections, words
from carecast.dashboard.reports.about import About
from carecast.dashboard.reports.blocks import Block, Bullets, Heading, Para, ToComplete
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import Picture
from carecast.dashboard.reports.shapes import TextTable
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE

TO_DECIDE = "To be completed"
TO_CONFIRM = "To be confirmed by the council\u2019s legal adviser"


def board_paper(numbers: Numbers, told: About, made: Sequence[Picture]) -> list[Block]:
    """Every block of the paper, after its title."""
    return [
        *_recommendations(numbers, told),
        *sections.summary(numbers, told),
        *_background(numbers, told),
        *sections.heading_for(numbers, made),
        *sections.options(numbers),
        *sections.savings(numbers, made),
        *sections.levers(numbers, made),
        *sections.reserves(numbers),
        *sections.targets(numbers),
        *sections.safety(numbers),
        *_legal(numbers),
        *_direction(numbers),
        *_considerations(numbers),
        *sections.staff(numbers),
        *sections.places(numbers),
        *_risks(numbers, told),
        *sections.assumptions(numbers),
        *sections.limits(told),
        *sections.provenance(told),
    ]


def _recommendations(numbers: Numbers, told: About) -> Iterable[Block]:
    """What the board is asked, each with the finding it rests on; the decision itself is left to people."""
    nation, main = numbers.nation, numbers.main
    yield Heading("Purpose")
    yield Para(words.prose("purpose", nation, council=told.council))
    yield Heading("Recommendations")
    yield Para(words.prose("asked", nation))
    lines = [f"note that {words.lower_first(line)}" for line in findings.headlines(numbers)[:2]]
    yield Bullets(tuple(lines), numbered=True)
    decide = [words.prose("decide_option", names=words.names(numbers.scenarios))]
    if main in numbers.programmes and numbers.years:
        decide.append(words.prose("decide_money", finding=findings.reserves_title(numbers, str(main))))
        decide.append(words.prose("decide_safety", finding=findings.safety_title(numbers, str(main))))
    if numbers.run.targets:
        decide.append(words.prose("decide_targets", finding=findings.targets_title(numbers, main)))
    decide.append(words.prose("decide_direction", nation) if nation == "scotland" else words.prose("decide_next"))
    for line in decide:
        yield ToComplete(line)


def _background(numbers: Numbers, told: About) -> Iterable[Block]:
    yield Heading("Background")
    yield Para(words.prose("background", numbers.nation, council=told.council, as_at=dict(told.facts)["Data as at"]))
    notes = tuple(str(note) for note in numbers.run.record["parameters"].get("notes") or [])
    if notes:
        yield Para(words.prose("notes"))
        yield Bullets(notes)
    yield ToComplete(words.prose("complete_background"))


def _legal(numbers: Numbers) -> Iterable[Block]:
    """The duties that the decision touches, for the legal adviser to confirm."""
    yield Heading("Legal duties")
    yield Para(words.prose("legal", numbers.nation))
    rows = tuple(
        tuple(part.strip() for part in line.split("|")) for line in words.items("legal_duties", numbers.nation)
    )
    columns = ("Law", "What it asks", "What the run shows")
    yield TextTable("Duties that this touches", columns, tuple((law, asks, shows) for law, asks, shows in rows),
                    is_prose=True)  # fmt: skip
    yield ToComplete("That the list is right and whole for this decision.", TO_CONFIRM)


def _direction(numbers: Numbers) -> Iterable[Block]:
    """Scotland: a direction to the council or the health board, where an integration joint board decides."""
    if numbers.nation != "scotland":
        return
    yield Heading("Direction to the council or the health board")
    yield Para(words.prose("direction", numbers.nation))
    if numbers.main in numbers.programmes and numbers.years:
        yield Para(words.prose("direction_funders", name=legend_name(str(numbers.main))))
    rows = tuple((line, "\u2610") for line in words.items("direction_choices", numbers.nation))
    yield TextTable("Direction required: mark one", ("Direction", "Mark"), rows)
    yield ToComplete(words.prose("complete_direction", numbers.nation))
    yield ToComplete("Whether a direction is needed, and its terms.", TO_CONFIRM)


def _considerations(numbers: Numbers) -> Iterable[Block]:
    """Children's rights, equality, and in Scotland the Fairer Scotland Duty: what the run says, and what people must add."""
    nation = numbers.nation
    yield Heading("Children\u2019s rights")
    yield Para(words.prose("rights", nation))
    rows = tuple(tuple(part.strip() for part in line.split("|")) for line in words.items("rights_articles", nation))
    yield TextTable(
        "Articles of the Convention that this touches",
        ("Article", "What the run can say", TO_DECIDE),
        tuple((article, says, f"[{TO_DECIDE}]") for article, says in rows),
        is_prose=True,
    )
    yield ToComplete(words.prose("complete_rights", nation))
    yield ToComplete("How the law on children\u2019s rights applies to this decision.", TO_CONFIRM)
    yield Heading(words.prose("equality_title", nation))
    yield Para(words.prose("equality", nation))
    yield ToComplete(words.prose("complete_equality", nation))
    if nation == "scotland":
        yield Para(words.prose("fairer", nation))
        yield ToComplete(words.prose("complete_fairer", nation))
    yield ToComplete("Which assessments the law asks for here.", TO_CONFIRM)


def _risks(numbers: Numbers, told: About) -> Iterable[Block]:
    """Risks that the run itself shows; owners and mitigation are for people."""
    yield Heading("Risks")
    rows = tuple((risk, finding, f"[{TO_DECIDE}]") for risk, finding in risks(numbers, told))
    yield TextTable(
        "Risks that the figures show", ("Risk", "What the run says", "Owner and mitigation"), rows, is_prose=True
    )
    yield ToComplete(words.prose("complete_risks"))


def risks(numbers: Numbers, told: About) -> list[tuple[str, str]]:
    """(risk, finding), the money first."""
    main, found = numbers.main, []
    if main in numbers.programmes and numbers.years:
        name = str(main)
        found.append(
            (
                "The saving does not come",
                f"{findings.saving_title(numbers, name)}; the chance that it saves anything net "
                f"is {words.share(findings.chance_of_saving(numbers, name))}.",
            )
        )
        found.append(("Reserves run low", f"{findings.reserves_title(numbers, name)}."))
        found.append(("Children are less safe", f"{findings.safety_title(numbers, name)}."))
    if numbers.run.targets:
        found.append(("Targets are missed", f"{findings.targets_title(numbers, main)}."))
    for name in numbers.others:
        if name not in numbers.programmes and numbers.years:
            found.append((f"\u201c{legend_name(name)}\u201d comes true", findings.assumption_sentence(numbers, name)))
    if numbers.years:
        mean, low, high = findings.money_of(numbers, BASELINE, "gross_cost_gbp", numbers.last_year)
        found.append(
            (
                "Demand and prices differ from the mean",
                f"Gross cost in {numbers.last_year} if nothing changes: "
                f"{words.gbp(mean)}, 80 % interval {words.gbp_between(low, high)}.",
            )
        )
    found.append(("The forecast itself is wrong", told.backtest))
    found += [("Figures are rough or assumed", line) for line in told.warnings]
    if numbers.run.record.get("budget_assumed"):
        found.append(("The budget is not the one assumed", words.prose("budget_assumed")))
    if told.stamp:
        found.append(("Figures are not the council\u2019s own", f"{told.stamp_line}."))
    return found
