"""What the signed-in person was told."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Limit, PageNumber, Words, list_of
from polyclinic.notify import selectors
from polyclinic.notify.selectors import NoticeRow
from polyclinic.web.access import declare

router = Router(tags=["Notices"])


@router.get("/notices", response={200: list_of(NoticeRow), **PROBLEMS}, summary="List one's notices")
@declare("signed-in")
def list_notices(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """One's own notices, newest first, at most 200. `readAt` is null for one that was not read yet."""
    return answers.cut(request, selectors.notices(answers.viewer_of(request)), page, limit, fields)
