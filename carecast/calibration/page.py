"""A page a reviewer can read: one HTML file with its style, tables and charts inside, no script and no request."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from carecast.calibration.pictures import Picture

STYLE = """
body{font:16px/1.5 Arial,Helvetica,sans-serif;color:#0b0c0c;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.35rem;margin:2.2rem 0 .5rem;border-top:1px solid #b1b4b6;
padding-top:1rem}p{margin:.5rem 0;max-width:46rem}.lead{font-size:1.12rem;border-left:5px solid #12436D;padding-left:1rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0;font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:bold;padding:.3rem 0}th,td{text-align:left;padding:.3rem .7rem .3rem 0;
border-bottom:1px solid #b1b4b6;vertical-align:top}thead th{border-bottom:2px solid #0b0c0c}td.n,th.n{text-align:right}
figure{margin:1rem 0}figure svg{max-width:100%;height:auto}figcaption{font-weight:bold}figure p{color:#505a5f}
footer{margin-top:3rem;color:#505a5f;font-size:.85rem}summary{cursor:pointer;font-weight:bold;margin:.8rem 0}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}table,figure{break-inside:avoid}}
"""
TEMPLATE = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style }}</style></head><body><main>
<h1>{{ title }}</h1>
{% for line in lead %}<p class="lead">{{ line }}</p>{% endfor %}
{% for part in sections %}<section><h2>{{ part.heading }}</h2>
{% for line in part.paragraphs %}<p>{{ line }}</p>{% endfor %}
{% for picture in part.pictures %}<figure><figcaption>{{ picture.title }}</figcaption>{{ drawn(picture) }}
<p>{{ picture.text }}</p></figure>{% endfor %}
{% for table in part.tables %}{% if table.is_folded %}<details><summary>{{ table.caption }}</summary>{% endif %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ table.caption }}"><table>
<caption>{{ table.caption }}</caption><thead><tr>{% for name in table.columns %}
<th scope="col"{% if not loop.first and loop.index0 not in table.prose %} class="n"{% endif %}>{{ name }}</th>{% endfor %}
</tr></thead><tbody>
{% for row in table.rows %}<tr>{% for cell in row %}{% if loop.first %}<th scope="row">{{ cell }}</th>{% else %}
<td{% if loop.index0 not in table.prose %} class="n"{% endif %}>{{ cell }}</td>{% endif %}{% endfor %}</tr>
{% endfor %}</tbody></table></div>{% if table.is_folded %}</details>{% endif %}
{% endfor %}</section>
{% endfor %}</main><footer>{{ footer }}</footer></body></html>
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first column names its rows. ``prose``: positions of columns that are not numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: frozenset[int] = frozenset()
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = field(default=())


def page(title: str, lead: Sequence[str], sections: Iterable[Section], footer: str) -> str:
    """The whole file; every text is escaped."""
    from jinja2 import Environment

    made = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE)
    return made.render(
        title=title, lead=lead, sections=list(sections), footer=footer, style=Markup(STYLE),  # noqa: S704
        drawn=lambda picture: Markup(picture.svg),  # noqa: S704
    )  # fmt: skip


def number(value: float | int | None, digits: int = 0) -> str:
    """A number with so many decimals; a dash for none."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text
