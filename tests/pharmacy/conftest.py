from __future__ import annotations

import pytest

from tests.house import House
from tests.pharmacy.shop import Shop


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)
