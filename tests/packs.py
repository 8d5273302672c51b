"""Parameter sets of the shipped council packs, each made once for all tests that ask for it."""

from functools import cache

from carecast.calibration.calibrate import calibrate
from carecast.model.parameters import Calibrated


@cache
def calibrated(name: str) -> Calibrated:
    """A pack's parameter set as it is shipped, without its hindcast (7 to 20 seconds the first time)."""
    return calibrate(name)
