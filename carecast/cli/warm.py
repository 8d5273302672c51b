"""Compile the model for this machine ahead of its first run: `python -m carecast.cli.warm`, part of the set-up."""

import datetime as dt

from carecast.calibration.calibrate import calibrate
from carecast.model.plan import Plan
from carecast.scenarios.replicate import Job, Teller

PACK = "west-dunbartonshire"


def main() -> None:
    """Tell one short replication, so that everything compiled is in the cache."""
    calibrated = calibrate(PACK)
    until = calibrated.parameters.as_at + dt.timedelta(days=62)
    Teller(Job(calibrated, (Plan("baseline"),), until, seed=1)).block([0])


if __name__ == "__main__":
    main()
