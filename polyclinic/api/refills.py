"""Repeats over REST: asking for one, reading what is asked for, agreeing and declining."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Version, Words, described, list_of
from polyclinic.prescribing import asked, refills, selectors
from polyclinic.prescribing.rows import PrescriptionRow, RefillRow
from polyclinic.web import stepup
from polyclinic.web.access import declare

router = Router(tags=["Prescriptions"])


class Asking(Body):
    note: Annotated[Words, Field(max_length=200)] = ""


class Withdrawing(Body):
    version: Version | None = None


class Agreeing(Body):
    """`overrides`: a reason for each warning that has come up since the first signature, by its key."""

    overrides: dict[Words, Words] = {}
    version: Version | None = None


class Declining(Body):
    """`reason` is what the patient reads."""

    reason: Annotated[Words, Field(min_length=1, max_length=200)]
    version: Version | None = None


@router.post(
    "/prescriptions/{repeatableId}/refills",
    response={201: described(RefillRow), **PROBLEMS},
    summary="Ask for it again",
)
@declare("refill.request")
def ask(request: HttpRequest, repeatableId: str, body: Asking) -> HttpResponse:
    """Ask for a prescription to be given again; a doctor agrees or says why not."""
    actor, prescription = answers.person_of(request), answers.key(repeatableId)

    def effect() -> tuple[int, object]:
        made = refills.ask(actor=actor, prescription_id=prescription, note=body.note)
        return 201, asked.request(actor, made.pk)

    return answers.once(request, effect, kind="refill")


@router.get("/refills", response={200: list_of(RefillRow), **PROBLEMS}, summary="Waiting for an answer")
@declare("prescription.sign")
def waiting(request: HttpRequest) -> HttpResponse:
    """The requests that the caller may answer, the oldest first."""
    return answers.listing(request, asked.waiting(answers.viewer_of(request)))


@router.get("/refills/{refillId}", response={200: described(RefillRow), **PROBLEMS}, summary="One request")
@declare("prescription.view")
def read(request: HttpRequest, refillId: str) -> HttpResponse:
    return answers.one(request, asked.request(answers.viewer_of(request), answers.key(refillId)))


@router.post("/refills/{refillId}/withdraw", response={200: described(RefillRow), **PROBLEMS}, summary="Ask no more")
@declare("refill.request")
def withdraw(request: HttpRequest, refillId: str, body: Withdrawing) -> HttpResponse:
    actor = answers.person_of(request)
    row = refills.withdraw(
        actor=actor, refill_id=answers.key(refillId), version=answers.expected_version(request, body.version)
    )
    return answers.one(request, asked.request(actor, row.pk))


@router.post("/refills/{refillId}/approve", response={201: described(PrescriptionRow), **PROBLEMS}, summary="Agree")
@declare("prescription.sign")
def approve(request: HttpRequest, refillId: str, body: Agreeing) -> HttpResponse:
    """Sign the repeat. 409 `warnings` names those that need a reason."""
    stepup.require(request)
    actor, refill = answers.person_of(request), answers.key(refillId)

    def effect() -> tuple[int, object]:
        made = refills.approve(
            actor=actor, refill_id=refill, overrides=body.overrides,
            version=answers.expected_version(request, body.version),
        )  # fmt: skip
        return 201, selectors.prescription(actor, made.pk)

    return answers.once(request, effect, kind="prescription")


@router.post("/refills/{refillId}/decline", response={200: described(RefillRow), **PROBLEMS}, summary="Do not agree")
@declare("prescription.sign")
def decline(request: HttpRequest, refillId: str, body: Declining) -> HttpResponse:
    actor = answers.person_of(request)
    row = refills.decline(
        actor=actor, refill_id=answers.key(refillId), reason=body.reason,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, asked.request(actor, row.pk))
