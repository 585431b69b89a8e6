"""Do it once: the answer to a request key is stored in the same transaction as its effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto import ring, sealing
from polyclinic.core.crypto.problems import KeyErased
from polyclinic.core.db import CompiledQuery, InsertStatement, transactional
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.models import IdempotencyRecord

MAX_KEY = 255
_answered = CompiledQuery(
    lambda caller, key: IdempotencyRecord.objects.filter(caller=caller, key=key, status__isnull=False).values_list(
        "fingerprint", "status", "answer"
    ),
    "marker-caller",
    "marker-key",
)
_insert = InsertStatement(IdempotencyRecord, "caller", "key", "fingerprint", "status", "answer", "at")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is stored and given again: a status, a body, and whether this is the repetition.

    `patient_id` is whom the body is about: it is stored sealed with that patient's key, else with the answers' own.
    """

    status: int
    body: str
    replayed: bool = False
    patient_id: UUID | None = None


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
    # Joined to a caller's transaction, a failed effect must take its claim on the key back with it.
    joined = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with joined:
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
        _insert.run(caller, key, print_, answer.status, _sealed(caller, key, answer), clock.now())
        return answer
    # Claim the key before the effect: a twin then blocks on the unique index until we commit.
    _insert.run(caller, key, print_, None, "", clock.now())
    answer = effect()
    IdempotencyRecord.objects.filter(caller=caller, key=key).update(
        status=answer.status, answer=_sealed(caller, key, answer)
    )
    return answer


def _sealed(caller: str, key: str, answer: Answer) -> str:
    owner = ring.purpose("answers") if answer.patient_id is None else ring.patient(answer.patient_id)
    return sealing.seal(owner, _place(caller, key), answer.body)


def _place(caller: str, key: str) -> str:
    return f"core_idempotencyrecord.answer.{caller}:{key}"


def _stored(caller: str, key: str, print_: str) -> Answer | None:
    rows = _answered.rows(caller, key)
    if not rows:
        return None
    row = rows[0]
    if row[0] != print_:
        raise Invalid(
            _("This idempotency key was already used for a different request. Use a new key."),
            code="idempotency_key_reused",
            field="Idempotency-Key",
        )
    # Records live for two days: those from before answers were sealed go by themselves.
    try:
        body = sealing.open_(_place(caller, key), row[2]) if sealing.key_of(row[2]) else row[2]
    except KeyErased:
        raise NotFound() from None
    return Answer(int(row[1] or 200), body, replayed=True)


def forget_before(days: int = 2) -> int:
    """Drop records older than `days` (at least one: a client may retry for a day). Returns how many."""
    from datetime import timedelta

    with transaction.atomic():
        gone, _kinds = IdempotencyRecord.objects.filter(at__lt=clock.now() - timedelta(days=days)).delete()
    return gone
