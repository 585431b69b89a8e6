"""Drafts: what somebody types is kept every second, for them alone, and never overwrites anything.

Two things can go wrong and both are told. The same person has the form open twice: the later window's autosaves win,
and the other's are refused (StaleEdit) from then on. Somebody else has saved the note meanwhile: the draft is kept all
the same, and its saving is refused until the two have been seen side by side (`notes.save`).

A draft is nobody's reading and no part of the record, so its autosaves are not written into the audit one by one: its
first is. Drafts go when the note is saved, when discarded, and after `KEPT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Forbidden, StaleEdit
from polyclinic.records import bodies, forms, sight
from polyclinic.records.models import Draft, Note
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject

KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Kept:
    """The draft's new version, and whether the note has been saved since the draft was begun from it."""

    version: int
    stale: bool


@transactional
def keep(*, actor: Actor, visit_id: UUID, kind: str, fields: Mapping[str, object], base: int, version: int) -> Kept:
    """Keep what is typed now; `version` is that of the draft this window last kept (0: none).

    Raises NotFound, Forbidden, Invalid naming the field, or StaleEdit when another window of theirs kept it later.
    """
    person, visit = _whose(actor, visit_id)
    body = forms.read(kind, fields)
    lock_keys([f"draft:{visit_id}:{kind}:{person.account_id}"])
    row = Draft.objects.filter(visit_id=visit_id, kind=kind, account_id=person.account_id).first()
    if row is None:
        if version:
            raise StaleEdit(version=0)
        return Kept(_first(person, visit, kind, body, base), _saved(visit_id, kind) != base)
    if row.version != version:
        raise StaleEdit(version=row.version)
    row.body, row.base, row.saved_at = bodies.write(body), base, clock.now()
    row.version += 1
    row.save(update_fields=["body", "base", "saved_at", "version"])
    return Kept(row.version, _saved(visit_id, kind) != base)


def _saved(visit_id: UUID, kind: str) -> int:
    """The note's version as it stands, 0 for none."""
    return Note.objects.filter(visit_id=visit_id, kind=kind).values_list("version", flat=True).first() or 0


def _first(person: Person, visit: Visit, kind: str, body: dict[str, str], base: int) -> int:
    row = Draft(account_id=person.account_id, visit=visit, patient_id=visit.patient_id, kind=kind, base=base)
    row.body = bodies.write(body)
    row.save(force_insert=True)
    ledger.record(actor=person, action="draft.begin", row=row, subject=visit_subject(visit), revision=1)
    return 1


@transactional
def discard(*, actor: Actor, visit_id: UUID, kind: str) -> None:
    """Throw one's own draft away. Nothing there is fine. Raises NotFound, Forbidden."""
    person, visit = _whose(actor, visit_id)
    drop(person.account_id, visit, kind, actor)


def drop(account_id: UUID, visit: Visit, kind: str, actor: Actor) -> None:
    """The draft is saved or not wanted any more; inside the caller's transaction."""
    row = Draft.objects.filter(visit_id=visit.pk, kind=kind, account_id=account_id).first()
    if row is not None:
        ledger.record(actor=actor, action="draft.end", row=row, subject=visit_subject(visit), revision=row.version + 1)
        row.delete()


def sweep() -> int:
    """Forget drafts that nobody has touched for `KEPT`. Returns how many."""
    gone, _kinds = Draft.objects.filter(saved_at__lt=clock.now() - KEPT).delete()
    return gone


def _whose(actor: Actor, visit_id: UUID) -> tuple[Person, Visit]:
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, "note.write", visit_subject(visit))
    if not isinstance(actor, Person):
        raise Forbidden()
    return actor, visit
