"""Readers of a council's history: any of eight formats, told apart by their columns, into one set of tidy tables."""

from carecast.calibration.readers.door import read_history
from carecast.calibration.readers.history import TABLES, History
from carecast.calibration.readers.places import FORMATS
from carecast.calibration.readers.report import Report

__all__ = ["FORMATS", "TABLES", "History", "Report", "read_history"]
