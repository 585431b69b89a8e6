"""What a demo doctor sees of the present day."""

from __future__ import annotations

from collections import Counter

from polyclinic.core import clock
from polyclinic.demo import accounts
from polyclinic.facilities import identity
from polyclinic.people.models import Doctor
from polyclinic.scheduling import selectors


def today_of(key: str) -> Counter[str]:
    doctor = Doctor.objects.get(account__email=accounts.account(key).email)
    viewer = identity.person_of_account(doctor.account_id)
    assert viewer is not None
    return Counter(row.status for row in selectors.doctor_day(viewer, doctor.pk, clock.now().date()))
