"""The live page behind a ticket's QR code: the place in the queue and a wait, without a name and without signing in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.portals.common import show
from polyclinic.visits import watching
from polyclinic.visits.words import Line
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("public")
@require_GET
def ticket(request: HttpRequest, code: str) -> HttpResponse:
    return _draw(request, code, "hall/ticket.html")


@declare("public")
@require_GET
def state(request: HttpRequest, code: str) -> HttpResponse:
    """Only what changes."""
    return _draw(request, code, "hall/_ticket.html")


def _draw(request: HttpRequest, code: str, template: str) -> HttpResponse:
    ratelimit.check("watch", ip=ratelimit.address(request))
    answer = show(request, template, one=watching.ticket(code), code=code, LINE_WORDS=dict(Line.choices))
    # The address is a key: it must not be kept, nor told to the next page.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
