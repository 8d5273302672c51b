"""The summary as slides: each title states a finding, pictures have words, notes say how sure and from where."""

import datetime as dt
import io
import math
from collections.abc import Sequence
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Emu, Inches, Pt

from carecast.dashboard import figures
from carecast.dashboard.reports import findings, lever_tables, page_money, page_tables, words
from carecast.dashboard.reports.about import About, about, front_line
from carecast.dashboard.reports.answers import PLACES, WATERFALL
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.pictures import Picture, pictures
from carecast.dashboard.reports.shapes import TextTable
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE

INK, QUIET, HEAD = RGBColor(0x0B, 0x0C, 0x0C), RGBColor(0x50, 0x5A, 0x5F), RGBColor(0xE7, 0xEC, 0xF1)
FONT = "Arial"
WIDE, HIGH, MARGIN = Inches(13.333), Inches(7.5), Inches(0.6)
TITLE_ONLY, TITLE_SLIDE = 5, 0
TOP, BOTTOM = Inches(1.75), Inches(6.85)
MOST_ROWS = 9
SIZES, GAP = (18, 16, 14, 12), 9  # points of type on a slide of sentences, and between them


def slides(numbers: Numbers) -> bytes:
    """The bytes of the .pptx file."""
    told = about(numbers.run)
    made = {picture.name: picture for picture in pictures(numbers)}
    deck = _Deck(told)
    deck.front(findings.headlines(numbers)[:2])
    deck.with_picture(findings.away_title(numbers), made.get(f"children_{AWAY}"), _children_lines(numbers))
    if numbers.years:
        deck.with_picture(findings.spend_title(numbers), made.get("spend"), _spend_lines(numbers))
        if numbers.main in numbers.programmes:
            name = str(numbers.main)
            deck.with_picture(
                findings.saving_title(numbers, name), made.get(f"saving_{name}"), _saving_lines(numbers, name)
            )
            answer = numbers.answer(WATERFALL, name)
            if answer:
                shown = lever_tables.levers_brief(numbers, name, answer, MOST_ROWS)
                deck.with_table(lever_tables.lever_title(numbers, answer), shown)
        if numbers.others:
            deck.with_table(findings.best_title(numbers), page_money.options_table(numbers))
    targets = page_tables.targets_table(numbers, numbers.main)
    if targets is not None:
        deck.with_table(findings.targets_title(numbers, numbers.main), targets)
    if numbers.main in numbers.programmes:
        deck.with_table(
            findings.safety_title(numbers, str(numbers.main)), page_tables.safety_table(numbers, str(numbers.main))
        )
    _places(deck, numbers)
    deck.with_lines(_limits_title(numbers), _sure(told))
    deck.with_lines("What is not modelled", _limits(told))
    deck.with_lines("Where these figures come from", [f"{what}: {value}" for what, value in told.facts])
    return deck.content()


def _places(deck: "_Deck", numbers: Numbers) -> None:
    """Places needed, where they were worked out: of the scenario the report is first about, or of the baseline."""
    for name in (numbers.main, BASELINE):
        answer = numbers.answer(PLACES, name) if name else None
        if name and answer:
            finding, tables = lever_tables.places_shown(numbers, name, answer)
            deck.with_table(finding, tables[-1])
            return


# --- what slides say ------------------------------------------------------------------------------
def _children_lines(numbers: Numbers) -> list[str]:
    lines = []
    for measure in ("looked_after", "balance_of_care_percent", "within_radius_percent"):
        unit = "\u00a0%" if measure.endswith("_percent") else ""
        base = findings.month_of(numbers, BASELINE, measure)
        ours = findings.month_of(numbers, numbers.main, measure) if numbers.main else None
        if base is None:
            continue
        beside = f"; with \u201c{legend_name(str(numbers.main))}\u201d {words.number(ours[0])}{unit}" if ours else ""
        lines.append(f"{numbers.label(measure)}: {words.number(base[0])}{unit} if nothing changes{beside}")
    return lines


def _spend_lines(numbers: Numbers) -> list[str]:
    lines = []
    for name in numbers.scenarios:
        mean, low, high = findings.money_of(numbers, name, "net_cost_gbp", numbers.last_year)
        lines.append(
            f"{legend_name(name)}, {numbers.last_year}: {words.gbp(mean)} (80 % interval {words.gbp_between(low, high)})"
        )
    return lines


def _saving_lines(numbers: Numbers, scenario: str) -> list[str]:
    year, parts = numbers.last_year, {}
    for key, measure in (
        ("gross", "gross_saving_gbp"),
        ("cashable", "cashable_saving_gbp"),
        ("avoided", "avoided_cost_gbp"),
        ("released", "released_capacity_gbp"),
    ):
        parts[key] = words.gbp(findings.money_of(numbers, scenario, measure, year)[0])
    return [
        f"Gross saving in {year}: {parts['gross']}",
        f"of which cashable {parts['cashable']}, avoided {parts['avoided']}, "
        f"released and never cash {parts['released']}",
        f"Chance that the year saves anything net: {words.share(findings.chance_of_saving(numbers, scenario))}",
        f"{findings.reserves_title(numbers, scenario)}",
    ]


