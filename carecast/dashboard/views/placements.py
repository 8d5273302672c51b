"""Placements and distance: where children live, how far, why, what is needed, and what if a house opens."""

import streamlit as st

from carecast.dashboard import frame, places_frame

head = st.container()
chosen, told = places_frame.ask(head)
frame.head(head, told.finding, told.front)

frame.tiles(told.tiles)
frame.reading(told.front)

st.header("How far from home", anchor=False)
frame.side_by_side(told.distance)

st.header("Homes and the radius", anchor=False)
places_frame.the_map(told)

st.header("Who lives where", anchor=False)
places_frame.who(told)

st.header("Why so far, and why so dear", anchor=False)
places_frame.why(told)

st.header("Places needed", anchor=False)
places_frame.needed(chosen)

st.header("What if a house opens here", anchor=False)
places_frame.open_a_house(chosen)

st.header("The data", anchor=False)
places_frame.download(chosen, told)
frame.download(chosen)
