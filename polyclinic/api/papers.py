"""Papers over REST: printing as PDF, sick notes and referrals, and the public check of a paper's code."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.errors import NotFound
from polyclinic.papers import letters, printing, selectors, verifying
from polyclinic.papers.rows import PaperRow, ReferralRow, SickNoteRow, Verdict
from polyclinic.papers.words import PaperKind
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

router = Router(tags=["Papers"])
_SICK_NOTE = {200: described(SickNoteRow), **PROBLEMS}
_REFERRAL = {200: described(ReferralRow), **PROBLEMS}
_PDF = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


class SickNoteWish(Body):
    """A sick note from the first to the last day, both included."""

    unfit: Literal["work", "school", "partly", "care"]
    first: date
    last: date
    again: bool = False
    adjustments: Annotated[Text, Field(max_length=300)] = ""
    remark: Annotated[Text, Field(max_length=300)] = ""


class ReferralWish(Body):
    """To whom, how soon, and what is asked. Allergies and diagnoses are added as they are known."""

    to: Annotated[Text, Field(max_length=120)]
    question: Annotated[Text, Field(max_length=2000)]
    urgency: Literal["routine", "urgent", "stat"] = "routine"
    address: Annotated[Text, Field(max_length=200)] = ""
    findings: Annotated[Text, Field(max_length=2000)] = ""
    medicines: Annotated[Text, Field(max_length=2000)] = ""


class Withdrawal(Body):
    """Why a letter is withdrawn."""

    reason: Annotated[Text, Field(max_length=200)]
    version: Version | None = None


@router.get("/papers/{paperKind}/{thingId}.pdf", response=PROBLEMS, summary="Print a thing",
            openapi_extra={"responses": {200: {"description": "A tagged PDF (PDF/UA-1).", **_PDF}}})  # fmt: skip
@declare("paper.print")
def print_paper(
    request: HttpRequest, paperKind: str, thingId: str, size: Literal["a4", "thermal"] = "a4"
) -> HttpResponse:
    """A thing as PDF. Each print is counted: the second and later ones say which copy they are."""
    person = answers.person_of(request)
    if paperKind not in PaperKind.values:
        raise NotFound()
    ratelimit.check("paper", account=person.label)
    made = printing.print_(actor=person, kind=paperKind, subject_id=answers.key(thingId), size=size)
    response = HttpResponse(made.pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{made.name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@router.get("/papers/verify/{paperCode}", response={200: described(Verdict), **PROBLEMS}, summary="Check a paper")
@declare("public")
def verify(request: HttpRequest, paperCode: str) -> HttpResponse:
    """Whether a paper is genuine and still holds. Nothing that stands on it but whose initials it bears."""
    ratelimit.check("verify", ip=ratelimit.address(request))
    return answers.reply(verifying.check(answers.viewer_of(request), paperCode))


@router.get("/patients/{patient_id}/papers", response={200: list_of(PaperRow), **PROBLEMS}, summary="List papers")
@declare("letter.view")
def list_papers(
    request: HttpRequest, patient_id: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """What was printed of a patient's: for the patient and who decides for them."""
    rows = selectors.papers(answers.viewer_of(request), answers.key(patient_id))
    return answers.cut(request, rows, page, limit, fields)


@router.get("/patients/{patient_id}/sick-notes", response={200: list_of(SickNoteRow), **PROBLEMS},
            summary="List sick notes")  # fmt: skip
@declare("letter.view")
def list_sick_notes(
    request: HttpRequest, patient_id: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """A patient's sick notes that the caller may see."""
    rows = selectors.sick_notes(answers.viewer_of(request), answers.key(patient_id))
    return answers.cut(request, rows, page, limit, fields)


@router.get("/patients/{patient_id}/referrals", response={200: list_of(ReferralRow), **PROBLEMS},
            summary="List referrals")  # fmt: skip
@declare("letter.view")
def list_referrals(
    request: HttpRequest, patient_id: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """A patient's referrals that the caller may see."""
    rows = selectors.referrals(answers.viewer_of(request), answers.key(patient_id))
    return answers.cut(request, rows, page, limit, fields)


@router.post("/visits/{visitId}/sick-notes", response={201: described(SickNoteRow), **PROBLEMS},
             summary="Sign a sick note")  # fmt: skip
@declare("letter.issue")
def sign_sick_note(request: HttpRequest, visitId: str, body: SickNoteWish) -> HttpResponse:
    """Sign a sick note in a visit."""
    person, visit = answers.person_of(request), answers.key(visitId)
    given = {
        "unfit": body.unfit, "first": body.first.isoformat(), "last": body.last.isoformat(),
        "again": "yes" if body.again else "", "adjustments": body.adjustments, "remark": body.remark,
    }  # fmt: skip

    def effect() -> tuple[int, object]:
        made = letters.issue_sick_note(actor=person, visit_id=visit, fields=given)
        return 201, selectors.sick_note(person, made.pk)

    return answers.once(request, effect, kind="sick_note")


@router.post("/visits/{visitId}/referrals", response={201: described(ReferralRow), **PROBLEMS},
             summary="Sign a referral")  # fmt: skip
@declare("letter.issue")
def sign_referral(request: HttpRequest, visitId: str, body: ReferralWish) -> HttpResponse:
    """Sign a referral in a visit."""
    person, visit = answers.person_of(request), answers.key(visitId)

    def effect() -> tuple[int, object]:
        made = letters.issue_referral(actor=person, visit_id=visit, fields=body.model_dump())
        return 201, selectors.referral(person, made.pk)

    return answers.once(request, effect, kind="referral")


@router.get("/sick-notes/{sickNoteId}", response=_SICK_NOTE, summary="Read a sick note")
@declare("letter.view")
def read_sick_note(request: HttpRequest, sickNoteId: str) -> HttpResponse:
    """One sick note, also one that was withdrawn."""
    return answers.one(request, selectors.sick_note(answers.viewer_of(request), answers.key(sickNoteId)))


@router.get("/referrals/{referralId}", response=_REFERRAL, summary="Read a referral")
@declare("letter.view")
def read_referral(request: HttpRequest, referralId: str) -> HttpResponse:
    """One referral, also one that was withdrawn."""
    return answers.one(request, selectors.referral(answers.viewer_of(request), answers.key(referralId)))


@router.post("/sick-notes/{sickNoteId}/withdraw", response=_SICK_NOTE, summary="Withdraw a sick note")
@declare("letter.revoke")
def withdraw_sick_note(request: HttpRequest, sickNoteId: str, body: Withdrawal) -> HttpResponse:
    """It holds no more, and every sheet of it that is checked says so."""
    person = answers.person_of(request)
    row = letters.revoke_sick_note(
        actor=person, note_id=answers.key(sickNoteId), reason=body.reason,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, selectors.sick_note(person, row.pk))


@router.post("/referrals/{referralId}/withdraw", response=_REFERRAL, summary="Withdraw a referral")
@declare("letter.revoke")
def withdraw_referral(request: HttpRequest, referralId: str, body: Withdrawal) -> HttpResponse:
    """It holds no more, and every sheet of it that is checked says so."""
    person = answers.person_of(request)
    row = letters.revoke_referral(
        actor=person, referral_id=answers.key(referralId), reason=body.reason,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, selectors.referral(person, row.pk))
