"""Will we make it? How likely each target is, what that hangs on, and what it would take."""

import streamlit as st

from carecast.dashboard import asking, frame, goals

head = st.container()
goal = goals.choose(head)
judged = goals.head(head, goal)
goals.tiles(goal, judged)
goals.reading(goal)

st.header("How far, and how likely", anchor=False)
goals.curve(goal)

st.header("The targets", anchor=False)
goals.editor(goal)

st.header("What does it hang on?", anchor=False)
asking.hangs(goal)

st.header("What would it take?", anchor=False)
asking.solver(goal)

st.header("Not modelled", anchor=False)
frame.not_modelled(goal.run.record["not_modelled"])
