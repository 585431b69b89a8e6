"""Appointments that come again: the same wall-clock time, one exception at a time, all booked or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from polyclinic.core.errors import Conflict, Invalid, NotFound, Problem
from polyclinic.core.models import AuditEntry
from polyclinic.scheduling import actions, series
from polyclinic.scheduling.models import Appointment, AppointmentSeries
from tests.house import House

BERLIN = ZoneInfo("Europe/Berlin")


def walls(first: datetime, every: int, unit: str, count: int) -> list[str]:
    found = series.dates(first, "Europe/Berlin", every, unit, count)
    return [f"{moment.astimezone(BERLIN):%Y-%m-%d %H:%M}" for moment in found]


def test_the_wall_clock_stays_when_the_clocks_change() -> None:
    first = datetime(2027, 3, 22, 9, tzinfo=BERLIN)
    assert walls(first, 1, "week", 3) == ["2027-03-22 09:00", "2027-03-29 09:00", "2027-04-05 09:00"]
    hours = series.dates(first, "Europe/Berlin", 1, "week", 2)
    assert hours[1] - hours[0] == timedelta(days=7, hours=-1)
    autumn = datetime(2027, 10, 25, 9, tzinfo=BERLIN)
    assert walls(autumn, 1, "week", 2) == ["2027-10-25 09:00", "2027-11-01 09:00"]


def test_a_month_without_the_day_has_it_on_its_last() -> None:
    first = datetime(2027, 1, 31, 9, tzinfo=BERLIN)
    assert walls(first, 1, "month", 4) == [
        "2027-01-31 09:00", "2027-02-28 09:00", "2027-03-31 09:00", "2027-04-30 09:00",
    ]  # fmt: skip
    assert walls(first, 12, "month", 2)[1] == "2028-01-31 09:00"


@pytest.mark.parametrize(
    ("every", "unit", "count", "field"),
    [(0, "week", 3, "every"), (27, "week", 3, "every"), (1, "year", 3, "unit"), (1, "week", 1, "count"),
     (1, "week", 53, "count"), (61, "day", 2, "every"), (13, "month", 2, "every")],
)  # fmt: skip
def test_limits_name_the_field(every: int, unit: str, count: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        series.dates(datetime(2027, 3, 22, 9, tzinfo=UTC), "Europe/Berlin", every, unit, count)
    assert refused.value.field == field
    assert len(series.dates(datetime(2027, 3, 22, 9, tzinfo=UTC), "Europe/Berlin", 1, "week", 52)) == 52


def wish(house: House, **more: object) -> dict[str, object]:
    return {"schedule_id": house.schedule.pk, "starts": house.slot(2), "every": 1, "unit": "week", "count": 4, **more}


def taken(house: House, weeks: int) -> Appointment:
    """Somebody else has the time of the series some weeks on."""
    starts = (house.slot(2).replace(tzinfo=None) + timedelta(weeks=weeks)).replace(tzinfo=BERLIN)
    return actions.book(
        actor=house.person(house.other_patient), patient_id=house.other_patient.pk, schedule_id=house.schedule.pk,
        starts=starts,
    )  # fmt: skip


def test_the_plan_shows_what_is_taken_and_what_is_near(house: House) -> None:
    taken(house, 2)
    planned = series.plan(house.person(house.patient), **wish(house))  # type: ignore[arg-type]
    assert [(one.number, one.free, one.why) for one in planned] == [
        (1, True, ""), (2, True, ""), (3, False, "slot_taken"), (4, True, ""),
    ]  # fmt: skip
    third = planned[2]
    assert [abs(slot.starts - third.starts) for slot in third.near] == [timedelta(minutes=20)] * 2 + [
        timedelta(minutes=40)
    ]
    weekend = series.plan(house.person(house.patient), **wish(house, unit="day", count=8))  # type: ignore[arg-type]
    assert {one.why for one in weekend if one.starts.astimezone(BERLIN).weekday() > 4} == {"not_a_slot"}
    far = series.plan(house.person(house.patient), **wish(house, every=26, count=3))  # type: ignore[arg-type]
    assert far[-1].why == "beyond_horizon"


def test_a_series_is_booked_with_its_exceptions(house: House) -> None:
    taken(house, 2)
    other = house.slot(2) + timedelta(weeks=2, hours=1)
    made = series.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, exceptions={3: other, 4: None}, **wish(house)
    )  # type: ignore[arg-type]
    row = series.get(house.person(house.patient), made.pk)
    assert [(one.number, one.status, one.moved) for one in row.occurrences] == [
        (1, "booked", False), (2, "booked", False), (3, "booked", True), (4, "left_out", False),
    ]  # fmt: skip
    assert Appointment.objects.filter(patient=house.patient).count() == 3
    assert AuditEntry.objects.filter(action="appointment.series").count() == 1
    first = row.occurrences[0].appointment_id
    assert first is not None
    found = series.of_appointment(house.person(house.doctor), first)
    assert found is not None
    assert found.id == made.pk


def test_all_or_none_and_the_date_is_named(house: House) -> None:
    taken(house, 2)
    with pytest.raises(Problem) as refused, transaction.atomic():
        series.book(actor=house.person(house.patient), patient_id=house.patient.pk, **wish(house))  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.extra["occurrence"]) == ("slot_taken", 3)
    assert not AppointmentSeries.objects.exists()
    assert not Appointment.objects.filter(patient=house.patient).exists()


@pytest.mark.parametrize("apart", [{9: None}, {0: None}, {1: None, 2: None, 3: None}])
def test_an_exception_is_of_a_date_and_two_dates_are_left(house: House, apart: dict[int, None]) -> None:
    with pytest.raises(Invalid) as refused:
        series.book(actor=house.person(house.patient), patient_id=house.patient.pk, exceptions=apart, **wish(house))  # type: ignore[arg-type]
    assert refused.value.field == "exceptions"


def test_cancelling_from_one_date_on_leaves_the_earlier_ones(house: House) -> None:
    patient = house.person(house.patient)
    made = series.book(actor=patient, patient_id=house.patient.pk, **wish(house))  # type: ignore[arg-type]
    assert series.cancel(actor=patient, series_id=made.pk, first=3) == 2
    assert [one.status for one in series.get(patient, made.pk).occurrences] == [
        "booked", "booked", "cancelled", "cancelled",
    ]  # fmt: skip
    with pytest.raises(Conflict), transaction.atomic():
        series.cancel(actor=patient, series_id=made.pk, first=3)
    assert series.cancel(actor=patient, series_id=made.pk) == 2


def test_a_date_inside_the_notice_keeps_the_whole_series(house: House) -> None:
    patient = house.person(house.patient)
    made = series.book(actor=patient, patient_id=house.patient.pk, **wish(house))  # type: ignore[arg-type]
    house.facility.__class__.objects.filter(pk=house.facility.pk).update(notice_hours=24 * 14, version=9)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        series.cancel(actor=patient, series_id=made.pk)
    assert (refused.value.code, refused.value.extra["occurrence"]) == ("notice_too_short", 1)
    assert {one.status for one in series.get(patient, made.pk).occurrences} == {"booked"}
    assert series.cancel(actor=house.person(house.doctor), series_id=made.pk) == 4


def test_a_stranger_finds_no_series(house: House) -> None:
    made = series.book(actor=house.person(house.patient), patient_id=house.patient.pk, **wish(house))  # type: ignore[arg-type]
    for who in (house.other_patient, house.stranger_doctor, house.stranger_receptionist):
        with pytest.raises(NotFound):
            series.get(house.person(who), made.pk)
        with pytest.raises(NotFound), transaction.atomic():
            series.cancel(actor=house.person(who), series_id=made.pk)


def test_one_search_for_a_year(house: House, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(60):  # type: ignore[operator]
        series.plan(house.person(house.patient), **wish(house, count=52))  # type: ignore[arg-type]
