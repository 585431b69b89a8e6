"""Saving a part of a visit's note: whoever has not seen the present wording cannot replace it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, StaleEdit
from polyclinic.records import bodies, drafts, events, forms, sight
from polyclinic.records.actions import author
from polyclinic.records.models import Note, NoteVersion
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject


@transactional
def save(*, actor: Actor, visit_id: UUID, kind: str, fields: Mapping[str, object], version: int) -> Note:
    """Save a part of the note in place of its version `version` (0: there was none yet). The actor's draft ends.

    Raises NotFound, Forbidden, Invalid naming the field, or StaleEdit with the present version.
    """
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, "note.write", visit_subject(visit))
    body = forms.read(kind, fields)
    if not body:
        raise Invalid(_("There is nothing to save yet."), code="required", field=forms.fields_of(kind)[0].name)
    lock_keys([f"note:{visit_id}:{kind}"])
    row = Note.objects.filter(visit_id=visit_id, kind=kind).first()
    if row is None:
        if version:
            raise StaleEdit(version=0)
        row = _first(actor, visit, kind, body)
    else:
        _next(actor, visit, row, body, version)
    _remember(row)
    if isinstance(actor, Person):
        drafts.drop(actor.account_id, visit, kind, actor)
    return row


def _first(actor: Actor, visit: Visit, kind: str, body: dict[str, str]) -> Note:
    row = Note(visit=visit, patient_id=visit.patient_id, kind=kind, saved_by=actor.label, author=author(actor))
    row.body = bodies.write(body)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise StaleEdit() from None
    ledger.record(
        actor=actor, action="note.save", row=row, subject=visit_subject(visit), revision=1,
        event=events.NoteSaved.of(row),
    )  # fmt: skip
    return row


def _next(actor: Actor, visit: Visit, row: Note, body: dict[str, str], version: int) -> None:
    sealer = column(Note, "body")
    field = Note._meta.get_field("body")
    sealed = sealer.seal(row.pk, field.owner_of(row), bodies.write(body))
    told = events.NoteSaved(
        entry_id=row.pk, visit_id=visit.pk, patient_id=row.patient_id, facility_id=visit.facility_id,
        revision=row.version + 1,
    )  # fmt: skip
    changes = {"body": sealed, "saved_at": clock.now(), "saved_by": actor.label, "author": author(actor)}
    ledger.change(
        row, changes, permission="note.write", subject=visit_subject(visit), actor=actor, action="note.save",
        event=told, version=version,
    )  # fmt: skip


def _remember(row: Note) -> None:
    """The wording that was just saved, kept beside those before it."""
    kept = NoteVersion(
        note=row, patient_id=row.patient_id, version=row.version, saved_at=row.saved_at, saved_by=row.saved_by,
        author=row.author,
    )  # fmt: skip
    kept.body = row.body
    kept.save(force_insert=True)
