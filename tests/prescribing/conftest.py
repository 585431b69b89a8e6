from __future__ import annotations

import pytest

from tests.house import House
from tests.prescribing.ward import Ward


@pytest.fixture
def ward(house: House) -> Ward:
    return Ward(house)
