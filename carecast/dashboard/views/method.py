"""Assumptions and method: every number with its source, what is not modelled, and how to make the run again."""

import streamlit as st

from carecast.dashboard import frame, papers
from carecast.dashboard.telling import prose

head = st.container()
chosen = frame.choose(head, with_scenario=False)
told = frame.method(chosen)
frame.head(head, told.finding, told.front)

st.header("How the forecast is made", anchor=False)
st.markdown(prose("method"))
for passage in told.front.warnings:
    st.markdown(passage)
st.markdown(told.backtest)
frame.folded("How often the back-test's forecasts held", told.backtest_counts)
frame.folded("Published counts, simulated again", told.hindcast)

st.header("What is not published", anchor=False)
st.markdown(told.not_published)
if told.notes:
    st.markdown(prose("notes"))
    frame.bullets(told.notes)

st.header("What is not modelled", anchor=False)
frame.not_modelled(told.not_modelled)

st.header("How to make this run again", anchor=False)
st.markdown(prose("reproduce"))
if told.command:
    st.code(told.command, language=None, wrap_lines=True)
else:
    st.markdown(prose("no_command"))
frame.table(told.made_with)
if told.run_notes:
    st.markdown(prose("run_notes"))
    frame.bullets(told.run_notes)

st.header("Every number and where it comes from", anchor=False)
frame.register(chosen)

st.header("How the model is documented", anchor=False)
st.markdown(prose("documented"))
frame.paper("Checklist of a simulation study (STRESS-DES)", papers.STRESS)
frame.paper("Model updates, and what each changed", papers.CHANGES)
frame.paper("Glossary", papers.GLOSSARY)

st.header("Accessibility statement", anchor=False)
st.markdown(prose("accessibility"))

st.header("The data", anchor=False)
frame.download(chosen)
