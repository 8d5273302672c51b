"""Compare: scenarios of a run against one of them, with safety beside every saving."""

import streamlit as st

from carecast.dashboard import compare_frame, frame
from carecast.dashboard.telling import prose

head = st.container()
asked = compare_frame.ask(head)
told = compare_frame.told(asked)
frame.head(head, told.finding, told.front)

frame.tiles(told.tiles)
frame.reading(told.front)

st.header("What is saved, and whether it is safe", anchor=False)
compare_frame.saved_and_safe(told)

st.header("What each lever adds", anchor=False)
compare_frame.levers(asked)

st.header("Over time", anchor=False)
compare_frame.over_time(asked, told)

st.header("What differs", anchor=False)
st.caption(prose("compare_differences"))
frame.table(told.differences)

st.header("What it costs", anchor=False)
compare_frame.spend(told)

st.header("When it pays back", anchor=False)
compare_frame.over_years(told)

st.header("Reserves", anchor=False)
compare_frame.reserves(told)

st.header("The data", anchor=False)
compare_frame.download(asked)
frame.download(asked.chosen)
