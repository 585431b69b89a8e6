from __future__ import annotations

import pytest

from tests.house import House
from tests.nursing.bedside import Bedside


@pytest.fixture
def bedside(house: House) -> Bedside:
    return Bedside(house)
