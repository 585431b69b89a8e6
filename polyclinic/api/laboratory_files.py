"""Files of laboratory results over REST: listed, sent, given out and withdrawn."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import File, Router
from ninja.files import UploadedFile
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound
from polyclinic.files import checking, results
from polyclinic.files.results import FileRow
from polyclinic.laboratory import selectors
from polyclinic.web import ratelimit
from polyclinic.web.access import SIGNED_IN, declare
from polyclinic.web.given import given_out

router = Router(tags=["Laboratory"])
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_CONTENT: Final = dict.fromkeys((checking.JPEG, checking.PNG, checking.PDF, checking.TEXT), _BINARY)


class Withdrawing(Body):
    """Why a file does not belong there."""

    reason: Annotated[Text, Field(max_length=200)]
    version: Version | None = None


@router.get("/lab/orders/{labOrderId}/files", response={200: list_of(FileRow), **PROBLEMS}, summary="List files")
@declare(SIGNED_IN)
def list_files(
    request: HttpRequest, labOrderId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """The files of an order's results that the caller may open: all for the laboratory, those of verified results for
    who treats, those of released results for the patient."""
    found = _of_order(answers.person_of(request), answers.key(labOrderId))
    rows = sorted((row for of_test in found.values() for row in of_test), key=lambda row: (row.made_at, row.id))
    return answers.cut(request, rows, page, limit, fields)


@router.post(
    "/lab/results/{labTestId}/files", response={201: described(FileRow), **PROBLEMS}, summary="Add a file to a result"
)
@declare("lab.work")
def attach(request: HttpRequest, labTestId: str, file: File[UploadedFile]) -> HttpResponse:
    """Keep a JPEG, PNG, WebP, PDF or plain text with a result, after it was looked through and written anew.

    Sent again it is the file that stands there already, so it needs no Idempotency-Key. 422 says by its `code` why it
    is not taken; 409 `cancelled` for a test that will not be made.
    """
    person = answers.person_of(request)
    ratelimit.check("upload", account=person.label)
    made = results.attach(actor=person, test_id=answers.key(labTestId), data=file.read())
    response = answers.one(request, results.file(person, made))
    response.status_code = 201
    return response


@router.get(
    "/lab/files/{labFileId}", response=PROBLEMS, summary="Open a file",
    openapi_extra={"responses": {200: {"description": "The file as it was written anew.", "content": _CONTENT}}},
)  # fmt: skip
@declare(SIGNED_IN)
def give(request: HttpRequest, labFileId: str) -> HttpResponseBase:
    """The content, for whoever may see the result that it stands with."""
    found = answers.key(labFileId)
    try:
        content = results.content(answers.person_of(request), found)
    except FileNotFoundError:
        raise NotFound() from None
    return given_out(found, content)


@router.post(
    "/lab/files/{labFileId}/withdraw", response={200: described(FileRow), **PROBLEMS}, summary="Withdraw a file"
)
@declare("lab.work")
def withdraw(request: HttpRequest, labFileId: str, body: Withdrawing) -> HttpResponse:
    """It belongs to another result or was taken in error: nobody beyond the laboratory opens it any more."""
    person, found = answers.person_of(request), answers.key(labFileId)
    results.withdraw(
        actor=person, file_id=found, reason=body.reason, version=answers.expected_version(request, body.version)
    )
    return answers.one(request, results.file(person, found))


def _of_order(person: Person, order_id: UUID) -> dict[UUID, list[FileRow]]:
    """As who treats or works on it, else as the patient. Raises NotFound when the caller is neither."""
    try:
        # Reading the order is what is put on record; what files there are is part of it.
        selectors.order(person, order_id)
        return results.of_order(person, order_id)
    except NotFound:
        selectors.released_order(person, order_id)
        return results.of_released(person, order_id)
