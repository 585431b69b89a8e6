"""Which reminders are due, and handing each to the mail service once.

Looked for again and again in what is true at that moment, so that being late or being cut off costs nothing but time:
after a pause of the server a reminder leaves late, though never after the start, and only the nearest of several that
were missed. Only what is written down as dealt with (`Reminder`, once by constraint) is passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from polyclinic.consent.models import Delegation, Rights
from polyclinic.consent.states import ACTIVE
from polyclinic.core import clock
from polyclinic.core.db import lock_keys, transactional
from polyclinic.facilities import ruling
from polyclinic.facilities.models import Facility
from polyclinic.facilities.reminding import OFFSETS, Offsets, before, is_quiet
from polyclinic.notify import actions as notify
from polyclinic.people import joined
from polyclinic.people.models import Account, Patient
from polyclinic.reminders.models import AgreedTime, Reminder, ReminderChoice
from polyclinic.scheduling.states import EXPECTED

KIND: Final = "appointment_reminder"
_AT_A_TIME: Final = 100
_SENT, _LEFT_OUT = Reminder.State.SENT, Reminder.State.LEFT_OUT


def send_due() -> int:
    """Hand on what is due, some at a time. Returns how many reminders were dealt with. Safe from any server."""
    now, done = clock.now(), 0
    for offsets, places in _rules(now).items():
        # From the latest back: of several that are due at once the patient gets the nearest to the start.
        shorter = timedelta(0)
        for name in reversed(offsets):
            due = _due(name, places, now + shorter, now + before(name))
            if due.exists():
                done += _send(name, due)
            shorter = before(name)
    return done


def _rules(now: datetime) -> dict[Offsets, list[UUID]]:
    """The houses in which it is not quiet, by the reminders that they send before an appointment."""
    found: dict[Offsets, list[UUID]] = defaultdict(list)
    for place in Facility.objects.order_by("pk"):
        if is_quiet(ruling.value(place, "quiet_hours", now), now, ZoneInfo(place.time_zone)):
            continue
        offsets = tuple(name for name in ruling.value(place, "reminders", now) if OFFSETS[name])
        if offsets:
            found[offsets].append(place.pk)
    return found


def _due(name: str, places: list[UUID], after: datetime, until: datetime) -> QuerySet[AgreedTime]:
    """Agreed times later than `after` and by `until` of which this reminder is not dealt with."""
    dealt_with = Reminder.objects.filter(agreed_id=OuterRef("pk"), offset=OFFSETS[name])
    return AgreedTime.objects.filter(
        starts__gt=after, starts__lte=until, appointment__starts=F("starts"), appointment__state__in=EXPECTED,
        appointment__facility_id__in=places,
    ).exclude(Exists(dealt_with))  # fmt: skip


@transactional
def _send(name: str, due: QuerySet[AgreedTime]) -> int:
    # Two servers take turns; what the first dealt with the second no longer finds.
    lock_keys(["reminders-sending"])
    rows = list(due.select_related("appointment__patient").order_by("starts", "pk")[:_AT_A_TIME])
    hand_on(rows, name)
    return len(rows)


def hand_on(rows: Sequence[AgreedTime], name: str) -> None:
    """Write down that this reminder of these times is dealt with, and post it to whoever wants it.

    In the caller's transaction. Raises IntegrityError where somebody else dealt with one of them: nothing is posted.
    """
    # Agreed on when its moment was over: the patient has just heard of it.
    wanted = [one for one in rows if one.since <= one.starts - before(name) or not OFFSETS[name]]
    readers = _readers({one.appointment.patient_id for one in wanted}, name)
    dealt = [
        (Reminder(agreed=one, offset=OFFSETS[name], state=_SENT if to else _LEFT_OUT), to)
        for one in rows
        for to in [readers.get(one.appointment.patient_id, []) if one in wanted else []]
    ]
    # First of all: whoever comes second fails here, before anything is posted.
    Reminder.objects.bulk_create([row for row, _to in dealt])
    notify.post_each(KIND, [(one.email, one.language, {"reminder": str(row.pk)}) for row, to in dealt for one in to])


def _readers(patient_ids: Collection[UUID], name: str) -> dict[UUID, list[Account]]:
    """Who is written to, by patient: the patient, or, of one without an account, those who may book for them, such as
    a child's parents. Only addresses that are known to be theirs: the letter's link cancels.
    """
    moved = joined.survivors(patient_ids)
    kept = {key: moved.get(key, key) for key in patient_ids}
    own = dict(Patient.objects.filter(pk__in=kept.values()).values_list("pk", "account_id"))
    lost, now = [key for key in patient_ids if own.get(kept[key]) is None], clock.now()
    acting = Delegation.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), patient_id__in=lost, state=ACTIVE, rights=Rights.BOOK,
        carer__isnull=False,
    )  # fmt: skip
    for_whom = [(key, own[kept[key]]) for key in patient_ids if key not in lost]
    for_whom += list(acting.order_by("pk").values_list("patient_id", "carer_id")) if lost else []
    accounts = Account.objects.filter(
        pk__in={account for _patient, account in for_whom}, is_active=True, email_verified_at__isnull=False
    ).select_related("reminder_choice")
    willing = {one.pk: one for one in accounts if name in wanted_by(one)}
    found: dict[UUID, list[Account]] = defaultdict(list)
    for patient, account in for_whom:
        if account in willing:
            found[patient].append(willing[account])
    return found


def wanted_by(account: Account) -> Collection[str]:
    """Which reminders this person wants of those that a house sends."""
    choice: ReminderChoice | None = getattr(account, "reminder_choice", None)
    return OFFSETS if choice is None else choice.wanted
