"""Letters that somebody has begun: what is typed is kept every second, for them alone.

As with notes (`records.drafts`): of two windows the later one's autosaves win and the other's are refused, the first
autosave is in the audit, and drafts go when signed, when discarded, and after `KEPT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Forbidden, StaleEdit
from polyclinic.papers import bodies
from polyclinic.papers.models import LetterDraft
from polyclinic.records import sight
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject

KEPT: Final = timedelta(days=7)


@transactional
def keep(*, actor: Actor, visit_id: UUID, kind: str, fields: Mapping[str, object], version: int) -> int:
    """Keep what is typed now; `version` is that of the draft this window last kept (0: none). Returns the new one.

    Raises NotFound, Forbidden, Invalid naming the field, or StaleEdit when another window of theirs kept it later.
    """
    person, visit = _whose(actor, visit_id)
    body = bodies.write(bodies.tidy(kind, fields))
    lock_keys([f"letter-draft:{visit_id}:{kind}:{person.account_id}"])
    row = LetterDraft.objects.filter(visit_id=visit_id, kind=kind, account_id=person.account_id).first()
    if row is None:
        if version:
            raise StaleEdit(version=0)
        row = LetterDraft(account_id=person.account_id, visit=visit, patient_id=visit.patient_id, kind=kind, body=body)
        row.save(force_insert=True)
        ledger.record(
            actor=person, action="letterdraft.begin", row=row, subject=visit_subject(visit), revision=1
        )  # fmt: skip
        return 1
    if row.version != version:
        raise StaleEdit(version=row.version)
    row.body, row.saved_at, row.version = body, clock.now(), version + 1
    row.save(update_fields=["body", "saved_at", "version"])
    return row.version


@transactional
def discard(*, actor: Actor, visit_id: UUID, kind: str) -> None:
    """Throw one's own draft away. Nothing there is fine. Raises NotFound, Forbidden."""
    person, visit = _whose(actor, visit_id)
    drop(person.account_id, visit, kind, actor)


def drop(account_id: UUID, visit: Visit, kind: str, actor: Actor) -> None:
    """The letter is signed or not wanted any more; inside the caller's transaction."""
    row = LetterDraft.objects.filter(visit_id=visit.pk, kind=kind, account_id=account_id).first()
    if row is not None:
        ledger.record(
            actor=actor, action="letterdraft.end", row=row, subject=visit_subject(visit), revision=row.version + 1
        )
        row.delete()


def sweep() -> int:
    """Forget drafts that nobody has touched for `KEPT`. Returns how many."""
    gone, _kinds = LetterDraft.objects.filter(saved_at__lt=clock.now() - KEPT).delete()
    return gone


def _whose(actor: Actor, visit_id: UUID) -> tuple[Person, Visit]:
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, "letter.issue", visit_subject(visit))
    if not isinstance(actor, Person):
        raise Forbidden()
    return actor, visit
