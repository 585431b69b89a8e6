"""A patient's privacy requests: a copy, a correction, a restriction, erasure; and fetching the copy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.laboratory.catalogue import ANSWERS
from polyclinic.nursing import words as beside
from polyclinic.people import selectors as people
from polyclinic.portals import meanwhile
from polyclinic.portals.checker.words import SEVERITIES
from polyclinic.portals.common import done, person_of, see, show, version_of, viewer_of, zone_of
from polyclinic.portals.forms import decided_for, errors_of
from polyclinic.portals.patient import words
from polyclinic.privacy import actions, copies, restrictions, selectors
from polyclinic.records import forms
from polyclinic.records.vitals import BY_NAME
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare


@declare("privacy.request")
@require_http_methods(["GET", "POST"])
def requests(request: HttpRequest) -> HttpResponse:
    """The requests made so far, and the form for a new one."""
    patient = decided_for(request)
    if request.method == "GET":
        return _page(request, patient)
    given = request.POST
    try:
        ratelimit.check("privacy-request", account=person_of(request).label)
        place = parse_id(given.get("facility", ""))
        if place is None:
            raise Invalid(_("Choose the hospital."), code="required", field="facility")
        made = actions.request(
            actor=person_of(request), patient_id=patient, facility_id=place, kind=given.get("kind", ""),
            words=given.get("words", "")[:3000], field=given.get("field", ""), after=given.get("after", "")[:200],
        )  # fmt: skip
    except Problem as problem:
        if problem.field in {key for key, _label in words.FIELDS}:
            problem.field = "after"
        return _page(request, patient, errors_of(problem), problem.status)
    done(request, _("Your request is with the hospital. It is to be answered within 30 days."))
    return see(f"/my/privacy/{made.pk}")


@declare("privacy.request")
@require_GET
def one(request: HttpRequest, request_id: str) -> HttpResponse:
    return show(request, "patient/privacy_one.html", row=_own(request, request_id), words=words)


@declare("privacy.request")
@require_GET
def state(request: HttpRequest, request_id: str) -> HttpResponse:
    """Only what changes on that page."""
    return show(request, "patient/_privacy_one.html", row=_own(request, request_id), words=words)


@declare("privacy.request")
@require_POST
def cancel(request: HttpRequest, request_id: str) -> HttpResponse:
    """Take one's own request back."""
    row = _own(request, request_id)
    try:
        actions.cancel(actor=person_of(request), request_id=row.id, version=version_of(request))
    except Problem as problem:
        if meanwhile.told(request, problem):
            now = _own(request, request_id)
            return show(request, "patient/privacy_one.html", meanwhile.CHANGED, row=now, words=words)
    else:
        done(request, _("You have taken your request back."))
    return see(f"/my/privacy/{row.id}")


@declare("privacy.request")
@require_POST
def lift(request: HttpRequest, restriction_id: str) -> HttpResponse:
    """Let one's record, or that of somebody one decides for, be used again as before."""
    person, found = person_of(request), parse_id(restriction_id)
    if found is None:
        raise NotFound()
    patient = decided_for(request)
    if found not in {row.id for row in restrictions.restrictions(person, patient, lifted=True)}:
        raise NotFound()
    try:
        restrictions.lift(actor=person, restriction_id=found, version=version_of(request))
    except Problem as problem:
        if meanwhile.told(request, problem):
            return _page(request, patient, status=meanwhile.CHANGED)
    else:
        done(request, _("The restriction is lifted. What you share counts again."))
    return see("/my/privacy" if patient == person.patient_id else f"/my/privacy?for={patient}")


@declare("privacy.request")
@require_GET
def copy(request: HttpRequest, request_id: str, form: str) -> HttpResponse:
    """The copy an access request was answered with, as a page or as a file for programs; after a step-up."""
    row = _own(request, request_id)
    if form not in ("html", "json"):
        raise NotFound()
    stepup.require(request)
    whole = copies.copy_for(viewer_of(request), row.id)
    name = f"record-{whole.patient.mrn}.{form}"
    if form == "json":
        response = HttpResponse(
            msgspec.json.format(msgspec.json.encode(whole), indent=2), content_type="application/json"
        )
    else:
        response = show(
            request, "patient/privacy_copy.html", copy=whole, words=words, zone=zone_of(viewer_of(request)),
            signs=BY_NAME, kinds=dict(forms.Kind.choices), fields_of=forms.fields_of, severities=dict(SEVERITIES),
            answers=ANSWERS, outcomes=dict(beside.Outcome.choices), sbar=beside.SBAR, summary_parts=beside.SUMMARY,
        )  # fmt: skip
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _own(request: HttpRequest, request_id: str) -> Any:  # noqa: ANN401 - a RequestRow
    """The request, when it is one of the viewer's own or of a patient they decide for."""
    found, person = parse_id(request_id), person_of(request)
    if found is None:
        raise NotFound()
    row = selectors.request(person, found)
    if row.patient_id != person.patient_id and row.patient_id not in person.represents:
        raise NotFound()
    return row


def _page(
    request: HttpRequest, patient: UUID, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    viewer = viewer_of(request)
    return show(
        request, "patient/privacy.html", status, rows=selectors.requests_of(viewer, patient), words=words,
        facilities=[(row.id, row.name) for row in places.facilities(viewer)], errors=errors or {},
        restrictions=restrictions.restrictions(viewer, patient),
        given=request.POST, patient=people.patient(viewer, patient), own=patient == person_of(request).patient_id,
    )  # fmt: skip