def _limits_title(numbers: Numbers) -> str:
    counts = figures.how_many(numbers.run)
    return f"{counts['assumed']} of {sum(counts.values())} numbers are assumed, and some aims cannot be modelled"


def _sure(told: About) -> list[str]:
    return [line for line in (told.backtest, told.hindcast, told.monte_carlo, *told.warnings) if line]


def _limits(told: About) -> list[str]:
    return [f"{head}: {'; '.join(rows)}." for head, rows in told.not_modelled]


# --- the deck -------------------------------------------------------------------------------------
class _Deck:
    """Adds slides in one look."""

    def __init__(self, told: About) -> None:
        """An empty wide deck with its properties."""
        self.told = told
        self.deck: Any = Presentation()
        self.deck.slide_width, self.deck.slide_height = WIDE, HIGH
        core = self.deck.core_properties
        core.title, core.subject, core.author = told.title, told.stamp_line or "Forecast", "carecast"
        core.language, core.keywords = "en-GB", f"run {told.run_id}"
        core.comments = f"Reproduce with: {dict(told.facts)['Command that reproduces it']}"
        core.created = core.modified = dt.datetime.fromisoformat(told.made).replace(tzinfo=None)

    def content(self) -> bytes:
        """The file."""
        buffer = io.BytesIO()
        self.deck.save(buffer)
        return buffer.getvalue()

    def front(self, lines: Sequence[str]) -> None:
        """The first slide: what it is of, the stamp, and the first findings."""
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[TITLE_SLIDE])
        _place(slide.shapes.title, MARGIN, Inches(1.0), WIDE - 2 * MARGIN, Inches(1.5))
        _write(slide.shapes.title, [self.told.title], 38, bold=True)
        below = slide.placeholders[1]
        _place(below, MARGIN, Inches(2.6), WIDE - 2 * MARGIN, Inches(3.6))
        stamp = [f"{self.told.stamp_line}."] if self.told.stamp else []
        _write(below, [*stamp, *lines], 22, first_bold=bool(stamp), gap=14)
        self._foot(slide)
        self._notes(slide, [words.prose("page_subtitle"), *lines, words.prose("figures")])

    def with_picture(self, title: str, picture: Picture | None, lines: Sequence[str]) -> None:
        """A finding, its chart on the left and what goes with it on the right."""
        slide = self._titled(title)
        left = int(MARGIN)
        if picture is not None:
            content = io.BytesIO(picture.png())
            shape = slide.shapes.add_picture(content, left, TOP, width=Inches(8.3))
            if shape.height > BOTTOM - TOP - Inches(0.55):
                ratio = (BOTTOM - TOP - Inches(0.55)) / shape.height
                shape.width, shape.height = Emu(int(shape.width * ratio)), Emu(int(shape.height * ratio))
            _describe(shape, picture.title, picture.alt)
            box = slide.shapes.add_textbox(left, shape.top + shape.height + Inches(0.05), Inches(8.3), Inches(0.5))
            _write(box, [picture.subtitle], 12, colour=QUIET)
            left += Inches(8.7)
        box = slide.shapes.add_textbox(left, TOP, WIDE - MARGIN - left, BOTTOM - TOP)
        _write(box, list(lines), 18, gap=12)
        told = [picture.alt, *_in_words(picture.table)] if picture else [title]
        self._notes(slide, [*told, *lines, words.prose("figures")])

    def with_table(self, title: str, shown: TextTable) -> None:
        """A finding and its table; rows beyond what a slide holds are counted."""
        slide = self._titled(title)
        rows, more = shown.rows[:MOST_ROWS], len(shown.rows) - MOST_ROWS
        width = WIDE - 2 * MARGIN
        frame = slide.shapes.add_table(
            len(rows) + 1, len(shown.columns), MARGIN, TOP, width, Inches(0.4) * (len(rows) + 1)
        )
        _describe(frame, shown.caption, f"Table: {shown.caption}")
        table = frame.table
        table.first_row, table.horz_banding = True, False
        for at, share in enumerate(_shares(shown)):
            table.columns[at].width = Emu(int(width * share))
        for number, cells in enumerate((shown.columns, *rows)):
            for at, text in enumerate(cells):
                is_strong = number == 0 or cells[0] in shown.strong
                _cell(table.cell(number, at), text, number == 0, is_strong, to_right=shown.is_of_figures(at))
        left = [f"{more} more rows are in the workbook."] if more > 0 else []
        self._notes(slide, [*_in_words(shown), shown.note, *left])

    def with_lines(self, title: str, lines: Sequence[str]) -> None:
        """A finding and a few sentences."""
        slide = self._titled(title)
        box = slide.shapes.add_textbox(MARGIN, TOP, WIDE - 2 * MARGIN, BOTTOM - TOP)
        _write(box, list(lines), _size(lines), gap=GAP)
        self._notes(slide, [*lines, *(f"{what}: {value}" for what, value in self.told.facts)])

    def _titled(self, title: str) -> Any:
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[TITLE_ONLY])
        _place(slide.shapes.title, MARGIN, Inches(0.35), WIDE - 2 * MARGIN, Inches(1.25))
        _write(slide.shapes.title, [title], 28 if len(title) < 90 else 24 if len(title) < 130 else 20, bold=True)
        self._foot(slide)
        return slide

    def _foot(self, slide: Any) -> None:
        box = slide.shapes.add_textbox(MARGIN, Inches(6.9), WIDE - 2 * MARGIN - Inches(1.0), Inches(0.45))
        stamp = f"{self.told.stamp_line}. " if self.told.stamp else ""
        facts = dict(self.told.facts)
        _write(
            box,
            [f"{stamp}Run {self.told.run_id}, data as at {facts['Data as at']}. Means with 80 % intervals."],
            11,
            colour=QUIET,
        )
        number = slide.shapes.add_textbox(WIDE - MARGIN - Inches(1.0), Inches(6.9), Inches(1.0), Inches(0.45))
        _slide_number(number, len(self.deck.slides))

    def _notes(self, slide: Any, lines: Sequence[str]) -> None:
        slide.notes_slide.notes_text_frame.text = words.plain(
            "\n".join([*(line for line in lines if line), front_line(self.told)])
        )


