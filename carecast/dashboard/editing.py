"""The controls of the page *Scenarios*: levers and assumptions as cards and as a table, and what is said of each."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from carecast.dashboard import fields
from carecast.dashboard.studio import Checked, Draft, Mistake
from carecast.dashboard.telling import iso_words, plain_number, prose
from carecast.model import words as w
from carecast.scenarios.kind_table import ASSUMPTIONS, KINDS, LEVERS
from carecast.scenarios.kinds import AT, INSTEAD
from carecast.scenarios.levers_money import UPLIFTS
from carecast.scenarios.wording import term

WORDS = {
    "from": "From", "to": "Until, if it ends", "ramp_months": "Months to full effect", "localities": "Localities",
    "age_bands": "Ages", "placement_types": "Placement types", "instead": "Instead", "at": "Offered at",
    "provider": "House", "lines": "Lines of spend", "service": "Service", "contributor": "Who contributes",
    "setting": "Setting of the evidence", "reach": "Share of children reached", "lead_months": "Months until it opens",
    "notice_months": "Months of notice", "cost_stops_months": "Months until its cost stops",
    "fixed_weekly_cost_gbp": "Fixed cost, £ a week", "weekly_cost_gbp": "Cost for each child, £ a week",
    "families_per_worker": "Families for each worker", "weekly_cost_over_gbp": "Above £ a week",
    "exits_per_year": "Households that leave, share a year", "no_effect_chance": "Chance that it has no effect",
    "one_off_gbp": "Cost once, £", "recurring_gbp_per_year": "Cost a year, £",
    "gbp_per_place_per_year": "Cost of each place a year, £", "gbp_per_child": "Cost for each child, £",
    "gbp_per_family": "Cost for each family, £", "capital_gbp": "Capital, £", "double_running_gbp": "Double running, £",
    "gbp_per_resident_child_per_year": "Cost for each resident child a year, £", "locality": "Locality",
    "name": "Name", "source": "Source", "because": "Why this size", "owner": "Owner",
}  # fmt: skip
OFFERED_COSTS = ("one_off_gbp", "recurring_gbp_per_year", "gbp_per_place_per_year", "gbp_per_child", "gbp_per_family")
DATES = (dt.date(2000, 1, 1), dt.date(2060, 12, 31))


@dataclass(frozen=True)
class Council:
    """What of a council the controls offer."""

    nation: str
    localities: tuple[str, ...]
    houses: tuple[str, ...]
    lines: tuple[str, ...]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Council":
        """From a run's record."""
        p = record["parameters"]
        providers = [(home["code"], home["placement_type"]) for home in p["providers"]]
        lines = [*UPLIFTS, *w.PLACEMENT_TYPES, *(line["line"] for line in p["cost_lines"])]
        houses = tuple(code for code, kind in providers if kind == "childrens_house_own")
        return cls(
            record["nation"], tuple(place["name"] for place in p["localities"]), houses, tuple(dict.fromkeys(lines))
        )


@dataclass
class Card:
    """One lever or assumption on the screen."""

    draft: Draft
    section: str
    number: int  # counted from 1
    mistakes: tuple[Mistake, ...]
    council: Council

    @property
    def item(self) -> Draft:
        """The lever as the draft holds it."""
        found: Draft = self.draft[self.section][self.number - 1]
        return found

    def key(self, field: str) -> str:
        """Key of a control; another one when the draft was changed elsewhere than in this control."""
        return f"{self.draft['name']}|{st.session_state.get('_revision', 0)}|{self.section}{self.number}|{field}"

    def on_change(self, field: str) -> dict[str, Any]:
        """What a control does when it is moved."""
        return {"key": self.key(field), "on_change": _moved, "args": (self.item, field, self.key(field))}

    def said(self, field: str) -> None:
        """Mistakes of a field, beside it."""
        for mistake in self.mistakes:
            if mistake.field == field:
                st.error(f"{WORDS.get(field, field.replace('_', ' '))}: {mistake.text}")


def _moved(item: Draft, field: str, key: str) -> None:
    fields.move(item, field, st.session_state[key])


def revise() -> None:
    """Draw every control anew from the draft."""
    st.session_state["_revision"] = st.session_state.get("_revision", 0) + 1


# --- cards ------------------------------------------------------------------------------------------------------------
def cards(draft: Draft, section: str, checked: Checked, council: Council) -> None:
    """Every lever, or every assumption, with its controls."""
    for number in range(1, len(draft.get(section, [])) + 1):
        _card(Card(draft, section, number, checked.at(section, number), council))
    _add(draft, section)


