"""The demo's services that take a device, and somebody beside."""

from __future__ import annotations

import pytest

from polyclinic.demo import scanning
from polyclinic.demo.install import Installer
from polyclinic.demo.seed import Seeded
from polyclinic.scheduling.models import Reservation

pytestmark = pytest.mark.django_db


def test_some_are_booked_with_a_device_and_a_nurse() -> None:
    installer = Installer(Seeded())
    installer.places()
    installer.staff()
    installer.crowd(30)
    assert scanning.set_up(installer.hospital) == "2, booked for them: 6"
    assert Reservation.objects.filter(kind="device").count() == 6
    assert Reservation.objects.filter(kind="second").count() == 3
