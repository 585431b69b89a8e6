"""The write door of visits: opening one, taking it through its stages, and ending it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.people import joined
from polyclinic.people.models import Patient
from polyclinic.scheduling import actions as scheduling
from polyclinic.visits import events, fees, known, queues, tickets, wishes
from polyclinic.visits.models import StageTime, Visit
from polyclinic.visits.states import OPEN, REGISTERED, VISIT, visit_subject
from polyclinic.visits.words import Priority

MAX_COMPLAINT = 300
MAX_WHY = 80
# How a visit ends at the pharmacy.
ENDINGS = ("dispense", "decline_medicine", "no_medicine")


@transactional
def register(
    *,
    actor: Actor,
    facility_id: UUID,
    patient_id: UUID,
    department_id: UUID | None = None,
    service_id: UUID | None = None,
    doctor_id: UUID | None = None,
    appointment_id: UUID | None = None,
    priority: str = "",
    priority_why: str = "",
    complaint: str = "",
) -> Visit:
    """Open a visit for a walk-in, or for a booking, which is checked in by it. Without `priority` the rules choose one.

    Raises NotFound (foreign or missing alike), Forbidden, Invalid naming the field, or Conflict when the patient has an
    open visit here (`visit_open`, with its id and token).
    """
    policy.require(actor, "visit.register", Subject(facility_id=facility_id))
    facility = Facility.objects.filter(pk=facility_id).first()
    patient = Patient.objects.filter(pk=patient_id).first()
    if facility is None or patient is None:
        raise NotFound(field="patientId" if facility else "facilityId")
    booking = wishes.booking_of(actor, appointment_id, patient_id, facility_id)
    known.require(actor, patient_id, facility_id)
    joined.require_current(patient_id)
    made = Visit(
        facility=facility,
        patient=patient,
        department=wishes.department_of(facility_id, department_id, booking),
        service=wishes.service_of(service_id or (booking.service_id if booking else None)),
        main_doctor_id=wishes.doctor_of(facility_id, doctor_id or (booking.doctor_id if booking else None)),
        appointment=booking,
        priority=wishes.priority_of(priority, patient, booking),
        priority_why=wishes.text_of(priority_why, MAX_WHY, "priorityWhy"),
        complaint=wishes.text_of(complaint, MAX_COMPLAINT, "complaint"),
        opened_by=actor.label,
    )
    tickets.number(made, facility)
    _refuse_second(made)
    ledger.create(VISIT, "register", made, actor=actor)
    known.remember(patient_id, facility_id)
    if booking is not None:
        scheduling.take(actor=actor, appointment_id=booking.pk, action="check_in")
    _enter(made)
    fees.bill(made)
    return made


@transactional
def paid(*, actor: Actor, visit_id: UUID) -> Visit:
    """The fee is settled: registered → paid. A visit that is further already stays where it is.

    Called by billing when a visit's invoice is settled. Whoever paid, it is the settling that moves the visit, so an
    actor without the right to move it does so by the cash desk's.
    """
    row = _locked(visit_id)
    if row.state != REGISTERED:
        return row
    if not policy.allowed(actor, "visit.pay", visit_subject(row)):
        actor = fees.CASH_DESK
    return _step(actor, row, "pay")


def settled(actor: Actor, visit_id: UUID) -> None:
    """Nothing is owed for this visit any more (`billing.hooks`): it goes on."""
    paid(actor=actor, visit_id=visit_id)


@transactional
def nothing_owed(*, actor: Actor, visit_id: UUID, version: int | None = None) -> Visit:
    """The desk says that nothing is owed, where the price list has nothing for the visit.

    Raises NotFound, Forbidden, IllegalTransition, StaleEdit, or Conflict (`fee_open`) while an invoice is open.
    """
    row = _visit(actor, visit_id)
    if fees.is_owed(row):
        raise Conflict(_("The fee is not settled yet. Take it or waive it first."), code="fee_open")
    return _step(actor, row, "pay", version=version)


@transactional
def waive_fee(*, actor: Actor, visit_id: UUID, reason: str, version: int | None = None) -> Visit:
    """Let the fee go, with the reason why. Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit."""
    row = _visit(actor, visit_id)
    why = wishes.reason_of(reason)
    # What is owed is let go in the books too; when nothing is owed any more, billing moves the visit on by itself.
    fees.waive(actor, row, why)
    row.refresh_from_db()
    return row if row.state != REGISTERED else _step(actor, row, "waive", version=version, reason=why)


@transactional
def check(*, actor: Actor, visit_id: UUID, version: int | None = None) -> Visit:
    """The first check is done and the doctor is next. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    return _step(actor, _visit(actor, visit_id), "check", version=version)


@transactional
def lab_ordered(*, actor: Actor, visit_id: UUID, version: int | None = None) -> Visit:
    """Tests were ordered: the laboratory is next. While tests are awaited already, nothing moves."""
    row = _visit(actor, visit_id)
    if row.state == "lab_pending":
        policy.require(actor, "visit.order_lab", visit_subject(row))
        return row
    return _step(actor, row, "order_lab", version=version)


@transactional
def results_done(*, actor: Actor, visit_id: UUID, version: int | None = None) -> Visit:
    """Every ordered test is verified or will not be made: the doctor is next."""
    return _step(actor, _visit(actor, visit_id), "results_done", version=version)


