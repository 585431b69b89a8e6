"""Consent, delegation, break-glass and privacy requests over REST. Each operation is one action or one selector."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Day, Limit, Moment, PageNumber, Text, Version, Words, described, list_of
from polyclinic.consent import actions as sharing
from polyclinic.consent import selectors as shared
from polyclinic.consent.selectors import ConsentRow, DelegationRow
from polyclinic.core.actors import Person
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.privacy import actions, breakglass, lookup, records, restrictions, selectors
from polyclinic.privacy.lookup import Identifiers
from polyclinic.privacy.records import Record
from polyclinic.privacy.restrictions import RestrictionRow
from polyclinic.privacy.selectors import RequestRow
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare

router = Router(tags=["Sharing and privacy"])
_CONSENT = {200: described(ConsentRow), **PROBLEMS}
_REQUEST = {200: described(RequestRow), **PROBLEMS}
Name = Annotated[Text, Field(max_length=80)]


class ConsentWish(Body):
    """With whom (a hospital or a doctor), what for, which parts, until when. Without `patientId` one's own record."""

    patient_id: UUID | None = None
    facility_id: UUID | None = None
    doctor_id: UUID | None = None
    purpose: Literal["treatment", "second_opinion", "research", "family"]
    categories: Annotated[list[Words], Field(max_length=10)]
    until: Moment | None = None


class DelegationWish(Body):
    """Who is asked to act for the caller, and as what."""

    email: Annotated[Text, Field(max_length=254)]
    kind: Literal["carer", "parent", "guardian"]
    rights: Literal["view", "book"]
    until: Moment | None = None


class Code(Body):
    """The code a patient has passed on."""

    code: Annotated[Text, Field(max_length=40)]


class LookUp(Body):
    """Two identifiers: the date of birth, and the record number or the whole name."""

    born: Day
    mrn: Annotated[Text, Field(max_length=16)] = ""
    family_name: Name = ""
    given_name: Name = ""

    def identifiers(self) -> Identifiers:
        return Identifiers(self.born, self.mrn, self.family_name, self.given_name)


class Emergency(LookUp):
    """Whose record, and why now. `facilityId` says where the caller is at work, when that is several places."""

    reason: Annotated[Text, Field(max_length=500)]
    facility_id: UUID | None = None


class RequestWish(Body):
    """What is asked of which hospital. A correction names the `field` and what it should say (`after`)."""

    kind: Literal["access", "correction", "restriction", "erasure"]
    facility_id: UUID
    patient_id: UUID | None = None
    words: Annotated[Text, Field(max_length=2000)] = ""
    field: Annotated[Text, Field(max_length=16)] = ""
    after: Annotated[Text, Field(max_length=200)] = ""


class RequestStep(Body):
    """The officer's next step; an answer in words where the step needs one."""

    step: Literal["take", "answer", "refuse"]
    answer: Annotated[Text, Field(max_length=2000)] = ""
    version: Version | None = None


class OpenedRow(msgspec.Struct, frozen=True, rename="camel"):
    """A record opened by break-glass, and until when."""

    id: UUID
    patient_id: UUID
    ends_at: datetime


class ProposedRow(msgspec.Struct, frozen=True, rename="camel"):
    """A delegation that waits for who was asked. The `code` is told once."""

    id: UUID
    code: str
    status: str
    version: int


class FoundRow(msgspec.Struct, frozen=True, rename="camel"):
    """The patient found, whose record the caller may see."""

    patient_id: UUID


def _patient(person: Person, given: UUID | None) -> UUID:
    found = given or person.patient_id
    if found is None:
        raise Invalid(_("Say for which patient."), code="required", field="patientId")
    return found


