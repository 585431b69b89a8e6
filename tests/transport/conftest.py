"""Fixtures of the tests of ambulances."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.transport.garage import Garage


@pytest.fixture
def garage(house: House) -> Garage:
    # The desk may ask for whom it knows.
    return Garage(house)
