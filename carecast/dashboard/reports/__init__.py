"""Reports of a run: workbook, board paper, slides, web page and archive, all with the same numbers; no Streamlit.

``build`` makes the bytes, for a download; ``make_report`` writes a file, whole or not at all.
"""

from carecast.dashboard.reports.making import KINDS, build, make_report, report_name

__all__ = ["KINDS", "build", "make_report", "report_name"]
