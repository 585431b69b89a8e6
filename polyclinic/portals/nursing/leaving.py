"""The discharge summary: written and signed by a doctor, read by the patient."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.errors import Problem
from polyclinic.nursing import selectors, summaries, words
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, patient_of, person_of, see, show, version_of
from polyclinic.portals.forms import decided_for, errors_of
from polyclinic.portals.nursing import house
from polyclinic.web import stepup
from polyclinic.web.access import declare


# Not `summary.view`, which is the patient's as well: this is a page of the house.
@declare("medication.view")
@require_http_methods(["GET", "POST"])
def summary(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Read it; whoever answers for the patient saves its parts, and signs them once they are right."""
    person, found, problem = person_of(request), house.key(stay_id), None
    row = selectors.stay(person, found)
    given = {name: request.POST.get(name, "") for name in words.SUMMARY}
    if request.method == "POST":
        do = request.POST.get("do")
        try:
            if do in ("sign", "amend"):
                stepup.require(request)
            version = version_of(request) or 0
            if do == "amend":
                why = request.POST.get("why", "")
                summaries.amend(actor=person, stay_id=found, parts=given, reason=why, version=version)
            else:
                write = summaries.sign if do == "sign" else summaries.save
                write(actor=person, stay_id=found, parts=given, version=version)
        except Problem as caught:
            if caught.status in (401, 403, 404):
                raise
            problem = caught
        else:
            done(
                request,
                _("The draft is saved.") if do == "save" else _("The summary is signed; the patient can read it."),
            )
            return see(f"/nursing/stays/{found}/summary")
    shown = summaries.summary(person, found)
    return show(
        request, "nursing/summary.html", meanwhile.status_of(problem) if problem else 200, summary=shown,
        parts=given if problem else shown.parts, amends=problem is not None or bool(request.GET.get("amend")),
        given=request.POST, errors=errors_of(meanwhile.explained(problem)) if problem else {},
        **house.bedside(request, row, "summary"),
    )  # fmt: skip


@declare("summary.view")
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """A patient's own signed summaries, or (`for=`) those of whom one decides for; newest first."""
    person = person_of(request)
    whose = decided_for(request) if request.GET.get("for") else patient_of(request)
    return show(
        request, "nursing/mine.html", rows=summaries.signed_of(person, whose), words=words,
        nav={"current": "papers"},
    )  # fmt: skip
