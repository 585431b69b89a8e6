"""People who run the two hospitals of the house."""

from __future__ import annotations

import pytest

from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person
from polyclinic.facilities.models import Membership
from tests import house as houses
from tests.house import House


@pytest.fixture
def admin(house: House) -> Person:
    """The administrator of the house's own hospital."""
    return house.person(house.staff["admin"])


@pytest.fixture
def manager(house: House) -> Person:
    return house.person(house.manager)


@pytest.fixture
def far_admin(house: House) -> Person:
    """The administrator of the other hospital."""
    made = houses.account("chief@example.com", "Far Chief")
    Membership.objects.create(account=made, facility=house.elsewhere, role=Role.ADMIN)
    return house.person(made)
