"""The Streamlit app: thin pages over finished runs."""
