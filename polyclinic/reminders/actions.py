"""The verbs: say that one comes, cancel by the link of a reminder, choose one's reminders, open and end a calendar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem, StaleEdit, Unauthenticated
from polyclinic.facilities.reminding import OFFSETS, in_order
from polyclinic.people.models import Account
from polyclinic.reminders import events, links
from polyclinic.reminders.models import AgreedTime, CalendarFeed, ReminderChoice
from polyclinic.scheduling import actions as scheduling
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.states import EXPECTED, subject_of

# Whoever has the link has the mailbox that the reminder went to. It may say that the patient comes and cancel, within
# the house's notice like the patient, and nothing else.
_DOOR: Final = SystemActor("reminder-link", via="link")


class LinkOver(Problem):
    """A link of ours about an appointment that was moved or cancelled, or that has begun."""

    status = 410
    code = "link_over"
    sentence = _("The time that this link is about no longer holds: it was moved or cancelled, or has begun.")


@transactional
def come(*, actor: Actor, appointment_id: UUID) -> bool:
    """The patient says that they will come. False when that was said before.

    Raises NotFound, Forbidden, Conflict (not_expected) for what is cancelled or has begun.
    """
    row = Appointment.objects.select_related("facility").filter(pk=appointment_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    subject = subject_of(row)
    policy.require_sight(actor, "appointment.view", subject)
    policy.require(actor, "appointment.answer", subject)
    # As cancelling and moving do: an answer and a cancellation come one after the other.
    lock_keys([row.doctor_id])
    row.refresh_from_db(fields=["state", "starts", "ends", "version"])
    if row.state not in EXPECTED or row.starts <= clock.now():
        raise Conflict(_("This appointment is not ahead of you any more."), code="not_expected")
    now = clock.now()
    agreed, _made = AgreedTime.objects.get_or_create(appointment_id=row.pk, starts=row.starts, defaults={"since": now})
    if not AgreedTime.objects.filter(pk=agreed.pk, coming_at__isnull=True).update(coming_at=now):
        return False
    agreed.coming_at = now
    ledger.record(
        actor=actor, action="appointment.answer", row=row, subject=subject, revision=row.version,
        event=events.answered(row, agreed.pk, now),
    )  # fmt: skip
    return True


def come_by_link(*, token: str) -> bool:
    """The same by the link of a reminder. Raises NotFound for no link of ours, LinkOver for one whose time is over."""
    return come(actor=_DOOR, appointment_id=by_link(token).appointment_id)


def cancel_by_link(*, token: str) -> None:
    """Cancel by the link of a reminder. Raises NotFound, LinkOver, Conflict (notice_too_short)."""
    row = by_link(token).appointment
    scheduling.take(actor=_DOOR, appointment_id=row.pk, action="cancel", version=row.version)


def by_link(token: str) -> AgreedTime:
    """The time that a link is about, with its appointment and facility. Raises NotFound, LinkOver."""
    key = links.agreed_of(token)
    found = AgreedTime.objects.select_related("appointment__facility").filter(pk=key).first() if key else None
    if key is None:
        raise NotFound()
    if found is None:
        # Written by us, and the appointment is gone with all that was about it.
        raise LinkOver()
    row = found.appointment
    if row.state not in EXPECTED or row.starts != found.starts or row.starts <= clock.now():
        raise LinkOver()
    return found


@transactional
def choose(*, actor: Actor, wanted: Iterable[str], version: int | None = None) -> ReminderChoice:
    """Which reminders the actor wants of those that houses send; none is a choice too. Raises Invalid, StaleEdit."""
    person = _oneself(actor)
    names = list(wanted)
    for name in names:
        if name not in OFFSETS:
            raise Invalid(_("There is no such reminder."), code="unknown", field="reminders", possible=list(OFFSETS))
    lock_keys([f"reminder-choice:{person.account_id}"])
    row = ReminderChoice.objects.filter(pk=person.account_id).first()
    if version is not None and version != (row.version if row else 0):
        raise StaleEdit(version=row.version if row else 0)
    if row is None:
        row = ReminderChoice(account_id=person.account_id, version=0)
    row.wanted, row.changed_at = list(in_order(names)), clock.now()
    row.version += 1
    row.save()
    ledger.record(
        actor=actor, action="reminders.choose", row=Account(pk=person.account_id), subject=Subject(),
        revision=row.version, detail={"reminders": " ".join(row.wanted)},
    )  # fmt: skip
    return row


@transactional
def open_feed(*, actor: Actor) -> CalendarFeed:
    """Give the actor's calendar an address, or another one: whoever has the old one is shown nothing any more."""
    person = _oneself(actor)
    if person.patient_id is None and person.doctor_id is None and not person.delegated:
        raise Forbidden(_("There are no appointments of yours that a calendar could show."), code="no_calendar")
    lock_keys([f"calendar:{person.account_id}"])
    CalendarFeed.objects.filter(account_id=person.account_id).delete()
    made = CalendarFeed.objects.create(account_id=person.account_id)
    ledger.record(actor=actor, action="calendar.open", row=Account(pk=person.account_id), subject=Subject())
    return made


@transactional
def end_feed(*, actor: Actor) -> None:
    """Take the address away. Where there is none nothing happens."""
    person = _oneself(actor)
    lock_keys([f"calendar:{person.account_id}"])
    gone, _kinds = CalendarFeed.objects.filter(account_id=person.account_id).delete()
    if gone:
        ledger.record(actor=actor, action="calendar.end", row=Account(pk=person.account_id), subject=Subject())


def _oneself(actor: Actor) -> Person:
    """Only oneself: neither a program nor who looks through another's eyes."""
    if not isinstance(actor, Person):
        raise Unauthenticated()
    if actor.seen_by is not None or actor.scopes is not None:
        raise Forbidden()
    return actor
