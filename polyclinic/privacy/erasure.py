"""Erasing a record because its patient asks for it: whether the law lets it be, and doing it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.consent import actions as consenting
from polyclinic.consent.models import Consent, Delegation
from polyclinic.consent.rules import FRESH
from polyclinic.consent.states import ACTIVE, PROPOSED
from polyclinic.core import clock, ledger
from polyclinic.core.actors import Actor, Person, SystemActor, Viewer
from polyclinic.core.errors import Conflict, Forbidden, StepUpNeeded
from polyclinic.facilities.models import Membership
from polyclinic.notify import actions as notify
from polyclinic.people import erasing
from polyclinic.people.models import Patient
from polyclinic.privacy import retention, selectors
from polyclinic.privacy.models import Kind, LegalHold, PrivacyRequest
from polyclinic.privacy.states import PENDING, REQUEST

_ERASER = SystemActor("eraser")


class MustBeKept(Conflict):
    """The law asks to keep the record until a day that has not come."""

    code = "must_be_kept"
    sentence = _("The law asks to keep this record until %(day)s: %(basis)s. Refuse the request and say so.")

    def __init__(self, until: date, basis: str) -> None:
        super().__init__(
            str(self.sentence) % {"day": until.isoformat(), "basis": basis}, keptUntil=until.isoformat(), basis=basis
        )


class Standing(msgspec.Struct, frozen=True, rename="camel"):
    """What speaks against erasing a record now: the last day of its years with the law behind them, a legal hold, or
    other requests of the patient's that wait for an answer."""

    kept_until: date | None
    basis: str
    held: bool
    others_open: bool

    @property
    def free(self) -> bool:
        return self.kept_until is None and not self.held and not self.others_open


def standing(viewer: Viewer, request_id: UUID) -> Standing:
    """Whether the record that a request is about may be erased, for who answers it. Raises NotFound."""
    row = selectors.request(viewer, request_id)
    return _standing(row.patient_id, request_id)


def require_free(actor: Actor, row: PrivacyRequest) -> None:
    """Let pass when the record may be erased now, by a person who has just shown who they are.

    Raises StepUpNeeded, Forbidden for a program, MustBeKept, Held, or Conflict (other_requests_open).
    """
    if isinstance(actor, Person):
        if actor.scopes is not None:
            raise Forbidden(_("A record is erased by a person only."), code="person_only")
        if actor.stepped_up_at is None or clock.now() - actor.stepped_up_at >= FRESH:
            raise StepUpNeeded()
    found = _standing(row.patient_id, row.pk)
    if found.held:
        raise retention.Held()
    if found.kept_until is not None:
        raise MustBeKept(found.kept_until, found.basis)
    if found.others_open:
        raise Conflict(
            _("The patient has other requests open. Answer them first: what they ask for is gone afterwards."),
            code="other_requests_open",
        )


def erase(*, actor: Actor, row: PrivacyRequest) -> None:
    """Erase the record of the request's patient for good, in the running transaction; call it last.

    Sharing and acting for the patient end, the account is closed (a colleague's stays), and a mail says so.
    """
    patient = Patient.objects.select_related("account").get(pk=row.patient_id)
    _answer_the_same(row)
    account, colleague = patient.account, False
    if account is not None:
        colleague = Membership.objects.filter(account=account).exists()
        notify.post("record_erased", account.email, language=account.language, detail={"place": row.facility.name})
    erasing.shred_patient(
        actor=actor, patient_id=patient.pk, facility_id=row.facility_id, keep_account=colleague,
        reason=f"asked for by the patient: request {row.pk}",
    )  # fmt: skip


def _answer_the_same(row: PrivacyRequest) -> None:
    """What other hospitals were asked for is done with this; nothing can be written to the patient afterwards."""
    same = PrivacyRequest.objects.filter(patient_id=row.patient_id, kind=Kind.ERASURE, state__in=PENDING)
    for other in same.exclude(pk=row.pk):
        done: dict[str, object] = {"answered_at": clock.now(), "answered_by": _ERASER.label}
        ledger.apply(REQUEST, "answer", other, actor=_ERASER, changes=done)


def end_sharing(patient_id: UUID) -> None:
    """Nobody sees an erased record by consent or acts for its patient: ended with it, however it is erased."""
    for consent in Consent.objects.filter(patient_id=patient_id, state=ACTIVE):
        consenting.withdraw(actor=_ERASER, consent_id=consent.pk)
    for delegation in Delegation.objects.filter(patient_id=patient_id, state__in=(ACTIVE, PROPOSED)):
        consenting.end(actor=_ERASER, delegation_id=delegation.pk)


def _standing(patient_id: UUID, request_id: UUID) -> Standing:
    patient: Any = retention.with_last_contact(Patient.objects.filter(pk=patient_id)).get()
    until = retention.kept_until(patient) if patient.latest else None
    others = PrivacyRequest.objects.filter(~Q(kind=Kind.ERASURE), patient_id=patient_id, state__in=PENDING)
    return Standing(
        kept_until=until if until is not None and until > clock.now().date() else None,
        basis=retention.basis("record"),
        held=LegalHold.objects.filter(patient_id=patient_id, lifted_at__isnull=True).exists(),
        others_open=others.exclude(pk=request_id).exists(),
    )