@transactional
def diagnose(*, actor: Actor, visit_id: UUID, version: int | None = None) -> Visit:
    """The doctor has diagnosed: the pharmacy is next."""
    return _step(actor, _visit(actor, visit_id), "diagnose", version=version)


@transactional
def finish(*, actor: Actor, visit_id: UUID, how: str = "dispense", version: int | None = None) -> Visit:
    """End a visit: `dispense`, `decline_medicine` or `no_medicine`. Raises as the other steps, Invalid for `how`."""
    if how not in ENDINGS:
        raise Invalid(_("Choose one of the listed values."), field="how", possible=list(ENDINGS))
    return _step(actor, _visit(actor, visit_id), how, version=version)


@transactional
def leave(*, actor: Actor, visit_id: UUID, reason: str, version: int | None = None) -> Visit:
    """The patient left before the end, and why as far as they said. Before anybody has seen them the fee falls away."""
    return _end(actor, visit_id, "leave", reason, version)


@transactional
def cancel(*, actor: Actor, visit_id: UUID, reason: str, version: int | None = None) -> Visit:
    """It was opened by mistake; possible until somebody has looked at the patient. Its fee falls away."""
    return _end(actor, visit_id, "cancel", reason, version)


def _end(actor: Actor, visit_id: UUID, action: str, reason: str, version: int | None) -> Visit:
    # First of all, as a payment does: whoever waits here for a payment sees the visit as that has left it.
    fees.hold(visit_id)
    row = _visit(actor, visit_id)
    _step(actor, row, action, version=version, reason=wishes.reason_of(reason))
    fees.let_go(row)
    return row


@transactional
def transfer(
    *,
    actor: Actor,
    visit_id: UUID,
    department_id: UUID | None = None,
    doctor_id: UUID | None = None,
    version: int | None = None,
) -> Visit:
    """Send an open visit to another department or doctor of the facility; what is not given stays.

    The place in the queue keeps its waiting time. Raises NotFound, Forbidden, Invalid, Conflict, StaleEdit.
    """
    row = _visit(actor, visit_id)
    if row.state not in OPEN:
        raise Conflict(_("This visit is over."), code="visit_over")
    fields: dict[str, object] = {}
    if department_id is not None:
        department = wishes.department_of(row.facility_id, department_id, None)
        fields["department_id"] = department.pk if department else None
    if doctor_id is not None:
        fields["main_doctor_id"] = wishes.doctor_of(row.facility_id, doctor_id)
    if not fields:
        raise Invalid(_("Choose a department or a doctor."), code="required", field="doctorId")
    ledger.change(
        row, fields, permission="visit.queue", subject=visit_subject(row), actor=actor, action="visit.transfer",
        version=version,
    )  # fmt: skip
    # The event tells the version that the row has after the change.
    queues.tell(events.VisitTransferred.of(row))
    queues.follow_doctor(row)
    return row


@transactional
def prioritise(*, actor: Actor, visit_id: UUID, priority: str, why: str = "", version: int | None = None) -> Visit:
    """Change how soon somebody must be seen, with the reason. Raises NotFound, Forbidden, Invalid, StaleEdit."""
    row = _visit(actor, visit_id)
    if priority not in Priority.values:
        raise Invalid(_("Choose one of the listed values."), field="priority", possible=list(Priority.values))
    written = Visit._meta.get_field("priority_why")
    sealed = written.sealer().seal(row.pk, written.owner_of(row), wishes.text_of(why, MAX_WHY, "priorityWhy"))
    ledger.change(
        row, {"priority": priority, "priority_why": sealed}, permission="visit.queue", subject=visit_subject(row),
        actor=actor, action="visit.prioritise", version=version,
    )  # fmt: skip
    queues.tell(events.VisitTransferred.of(row))
    queues.follow_priority(row)
    return row


def _step(
    actor: Actor,
    row: Visit,
    action: str,
    *,
    version: int | None = None,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
) -> Visit:
    """One step of the machine, its stage times and its place in the queue, all or nothing."""
    moved: dict[str, object] = dict(changes or {})
    target = VISIT.row(row.state, action).target
    if target not in OPEN:
        moved["closed_at"] = clock.now()
    ledger.apply(VISIT, action, row, actor=actor, version=version, changes=moved, reason=reason)
    _enter(row)
    return row


def _enter(row: Visit) -> None:
    """Stop the time of the stage before and start this one's; then the queue follows."""
    now = clock.now()
    StageTime.objects.filter(visit_id=row.pk, left_at__isnull=True).update(left_at=now)
    if row.state in OPEN:
        StageTime.objects.create(visit_id=row.pk, stage=row.state, entered_at=now)
    queues.follow(row)


def _visit(actor: Actor, visit_id: UUID) -> Visit:
    row = Visit.objects.filter(pk=visit_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "visit.view", visit_subject(row))
    return row


def _locked(visit_id: UUID) -> Visit:
    row = Visit.objects.select_for_update().filter(pk=visit_id).first()
    if row is None:
        raise NotFound()
    return row


def _refuse_second(made: Visit) -> None:
    """Somebody can be here once: a second visit is nearly always a second click. The number's lock makes this sure."""
    found = Visit.objects.filter(
        facility_id=made.facility_id, patient_id=made.patient_id, closed_at__isnull=True
    ).first()
    if found is not None:
        raise Conflict(
            _("This patient has an open visit here, with the token %(token)s.") % {"token": found.token},
            code="visit_open",
            field="patientId",
            visitId=str(found.pk),
            token=found.token,
        )
