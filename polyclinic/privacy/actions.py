"""The write door of privacy requests: making one, working on it, answering it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import Sealed, column
from polyclinic.core.crypto.problems import KeyErased
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.notify import actions as notify
from polyclinic.people import particulars
from polyclinic.people.models import Patient
from polyclinic.privacy import erasure, restrictions
from polyclinic.privacy.models import Kind, PrivacyRequest
from polyclinic.privacy.officers import officers
from polyclinic.privacy.states import PENDING, REQUEST, subject_of

# 45 CFR 164.524 (b)(2): an access request is acted on within 30 days; we hold the other kinds to the same.
DUE: Final = timedelta(days=30)
MOST_WORDS: Final = 2000
_MOST_PENDING: Final = 20


@transactional
def request(
    *,
    actor: Actor,
    patient_id: UUID,
    facility_id: UUID,
    kind: str,
    words: str = "",
    field: str = "",
    after: str = "",
) -> PrivacyRequest:
    """Ask a facility for a copy, a correction, a restriction or erasure. Its privacy officers are told.

    A correction names the `field` and what it should say (`after`). Raises Forbidden, Invalid naming `kind`,
    `facility`, `words`, `field` or the field to be corrected, Conflict (already_asked, too_many_requests).
    """
    policy.require(actor, "privacy.request", Subject(patient_id=patient_id))
    if kind not in Kind.values:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(Kind.values))
    place = Facility.objects.filter(pk=facility_id).first()
    if place is None:
        raise Invalid(_("There is no such hospital."), field="facility")
    patient = Patient.objects.get(pk=patient_id)
    text, before = _words(words, required=kind in (Kind.RESTRICTION, Kind.ERASURE)), ""
    if kind == Kind.CORRECTION:
        field, before, after = _correction(patient, field, after)
    else:
        field = after = ""
    lock_keys([f"privacy:{patient_id}"])
    _require_room(patient_id, kind, facility_id)
    now = clock.now()
    made = PrivacyRequest(
        patient_id=patient_id, facility=place, kind=kind, words=text, field=field, before=before, after=after,
        received_at=now, due_at=now + DUE,
    )  # fmt: skip
    ledger.create(REQUEST, "request", made, actor=actor)
    for officer in officers(facility_id):
        notify.tell(officer, "privacy_request", detail={"place": place.name})
    return made


@transactional
def take(*, actor: Actor, request_id: UUID, version: int | None = None) -> PrivacyRequest:
    """Begin to work on it. Raises NotFound, IllegalTransition, StaleEdit."""
    row = _request(actor, request_id)
    ledger.apply(REQUEST, "take", row, actor=actor, version=version)
    return row


@transactional
def answer(*, actor: Actor, request_id: UUID, text: str = "", version: int | None = None) -> PrivacyRequest:
    """Grant it: the copy can be fetched, the correction is made, the restriction holds and the record is erased now.

    Raises NotFound, Invalid (an answer in words is missing), StaleEdit when the field has changed since it was asked,
    and for an erasure what `erasure.require_free` raises: the law, a hold, or a factor that must be shown again.
    """
    row = _request(actor, request_id)
    REQUEST.row(row.state, "answer")
    said = _words(text, required=row.kind in (Kind.RESTRICTION, Kind.ERASURE), field="answer")
    if row.kind == Kind.ERASURE:
        erasure.require_free(actor, row)
    corrected = _unchanged(row) if row.kind == Kind.CORRECTION else None
    ledger.apply(REQUEST, "answer", row, actor=actor, version=version, changes=_answered(row, actor, said))
    if corrected is not None:
        particulars.correct(
            actor=actor, patient=corrected, field=row.field, text=row.after, permission="privacy.answer",
            subject=subject_of(row),
        )  # fmt: skip
    elif row.kind == Kind.RESTRICTION:
        restrictions.agree(actor=actor, request=row)
    _tell_patient(row)
    if row.kind == Kind.ERASURE:
        # Last: the vault forgets the key for good, and nothing after it may fail.
        erasure.erase(actor=actor, row=row)
    return row


@transactional
def refuse(*, actor: Actor, request_id: UUID, text: str, version: int | None = None) -> PrivacyRequest:
    """Refuse it, with the reason the patient reads. Raises NotFound, Invalid when the reason is missing."""
    row = _request(actor, request_id)
    said = _words(text, required=True, field="answer")
    ledger.apply(REQUEST, "refuse", row, actor=actor, version=version, changes=_answered(row, actor, said))
    _tell_patient(row)
    return row


@transactional
def cancel(*, actor: Actor, request_id: UUID, version: int | None = None) -> PrivacyRequest:
    """Take back one's own request. Raises NotFound, IllegalTransition, StaleEdit."""
    row = PrivacyRequest.objects.filter(pk=request_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "privacy.request", Subject(patient_id=row.patient_id))
    ledger.apply(REQUEST, "cancel", row, actor=actor, version=version)
    return row


def _request(actor: Actor, request_id: UUID) -> PrivacyRequest:
    row = PrivacyRequest.objects.filter(pk=request_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "privacy.answer", subject_of(row))
    return row


def _words(text: str, *, required: bool, field: str = "words") -> str:
    kept = text.strip()
    if required and not kept:
        raise Invalid(_("Say it in your own words."), code="required", field=field)
    if len(kept) > MOST_WORDS:
        raise Invalid(_("Please keep it under 2,000 characters."), code="too_long", field=field, maxLength=MOST_WORDS)
    return kept


def _correction(patient: Patient, field: str, after: str) -> tuple[str, str, str]:
    wanted = str(particulars.read(field, after))
    before = str(getattr(patient, field))
    if wanted == before:
        raise Invalid(_("This is what it says already."), code="unchanged", field=field)
    return field, before, wanted


def _require_room(patient_id: UUID, kind: str, facility_id: UUID) -> None:
    pending = PrivacyRequest.objects.filter(patient_id=patient_id, state__in=PENDING)
    if kind == Kind.ACCESS and pending.filter(kind=kind, facility_id=facility_id).exists():
        raise Conflict(_("You have asked this hospital for a copy already."), code="already_asked")
    if pending.count() >= _MOST_PENDING:
        raise Conflict(_("You have many requests open. Please wait for an answer first."), code="too_many_requests")


def _answered(row: PrivacyRequest, actor: Actor, said: str) -> dict[str, object]:
    try:
        sealed: Sealed = column(PrivacyRequest, "answer").seal(row.pk, ring.patient(row.patient_id), said)
    except KeyErased:
        # Erased from the command line meanwhile: what is said now could be opened by nobody.
        sealed = Sealed("")
    return {"answer": sealed, "answered_at": clock.now(), "answered_by": actor.label}


def _unchanged(row: PrivacyRequest) -> Patient:
    """The patient, when the field still says what it did when the correction was asked for."""
    patient = Patient.objects.get(pk=row.patient_id)
    if str(getattr(patient, row.field)) != row.before:
        # What the patient saw is no longer there; correcting it now could undo somebody else's correction.
        raise StaleEdit(_("This field has changed since the patient asked. Ask the patient to look again."))
    return patient


def _tell_patient(row: PrivacyRequest) -> None:
    account = Patient.objects.filter(pk=row.patient_id).values_list("account_id", flat=True).first()
    if account is not None:
        notify.tell(account, "privacy_answer")
