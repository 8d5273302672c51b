"""How fast carecast is, measured in one run: ``python -m benchmarks``, or ``python benchmarks/run.py``."""
