"""The write door of scheduling: holding, booking, moving an appointment and taking it through its states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import CompiledQuery, InsertStatement, transactional
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.core.outbox import log
from polyclinic.people.models import Doctor, Patient
from polyclinic.scheduling import frames, problems, reserving
from polyclinic.scheduling.events import AvailabilityChanged, PatientAttached
from polyclinic.scheduling.frames import Frame
from polyclinic.scheduling.models import Appointment, CareLink, Hold, Reservation
from polyclinic.scheduling.problems import SlotTaken, alternatives
from polyclinic.scheduling.reserving import Place
from polyclinic.scheduling.states import APPOINTMENT, CANCELLED, DECLINED, subject_of

HOLD_TIME = timedelta(minutes=5)
MAX_EXTENSIONS = 2
MAX_REASON = 200
STEPS = ("confirm", "decline", "cancel", "check_in", "complete", "no_show")

P = ParamSpec("P")
R = TypeVar("R")

_APPOINTMENT_FIELDS = (
    "id", "patient", "doctor", "facility", "schedule", "room", "service", "state", "version", "starts", "ends",
    "reason", "booked_by", "booked_at", "rescheduled", "attention",
)  # fmt: skip
_APPOINTMENT_ATTRIBUTES = tuple(Appointment._meta.get_field(name).attname for name in _APPOINTMENT_FIELDS)  # type: ignore[union-attr]
_insert_appointment = InsertStatement(Appointment, *_APPOINTMENT_FIELDS)
_insert_link = InsertStatement(CareLink, "doctor", "patient", "since")
_link = CompiledQuery(
    lambda doctor, patient: CareLink.objects.filter(doctor_id=doctor, patient_id=patient).values_list("pk"),
    new_id(),
    new_id(),
)
_came_to = CompiledQuery(
    lambda place, patient: Appointment.objects.filter(facility_id=place, patient_id=patient).values_list("pk")[:1],
    new_id(),
    new_id(),
)
_patient = CompiledQuery(lambda pk: Patient.objects.filter(pk=pk).values_list("pk"), new_id())


def _offering(function: Callable[P, R]) -> Callable[P, R]:
    """A refused time comes with free ones, looked up after the transaction has gone."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with alternatives():
            return function(*args, **kwargs)

    return run


@_offering
@transactional
def hold(*, actor: Actor, schedule_id: UUID, starts: datetime, service_id: UUID | None = None) -> Hold:
    """Keep a slot for five minutes while its taker confirms. Replaces the holds this actor had.

    Raises NotFound, Forbidden, Invalid (the time), SlotTaken.
    """
    wanted = reserving.place(actor, _frame(schedule_id), starts, service_id)
    subject = wanted.subject(_own_patient(actor))
    policy.require(actor, "appointment.hold", subject)
    for old in Hold.objects.filter(holder=actor.label):
        _end_hold(actor, old, "hold.replace")
    made = Hold(
        schedule_id=schedule_id,
        doctor_id=wanted.frame.doctor_id,
        service_id=service_id,
        holder=actor.label,
        starts=wanted.starts,
        ends=wanted.ends,
        expires_at=clock.now() + HOLD_TIME,
    )
    reserving.reserve(actor, wanted, None, hold_id=made.pk)
    made.save(force_insert=True)
    ledger.record(
        actor=actor, action="hold.make", row=made, subject=subject, event=_availability(wanted.frame, made.starts)
    )
    return made


@transactional
def extend_hold(*, actor: Actor, hold_id: UUID) -> Hold:
    """Five more minutes, at most twice. Raises NotFound for another's hold, Conflict (hold_expired, hold_limit)."""
    kept = _own_hold(actor, hold_id)
    if kept.expires_at <= clock.now():
        raise Conflict(_("The time was kept for five minutes and is free again."), code="hold_expired")
    if kept.extended >= MAX_EXTENSIONS:
        raise Conflict(_("This time cannot be kept any longer. Please book it now."), code="hold_limit")
    kept.expires_at, kept.extended = clock.now() + HOLD_TIME, kept.extended + 1
    Hold.objects.filter(pk=kept.pk).update(expires_at=kept.expires_at, extended=kept.extended)
    ledger.record(actor=actor, action="hold.extend", row=kept, subject=_hold_subject(actor, kept))
    return kept


@transactional
def release_hold(*, actor: Actor, hold_id: UUID) -> None:
    """Give a kept slot back. Raises NotFound for another's hold."""
    _end_hold(actor, _own_hold(actor, hold_id), "hold.release")


