"""A house's doctors with their state and next free time, and its week."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polyclinic.core.errors import NotFound
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account
from polyclinic.scheduling import rota, schedules
from polyclinic.scheduling.models import Schedule
from tests import house as houses
from tests.house import House
from tests.scheduling.test_booking import book


def test_members_with_their_state_and_next_free_time(house: House) -> None:
    manager = house.person(house.manager)
    book(house)
    place = Facility.objects.create(slug="lakeside", name="Lakeside", time_zone="Europe/Berlin")
    houses.schedule(house.doctor, place)
    seen = {row.name: row for row in rota.members(manager, house.facility.pk)}
    assert set(seen) == {"Dr Anil Rao", "Dr Grace Okafor"}
    rao = seen["Dr Anil Rao"]
    assert (rao.state, rao.elsewhere, rao.coming, rao.room_name) == ("active", True, 1, "Room 4")
    assert rao.next_free is not None
    assert seen["Dr Grace Okafor"].elsewhere is False
    Schedule.objects.filter(pk=house.schedule.pk).update(bookable=False)
    Account.objects.filter(pk=house.other_doctor.account_id).update(is_active=False)
    seen = {row.name: row for row in rota.members(manager, house.facility.pk)}
    assert (seen["Dr Anil Rao"].state, seen["Dr Anil Rao"].next_free) == ("paused", None)
    assert (seen["Dr Grace Okafor"].state, seen["Dr Grace Okafor"].next_free) == ("closed", None)


def test_the_week_shows_hours_leave_and_bookings(house: House) -> None:
    book(house)
    day = house.workday()
    leave = day + timedelta(days=1 if day.weekday() < 4 else -1)
    schedules.add_exception(
        actor=house.person(house.doctor), schedule_id=house.schedule.pk, kind="leave", version=1,
        starts=house.local(leave, 0), ends=house.local(leave, 23),
    )  # fmt: skip
    table = rota.rota(house.person(house.manager), house.facility.pk, day)
    assert table.first_day.weekday() == 0
    (rao,) = [row for row in table.rows if row.name == "Dr Anil Rao"]
    days = {one.day: one for one in rao.days}
    assert (days[day].worked, days[day].booked, days[day].leave) == ((("09:00", "12:00"), ("13:00", "17:00")), 1, False)
    assert (days[leave].worked, days[leave].leave) == ((), True)
    assert rao.minutes == 4 * 7 * 60
    Schedule.objects.filter(pk=house.schedule.pk).update(department=house.department)
    only = rota.rota(house.person(house.manager), house.facility.pk, day, department_id=house.department.pk)
    assert [row.name for row in only.rows] == ["Dr Anil Rao"]


def test_only_those_who_run_the_house_see_it(house: House) -> None:
    for who in (house.receptionist, house.doctor, house.patient, house.stranger_receptionist):
        person = house.person(who)
        for call in (rota.members, rota.departments, rota.rooms):
            with pytest.raises(NotFound):
                call(person, house.facility.pk)
        with pytest.raises(NotFound):
            rota.rota(person, house.facility.pk, house.workday())
    with pytest.raises(NotFound):
        rota.members(house.person(house.manager), house.elsewhere.pk)
