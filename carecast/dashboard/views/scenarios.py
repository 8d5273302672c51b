"""Scenarios: what could be done, with levers that show at once what they would change, and full runs in the background."""

import streamlit as st

from carecast.dashboard import desk, editing
from carecast.dashboard.telling import prose

desk.went()
head = st.container()
on_desk = desk.choose(head)
desk.head(head, on_desk)
desk.address(on_desk)

left, right = st.columns([5, 6], gap="large")
with left:
    st.header("Levers: what you can choose", anchor=False)
    st.caption(prose("levers_note"))
    desk.inherits(on_desk)
    editing.cards(on_desk.draft, "lever", on_desk.checked, on_desk.council)
    st.header("Assumptions: what you cannot", anchor=False)
    st.caption(prose("assumptions_apart"))
    editing.cards(on_desk.draft, "assumption", on_desk.checked, on_desk.council)
with right, st.container(key="look"):
    st.header("Quick look", anchor=False)
    desk.look(on_desk)

st.header("As a table", anchor=False)
editing.table(on_desk.draft)

st.header("This scenario and the others", anchor=False)
editing.details(on_desk.draft)
desk.files(on_desk)

st.header("Full run", anchor=False)
st.caption(prose("full_note"))
desk.full_run(on_desk)
