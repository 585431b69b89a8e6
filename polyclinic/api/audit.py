"""The audit over REST, for auditors and their tools."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from ninja import Query, Router

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Limit, Moment, Words, list_of
from polyclinic.trail import selectors
from polyclinic.trail.rows import EntryRow
from polyclinic.trail.selectors import Search
from polyclinic.web.access import declare

router = Router(tags=["Audit"])


@router.get("/audit", response={200: list_of(EntryRow), **PROBLEMS}, summary="Search the audit")
@declare("audit.search")
def search(
    request: HttpRequest,
    accountId: UUID | None = None,
    patientId: UUID | None = None,
    hospitalId: UUID | None = None,
    action: Words = "",
    subjectId: Words = "",
    via: Words = "",
    requestId: Words = "",
    from_: Annotated[Moment | None, Query(alias="from")] = None,
    until: Moment | None = None,
    cursor: Words = "",
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Who did what and who looked at what at your hospitals, newest first. `next` goes on where this page ends.

    The number of all entries is not counted: `total` is that of this page. That you look is recorded too.
    """
    wanted = Search(
        person_id=accountId, patient_id=patientId, action=action, subject=subjectId, facility_id=hospitalId,
        from_=from_, until=until, via=via, request_id=requestId,
    )  # fmt: skip
    found = selectors.entries(answers.viewer_of(request), wanted, cursor=cursor, limit=limit)
    following = f"{request.path}?{urlencode({**request.GET.dict(), 'cursor': found.next})}" if found.next else None
    return answers.listing(request, found.rows, fields=fields, following=following)