@_offering
@transactional
def book(
    *,
    actor: Actor,
    patient_id: UUID,
    schedule_id: UUID | None = None,
    starts: datetime | None = None,
    service_id: UUID | None = None,
    hold_id: UUID | None = None,
    reason: str = "",
) -> Appointment:
    """Book a slot for a patient, by time or by a hold of the actor's own. The first one puts the patient in the
    doctor's list.

    Raises NotFound (foreign or missing alike), Forbidden, Invalid (naming the field), SlotTaken, PatientBusy.
    """
    if hold_id is not None:
        kept = _own_hold(actor, hold_id)
        schedule_id, starts, service_id = kept.schedule_id, kept.starts, kept.service_id
        # An expired hold is no reason to refuse what is still free: the time itself decides below.
        reserving.drop_holds({kept.pk})
    if schedule_id is None:
        raise Invalid(_("Choose a doctor and a place."), code="required", field="scheduleId")
    if starts is None:
        raise Invalid(_("Choose a time."), code="required", field="starts")
    if len(reason) > MAX_REASON:
        raise Invalid(_("Please keep the reason under 200 characters."), code="too_long", field="reason")
    frame = _frame(schedule_id)
    _require_bookable_patient(actor, patient_id, frame)
    wanted = reserving.place(actor, frame, starts, service_id)
    made = Appointment(
        patient_id=patient_id,
        doctor_id=frame.doctor_id,
        facility=frame.facility,
        schedule_id=schedule_id,
        room_id=frame.room_id,
        service_id=service_id,
        starts=wanted.starts,
        ends=wanted.ends,
        reason=reason.strip(),
        booked_by=actor.label,
    )

    def insert() -> None:
        # Foreign keys are looked at on commit: the time is taken first, so a refusal leaves nothing behind.
        reserving.reserve(actor, wanted, patient_id, appointment_id=made.pk)
        _insert_appointment.run(*[getattr(made, name) for name in _APPOINTMENT_ATTRIBUTES])

    ledger.create(APPOINTMENT, "book", made, actor=actor, insert=insert)
    _attach(actor, made)
    log.append(_availability(frame, made.starts))
    return made


@_offering
@transactional
def reschedule(
    *,
    actor: Actor,
    appointment_id: UUID,
    starts: datetime,
    schedule_id: UUID | None = None,
    version: int | None = None,
) -> Appointment:
    """Move an appointment to another slot of the same doctor; it keeps its id and waits for confirmation again.

    The old slot is given up in the transaction that takes the new one, so a failed move leaves everything as it was.
    Raises NotFound, Forbidden, Invalid (same_time, other_doctor, the time), IllegalTransition, StaleEdit, SlotTaken.
    """
    row = _appointment(actor, appointment_id)
    _require_possible(row, "reschedule")
    frame = _frame(schedule_id or row.schedule_id)
    if frame.doctor_id != row.doctor_id:
        raise Invalid(
            _("An appointment moves with its doctor. Book a new one instead."), code="other_doctor", field="scheduleId"
        )
    if reserving.moment(starts) == row.starts and frame.schedule_id == row.schedule_id:
        raise Invalid(_("This is the time it already has."), code="same_time", field="starts")
    wanted = reserving.place(actor, frame, starts, row.service_id)
    policy.require(actor, "appointment.reschedule", wanted.subject(row.patient_id))
    old = AvailabilityChanged(
        doctor_id=row.doctor_id, facility_id=row.facility_id, day=_day(row.starts, row.facility.time_zone)
    )
    Reservation.objects.filter(appointment_id=row.pk).delete()
    reserving.reserve(actor, wanted, row.patient_id, appointment_id=row.pk)
    changes: dict[str, object] = {
        "starts": wanted.starts,
        "ends": wanted.ends,
        "schedule_id": frame.schedule_id,
        "facility_id": frame.facility_id,
        "room_id": frame.room_id,
        "rescheduled": row.rescheduled + 1,
        "attention": "",
    }
    ledger.apply(APPOINTMENT, "reschedule", row, actor=actor, version=version, changes=changes)
    new = _availability(frame, wanted.starts)
    for told in [old] if old == new else [old, new]:
        log.append(told)
    return row


@transactional
def take(
    *, actor: Actor, appointment_id: UUID, action: str, version: int | None = None, reason: str = ""
) -> Appointment:
    """Take an appointment one step: confirm, decline, cancel, check_in, complete or no_show.

    Cancelling and declining free the slot. Raises NotFound, Forbidden, IllegalTransition, StaleEdit, or what the
    step's guard raises.
    """
    if action not in STEPS:
        raise Invalid(_("There is no such step."), code="unknown_action", field="action", possible=list(STEPS))
    if len(reason) > MAX_REASON:
        raise Invalid(_("Please keep the reason under 200 characters."), code="too_long", field="reason")
    return step(actor, _appointment(actor, appointment_id), action, version=version, reason=reason)


def step(actor: Actor, row: Appointment, action: str, *, version: int | None = None, reason: str = "") -> Appointment:
    """The step itself, for a row already loaded with its facility in the running transaction."""
    ledger.apply(APPOINTMENT, action, row, actor=actor, version=version, changes={"attention": ""}, reason=reason)
    if row.state in (CANCELLED, DECLINED):
        Reservation.objects.filter(appointment_id=row.pk).delete()
        log.append(
            AvailabilityChanged(
                doctor_id=row.doctor_id, facility_id=row.facility_id, day=_day(row.starts, row.facility.time_zone)
            )
        )
    return row


