"""Telling people, and marking what they have read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import F

from polyclinic.core import clock
from polyclinic.core.access import changes
from polyclinic.core.actors import Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import NotFound
from polyclinic.core.outbox import log
from polyclinic.notify.events import NoticeCreated, NoticeRead
from polyclinic.notify.kinds import KINDS
from polyclinic.notify.models import Delivery, Inbox, Notice
from polyclinic.people.models import Account


@transactional
def tell(
    account_id: UUID, kind: str, *, detail: Mapping[str, str] | None = None, mail: bool = True, to: str = ""
) -> None:
    """Leave a notice for an account, in the caller's transaction; with `mail` also a mail, sent after the commit.

    `detail` fills the sentence of the kind and must hold nothing about health. `to`: another address than the
    account's own, such as the one it had until now. Raises KeyError for a kind without a row in `kinds`.
    """
    KINDS[kind]
    account = Account.objects.filter(pk=account_id).values_list("email", "language", "is_active").first()
    if account is None:
        return
    told = dict(detail or {})
    notice = Notice.objects.create(account_id=account_id, kind=kind, detail=told)
    unread, seq = _count(account_id, 1)
    log.append(NoticeCreated(account_id=account_id, unread=unread, revision=seq, notice_id=notice.pk))
    if mail and account[2]:
        Delivery.objects.create(kind=kind, to=to or account[0], language=account[1], detail=told)


@transactional
def post(kind: str, to: str, *, language: str = "", detail: Mapping[str, str] | None = None) -> None:
    """Have a letter (`letters`) mailed to an address after the commit, whether or not anyone has an account there."""
    Delivery.objects.create(kind=kind, to=to, language=language, detail=dict(detail or {}))


@transactional
def post_each(kind: str, letters: Iterable[tuple[str, str, Mapping[str, str]]]) -> None:
    """Have one letter mailed to each of (address, language, detail), written down in one go."""
    Delivery.objects.bulk_create(
        [Delivery(kind=kind, to=to, language=language, detail=dict(detail)) for to, language, detail in letters]
    )


@transactional
def mark_read(*, actor: Person, notice_id: UUID | None = None) -> int:
    """Mark one of one's own notices as read, or all of them. Returns how many were unread.

    Raises NotFound for a notice that is not the actor's. Reading one's own notices leaves no audit entry.
    """
    mine = Notice.objects.filter(account_id=actor.account_id)
    if notice_id is not None:
        mine = mine.filter(pk=notice_id)
        if not mine.exists():
            raise NotFound()
    changed = mine.filter(read_at__isnull=True).update(read_at=clock.now())
    if changed:
        unread, seq = _count(actor.account_id, -changed)
        log.append(NoticeRead(account_id=actor.account_id, unread=unread, revision=seq))
    return changed


def _count(account_id: UUID, more: int) -> tuple[int, int]:
    """Move an account's counter. Returns what is unread now and the number of this event."""
    lock_keys([f"inbox:{account_id}"])
    Inbox.objects.get_or_create(pk=account_id)
    Inbox.objects.filter(pk=account_id).update(unread=F("unread") + more, seq=F("seq") + 1)
    unread, seq = Inbox.objects.values_list("unread", "seq").get(pk=account_id)
    # The number stands beside the person's name on every page, and who they are is remembered for two seconds.
    changes.tell(account_id)
    return unread, seq
