"""Forecasts the children a council will look after: in which homes, how near, at what cost, and what could change."""

__version__ = "0.1.0"