@router.get("/consents", response={200: list_of(ConsentRow), **PROBLEMS}, summary="With whom a record is shared")
@declare("consent.edit")
def list_consents(
    request: HttpRequest,
    patientId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """All consents of a patient, those that ended included: one's own, or those of whom one is parent or guardian."""
    person = answers.person_of(request)
    rows = shared.consents(person, _patient(person, patientId))
    return answers.cut(request, rows, page, limit, fields)


@router.post("/consents", response={201: described(ConsentRow), **PROBLEMS}, summary="Share a record")
@declare("consent.edit")
def share(request: HttpRequest, body: ConsentWish) -> HttpResponse:
    """Let a hospital or a doctor see parts of the record. It holds at once."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        account = shared.doctor_account(person, body.doctor_id) if body.doctor_id else None
        made = sharing.grant(
            actor=person,
            patient_id=_patient(person, body.patient_id),
            facility_id=body.facility_id,
            account_id=account,
            purpose=body.purpose,
            categories=body.categories,
            expires_at=body.until,
        )
        return 201, shared.consent(person, made.pk)

    return answers.once(request, effect, kind="consent")


@router.delete("/consents/{consentId}", response=_CONSENT, summary="Stop sharing")
@declare("consent.edit")
def stop_sharing(request: HttpRequest, consentId: str) -> HttpResponse:
    """Withdraw a consent; it holds at once, and the row stays, withdrawn."""
    person, key = answers.person_of(request), answers.key(consentId)
    sharing.withdraw(actor=person, consent_id=key, version=answers.expected_version(request))
    return answers.one(request, shared.consent(person, key))


@router.get("/delegations", response={200: list_of(DelegationRow), **PROBLEMS}, summary="Who acts for whom")
@declare("signed-in")
def list_delegations(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Who acts for the caller (those that ended included), and for whom the caller acts."""
    person = answers.person_of(request)
    own = shared.carers(person, person.patient_id) if person.patient_id else []
    return answers.cut(request, own + shared.acting_for(person), page, limit, fields)


@router.post("/delegations", response={201: described(ProposedRow), **PROBLEMS}, summary="Ask somebody to act for me")
@declare("delegation.edit")
def propose(request: HttpRequest, body: DelegationWish) -> HttpResponse:
    """The answer holds the code to pass on; it is told once."""
    person = answers.person_of(request)
    made, code = sharing.propose(
        actor=person, patient_id=_patient(person, None), email=body.email, kind=body.kind, rights=body.rights,
        ends_at=body.until,
    )  # fmt: skip
    return answers.reply(ProposedRow(made.pk, code, made.state, made.version), 201)


@router.post("/delegations/accept", response={200: described(DelegationRow), **PROBLEMS}, summary="Take up a code")
@declare("delegation.accept")
def accept(request: HttpRequest, body: Code) -> HttpResponse:
    """Act for the patient who has passed the code on; it must have been made for the caller's own address."""
    person = answers.person_of(request)
    ratelimit.check("delegation-code", account=person.label)
    made = sharing.accept(actor=person, code=body.code)
    row = next((row for row in shared.acting_for(person) if row.id == made.pk), None)
    if row is None:
        raise NotFound()
    return answers.one(request, row)


@router.delete("/delegations/{delegationId}", response={204: None, **PROBLEMS}, summary="End a delegation")
@declare("delegation.end")
def end_delegation(request: HttpRequest, delegationId: str) -> HttpResponse:
    """End it, from either side; it holds at once."""
    sharing.end(
        actor=answers.person_of(request),
        delegation_id=answers.key(delegationId),
        version=answers.expected_version(request),
    )
    return HttpResponse(status=204)


@router.post("/records/look-up", response={200: described(FoundRow), **PROBLEMS}, summary="Find a record")
@declare("record.look_up")
def look_up(request: HttpRequest, body: LookUp) -> HttpResponse:
    """By two identifiers, exactly. A record one may not see and one that does not exist are answered alike."""
    person = answers.person_of(request)
    ratelimit.check("record-look-up", account=person.label)
    return answers.reply(FoundRow(lookup.look_up(person, body.identifiers())))


@router.get("/records/{patientId}", response={200: described(Record), **PROBLEMS}, summary="Read a record")
@declare("record.look_up")
def read_record(request: HttpRequest, patientId: str) -> HttpResponse:
    """The record as the caller may see it: by treating, place, consent, or break-glass."""
    return answers.reply(records.record(answers.viewer_of(request), answers.key(patientId)))


@router.post("/break-glass", response={201: described(OpenedRow), **PROBLEMS}, summary="Open a record in an emergency")
@declare("record.break_glass")
def break_glass(request: HttpRequest, body: Emergency) -> HttpResponse:
    """For sixty minutes, by a person who has just confirmed who they are (403 `step_up_needed`); never by a key."""
    stepup.require(request)
    person = answers.person_of(request)
    ratelimit.check("break-glass", account=person.label)
    # Not kept under an idempotency key: that would undo, with the refusal, what is written down about a miss.
    made = breakglass.open_record(
        actor=person, who=body.identifiers(), reason=body.reason, facility_id=body.facility_id
    )
    return answers.reply(OpenedRow(made.pk, made.patient_id, made.ends_at), 201)


@router.delete("/break-glass/{patientId}", response={204: None, **PROBLEMS}, summary="Close what was opened")
@declare("record.break_glass")
def close_record(request: HttpRequest, patientId: str) -> HttpResponse:
    """The need is over before the hour is."""
    breakglass.close(actor=answers.person_of(request), patient_id=answers.key(patientId))
    return HttpResponse(status=204)


@router.get("/privacy-requests", response={200: list_of(RequestRow), **PROBLEMS}, summary="Privacy requests")
@declare("signed-in")
def list_requests(
    request: HttpRequest,
    patientId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """A patient's own requests; a privacy officer without `patientId` reads those to their facilities."""
    person = answers.person_of(request)
    if patientId is None and person.patient_id is None:
        rows = selectors.requests_to_answer(person)
    else:
        rows = selectors.requests_of(person, _patient(person, patientId))
    return answers.cut(request, rows, page, limit, fields)


@router.post("/privacy-requests", response={201: described(RequestRow), **PROBLEMS}, summary="Make a privacy request")
@declare("privacy.request")
def make_request(request: HttpRequest, body: RequestWish) -> HttpResponse:
    """A copy, a correction, a restriction or erasure; the hospital has thirty days to answer."""
    person = answers.person_of(request)
    ratelimit.check("privacy-request", account=person.label)

    def effect() -> tuple[int, object]:
        made = actions.request(
            actor=person,
            patient_id=_patient(person, body.patient_id),
            facility_id=body.facility_id,
            kind=body.kind,
            words=body.words,
            field=body.field,
            after=body.after,
        )
        return 201, selectors.request(person, made.pk)

    return answers.once(request, effect, kind="privacy_request")


@router.get("/privacy-requests/{requestId}", response=_REQUEST, summary="Read a privacy request")
@declare("signed-in")
def read_request(request: HttpRequest, requestId: str, fields: Words | None = None) -> HttpResponse:
    """For its patient and the privacy officers of its facility."""
    return answers.one(request, selectors.request(answers.viewer_of(request), answers.key(requestId)), fields)


@router.put("/privacy-requests/{requestId}/status", response=_REQUEST, summary="Answer a privacy request")
@declare("privacy.answer")
def answer_request(request: HttpRequest, requestId: str, body: RequestStep) -> HttpResponse:
    """Take it into work, grant it, or refuse it with the reason.

    Erasing needs a fresh step-up (403 `step_up_needed`), and is refused while the law, a legal hold or another request
    asks to keep the record (409 `must_be_kept` with `keptUntil` and `basis`, `legal_hold`, `other_requests_open`).
    """
    person, key = answers.person_of(request), answers.key(requestId)
    version = answers.expected_version(request, body.version)
    if body.step == "take":
        actions.take(actor=person, request_id=key, version=version)
    elif body.step == "answer":
        actions.answer(actor=person, request_id=key, text=body.answer, version=version)
    else:
        actions.refuse(actor=person, request_id=key, text=body.answer, version=version)
    return answers.one(request, selectors.request(person, key))


@router.delete("/privacy-requests/{requestId}", response=_REQUEST, summary="Take a privacy request back")
@declare("privacy.request")
def cancel_request(request: HttpRequest, requestId: str) -> HttpResponse:
    """By the patient, while it is not answered; the row stays."""
    person, key = answers.person_of(request), answers.key(requestId)
    actions.cancel(actor=person, request_id=key, version=answers.expected_version(request))
    return answers.one(request, selectors.request(person, key))


@router.get("/restrictions", response={200: list_of(RestrictionRow), **PROBLEMS}, summary="Restrictions in force")
@declare("signed-in")
def list_restrictions(
    request: HttpRequest, patientId: UUID | None = None, page: PageNumber = 1, limit: Limit = 50
) -> HttpResponse:
    """A patient's own; a privacy officer without `patientId` reads those that their facilities agreed to."""
    person = answers.person_of(request)
    return answers.cut(request, restrictions.restrictions(person, patientId or person.patient_id), page, limit, None)


@router.delete("/restrictions/{restrictionId}", response={204: None, **PROBLEMS}, summary="Lift a restriction")
@declare("signed-in")
def lift_restriction(request: HttpRequest, restrictionId: str) -> HttpResponse:
    """By the patient, or a privacy officer of the facility that agreed; consents count again at once."""
    restrictions.lift(
        actor=answers.person_of(request),
        restriction_id=answers.key(restrictionId),
        version=answers.expected_version(request),
    )
    return HttpResponse(status=204)
