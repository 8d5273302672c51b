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
        st.Page("views/method.py", title="Assumptions and method", url_path="method"),
    ],
    position="top",
)
frame.guarded(page.run)
