"""The screen in a hall: tokens and where to go, for whoever has the screen's code. No account is signed in there."""

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
def hall(request: HttpRequest, code: str) -> HttpResponse:
    return _draw(request, code, "hall/hall.html")


@declare("public")
@require_GET
def state(request: HttpRequest, code: str) -> HttpResponse:
    """Only what changes."""
    return _draw(request, code, "hall/_state.html")


def _draw(request: HttpRequest, code: str, template: str) -> HttpResponse:
    ratelimit.check("watch", ip=ratelimit.address(request))
    answer = show(request, template, hall=watching.hall(code), code=code, LINE_WORDS=dict(Line.choices))
    answer.headers["Cache-Control"] = "no-store"
    return answer
