"""Reading one's own notices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from polyclinic.core import clock
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.db import CompiledQuery
from polyclinic.core.ids import new_id
from polyclinic.notify.kinds import KINDS, words
from polyclinic.notify.models import Delivery, Inbox, Notice

KEPT_SHOWN = 200
_unread = CompiledQuery(lambda pk: Inbox.objects.filter(pk=pk).values_list("unread"), new_id())


class NoticeRow(msgspec.Struct, frozen=True, rename="camel"):
    """A notice as its person reads it; `link` is the page that says more."""

    id: UUID
    kind: str
    title: str
    sentence: str
    link: str
    at: datetime
    read_at: datetime | None


def notices(viewer: Viewer) -> list[NoticeRow]:
    """The viewer's own notices, newest first, at most 200. Someone not signed in has none."""
    if not isinstance(viewer, Person):
        return []
    rows = Notice.objects.filter(account_id=viewer.account_id).order_by("-at", "-pk")[:KEPT_SHOWN]
    return [_row(row) for row in rows]


def unread(viewer: Viewer) -> int:
    """How many of the viewer's notices are unread. One keyed read: every page asks."""
    if not isinstance(viewer, Person):
        return 0
    rows = _unread.rows(viewer.account_id)
    return int(rows[0][0]) if rows else 0


def _row(row: Notice) -> NoticeRow:
    title, sentence = words(row.kind, row.detail)
    link = KINDS[row.kind].link if row.kind in KINDS else "/account/notices"
    return NoticeRow(row.pk, row.kind, title, sentence, link, row.at, row.read_at)


class Queue(msgspec.Struct, frozen=True, rename="camel"):
    """How many mails wait or could not be sent, and for how many seconds the oldest has been due."""

    waiting: int
    failed: int
    oldest_wait: int


def queue() -> Queue:
    """How the mails stand, of nobody in particular."""
    now = clock.now()
    oldest = Delivery.objects.filter(state="waiting", next_at__lte=now).order_by("next_at").first()
    return Queue(
        Delivery.objects.filter(state="waiting").count(), Delivery.objects.filter(state="failed").count(),
        int((now - oldest.next_at).total_seconds()) if oldest else 0,
    )  # fmt: skip
