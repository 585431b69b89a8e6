"""Signing and withdrawing sick notes and referrals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.ledger import Machine
from polyclinic.papers import bodies, drafts
from polyclinic.papers.models import Paper, Referral, SickNote
from polyclinic.papers.states import PAPER, REFERRAL, REVOKED, SICK_NOTE, letter_subject
from polyclinic.papers.words import LetterKind
from polyclinic.records import selectors as records
from polyclinic.records import sight
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject

MAX_REASON = 200
Row = TypeVar("Row", SickNote, Referral)


@transactional
def issue_sick_note(*, actor: Actor, visit_id: UUID, fields: Mapping[str, object]) -> SickNote:
    """Sign a sick note in a visit (fields: `bodies.FORMS`). One's draft of it ends.

    Raises NotFound, Forbidden, Invalid naming the field, Conflict before anybody has seen the patient.
    """
    visit = _visit(actor, visit_id)
    seen = visit.opened_at.astimezone(ZoneInfo(visit.facility.time_zone)).date()
    row = SickNote(**_signed(actor, visit), body=bodies.write(bodies.sick_note(fields, seen)))
    return _issue(actor, SICK_NOTE, row, LetterKind.SICK_NOTE)


@transactional
def issue_referral(*, actor: Actor, visit_id: UUID, fields: Mapping[str, object]) -> Referral:
    """Sign a referral in a visit, with the allergies and diagnoses known by now. One's draft of it ends.

    Raises as `issue_sick_note`.
    """
    visit = _visit(actor, visit_id)
    body = bodies.referral(
        fields,
        records.allergies_at(actor, visit.pk).banner,
        [f"{one.text} ({one.code})" if one.code else one.text for one in records.conditions(actor, visit.pk)],
    )
    row = Referral(**_signed(actor, visit), body=bodies.write(body))
    return _issue(actor, REFERRAL, row, LetterKind.REFERRAL)


@transactional
def revoke_sick_note(*, actor: Actor, note_id: UUID, reason: str, version: int | None = None) -> SickNote:
    """Withdraw a sick note and every paper of it, with the reason.

    Raises NotFound, Forbidden, Invalid, IllegalTransition when it was withdrawn before, StaleEdit.
    """
    return _revoke(actor, SICK_NOTE, SickNote, note_id, reason, version)


@transactional
def revoke_referral(*, actor: Actor, referral_id: UUID, reason: str, version: int | None = None) -> Referral:
    """Withdraw a referral and every paper of it, with the reason. Raises as `revoke_sick_note`."""
    return _revoke(actor, REFERRAL, Referral, referral_id, reason, version)


def _visit(actor: Actor, visit_id: UUID) -> Visit:
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, "letter.issue", visit_subject(visit))
    return visit


def _signed(actor: Actor, visit: Visit) -> dict[str, Any]:
    return {
        "visit": visit, "facility_id": visit.facility_id, "patient_id": visit.patient_id,
        "doctor_id": visit.main_doctor_id, "author": actor.name if isinstance(actor, Person | SystemActor) else "",
        "issued_by_id": actor.account_id if isinstance(actor, Person) else None,
    }  # fmt: skip


def _issue(actor: Actor, machine: Machine, row: Row, kind: str) -> Row:
    ledger.create(machine, "issue", row, actor=actor)
    if isinstance(actor, Person):
        drafts.drop(actor.account_id, row.visit, kind, actor)
    return row


def _revoke(actor: Actor, machine: Machine, model: type[Row], key: UUID, reason: str, version: int | None) -> Row:
    row = model._default_manager.select_for_update().filter(pk=key).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "letter.view", letter_subject(row))
    said = reason.strip()
    if not said:
        raise Invalid(_("Say why."), code="required", field="reason")
    if len(said) > MAX_REASON:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field="reason", maxLength=MAX_REASON
        )
    changes = {"revoked_at": clock.now()}
    ledger.apply(machine, "revoke", row, actor=actor, version=version, changes=changes, reason=said)
    # Every sheet that is out there, also those that a newer one has followed.
    for paper in Paper.objects.select_for_update().filter(subject_id=row.pk).exclude(state=REVOKED):
        paper.treated_by = row.doctor_id  # type: ignore[attr-defined]
        ledger.apply(PAPER, "revoke", paper, actor=actor)
    return row
