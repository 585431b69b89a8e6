"""What is written down during a visit over REST: vital signs with NEWS2, allergies, diagnoses and notes."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Moment, Text, Words, described, list_of
from polyclinic.records import actions, notes, selectors
from polyclinic.records.rows import AllergiesRow, AllergyRow, ConditionRow, NoteRow, VitalsRow
from polyclinic.web.access import declare

router = Router(tags=["Records"])
Value = Annotated[Words, Field(max_length=8)]
Prose = Annotated[Text, Field(max_length=4_000)]


class NewVitals(Body):
    """`values` by name, as text in the sign's unit; `confirmed` names unusual ones that were measured again."""

    values: dict[str, Value]
    oxygen: bool | None = None
    consciousness: Annotated[str, Field(pattern="^[ACVPU]?$")] = ""
    scale: Annotated[int, Field(strict=True, ge=1, le=2)] = 1
    pregnant: bool = False
    confirmed: Annotated[list[Words], Field(max_length=20)] = []
    taken_at: Moment | None = None


def signs_of(body: NewVitals) -> dict[str, Any]:
    """A set of signs as the actions that write one down take it."""
    return {name: getattr(body, name) for name in NewVitals.model_fields}


class NewAllergy(Body):
    substance: Words
    reaction: Words = ""
    severity: Annotated[str, Field(pattern="^(mild|moderate|severe|unknown)$")] = "unknown"


class NewCondition(Body):
    """`code` is of ICD-10, for example J18.9."""

    text: Words
    code: Words = ""
    certainty: Annotated[str, Field(pattern="^(provisional|confirmed)$")] = "provisional"


class NewNote(Body):
    """`version` is that of the note this replaces, 0 for the first; If-Match may say it instead."""

    fields: dict[str, Prose]
    version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None


@router.get("/visits/{visitId}/vitals", response={200: list_of(VitalsRow), **PROBLEMS}, summary="Vital signs")
@declare("vitals.view")
def list_vitals(request: HttpRequest, visitId: str, fields: Words | None = None) -> HttpResponse:
    """The signs measured during a visit, oldest first, each with its NEWS2; withdrawn ones say so."""
    return answers.listing(
        request, selectors.vital_sets(answers.viewer_of(request), answers.key(visitId)), fields=fields
    )


@router.post("/visits/{visitId}/vitals", response={201: described(VitalsRow), **PROBLEMS}, summary="Record vital signs")
@declare("vitals.record")
def record_vitals(request: HttpRequest, visitId: str, body: NewVitals) -> HttpResponse:
    """422 names an impossible value; an unusual one is `unusual` until it stands in `confirmed`."""
    actor, visit = answers.person_of(request), answers.key(visitId)

    def effect() -> tuple[int, object]:
        made = actions.record_vitals(actor=actor, visit_id=visit, **signs_of(body))
        return 201, next(row for row in selectors.vital_sets(actor, visit) if row.id == made.pk)

    return answers.once(request, effect, kind="chart", of="visitId")


@router.get("/visits/{visitId}/allergies", response={200: described(AllergiesRow), **PROBLEMS}, summary="Allergies")
@declare("allergy.view")
def read_allergies(request: HttpRequest, visitId: str, fields: Words | None = None) -> HttpResponse:
    """The patient's allergies; `status` tells not asked from none known."""
    return answers.one(request, selectors.allergies_at(answers.viewer_of(request), answers.key(visitId)), fields)


@router.post("/visits/{visitId}/allergies", response={201: described(AllergyRow), **PROBLEMS}, summary="Add an allergy")
@declare("allergy.edit")
def add_allergy(request: HttpRequest, visitId: str, body: NewAllergy) -> HttpResponse:
    actor, visit = answers.person_of(request), answers.key(visitId)

    def effect() -> tuple[int, object]:
        made = actions.note_allergy(
            actor=actor, visit_id=visit, substance=body.substance, reaction=body.reaction, severity=body.severity
        )
        return 201, next(row for row in selectors.allergies_at(actor, visit).allergies if row.id == made.pk)

    return answers.once(request, effect, kind="allergies", of="patientId")


@router.get("/visits/{visitId}/conditions", response={200: list_of(ConditionRow), **PROBLEMS}, summary="Diagnoses")
@declare("condition.view")
def list_conditions(request: HttpRequest, visitId: str, fields: Words | None = None) -> HttpResponse:
    return answers.listing(
        request, selectors.conditions(answers.viewer_of(request), answers.key(visitId)), fields=fields
    )


@router.post(
    "/visits/{visitId}/conditions", response={201: described(ConditionRow), **PROBLEMS}, summary="Add a diagnosis"
)
@declare("condition.edit")
def add_condition(request: HttpRequest, visitId: str, body: NewCondition) -> HttpResponse:
    actor, visit = answers.person_of(request), answers.key(visitId)

    def effect() -> tuple[int, object]:
        made = actions.note_condition(
            actor=actor, visit_id=visit, text=body.text, code=body.code, certainty=body.certainty
        )
        return 201, next(row for row in selectors.conditions(actor, visit) if row.id == made.pk)

    return answers.once(request, effect, kind="chart", of="visitId")


@router.get("/visits/{visitId}/notes", response={200: list_of(NoteRow), **PROBLEMS}, summary="Notes of a visit")
@declare("note.view")
def list_notes(request: HttpRequest, visitId: str, fields: Words | None = None) -> HttpResponse:
    return answers.listing(request, selectors.notes(answers.viewer_of(request), answers.key(visitId)), fields=fields)


@router.put("/visits/{visitId}/notes/{noteKind}", response={200: described(NoteRow), **PROBLEMS}, summary="Save a note")
@declare("note.write")
def save_note(request: HttpRequest, visitId: str, noteKind: str, body: NewNote) -> HttpResponse:
    """Save complaint, history, exam or plan in place of `version`; 412 with the present version when it is another."""
    actor, visit = answers.person_of(request), answers.key(visitId)
    version = answers.expected_version(request, body.version) or 0
    notes.save(actor=actor, visit_id=visit, kind=noteKind, fields=body.fields, version=version)
    row = selectors.note(actor, visit, noteKind)
    response = answers.reply(row)
    response.headers["ETag"] = f'"{row.version}"'
    return response
