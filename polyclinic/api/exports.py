"""Lists taken out over REST: the same files as on the page, for the same people, on record with the same reason."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, list_of
from polyclinic.imports import exporting
from polyclinic.imports.cells import table
from polyclinic.imports.rows import ImportPlace
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare

router = Router(tags=["Lists"])


class ExportWish(Body):
    """Which list of which hospital, and what it is for."""

    hospital_id: UUID
    kind: Annotated[Text, Field(max_length=20)]
    reason: Annotated[Text, Field(max_length=300)]


@router.get("/exports", response={200: list_of(ImportPlace), **PROBLEMS}, summary="What can be exported")
@declare("export.run")
def list_exports(request: HttpRequest, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Each hospital from which the caller may take lists out, and which."""
    return answers.cut(request, exporting.places(answers.viewer_of(request)), page, limit, None)


@router.post(
    "/exports",
    response=PROBLEMS,
    summary="Export a list",
    openapi_extra={"responses": {200: {"description": "The list", "content": {"text/csv": {}}}}},
)
@declare("export.run")
def export(request: HttpRequest, body: ExportWish) -> HttpResponseBase:
    """CSV, headings first, part by part; whom it names and why is in the audit before the first row leaves.

    Texts that a spreadsheet would take for a formula are marked as text. Asks for a fresh step-up.
    """
    stepup.require(request)
    person = answers.person_of(request)
    exporting.begin(person, body.hospital_id, body.kind, body.reason)
    ratelimit.check("export", account=person.label)
    rows = exporting.rows(person, body.hospital_id, body.kind)
    response = StreamingHttpResponse(table(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{body.kind}.csv"'
    return response
