"""Lists of other systems over REST: sent, checked and brought in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import File, Form, Router
from ninja.files import UploadedFile
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.errors import Invalid
from polyclinic.imports import actions, selectors
from polyclinic.imports.rows import ImportRow, ProblemRow
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

router = Router(tags=["Lists"])
_ONE: Final = {200: described(ImportRow), **PROBLEMS}


class ImportStep(Body):
    """check (with `columns`, by field the number of its column counted from 0, and `dates`), apply (with `skipBad`
    when rows are wrong) or cancel."""

    action: Annotated[Text, Field(max_length=20)]
    columns: dict[str, Annotated[int, Field(ge=0, lt=100)]] | None = None
    dates: Annotated[Text, Field(max_length=4)] = "iso"
    skip_bad: bool = False
    version: Version | None = None


def _check(given: dict[str, Any], version: int | None, body: ImportStep) -> object:
    row = selectors.one(given["actor"], given["import_id"])
    columns = row.columns if body.columns is None else body.columns
    headings, _rows = selectors.sample(given["actor"], row.id)
    return actions.check(**given, columns=columns, dates=body.dates, headings=headings, version=version)


_STEPS: Final[dict[str, Callable[[dict[str, Any], int | None, ImportStep], object]]] = {
    "check": _check,
    "apply": lambda given, version, body: actions.apply(**given, skip_bad=body.skip_bad, version=version),
    "cancel": lambda given, version, body: actions.cancel(**given),
}


@router.get("/imports", response={200: list_of(ImportRow), **PROBLEMS}, summary="Imports")
@declare("import.run")
def list_imports(
    request: HttpRequest, hospitalId: UUID, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """A hospital's imports, newest first."""
    return answers.cut(request, selectors.imports(answers.viewer_of(request), hospitalId), page, limit, fields)


@router.post("/imports", response={201: described(ImportRow), **PROBLEMS}, summary="Send a list")
@declare("import.run")
def upload(
    request: HttpRequest,
    file: File[UploadedFile],
    hospitalId: Form[UUID],
    kind: Form[Annotated[Text, Field(max_length=20)]],
) -> HttpResponse:
    """A CSV file of patients, staff, schedules, prices or stock, headings first. Nothing is imported yet.

    422 says by its `code` why the file is not taken. Sent twice it is there twice, and neither is imported.
    """
    person = answers.person_of(request)
    ratelimit.check("upload", account=person.label)
    made = actions.upload(actor=person, facility_id=hospitalId, kind=kind, data=file.read(), name=file.name or "")
    response = answers.one(request, selectors.one(person, made.pk))
    response.status_code = 201
    return response


@router.get("/imports/{importId}", response=_ONE, summary="Read an import")
@declare("import.run")
def read_import(request: HttpRequest, importId: str, fields: Words | None = None) -> HttpResponse:
    """One import: `seen` of `rows` are dealt with, `bad` are wrong, `taken` are in."""
    return answers.one(request, selectors.one(answers.viewer_of(request), answers.key(importId)), fields)


@router.get("/imports/{importId}/problems", response={200: list_of(ProblemRow), **PROBLEMS}, summary="Wrong rows")
@declare("import.run")
def list_problems(
    request: HttpRequest, importId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """What is wrong with which row, by row, and the way out."""
    found = selectors.problems(answers.viewer_of(request), answers.key(importId), page, limit)
    return answers.listing(
        request, found.rows, total=found.total, page=found.page, pages=found.pages, fields=fields
    )  # fmt: skip


@router.put("/imports/{importId}/status", response=_ONE, summary="Check, import or cancel a list")
@declare("import.run")
def step_import(request: HttpRequest, importId: str, body: ImportStep) -> HttpResponse:
    """check, apply, cancel. The server then works by itself; live events `import.*` tell how far it is.

    409 `bad_rows` when rows are wrong and `skipBad` does not say that they are left out.
    """
    run = _STEPS.get(body.action)
    if run is None:
        raise Invalid(_("There is no such step."), code="unknown_action", field="action", possible=list(_STEPS))
    person, found = answers.person_of(request), answers.key(importId)
    run({"actor": person, "import_id": found}, answers.expected_version(request, body.version), body)
    return answers.one(request, selectors.one(person, found))
