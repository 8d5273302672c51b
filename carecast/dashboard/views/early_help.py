"""Early help and workforce: who waits, the places there are, staff against posts, and the annual gap report."""

import streamlit as st

from carecast.dashboard import frame, help_frame

head = st.container()
chosen, told = help_frame.ask(head)
frame.head(head, told.finding, told.front)

frame.tiles(told.tiles)
frame.reading(told.front)

st.header("Early help", anchor=False)
help_frame.queue(told)

st.header("Staff", anchor=False)
help_frame.staff(told)

st.header("The annual gap report", anchor=False)
help_frame.gaps(told)

st.header("The data", anchor=False)
help_frame.download(chosen, told)
frame.download(chosen)
