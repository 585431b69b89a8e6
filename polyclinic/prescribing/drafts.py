"""What a doctor prepares for a visit: diagnoses and lines, kept on the server as they are added, for them alone.

Two windows of one doctor: whoever has not seen the last change cannot make the next (StaleEdit). Two doctors: each has
their own, and is told of the other's. It is no part of the record, so only its beginning and end are audited. It ends
with the signature, when discarded, and after `KEPT`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, StaleEdit
from polyclinic.people.models import Account
from polyclinic.prescribing import bodies, writing
from polyclinic.prescribing.bodies import Diagnosis, DraftBody, Line
from polyclinic.prescribing.models import PrescriptionDraft
from polyclinic.prescribing.rows import DraftRow, PreparedRow
from polyclinic.records import icd10, sight
from polyclinic.records.actions import LONGEST
from polyclinic.records.bodies import Certainty
from polyclinic.visits.models import Visit
from polyclinic.visits.states import OPEN, visit_subject

KEPT: Final = timedelta(days=7)
MAX_LINES: Final = 20
MAX_DIAGNOSES: Final = 12


def prepared(viewer: Viewer, visit_id: UUID) -> PreparedRow:
    """What the viewer has prepared, and who else prepares something for the same visit. Raises NotFound."""
    visit = sight.visit(viewer, "prescription.sign", visit_id)
    if not isinstance(viewer, Person):
        raise Forbidden()
    rows = list(PrescriptionDraft.objects.filter(visit_id=visit_id))
    mine = next((row for row in rows if row.account_id == viewer.account_id), None)
    others = {row.account_id: row.saved_at for row in rows if row is not mine}
    names = dict(Account.objects.filter(pk__in=others).values_list("pk", "name")) if others else {}
    if mine is not None:
        sight.looked(viewer, visit)
    body = bodies.read_draft(mine.body) if mine is not None and mine.body else DraftBody()
    return PreparedRow(
        mine.version if mine else 0, body.diagnoses, body.lines,
        tuple(DraftRow(names.get(key, ""), others[key]) for key in others),
    )  # fmt: skip


@transactional
def add_line(*, actor: Actor, visit_id: UUID, line: Line, version: int) -> int:
    """Put a medicine on the list; returns the draft's new version. Raises as `writing.complete`, and StaleEdit."""
    writing.complete(line)
    person, visit, body = _open(actor, visit_id, version)
    if len(body.lines) >= MAX_LINES:
        raise Invalid(_("That is more than one prescription holds."), code="too_many", field="medicine")
    return _keep(person, visit, msgspec.structs.replace(body, lines=(*body.lines, line)), version)


@transactional
def remove_line(*, actor: Actor, visit_id: UUID, place: int, version: int) -> int:
    """Take the line at `place` from the list. One that is not there is fine."""
    person, visit, body = _open(actor, visit_id, version)
    lines = tuple(line for at, line in enumerate(body.lines) if at != place)
    return _keep(person, visit, msgspec.structs.replace(body, lines=lines), version)


@transactional
def add_diagnosis(*, actor: Actor, visit_id: UUID, diagnosis: Diagnosis, version: int) -> int:
    """Put a diagnosis on the list: a code of ICD-10-CM with its words, or words alone. Raises Invalid, StaleEdit."""
    known = icd10.find(diagnosis.code) if diagnosis.code.strip() else None
    if diagnosis.code.strip() and known is None:
        raise Invalid(
            _("There is no such code, or it is too general. Search for it by words."), code="not_icd10", field="code"
        )
    text = " ".join(diagnosis.text.split()) or (known.text[:LONGEST] if known else "")
    if not text:
        raise Invalid(_("Search for a diagnosis, or write it in words."), code="required", field="diagnosis")
    if len(text) > LONGEST:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field="diagnosis", maxLength=LONGEST
        )
    if diagnosis.certainty not in list(Certainty):
        raise Invalid(
            _("Choose one of the listed values."), field="certainty", possible=[str(one) for one in Certainty]
        )
    person, visit, body = _open(actor, visit_id, version)
    made = Diagnosis(text, known.code if known else "", diagnosis.certainty)
    if any((one.code, one.text) == (made.code, made.text) for one in body.diagnoses):
        raise Conflict(_("This diagnosis is on the list already."), code="known", field="diagnosis")
    if len(body.diagnoses) >= MAX_DIAGNOSES:
        raise Invalid(_("That is more than one visit holds."), code="too_many", field="diagnosis")
    return _keep(person, visit, msgspec.structs.replace(body, diagnoses=(*body.diagnoses, made)), version)


@transactional
def remove_diagnosis(*, actor: Actor, visit_id: UUID, place: int, version: int) -> int:
    """Take the diagnosis at `place` from the list."""
    person, visit, body = _open(actor, visit_id, version)
    left = tuple(one for at, one in enumerate(body.diagnoses) if at != place)
    return _keep(person, visit, msgspec.structs.replace(body, diagnoses=left), version)


def require(actor: Actor, visit_id: UUID, version: int) -> None:
    """Raise StaleEdit when the draft is not the one the signer has seen."""
    _open(actor, visit_id, version)


def drop(actor: Actor, visit: Visit) -> None:
    """The draft is signed or not wanted any more; inside the caller's transaction."""
    if not isinstance(actor, Person):
        return
    row = PrescriptionDraft.objects.filter(visit_id=visit.pk, account_id=actor.account_id).first()
    if row is not None:
        ledger.record(
            actor=actor, action="prescription_draft.end", row=row, subject=visit_subject(visit),
            revision=row.version + 1,
        )  # fmt: skip
        row.delete()


def sweep() -> int:
    """Forget drafts that nobody has touched for `KEPT`. Returns how many."""
    gone, _kinds = PrescriptionDraft.objects.filter(saved_at__lt=clock.now() - KEPT).delete()
    return gone


def _open(actor: Actor, visit_id: UUID, version: int) -> tuple[Person, Visit, DraftBody]:
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, "prescription.sign", visit_subject(visit))
    if not isinstance(actor, Person):
        raise Forbidden()
    if visit.state not in OPEN:
        raise Conflict(_("This visit is over."), code="visit_over")
    lock_keys([f"prescription-draft:{visit_id}:{actor.account_id}"])
    row = PrescriptionDraft.objects.filter(visit_id=visit_id, account_id=actor.account_id).first()
    if (row.version if row else 0) != version:
        raise StaleEdit(version=row.version if row else 0)
    return actor, visit, bodies.read_draft(row.body) if row and row.body else DraftBody()


def _keep(person: Person, visit: Visit, body: DraftBody, version: int) -> int:
    if version == 0:
        row = PrescriptionDraft(account_id=person.account_id, visit=visit, patient_id=visit.patient_id)
        row.body = bodies.write(body)
        row.save(force_insert=True)
        ledger.record(
            actor=person, action="prescription_draft.begin", row=row, subject=visit_subject(visit), revision=1
        )
        return 1
    row = PrescriptionDraft.objects.get(visit_id=visit.pk, account_id=person.account_id)
    row.body, row.saved_at = bodies.write(body), clock.now()
    row.version += 1
    row.save(update_fields=["body", "saved_at", "version"])
    return row.version