def _card(card: Card) -> None:
    item, row = card.item, KINDS[card.item["kind"]]
    with st.container(border=True):
        st.markdown(f"**{item.get('name') or row.label}**")
        _size(card)
        st.caption(_about(card))
        label = f"Dates, places, cost and reasons: {item.get('name') or row.label}"
        folded = st.expander(label, key=card.key("more"), on_change="rerun")
        if folded.open:  # many controls, so only those that are looked at are drawn
            with folded:
                _more(card)
        for mistake in card.mistakes:
            if not (folded.open and mistake.field in WORDS) and mistake.field != fields.size_field(item):
                st.error(
                    f"{WORDS.get(mistake.field, mistake.field)}: {mistake.text}" if mistake.field else mistake.text
                )


def _more(card: Card) -> None:
    row = KINDS[card.item["kind"]]
    st.caption(row.what)
    _when(card)
    _where(card)
    _rest(card)
    _costs(card)
    _why(card)
    st.button("Remove", key=card.key("remove"), on_click=_remove, args=(card.draft, card.section, card.number),
              help=f"Take {card.item.get('name') or row.label} out of this scenario")  # fmt: skip


def _remove(draft: Draft, section: str, number: int) -> None:
    del draft[section][number - 1]
    revise()


def _size(card: Card) -> None:
    item, control = card.item, fields.size_control(card.item)
    if control is None:
        if item.get("evidence"):
            options = ["sceptical", "central", "optimistic"]
            at = options.index(item.get("setting", "central"))
            st.selectbox(WORDS["setting"], options, at, format_func=str.capitalize, **card.on_change("setting"))
        return
    kind = int if control.is_whole else float
    bounds = [kind(part) for part in (control.least, control.most, control.value, control.step)]
    st.slider(_capital(_asked(control)), *bounds, **card.on_change(control.field))
    card.said(control.field)


def _asked(control: fields.SizeControl) -> str:
    """What a slider sets: ``more family places``, ``share of those children``, ``risk of breakdown, multiplied by``."""
    unit = control.unit
    if control.field == "add":
        return f"more {unit}"
    if control.field == "share":
        return f"share {unit}" if unit.startswith("of ") else f"{unit}, as a share"
    if control.field == "multiply_by":
        return f"{unit}, multiplied by"
    return unit


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _about(card: Card) -> str:
    """When, with what range, from where, whose: one line under the slider."""
    item = card.item
    parts = [
        f"from {iso_words(item['from'].isoformat())}" if isinstance(item.get("from"), dt.date) else "no start date"
    ]
    if item.get("interval_80"):
        low, high = item["interval_80"]
        parts.append(f"80 % range {plain_number(low, '')} to {plain_number(high, '')}")
    if item.get("evidence"):
        parts.append(f"evidence: {item['evidence'].replace('_', ' ')}")
    if item.get("source"):
        parts.append(f"source: {item['source']}")
    parts.append(f"owner: {item.get('owner') or 'nobody yet'}")
    return "; ".join(parts)


def _when(card: Card) -> None:
    item, row = card.item, KINDS[card.item["kind"]]
    columns = st.columns(3)
    with columns[0]:
        st.date_input(WORDS["from"], item.get("from"), *DATES, format="DD/MM/YYYY", **card.on_change("from"))
        card.said("from")
    if row.one_day:
        return
    with columns[1]:
        st.date_input(WORDS["to"], item.get("to"), *DATES, format="DD/MM/YYYY", **card.on_change("to"))
        card.said("to")
    with columns[2]:
        st.number_input(
            WORDS["ramp_months"], 0, 240, int(item.get("ramp_months", 0)), 1, **card.on_change("ramp_months")
        )
        card.said("ramp_months")


def _where(card: Card) -> None:
    row = KINDS[card.item["kind"]]
    offered = {"localities": card.council.localities, "age_bands": w.AGE_BANDS, "placement_types": w.PLACEMENT_TYPES,
               "lines": card.council.lines}  # fmt: skip
    for field, options in offered.items():
        if field in row.allowed:
            held = [str(name) for name in card.item.get(field, [])]
            every = "All" if field != "lines" else "None chosen"
            st.multiselect(
                WORDS[field], [*dict.fromkeys((*options, *held))], held, placeholder=every, format_func=_named(field, card),
                **card.on_change(field),
            )  # fmt: skip
            card.said(field)


def _named(field: str, card: Card) -> Any:  # noqa: ANN401
    if field == "placement_types":
        return lambda name: _capital(term(card.council.nation, name))
    return lambda name: name if field == "localities" else _capital(name.replace("_", " "))


