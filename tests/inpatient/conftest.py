from __future__ import annotations

import pytest

from tests.house import House
from tests.inpatient.wing import Wing


@pytest.fixture
def wing(house: House) -> Wing:
    return Wing(house)
