"""Calibration: does the parameter set still hold, on which data, and what would new data change?"""

import streamlit as st

from carecast.dashboard import calibrate_frame, desk, first_run_frame, frame
from carecast.dashboard.panels import calibration as panels
from carecast.dashboard.telling import prose

desk.went()
head = st.container()
shown = calibrate_frame.choose(head)
if shown is not None:
    frame.head(head, panels.finding(shown), panels.front(shown))
    frame.tiles(panels.tiles(shown))

st.header("Calibrate on your own data", anchor=False)
first_run_frame.adopted()
calibrate_frame.bring()

if shown is not None:
    st.header("How well it fits", anchor=False)
    fitted = panels.fit_panels(shown.record)
    for at in range(0, len(fitted), 2):
        frame.side_by_side(fitted[at : at + 2], widths=(1,) * len(fitted[at : at + 2]))
    if not fitted:
        st.info(prose("no_fit"))

    st.header("How it was tested", anchor=False)
    st.markdown(panels.backtest_verdict(shown.record))
    frame.table(panels.backtest_table(shown.record))

    st.header("What changed", anchor=False)
    calibrate_frame.compare(shown)

    st.header("Every number and where it comes from", anchor=False)
    st.caption(prose("set_register"))
    calibrate_frame.register(shown)
