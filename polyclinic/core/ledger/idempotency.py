"""Do it once: the answer to a request key is stored in the same transaction as its effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.db import InsertStatement, transactional
from polyclinic.core.errors import Invalid
from polyclinic.core.models import IdempotencyRecord

MAX_KEY = 255
_insert = InsertStatement(IdempotencyRecord, "caller", "key", "fingerprint", "status", "answer", "at")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is stored and given again: a status, a body, and whether this is the repetition."""

    status: int
    body: str
    replayed: bool = False


def fingerprint(*parts: bytes) -> str:
    """What the key stands for: method, path and body. The same key with another body is a mistake, not a retry."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def once(caller: str, key: str, print_: str, effect: Callable[[], Answer]) -> Answer:
    """Run `effect` in one transaction unless `caller` already used `key`; then give the first answer again.

    Raises Invalid (422) when the key was used for something else. A failed effect stores nothing, so it can be tried
    again under the same key. Two at once: the second waits for the first and repeats its answer.
    """
    if not 0 < len(key) <= MAX_KEY or "\0" in key:
        raise Invalid(_("The idempotency key must have 1 to 255 characters."), field="Idempotency-Key")
    try:
        return _attempt(caller, key, print_, effect)
    except IntegrityError:
        # PostgreSQL: the twin inserted the key first and has committed; its answer is there to read now.
        found = None if connection.in_atomic_block else _stored(caller, key, print_)
        if found is None:
            raise
        return found


@transactional
def _attempt(caller: str, key: str, print_: str, effect: Callable[[], Answer]) -> Answer:
    found = _stored(caller, key, print_)
    if found:
        return found
    if connection.vendor == "sqlite":
        # The write lock is held: nobody can insert this key before we commit, so one insert at the end will do.
        answer = effect()
        _insert.run(caller, key, print_, answer.status, answer.body, clock.now())
        return answer
    # Claim the key before the effect: a twin then blocks on the unique index until we commit.
    _insert.run(caller, key, print_, None, "", clock.now())
    answer = effect()
    IdempotencyRecord.objects.filter(caller=caller, key=key).update(status=answer.status, answer=answer.body)
    return answer


def _stored(caller: str, key: str, print_: str) -> Answer | None:
    row = (
        IdempotencyRecord.objects.filter(caller=caller, key=key, status__isnull=False)
        .values_list("fingerprint", "status", "answer")
        .first()
    )
    if row is None:
        return None
    if row[0] != print_:
        raise Invalid(
            _("This idempotency key was already used for a different request. Use a new key."),
            code="idempotency_key_reused",
            field="Idempotency-Key",
        )
    return Answer(int(row[1] or 200), row[2], replayed=True)


def forget_before(days: int = 2) -> int:
    """Drop records older than `days` (at least one: a client may retry for a day). Returns how many."""
    from datetime import timedelta

    with transaction.atomic():
        gone, _kinds = IdempotencyRecord.objects.filter(at__lt=clock.now() - timedelta(days=days)).delete()
    return gone
