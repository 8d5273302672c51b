"""Forecasts the children a council will look after: in which homes, how near, at what cost, and what could change."""

import os

__version__ = "0.1.0"

# Matrices here are small and work is shared out over processes: threads of the linear algebra only get in each other's way
# (a fit of 0.4 s took 40 s on two busy cores), and one thread adds up in one order on every machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
