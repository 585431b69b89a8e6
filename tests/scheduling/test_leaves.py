"""Leave that is asked for and decided about; nobody who is booked is left alone by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.notify.models import Notice
from polyclinic.scheduling import asked, leaves, selectors
from polyclinic.scheduling.models import LeaveRequest, ScheduleException
from polyclinic.scheduling.problems import PatientsStranded
from tests.house import House
from tests.scheduling.test_booking import book


def ask(house: House, who: Any = None, **more: Any) -> LeaveRequest:
    day = house.workday()
    given = {
        "schedule_id": house.schedule.pk, "kind": "annual", "starts": house.local(day, 9),
        "ends": house.local(day, 17), **more,
    }  # fmt: skip
    return leaves.ask(actor=house.person(who or house.doctor), **given)


def test_approved_leave_stands_in_the_hours(house: House) -> None:
    made = ask(house, note="My sister marries")
    manager = house.person(house.manager)
    assert [(row.status, row.kind, row.note) for row in asked.leave_requests(manager)] == [
        ("asked", "annual", "My sister marries")
    ]
    assert Notice.objects.filter(account=house.manager, kind="leave_asked").count() == 1
    free = {"schedule_id": house.schedule.pk, "first_day": house.workday(), "days": 1}
    assert selectors.free_slots(Anonymous(), **free)
    done = leaves.approve(actor=manager, request_id=made.pk, answer="Enjoy it", version=1)
    assert done.state == "approved"
    assert selectors.free_slots(Anonymous(), **free) == []
    assert ScheduleException.objects.get().pk == LeaveRequest.objects.get().leave_id
    (row,) = asked.leave_of(house.person(house.doctor), house.doctor.pk)
    assert (row.status, row.answer, row.decided_by) == ("approved", "Enjoy it", "Bo Boss")
    assert Notice.objects.filter(account_id=house.doctor.account_id, kind="leave_approved").count() == 1
    told = OutboxEvent.objects.filter(type__startswith="leave.").order_by("id")
    assert list(told.values_list("type", flat=True)) == ["leave.asked", "leave.approved"]
    assert all(f"user:{house.doctor.account_id}" in event.audience for event in told)
    assert AuditEntry.objects.filter(action="leave.approve", to_state="approved").count() == 1


def test_whom_it_concerns_is_listed_before_it_is_granted(house: House) -> None:
    booked = book(house)
    made = ask(house)
    manager = house.person(house.manager)
    with pytest.raises(PatientsStranded) as refused, transaction.atomic():
        leaves.approve(actor=manager, request_id=made.pk)
    assert [row["id"] for row in refused.value.extra["appointments"]] == [str(booked.pk)]
    # Nothing is half done: it is still asked for, and the doctor still works.
    assert asked.leave_request(manager, made.pk).status == "asked"
    assert not ScheduleException.objects.exists()
    assert not OutboxEvent.objects.filter(type="leave.approved").exists()
    leaves.approve(actor=manager, request_id=made.pk, acknowledged={booked.pk}, resolution="cancel")
    assert selectors.appointment(house.person(house.patient), booked.pk).status == "cancelled"


def test_patients_who_stay_are_marked(house: House) -> None:
    booked = book(house)
    leaves.approve(actor=house.person(house.manager), request_id=ask(house).pk, acknowledged={booked.pk})
    kept = selectors.appointment(house.person(house.doctor), booked.pk)
    assert (kept.status, kept.attention) == ("booked", "outside_hours")


def test_declined_and_withdrawn_change_no_hours(house: House) -> None:
    first = ask(house)
    leaves.decline(actor=house.person(house.manager), request_id=first.pk, answer="Too many are away")
    second = ask(house)
    leaves.withdraw(actor=house.person(house.doctor), request_id=second.pk)
    assert not ScheduleException.objects.exists()
    for gone in (first, second):
        with pytest.raises(IllegalTransition):
            leaves.approve(actor=house.person(house.manager), request_id=gone.pk)


def test_the_same_time_is_asked_for_once(house: House) -> None:
    ask(house)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        ask(house, starts=house.slot(3), ends=house.slot(5))
    assert refused.value.code == "already_asked"


def test_who_may_ask_see_and_decide(house: House) -> None:
    made = ask(house)
    for who in (house.other_doctor, house.patient, house.manager, house.receptionist):
        with pytest.raises(NotFound):
            ask(house, who)
        with pytest.raises(NotFound):
            leaves.withdraw(actor=house.person(who), request_id=made.pk)
    for who in (house.other_doctor, house.doctor, house.patient, house.receptionist, house.staff["admin"]):
        for step in (leaves.approve, leaves.decline):
            with pytest.raises((NotFound, Forbidden)):
                step(actor=house.person(who), request_id=made.pk)
    for who in (house.other_doctor, house.patient, house.receptionist, house.staff["admin"]):
        assert asked.leave_requests(house.person(who)) == []
        with pytest.raises(NotFound):
            asked.leave_request(house.person(who), made.pk)
    with pytest.raises(StaleEdit):
        leaves.decline(actor=house.person(house.manager), request_id=made.pk, version=9)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"kind": "party"}, "kind"), ({"note": "x" * 201}, "note")],
    ids=["kind", "note"],
)
def test_bad_requests_name_the_field(house: House, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(house, **wrong)
    assert refused.value.field == field
    now = clock.now()
    for starts, ends in (
        (house.slot(3), house.slot(1)), (now - timedelta(days=2), now - timedelta(days=1)),
        (now, now + timedelta(days=401)),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            ask(house, starts=starts, ends=ends)
        assert refused.value.field == "ends"
    assert not LeaveRequest.objects.exists()


def test_why_is_sealed_and_in_no_event(house: House) -> None:
    made = ask(house, kind="sick", note="Broken ankle")
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, note FROM scheduling_leaverequest")
        stored = str(cursor.fetchone())
    assert "sick" not in stored
    assert "ankle" not in stored
    payloads = str(list(OutboxEvent.objects.filter(type="leave.asked").values_list("payload", flat=True)))
    assert str(made.pk) in payloads
    assert "sick" not in payloads
