"""The patient's laboratory results: in plain words, on a line, with what the words leave out beside it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.files.results import of_released
from polyclinic.laboratory import selectors
from polyclinic.laboratory.catalogue import ANSWERS
from polyclinic.laboratory.flags import NAMES
from polyclinic.portals.common import patient_of, person_of, show
from polyclinic.portals.lab.drawing import line, plain_words
from polyclinic.web.access import declare


@declare("lab.released")
@require_GET
def results(request: HttpRequest) -> HttpResponse:
    """All orders with released results, the newest first."""
    rows = selectors.released(person_of(request), patient_of(request))
    return show(request, "patient/results.html", rows=rows)


@declare("lab.released")
@require_GET
def newest(request: HttpRequest) -> HttpResponse:
    """Only the list, for when a result is released while the page is open."""
    return show(request, "patient/_results.html", rows=selectors.released(person_of(request), patient_of(request)))


@declare("lab.released")
@require_GET
def one(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """The released results of one order; what was corrected stays readable."""
    found = parse_id(lab_order_id)
    if found is None:
        raise NotFound()
    row = selectors.released_order(person_of(request), found)
    return show(
        request,
        "patient/result.html",
        row=row,
        files=of_released(person_of(request), found),
        line=line,
        plain_words=plain_words,
        answers=ANSWERS,
        flag_names=NAMES,
    )
