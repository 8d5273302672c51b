"""The dashboard. `carecast dashboard` starts it; pages read finished runs and are drawn by the rooms beside this file."""

import streamlit as st

from carecast.dashboard import frame, roles

frame.begin()
roles.gate()
page = st.navigation(
    [
        st.Page("views/heading.py", title="Where we are heading", url_path="heading", default=True),
        st.Page("views/scenarios.py", title="Scenarios", url_path="scenarios"),
        st.Page("views/compare.py", title="Compare", url_path="compare"),
        st.Page("views/targets.py", title="Will we make it?", url_path="targets"),
        st.Page("views/placements.py", title="Placements and distance", url_path="placements"),
        st.Page("views/early_help.py", title="Early help and workforce", url_path="early-help"),
        st.Page("views/recalibration.py", title="Calibration", url_path="calibration"),
        st.Page("views/method.py", title="Assumptions and method", url_path="method"),
    ],
    position="top",
)
frame.guarded(page.run)
frame.guarded(frame.foot)
