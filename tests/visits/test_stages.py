"""A visit from the front desk to the pharmacy: who may take which step, and what each step leaves behind."""

from __future__ import annotations

import pytest

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.scheduling import actions as scheduling
from polyclinic.visits import actions, known, selectors
from polyclinic.visits.models import QueueEntry, StageTime, Visit
from polyclinic.visits.states import VISIT
from tests.house import House, missing

pytestmark = pytest.mark.django_db


def opened(house: House, **given: object) -> Visit:
    given = {"facility_id": house.facility.pk, "patient_id": house.patient.pk, **given}
    return actions.register(actor=house.person(house.receptionist), **given)  # type: ignore[arg-type]


def test_a_visit_goes_from_the_desk_to_the_pharmacy(house: House) -> None:
    made = opened(house, complaint="Cough")
    assert (made.state, made.number, made.token) == ("registered", 1, "A001")
    staff = {role: house.person(one) for role, one in house.staff.items()}
    actions.paid(actor=house.person(house.receptionist), visit_id=made.pk)
    actions.lab_ordered(actor=staff["checker_doctor"], visit_id=made.pk)
    actions.results_done(actor=staff["lab_technician"], visit_id=made.pk)
    actions.diagnose(actor=staff["main_doctor"], visit_id=made.pk)
    ended = actions.finish(actor=staff["pharmacist"], visit_id=made.pk)
    assert ended.state == "done"
    assert ended.closed_at is not None
    stages = list(StageTime.objects.order_by("pk").values_list("stage", "left_at"))
    assert [stage for stage, _left in stages] == ["registered", "paid", "lab_pending", "lab_done", "diagnosed"]
    assert all(left for _stage, left in stages)
    lines = list(QueueEntry.objects.order_by("pk").values_list("line", "state"))
    assert lines == [(line, "served") for line in ("desk", "check", "lab", "doctor", "pharmacy")]
    steps = AuditEntry.objects.filter(subject_kind="visit", subject_id=made.pk).order_by("pk")
    assert list(steps.values_list("action", flat=True)) == [
        "visit.register", "visit.pay", "visit.order_lab", "visit.results_done", "visit.diagnose", "visit.dispense",
    ]  # fmt: skip
    told = OutboxEvent.objects.filter(stream=f"visit:{made.pk}").order_by("pk")
    assert [row.stream_seq for row in told] == [1, 2, 3, 4, 5, 6]
    assert not any("Cough" in row.payload or "Pillai" in row.payload for row in OutboxEvent.objects.all())


def test_numbers_run_from_one_each_day_and_place(house: House) -> None:
    assert opened(house).number == 1
    assert opened(house, patient_id=house.other_patient.pk).number == 2


def test_a_second_open_visit_is_refused_and_names_the_first(house: House) -> None:
    made = opened(house)
    with pytest.raises(Conflict) as refused:
        opened(house)
    assert refused.value.extra["visitId"] == str(made.pk)
    assert Visit.objects.count() == 1


def test_paying_twice_moves_once(house: House) -> None:
    made = opened(house)
    for _again in range(2):
        actions.paid(actor=house.person(house.patient), visit_id=made.pk)
    assert Visit.objects.get().version == 2
    assert AuditEntry.objects.get(action="visit.pay").actor == "system:cash-desk"


def test_only_an_emergency_goes_before_its_fee(house: House) -> None:
    nurse = house.person(house.staff["nurse"])
    made = opened(house)
    with pytest.raises(Conflict) as refused:
        actions.check(actor=nurse, visit_id=made.pk)
    assert refused.value.code == "fee_open"
    actions.prioritise(actor=nurse, visit_id=made.pk, priority="emergency", why="Chest pain")
    assert actions.check(actor=nurse, visit_id=made.pk).state == "checked"


def test_who_may_not_take_a_step(house: House) -> None:
    made = opened(house)
    with pytest.raises(Forbidden):
        actions.cancel(actor=house.person(house.staff["nurse"]), visit_id=made.pk, reason="mine")
    with pytest.raises(NotFound):
        actions.check(actor=house.person(house.stranger_receptionist), visit_id=made.pk)
    with pytest.raises(NotFound):
        selectors.visit(house.person(house.stranger_receptionist), made.pk)
    with pytest.raises(NotFound):
        selectors.visit(house.person(house.other_patient), made.pk)
    assert selectors.visit(house.person(house.patient), made.pk).token == "A001"


def test_steps_out_of_order_and_from_old_pages_are_refused(house: House) -> None:
    made = opened(house)
    desk = house.person(house.receptionist)
    with pytest.raises(IllegalTransition):
        actions.finish(actor=house.person(house.staff["pharmacist"]), visit_id=made.pk)
    with pytest.raises(StaleEdit):
        actions.leave(actor=desk, visit_id=made.pk, reason="Could not wait", version=7)
    with pytest.raises(Invalid) as refused:
        actions.leave(actor=desk, visit_id=made.pk, reason=" ")
    assert refused.value.field == "reason"
    assert actions.leave(actor=desk, visit_id=made.pk, reason="Could not wait").state == "left"
    assert not QueueEntry.objects.filter(ended_at=None).exists()


def test_a_booking_is_checked_in_by_its_visit(house: House) -> None:
    when = house.slot()
    booked = scheduling.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=when
    )
    with clock.fixed(when):
        made = opened(house, appointment_id=booked.pk)
    assert made.main_doctor_id == house.doctor.pk
    assert made.priority == "appointment"
    booked.refresh_from_db()
    assert booked.state == "checked_in"
    with pytest.raises(Conflict), clock.fixed(when):
        opened(house, appointment_id=booked.pk)


def test_whom_another_hospital_knows_is_not_brought_up_by_an_id(house: House) -> None:
    known.remember(house.stranger_patient.pk, house.elsewhere.pk)
    with pytest.raises(NotFound):
        opened(house, patient_id=house.stranger_patient.pk)
    with pytest.raises(NotFound):
        opened(house, patient_id=missing())


def test_the_machine_says_what_was_agreed() -> None:
    assert VISIT.possible("diagnosed") == ["decline_medicine", "dispense", "no_medicine"]
    assert VISIT.possible("lab_pending") == ["leave", "results_done"]
    assert VISIT.possible("done") == VISIT.possible("left") == VISIT.possible("cancelled") == []
