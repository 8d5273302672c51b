import pytest

from carecast.calibration import calibrate as cal
from carecast.calibration.pack import read_pack

PACK = "west-dunbartonshire"


@pytest.fixture(scope="session")
def pack():
    return read_pack(PACK)


@pytest.fixture(scope="session")
def pieces(pack):
    return cal.fit_pieces(pack, cal.last_count(pack))


@pytest.fixture(scope="session")
def calibrated():
    return cal.calibrate(PACK)
