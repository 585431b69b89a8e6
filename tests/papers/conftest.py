from __future__ import annotations

import pytest

from tests.house import House
from tests.papers.bench import Desk


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)
