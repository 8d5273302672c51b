"""Where we are heading: what happens if nothing changes, and what one scenario would change."""

import streamlit as st

from carecast.dashboard import frame
from carecast.dashboard.telling import prose

head = st.container()
chosen = frame.choose(head)
told = frame.heading(chosen)
frame.head(head, told.finding, told.front)

frame.tiles(told.tiles)
st.caption(prose("tiles_note"))
frame.reading(told.front)

st.header("Will the targets be met?", anchor=False)
frame.tiles(told.target_tiles)
st.caption(told.targets_note)
frame.folded("The targets in full", told.targets)

st.header("Children", anchor=False)
frame.side_by_side(told.children)

st.header("What it will cost", anchor=False)
frame.side_by_side(told.spend, widths=(5, 3))
if told.spend_note:
    st.caption(told.spend_note)

st.header("What is saved, and whether it is safe", anchor=False)
frame.savings(told.savings, told.no_savings)

st.header("What this rests on", anchor=False)
st.markdown(told.backtest)
st.markdown(told.assumptions_note)
frame.folded("Assumed numbers that bear on cost", told.assumptions)
frame.folded("What the scenario assumes", told.levers, told.levers_note)
st.subheader("Not modelled", anchor=False)
frame.not_modelled(told.not_modelled)

st.header("The data", anchor=False)
frame.download(chosen)