@transactional
def mark_patients_seen(*, actor: Actor, doctor_id: UUID) -> int:
    """The doctor has looked at the list: nobody in it is new any more. Returns how many were."""
    subject = Subject(doctor_id=doctor_id)
    policy.require_sight(actor, "patient.list", subject)
    seen = CareLink.objects.filter(doctor_id=doctor_id, seen_at__isnull=True).update(seen_at=clock.now())
    if seen:
        ledger.record(
            actor=actor, action="patients.seen", row=Doctor(pk=doctor_id), subject=subject, detail={"count": seen}
        )
    return seen


@transactional
def sweep_holds(*, actor: Actor) -> int:
    """Free what expired holds still keep, so that watchers hear of it. Returns how many went."""
    policy.require(actor, "appointment.hold", Subject())
    expired = list(Hold.objects.filter(expires_at__lte=clock.now()).select_related("schedule__facility")[:500])
    for old in expired:
        _end_hold(actor, old, "hold.expire")
    return len(expired)


def _frame(schedule_id: UUID) -> Frame:
    found = frames.frame(schedule_id)
    if found is None:
        raise NotFound(field="scheduleId")
    return found


def _appointment(actor: Actor, appointment_id: UUID) -> Appointment:
    row = Appointment.objects.select_related("facility").filter(pk=appointment_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "appointment.view", subject_of(row))
    return row


def _require_possible(row: Appointment, action: str) -> None:
    """Say at once that a cancelled or past appointment cannot move, before its new time is even looked at."""
    if (row.state, action) not in APPOINTMENT.table:
        raise IllegalTransition(state=row.state, action=action, possible=APPOINTMENT.possible(row.state))


def _own_patient(actor: Actor) -> UUID | None:
    return actor.patient_id if isinstance(actor, Person) else None


def _require_bookable_patient(actor: Actor, patient_id: UUID, frame: Frame) -> None:
    """Whom this actor may book for: oneself; a doctor's or facility's known patient; someone new to every place.

    Anyone else is answered as missing, since an id alone must not bring up a stranger's name.
    """
    if not isinstance(actor, Person | SystemActor):
        raise Unauthenticated()
    if isinstance(actor, Person) and actor.patient_id == patient_id:
        return
    if isinstance(actor, Person) and not (actor.doctor_id or actor.facilities("receptionist")):
        raise NotFound(field="patientId")
    if not _patient.rows(patient_id):
        raise NotFound(field="patientId")
    if isinstance(actor, SystemActor):
        return
    subject = Subject(patient_id, frame.doctor_id, frame.facility_id)
    if not policy.allowed(actor, "appointment.book", subject):
        known = _known_to(actor, patient_id)
        raise Forbidden() if known else NotFound(field="patientId")
    if _known_to(actor, patient_id):
        return
    fresh = not Appointment.objects.filter(patient_id=patient_id).exists()
    if not (fresh and frame.facility_id in actor.facilities("receptionist")):
        raise NotFound(field="patientId")


def _known_to(actor: Person, patient_id: UUID) -> bool:
    if actor.doctor_id and _link.rows(actor.doctor_id, patient_id):
        return True
    places = actor.facilities("receptionist")
    return any(_came_to.rows(place, patient_id) for place in places)


def _attach(actor: Actor, made: Appointment) -> None:
    """Put the patient in the doctor's list at the first booking. The patient's lock makes this first one sure."""
    if _link.rows(made.doctor_id, made.patient_id):
        return
    _insert_link.run(made.doctor_id, made.patient_id, clock.now())
    log.append(PatientAttached(doctor_id=made.doctor_id, patient_id=made.patient_id, appointment_id=made.pk))


def _own_hold(actor: Actor, hold_id: UUID) -> Hold:
    found = Hold.objects.filter(pk=hold_id, holder=actor.label).select_related("schedule__facility").first()
    if found is None:
        raise NotFound(field="holdId")
    return found


def _end_hold(actor: Actor, old: Hold, action: str) -> None:
    reserving.drop_holds({old.pk})
    place = old.schedule.facility
    event = AvailabilityChanged(doctor_id=old.doctor_id, facility_id=place.pk, day=_day(old.starts, place.time_zone))
    ledger.record(actor=actor, action=action, row=old, subject=_hold_subject(actor, old), event=event)


def _hold_subject(actor: Actor, row: Hold) -> Subject:
    return Subject(_own_patient(actor), row.doctor_id, row.schedule.facility_id)


def _availability(frame: Frame, starts: datetime) -> AvailabilityChanged:
    return AvailabilityChanged(
        doctor_id=frame.doctor_id, facility_id=frame.facility_id, day=_day(starts, frame.time_zone)
    )


def _day(starts: datetime, zone: str) -> str:
    """The day in the facility's calendar, as ISO 8601."""
    return starts.astimezone(ZoneInfo(zone)).date().isoformat()


__all__ = [
    "Place", "SlotTaken", "book", "extend_hold", "hold", "mark_patients_seen", "problems", "release_hold",
    "reschedule", "sweep_holds", "take",
]  # fmt: skip
