from __future__ import annotations

import pytest

from tests.house import House
from tests.laboratory.bench import Bench


@pytest.fixture
def bench(house: House) -> Bench:
    return Bench(house)
