"""Calibration: from published figures or child-level returns to a parameter set."""
