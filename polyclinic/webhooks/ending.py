"""When a message is given up: it is set aside for a person, and a webhook that takes nothing is switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q

from polyclinic.core import clock, ledger
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import SystemActor
from polyclinic.core.outbox import log
from polyclinic.facilities.models import Membership
from polyclinic.notify.actions import tell
from polyclinic.webhooks import topics
from polyclinic.webhooks.actions import told
from polyclinic.webhooks.models import Message, Webhook
from polyclinic.webhooks.states import ACTIVE, WEBHOOK

_SYSTEM: Final = SystemActor("webhooks")
# What was delivered can be looked up and sent again for a week, what was given up for a month.
KEPT: Final = timedelta(days=7)
KEPT_DEAD: Final = timedelta(days=30)
_AT_A_TIME: Final = 1_000


def tell_of_answer(message: Message) -> None:
    """Say on open pages what became of a test, or of what somebody has replayed; of all else nobody is told."""
    if message.type == topics.TEST or message.version > 1:
        _announce(message)


def gave_up(row: Webhook, message: Message, *, gone: bool) -> None:
    """A message has just been set aside, in the caller's transaction."""
    _announce(message)
    if message.type == topics.TEST or row.state != ACTIVE:
        return
    nothing_since = message.tried_at is not None and (row.last_ok_at is None or row.last_ok_at < message.tried_at)
    if gone or nothing_since:
        ledger.apply(WEBHOOK, "disable", row, actor=_SYSTEM)
        _tell(row, "webhook_disabled")
    elif Message.objects.filter(webhook=row, progress="dead").exclude(type=topics.TEST).count() == 1:
        # Once: while there is one to look at, the next is found beside it.
        _tell(row, "webhook_dead")


def forget_old() -> int:
    """Forget what is done with and its days are over. Returns how many."""
    now = clock.now()
    over = Q(progress__in=("sent", "discarded"), done_at__lt=now - KEPT) | Q(
        progress="dead", done_at__lt=now - KEPT_DEAD
    )
    old = Message.objects.filter(over, at__lt=now - KEPT).order_by("at").values_list("pk", flat=True)[:_AT_A_TIME]
    gone, _kinds = Message.objects.filter(pk__in=list(old)).delete()
    return gone


def _announce(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(version=F("version") + 1)
    message.refresh_from_db(fields=["version", "progress"])
    log.append(told(message))


def _tell(row: Webhook, kind: str) -> None:
    """Whoever registered it and the administrators of the house."""
    held = Membership.objects.filter(facility_id=row.facility_id, role=Role.ADMIN, account__is_active=True)
    working = held.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=clock.now()))
    who: list[UUID] = [row.made_by_id, *working.order_by("started_at", "pk").values_list("account_id", flat=True)]
    for account_id in dict.fromkeys(who):
        tell(account_id, kind, detail={"name": row.name})
