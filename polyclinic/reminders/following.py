"""Learns from the log which times patients were given, and says so to them at once.

One short step, one transaction that holds the follower's row: it reads the log after the follower's position, writes
down each time that was agreed on, has the letter about it posted, and moves the position. Either all of that is there
after a crash or none of it; an event that is read twice finds its time written down and does nothing.

Nothing is planned ahead: which reminders are due is read from these rows and the appointments as they are at that
moment (`sending`), so a moved or cancelled appointment leaves nothing behind that could still go out.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef

from polyclinic.core import clock
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.outbox import log
from polyclinic.facilities import ruling
from polyclinic.reminders import sending
from polyclinic.reminders.models import AgreedTime, Follower
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.states import EXPECTED

# Small: on SQLite everybody who writes waits for one step.
BATCH: Final = 100
_AGREED: Final = frozenset({"appointment.booked", "appointment.rescheduled"})


class _Told(msgspec.Struct, rename="camel"):
    """What of an event says which time was agreed on."""

    appointment_id: UUID
    starts: datetime


_decode: Final = msgspec.json.Decoder(_Told).decode


def catch_up(seconds: float = 0.25) -> int:
    """Read on until the log's end or until the time is over. Returns how many times were written down."""
    until, found = time.monotonic() + seconds, 0
    log.assign_positions()
    # Looked at before it is held: most of the time there is nothing to write, and writers have a lock to wait for.
    while log.head() != Follower.objects.values_list("position", flat=True).first():
        read, more = _step()
        found += more
        if not read or time.monotonic() >= until:
            break
    return found


@transactional
def _step() -> tuple[int, int]:
    """Read a batch. Returns how many events it had and how many times were new."""
    lock_keys(["reminders-follower"])
    mine = Follower.objects.first()
    if mine is None or log.oldest() > mine.position + 1 > 1:
        # The first time, or events that nobody has read are no longer kept: what is booked now is what was agreed on.
        return 0, _begin(mine)
    events = log.read_after(mine.position, BATCH)
    if not events:
        return 0, 0
    told = [(event.at, _decode(event.payload)) for event in events if event.type in _AGREED]
    found = _write({(one.appointment_id, one.starts): at for at, one in told}) if told else 0
    Follower.objects.filter(pk=mine.pk).update(position=events[-1].position)
    return len(events), found


def _begin(mine: Follower | None) -> int:
    """Take every appointment to come as agreed on now: nobody is written to about what they have known for long."""
    position, now = log.head(), clock.now()
    if mine is None:
        Follower.objects.create(position=position)
    else:
        Follower.objects.filter(pk=mine.pk).update(position=position)
    known = AgreedTime.objects.filter(appointment_id=OuterRef("pk"), starts=OuterRef("starts"))
    coming = Appointment.objects.filter(state__in=EXPECTED, starts__gt=now).exclude(Exists(known))
    rows = [AgreedTime(appointment_id=key, starts=starts, since=now) for key, starts in
            coming.order_by("pk").values_list("pk", "starts")]  # fmt: skip
    AgreedTime.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _write(agreed: dict[tuple[UUID, datetime], datetime]) -> int:
    """Write down these times, if they still hold, and have the patients written to about the new ones."""
    now = clock.now()
    rows = Appointment.objects.filter(pk__in={key for key, _starts in agreed}, state__in=EXPECTED, starts__gt=now)
    rows = rows.select_related("facility", "patient").order_by("pk")
    # One that was moved on meanwhile has a later event, which stands in this batch or in one to come.
    coming = [row for row in rows if (row.pk, row.starts) in agreed]
    known = {(one.appointment_id, one.starts): one for one in
             AgreedTime.objects.filter(appointment_id__in=[row.pk for row in coming])}  # fmt: skip
    new = []
    for row in coming:
        since = agreed[row.pk, row.starts]
        before = known.get((row.pk, row.starts))
        if before is not None and before.since >= since:
            continue
        if before is not None:
            # Moved away and back again: what was said and sent about it the first time is over.
            before.delete()
        new.append(AgreedTime(appointment=row, starts=row.starts, since=since))
    AgreedTime.objects.bulk_create(new)
    sending.hand_on([one for one in new if "booking" in ruling.value(one.appointment.facility, "reminders", now)],
                    "booking")  # fmt: skip
    return len(new)
