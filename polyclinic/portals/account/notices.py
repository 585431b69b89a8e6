"""What a person was told."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.notify import actions, selectors
from polyclinic.portals.common import person_of, see, show, viewer_of
from polyclinic.web.access import declare


@declare("signed-in")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    rows = selectors.notices(viewer_of(request))
    return show(request, "account/notices.html", rows=rows, unread=selectors.unread(viewer_of(request)))


@declare("signed-in")
@require_GET
def count(request: HttpRequest) -> HttpResponse:
    """Only the number beside one's name, for when it changes while a page is open."""
    return show(request, "account/_count.html", unread=selectors.unread(viewer_of(request)))


@declare("signed-in")
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    actions.mark_read(actor=person_of(request))
    return see("/account/notices")


@declare("signed-in")
@require_POST
def read(request: HttpRequest, notice_id: str) -> HttpResponse:
    """Mark one as read, and look at what it is about."""
    found = parse_id(notice_id)
    if found is None:
        raise NotFound()
    actions.mark_read(actor=person_of(request), notice_id=found)
    row = next((row for row in selectors.notices(viewer_of(request)) if row.id == found), None)
    return see(row.link if row and request.POST.get("follow") else "/account/notices")
