"""Places in queues: they follow the visit from stage to stage, and staff call, hold and skip them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.core.outbox.events import Event
from polyclinic.visits import fairness, waits
from polyclinic.visits.events import QueueMoved
from polyclinic.visits.models import Counter, QueueEntry, Visit
from polyclinic.visits.states import LINE_OF, QUEUE, entry_subject

STEPS = ("call", "recall", "serve", "hold", "resume", "skip", "no_show")
# The queue follows a visit's step by this hand: whoever paid or checked has no need of a right over queues.
FOLLOWER = SystemActor("visit-queue")


@transactional
def take(
    *, actor: Actor, entry_id: UUID, action: str, counter_id: UUID | None = None, version: int | None = None
) -> QueueEntry:
    """Call, recall, serve, hold, resume, skip or mark as not come. Calling names the counter to come to.

    Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit: of two desks that call one token, one does.
    """
    if action not in STEPS:
        raise Invalid(_("There is no such step."), code="unknown_action", field="action", possible=list(STEPS))
    row = _entry(actor, entry_id)
    changes = _changes(row, action)
    if counter_id is not None:
        row.counter = _counter(row.facility_id, counter_id)
        changes["counter_id"] = row.counter.pk
    ledger.apply(QUEUE, action, row, actor=actor, version=version, changes=changes)
    _moved(row)
    return row


def _changes(row: QueueEntry, action: str) -> dict[str, object]:
    now = clock.now()
    match action:
        case "call":
            return {"called_at": now}
        case "recall":
            return {"recalls": row.recalls + 1}
        case "serve":
            return {"serving_at": now, "called_at": row.called_at or now}
        case "skip":
            return {"skips": row.skips + 1, "since": fairness.after_skip(row.since, now)}
    return {}


def follow(visit: Visit) -> None:
    """The visit has taken a step: its place in the old queue is over, and it joins the queue of its stage."""
    old = open_entry(visit.pk)
    line = LINE_OF.get(visit.state)
    if old is not None:
        ledger.apply(QUEUE, "end", old, actor=FOLLOWER, changes={"ended_at": clock.now()})
        _moved(old)
    if line is None:
        return
    now = clock.now()
    made = QueueEntry(
        visit=visit,
        facility_id=visit.facility_id,
        line=line,
        doctor_id=visit.main_doctor_id if line == "doctor" else None,
        service_id=visit.service_id,
        priority=visit.priority,
        enqueued_at=now,
        since=now,
    )
    made.told_until = now + timedelta(minutes=waits.of(made).most)
    ledger.create(QUEUE, "join", made, actor=FOLLOWER)
    _moved(made)


def follow_doctor(visit: Visit) -> None:
    """The visit went to another doctor: who waits for a doctor waits for that one, as long as before."""
    row = open_entry(visit.pk)
    if row is not None and row.line == "doctor" and row.doctor_id != visit.main_doctor_id:
        changes: dict[str, object] = {"doctor_id": visit.main_doctor_id, "counter_id": None, "called_at": None}
        ledger.apply(QUEUE, "transfer", row, actor=FOLLOWER, changes=changes)
        _moved(row)


def follow_priority(visit: Visit) -> None:
    """The visit's priority changed, and its place in the queue with it."""
    row = open_entry(visit.pk)
    if row is not None and row.priority != visit.priority:
        QueueEntry.objects.filter(pk=row.pk).update(priority=visit.priority)
        _moved(row)


def open_entry(visit_id: UUID) -> QueueEntry | None:
    """Where this visit waits now."""
    return QueueEntry.objects.select_related("visit", "counter").filter(visit_id=visit_id, ended_at=None).first()


def tell(event: Event) -> None:
    """Announce a change of a visit that is no step of its machine."""
    log.append(event)


def _entry(actor: Actor, entry_id: UUID) -> QueueEntry:
    row = QueueEntry.objects.select_related("visit", "counter").filter(pk=entry_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "visit.view", entry_subject(row))
    return row


def _counter(facility_id: UUID, counter_id: UUID) -> Counter:
    found = Counter.objects.filter(pk=counter_id, facility_id=facility_id, ended_at__isnull=True).first()
    if found is None:
        raise NotFound(field="counterId")
    return found


def _moved(row: QueueEntry) -> None:
    """Those without an account hear that this queue moved; while somebody is called, that is what they wait for."""
    log.append(QueueMoved(facility_id=row.facility_id, line=row.line))
