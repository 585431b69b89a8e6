"""What waits on the pages of doctors and of those who run the house: invitations, and leave to decide about."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.demo import accounts, places
from polyclinic.demo.install import Hospital
from polyclinic.facilities import identity
from polyclinic.facilities.models import Facility, Membership
from polyclinic.people.models import Account, Doctor
from polyclinic.scheduling import inviting, leaves
from polyclinic.scheduling.models import Schedule
from polyclinic.scheduling.rows import WeeklyRow

# What those who work at two houses keep free between them.
_WAY: Final = 40
_SATURDAYS: Final = [WeeklyRow(5, time(9), time(13))]
_THURSDAYS: Final = [WeeklyRow(3, time(10), time(16)), WeeklyRow(3, time(12), time(13), "break")]


def open_matters(hospital: Hospital) -> int:
    """Leave invitations and requests open, by the actions everybody calls. Returns how many."""
    home, north = hospital.facilities[places.HOME], hospital.facilities[places.PLACES[1].slug]
    manager = _person(Account.objects.get(email=accounts.account("manager").email))
    rao = Doctor.objects.select_related("account").get(account__email=accounts.account("doctor").email)
    okafor = Doctor.objects.select_related("account").get(account__email=accounts.account("doctor2").email)
    visitors = Doctor.objects.filter(specialty__in=("paediatrics", "ear-nose-throat")).exclude(schedules__facility=home)
    guest, other = visitors.select_related("account").order_by("family_name", "pk")[:2]
    inviting.invite(
        actor=_chief(north), facility_id=north.pk, doctor_id=rao.pk, weekly=_SATURDAYS,
    )  # fmt: skip
    inviting.invite(actor=manager, facility_id=home.pk, doctor_id=guest.pk, weekly=_THURSDAYS)
    declined = inviting.invite(actor=manager, facility_id=home.pk, doctor_id=other.pk, weekly=_SATURDAYS)
    inviting.respond(actor=_person(other.account), invitation_id=declined.pk, answer="reject")
    for doctor, kind, ahead, days, note in (
        (okafor, "study", 44, 3, "Congress of general practice"), (rao, "annual", 60, 7, ""),
    ):  # fmt: skip
        schedule = Schedule.objects.select_related("facility").get(doctor=doctor, facility=home)
        leaves.ask(
            actor=_person(doctor.account), schedule_id=schedule.pk, kind=kind, starts=_midnight(schedule, ahead),
            ends=_midnight(schedule, ahead + days), note=note,
        )  # fmt: skip
    Doctor.objects.filter(pk__in=[doctor.pk for doctor in hospital.doctors if doctor.schedules.count() > 1]).update(
        travel_minutes=_WAY
    )
    return 5


def _chief(place: Facility) -> Person:
    """Who runs the other house; it has nobody with a demo account."""
    row = Membership.objects.select_related("account").filter(facility=place, role="manager").first()
    if row is None:
        account = Account.objects.create(
            email=f"manager@{place.slug}.demo.example", name="Elke Sommer", password="!" + "demo" * 10
        )
        row = Membership.objects.create(account=account, facility=place, role="manager")
    return _person(row.account)


def _person(account: Account) -> Person:
    found = identity.person_of_account(account.pk, via="demo")
    assert found is not None
    return found


def _midnight(schedule: Schedule, ahead: int) -> datetime:
    zone = ZoneInfo(schedule.facility.time_zone)
    day = clock.now().astimezone(zone).date() + timedelta(days=ahead)
    return datetime.combine(day, time(), zone)
