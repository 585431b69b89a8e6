"""A patient's own papers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.papers import choices
from polyclinic.papers.words import STATES, PaperKind
from polyclinic.portals.common import patient_of, person_of, show
from polyclinic.portals.forms import decided_for
from polyclinic.web.access import declare


@declare("paper.print")
@require_GET
def papers(request: HttpRequest) -> HttpResponse:
    """Everything that one can print for oneself, or (`for=`) for whom one decides; newest first."""
    return show(request, "papers/mine.html", **_mine(request))


@declare("paper.print")
@require_GET
def newest(request: HttpRequest) -> HttpResponse:
    """Only the list, for when something is added while the page is open."""
    return show(request, "papers/_mine.html", **_mine(request))


def _mine(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    whose = decided_for(request) if request.GET.get("for") else patient_of(request)
    return {
        "rows": choices.of_patient(person, whose), "kinds": PaperKind, "states": STATES,
        "whose": None if whose == person.patient_id else whose,
    }  # fmt: skip
