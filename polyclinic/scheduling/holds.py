"""Keeping a slot for a few minutes while its taker confirms."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, NotFound
from polyclinic.facilities import ruling
from polyclinic.scheduling import frames, needs, problems, reserving
from polyclinic.scheduling.events import AvailabilityChanged
from polyclinic.scheduling.models import Hold

MAX_EXTENSIONS = 2


@problems.offering
@transactional
def hold(*, actor: Actor, schedule_id: UUID, starts: datetime, service_id: UUID | None = None) -> Hold:
    """Keep a slot for some minutes (as the facility sets it) while its taker confirms. Replaces the holds they had.

    Raises NotFound, Forbidden, Invalid (the time), SlotTaken.
    """
    wanted = reserving.place(actor, frames.required(schedule_id), starts, service_id)
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
        expires_at=clock.now() + timedelta(minutes=wanted.frame.hold_minutes),
    )
    of = wanted.frame
    reserving.reserve(actor, wanted, None, hold_id=made.pk)
    made.save(force_insert=True)
    needs.tell_others(of.facility, service_id, of.doctor_id, made.starts)
    ledger.record(
        actor=actor,
        action="hold.make",
        row=made,
        subject=subject,
        event=AvailabilityChanged.at(of.doctor_id, of.facility_id, made.starts, of.time_zone),
    )
    return made


@transactional
def extend_hold(*, actor: Actor, hold_id: UUID) -> Hold:
    """As many minutes more, at most twice. Raises NotFound for another's hold, Conflict (hold_expired, hold_limit)."""
    kept = own(actor, hold_id)
    if kept.expires_at <= clock.now():
        raise Conflict(_("The time was kept for a few minutes and is free again."), code="hold_expired")
    if kept.extended >= MAX_EXTENSIONS:
        raise Conflict(_("This time cannot be kept any longer. Please book it now."), code="hold_limit")
    minutes = ruling.value(kept.schedule.facility, "hold_minutes")
    kept.expires_at, kept.extended = clock.now() + timedelta(minutes=minutes), kept.extended + 1
    Hold.objects.filter(pk=kept.pk).update(expires_at=kept.expires_at, extended=kept.extended)
    ledger.record(actor=actor, action="hold.extend", row=kept, subject=_hold_subject(actor, kept))
    return kept


@transactional
def release_hold(*, actor: Actor, hold_id: UUID) -> None:
    """Give a kept slot back. Raises NotFound for another's hold."""
    _end_hold(actor, own(actor, hold_id), "hold.release")


@transactional
def sweep_holds(*, actor: Actor) -> int:
    """Free what expired holds still keep, so that watchers hear of it. Returns how many went."""
    policy.require(actor, "appointment.hold", Subject())
    expired = list(Hold.objects.filter(expires_at__lte=clock.now()).select_related("schedule__facility")[:500])
    for old in expired:
        _end_hold(actor, old, "hold.expire")
    return len(expired)


def own(actor: Actor, hold_id: UUID) -> Hold:
    """The actor's own hold. Raises NotFound for another's."""
    found = Hold.objects.filter(pk=hold_id, holder=actor.label).select_related("schedule__facility").first()
    if found is None:
        raise NotFound(field="holdId")
    return found


def _end_hold(actor: Actor, old: Hold, action: str) -> None:
    reserving.drop_holds({old.pk})
    place = old.schedule.facility
    needs.tell_others(place, old.service_id, old.doctor_id, old.starts)
    event = AvailabilityChanged.at(old.doctor_id, place.pk, old.starts, place.time_zone)
    ledger.record(actor=actor, action=action, row=old, subject=_hold_subject(actor, old), event=event)


def _hold_subject(actor: Actor, row: Hold) -> Subject:
    return Subject(_own_patient(actor), row.doctor_id, row.schedule.facility_id)


def _own_patient(actor: Actor) -> UUID | None:
    """Whom a hold is for: the actor, or for a carer who is no patient here one of those they act for."""
    if not isinstance(actor, Person):
        return None
    return actor.patient_id or min(actor.books_for, default=None)
