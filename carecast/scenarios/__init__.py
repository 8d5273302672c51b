"""Levers, scenario files, runs, comparison, savings and targets."""
