"""The write door of scheduling: booking, moving an appointment, taking it through its states; holds are in `holds`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.crypto.fields import stored
from polyclinic.core.db import InsertStatement, lock_keys, transactional
from polyclinic.core.errors import IllegalTransition, Invalid, NotFound, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.people.models import Doctor
from polyclinic.scheduling import frames, holds, known, needs, overbooking, problems, reserving
from polyclinic.scheduling.events import AvailabilityChanged
from polyclinic.scheduling.holds import extend_hold, hold, release_hold, sweep_holds
from polyclinic.scheduling.models import Appointment, CareLink, Overbooking, Reservation
from polyclinic.scheduling.problems import SlotTaken
from polyclinic.scheduling.reserving import Place
from polyclinic.scheduling.states import APPOINTMENT, subject_of

MAX_REASON = 200
FREEING = ("cancel", "decline")
STEPS = ("confirm", "decline", "cancel", "check_in", "complete", "no_show")

_APPOINTMENT_FIELDS = (
    "id", "patient", "doctor", "facility", "schedule", "room", "service", "state", "version", "starts", "ends",
    "reason", "booked_by", "booked_at", "rescheduled", "attention",
)  # fmt: skip
_APPOINTMENT_ATTRIBUTES = tuple(Appointment._meta.get_field(name).attname for name in _APPOINTMENT_FIELDS)  # type: ignore[union-attr]
_insert_appointment = InsertStatement(Appointment, *_APPOINTMENT_FIELDS)


@problems.offering
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
    overbook: str = "",
) -> Appointment:
    """Book a slot for a patient, by time or by a hold of the actor's own. The first one puts the patient in the
    doctor's list. With `overbook`, which says why, a taken time takes one extra patient (`scheduling.overbooking`).

    Raises NotFound (foreign or missing alike), Forbidden, Invalid (naming the field), SlotTaken, PatientBusy.
    """
    why = overbooking.checked(overbook) if overbook else ""
    if hold_id is not None:
        kept = holds.own(actor, hold_id)
        schedule_id, starts, service_id = kept.schedule_id, kept.starts, kept.service_id
        # An expired hold is no reason to refuse what is still free: the time itself decides below.
        reserving.drop_holds({kept.pk})
    if schedule_id is None:
        raise Invalid(_("Choose a doctor and a place."), code="required", field="scheduleId")
    if starts is None:
        raise Invalid(_("Choose a time."), code="required", field="starts")
    if len(reason) > MAX_REASON:
        raise Invalid(_("Please keep the reason under 200 characters."), code="too_long", field="reason")
    frame = frames.required(schedule_id)
    known.require_bookable(actor, patient_id, frame)
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

    extra = bool(why) and overbooking.needed(actor, wanted, patient_id)
    # What the rest needs to know is asked under the locks that taking the time needs, in the same journey if possible.
    also = [known.asking(made), *chain.asking()]
    answers: list[list[Any]] | None = None

    def insert() -> chain.Claim | None:
        nonlocal answers
        # Foreign keys are looked at on commit: the time is taken first, so a refusal leaves nothing behind.
        if extra:
            overbooking.reserve(actor, wanted, patient_id, made.pk)
        else:
            taken = reserving.reserve(actor, wanted, patient_id, appointment_id=made.pk, also=also)
            made.room_id, answers = taken.room_id, taken.answers
        _insert_appointment.run_later(*[stored(made, name) for name in _APPOINTMENT_ATTRIBUTES])
        return chain.claimed(answers[1:]) if answers else None

    if extra:
        ledger.create(APPOINTMENT, "overbook", made, actor=actor, reason=why, insert=insert)
        overbooking.note(made, why)
    else:
        ledger.create(APPOINTMENT, "book", made, actor=actor, insert=insert)
    known.attach(made, answers[0] if answers else None)
    log.append(AvailabilityChanged.at(frame.doctor_id, frame.facility_id, made.starts, frame.time_zone))
    needs.tell_others(frame.facility, service_id, frame.doctor_id, made.starts)
    return made


@problems.offering
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
    frame = frames.required(schedule_id or row.schedule_id)
    if frame.doctor_id != row.doctor_id:
        raise Invalid(
            _("An appointment moves with its doctor. Book a new one instead."), code="other_doctor", field="scheduleId"
        )
    if reserving.moment(starts) == row.starts and frame.schedule_id == row.schedule_id:
        raise Invalid(_("This is the time it already has."), code="same_time", field="starts")
    wanted = reserving.place(actor, frame, starts, row.service_id)
    policy.require(actor, "appointment.reschedule", wanted.subject(row.patient_id))
    before, moved_from = row.facility, row.starts
    old = AvailabilityChanged.at(row.doctor_id, row.facility_id, row.starts, row.facility.time_zone)
    Reservation.objects.filter(appointment_id=row.pk).delete()
    room = reserving.reserve(actor, wanted, row.patient_id, appointment_id=row.pk).room_id
    # It has a time of its own now; whoever was beside its old one has that one.
    Overbooking.objects.filter(pk=row.pk).delete()
    overbooking.move_up(row)
    changes: dict[str, object] = {
        "starts": wanted.starts,
        "ends": wanted.ends,
        "schedule_id": frame.schedule_id,
        "facility_id": frame.facility_id,
        "room_id": room,
        "rescheduled": row.rescheduled + 1,
        "attention": "",
    }
    ledger.apply(APPOINTMENT, "reschedule", row, actor=actor, version=version, changes=changes)
    new = AvailabilityChanged.at(frame.doctor_id, frame.facility_id, wanted.starts, frame.time_zone)
    for told in [old] if old == new else [old, new]:
        log.append(told)
    needs.tell_others(before, row.service_id, row.doctor_id, moved_from)
    needs.tell_others(frame.facility, row.service_id, row.doctor_id, wanted.starts)
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
    if action in FREEING:
        # Before the row, as a booking does it: two that take these in turn would wait for each other.
        lock_keys([row.doctor_id])
    ledger.apply(APPOINTMENT, action, row, actor=actor, version=version, changes={"attention": ""}, reason=reason)
    if action in FREEING:
        Reservation.objects.filter(appointment_id=row.pk).delete()
        overbooking.move_up(row)
        log.append(AvailabilityChanged.at(row.doctor_id, row.facility_id, row.starts, row.facility.time_zone))
        needs.tell_others(row.facility, row.service_id, row.doctor_id, row.starts)
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


__all__ = [
    "Place", "SlotTaken", "book", "extend_hold", "hold", "mark_patients_seen", "problems", "release_hold",
    "reschedule", "sweep_holds", "take",
]  # fmt: skip