def _rest(card: Card) -> None:
    """What this kind needs beyond size, dates and places."""
    item, row = card.item, KINDS[card.item["kind"]]
    choices = {"instead": tuple(INSTEAD), "at": tuple(AT), "provider": card.council.houses,
               "locality": card.council.localities,
               "service": ("early_help", "assessment"),
               "contributor": tuple(name for name in w.FUNDERS if name != "social_work")}  # fmt: skip
    for field, options in choices.items():
        if field in row.allowed and (field in row.required or field in item or field == "locality"):
            held = item.get(field)
            every = [*dict.fromkeys((*options, *([held] if held else [])))]
            st.selectbox(WORDS[field], every, every.index(held) if held else None, format_func=_capital_words,
                         placeholder="Choose", **card.on_change(field))  # fmt: skip
            card.said(field)
    for field, step in fields.NUMBERS.items():
        if field in row.allowed and (field in row.required or field in item):
            whole = field in fields.WHOLE
            value = item.get(field)
            st.number_input(WORDS[field], 0 if whole else 0.0, value=value if value is None or whole else float(value),
                            step=step, **card.on_change(field))  # fmt: skip
            card.said(field)


def _capital_words(name: str) -> str:
    return _capital(str(name).replace("_", " "))


def _costs(card: Card) -> None:
    item, row = card.item, KINDS[card.item["kind"]]
    wanted = [name for name in fields.AMOUNTS if name in row.allowed and (name in item or name in OFFERED_COSTS)]
    columns = st.columns(2)
    for at, field in enumerate(wanted):
        value = item.get(field)
        value = value["value"] if isinstance(value, dict) else value
        with columns[at % 2]:
            st.number_input(WORDS[field], 0.0, value=None if value is None else float(value), step=1000.0, format="%.0f",
                            **card.on_change(field))  # fmt: skip
            card.said(field)


def _why(card: Card) -> None:
    for field in ("name", "because", "source", "owner"):
        st.text_input(WORDS[field], card.item.get(field, ""), **card.on_change(field))
        card.said(field)


def _add(draft: Draft, section: str) -> None:
    kinds = LEVERS if section == "lever" else ASSUMPTIONS
    what = "a lever" if section == "lever" else "an assumption"
    columns = st.columns([3, 1], vertical_alignment="bottom")
    with columns[0]:
        kind = st.selectbox(f"Add {what}", kinds, None, format_func=lambda name: KINDS[name].label, key=f"add_{section}",
                            placeholder="Choose a kind")  # fmt: skip
    with columns[1]:
        st.button("Add", key=f"add_{section}_now", disabled=kind is None, on_click=_added, args=(draft, section, kind),
                  help=f"Add {what} of the chosen kind", width="stretch")  # fmt: skip


def _added(draft: Draft, section: str, kind: str) -> None:
    start = st.session_state.get("_as_at")
    draft.setdefault(section, []).append(fields.blank(kind, dt.datetime.now(dt.UTC).date(), start))
    revise()


# --- the table --------------------------------------------------------------------------------------------------------
def table(draft: Draft) -> None:
    """The same levers and assumptions as a table that can be edited."""
    rows = fields.table(draft)
    if not rows:
        st.info(prose("no_levers"))
        return
    frame = pd.DataFrame(rows, columns=list(fields.COLUMNS))
    for column in ("From", "To"):
        frame[column] = pd.to_datetime(frame[column])
    for column in ("Size", "Low, 80 %", "High, 80 %"):
        frame[column] = frame[column].astype(float)
    key = f"table|{draft['name']}|{hash(str(rows))}"
    dates = {name: st.column_config.DateColumn(format="DD/MM/YYYY") for name in ("From", "To")}
    st.caption(prose("table"))
    st.data_editor(
        frame, key=key, hide_index=True, disabled=["Lever or assumption", "What it is", "Unit"], column_config=dates,
        on_change=_edited, args=(draft, key), alt=prose("table_alt"), placeholder="\u2013",
    )  # fmt: skip


def _edited(draft: Draft, key: str) -> None:
    fields.take_table(draft, st.session_state[key]["edited_rows"])
    revise()


# --- the head of the file ---------------------------------------------------------------------------------------------
def details(draft: Draft) -> None:
    """Title, status, rationale and whose it is."""
    left, right = st.columns(2)
    revision = st.session_state.get("_revision", 0)

    def given(field: str) -> dict[str, Any]:
        key = f"{draft['name']}|{revision}|head|{field}"
        return {"key": key, "on_change": _head_moved, "args": (draft, field, key)}

    with left:
        st.text_input("Title", draft.get("title", ""), **given("title"))
        st.text_input("Author", draft.get("author", ""), **given("author"))
    with right:
        options = ["draft", "proposed", "approved", "committed", "archived"]
        st.selectbox("Status", options, options.index(draft.get("status", "draft")), format_func=str.capitalize,
                     **given("status"))  # fmt: skip
        st.text_input("Built on", draft.get("built_on", "baseline"), disabled=True, help=prose("built_on"))
    st.text_area("Rationale", draft.get("rationale", ""), **given("rationale"))


def _head_moved(draft: Draft, field: str, key: str) -> None:
    draft[field] = st.session_state[key]