def _size(lines: Sequence[str]) -> int:
    """The largest type in which sentences fit on a slide."""
    for points in SIZES:
        letters = (WIDE - 2 * MARGIN) / Pt(points) / 0.52
        tall = sum(math.ceil(len(line) / letters) * points * 1.2 + GAP for line in lines)
        if Pt(tall) < BOTTOM - TOP:
            return points
    return SIZES[-1]


def _in_words(shown: TextTable) -> list[str]:
    """A table line by line, for the notes."""
    rows = ["; ".join(" ".join(cell.split("\n")) for cell in row) for row in (shown.columns, *shown.rows)]
    return [f"{shown.caption}:", *rows]


def _place(shape: Any, left: int, top: int, width: int, height: int) -> None:
    shape.left, shape.top, shape.width, shape.height = Emu(left), Emu(top), Emu(width), Emu(height)


def _write(
    shape: Any,
    lines: Sequence[str],
    size: float,
    *,
    bold: bool = False,
    first_bold: bool = False,
    colour: RGBColor = INK,
    gap: float = 0,
) -> None:
    frame = shape.text_frame
    frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.TOP
    for number, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.alignment, paragraph.space_after = PP_ALIGN.LEFT, Pt(gap)
        _run(paragraph, line, size, bold or (first_bold and number == 0), colour)


def _run(paragraph: Any, text: str, size: float, bold: bool, colour: RGBColor) -> None:
    run = paragraph.add_run()
    run.text = words.plain(text)
    font = run.font
    font.name, font.size, font.bold, font.color.rgb = FONT, Pt(size), bold, colour
    run._r.get_or_add_rPr().set("lang", "en-GB")


def _slide_number(shape: Any, number: int) -> None:
    """The number of the slide as a field, so that it stays right when slides are moved."""
    paragraph = shape.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT
    found = parse_xml(
        f'<a:fld {nsdecls("a")} id="{{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}}" type="slidenum"><a:rPr lang="en-GB" sz="1100">'
        f'<a:solidFill><a:srgbClr val="{QUIET}"/></a:solidFill><a:latin typeface="{FONT}"/></a:rPr>'
        f"<a:t>{number}</a:t></a:fld>"
    )
    paragraph._p.append(found)


def _cell(cell: Any, text: str, is_head: bool, is_strong: bool, *, to_right: bool) -> None:
    cell.fill.solid()
    cell.fill.fore_color.rgb = HEAD if is_head else RGBColor(0xFF, 0xFF, 0xFF)
    cell.margin_top = cell.margin_bottom = Inches(0.03)
    frame = cell.text_frame
    for number, line in enumerate(text.split("\n")):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.RIGHT if to_right else PP_ALIGN.LEFT
        _run(paragraph, line, 13 if number == 0 else 11, is_strong and number == 0, INK)


def _shares(shown: TextTable) -> list[float]:
    """Width of each column as a share, by what it holds and the longest word of its heading."""
    weights = []
    for at, heading in enumerate(shown.columns):
        longest = max(len(line) for row in (shown.columns, *shown.rows) for line in row[at].split("\n"))
        least = max([11, *(len(word) + 4 for word in heading.split())])
        weights.append(max(min(longest, 40 if at == 0 else 26), least))
    return [weight / sum(weights) for weight in weights]


def _describe(shape: Any, title: str, text: str) -> None:
    """Words for those who cannot see a picture or table."""
    properties = shape._element.xpath(".//p:cNvPr")[0]
    properties.set("descr", text)
    properties.set("title", title)
