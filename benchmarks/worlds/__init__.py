"""Synthetic councils on which calibration is proven: a generator as unlike the model as can be, with its truth, and scores.

``python -m benchmarks.worlds`` scores carecast on them; ``generate`` makes one.
"""

from benchmarks.worlds.kinds import KINDS, Kind
from benchmarks.worlds.world import World, generate

__all__ = ["KINDS", "Kind", "World", "generate"]
