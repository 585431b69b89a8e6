"""A patient's page of sharing: who can see what, since when, until when; to share, and to stop."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.consent import actions, selectors
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.people import selectors as people
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, person_of, see, show, version_of, viewer_of, zone_of
from polyclinic.portals.forms import decided_for, end_of, errors_of
from polyclinic.portals.patient import words
from polyclinic.privacy import restrictions
from polyclinic.records import links
from polyclinic.scheduling import care
from polyclinic.web.access import declare

DOCTORS_OFFERED = 200


@declare("consent.edit")
@require_http_methods(["GET", "POST"])
def sharing(request: HttpRequest) -> HttpResponse:
    """Who can see the record; a POST shares it with a hospital or a doctor."""
    patient = decided_for(request)
    if request.method == "GET":
        return page(request, patient)
    try:
        _grant(request, patient)
    except Problem as problem:
        return page(request, patient, errors_of(problem), problem.status)
    done(request, words.SHARED)
    return see(back_to(request, patient))


def _grant(request: HttpRequest, patient: UUID) -> None:
    kind, _colon, key = request.POST.get("grantee", "").partition(":")
    found = parse_id(key) if key else None
    if found is None or kind not in ("facility", "doctor"):
        raise Invalid(words.CHOOSE_GRANTEE, code="required", field="grantee")
    whom: dict[str, Any] = {"facility_id": found}
    if kind == "doctor":
        whom = {"account_id": selectors.doctor_account(viewer_of(request), found)}
    actions.grant(
        actor=person_of(request),
        patient_id=patient,
        purpose=request.POST.get("purpose", ""),
        categories=request.POST.getlist("categories"),
        expires_at=end_of(request.POST.get("until", "")),
        **whom,
    )


def page(
    request: HttpRequest, patient: UUID, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    viewer = viewer_of(request)
    doctors = places.doctors(viewer, limit=DOCTORS_OFFERED).rows
    offered = [(f"facility:{row.id}", row.name) for row in places.facilities(viewer)]
    offered += [(f"doctor:{row.id}", f"{row.name}, {words.specialty(row.specialty)}") for row in doctors]
    return show(
        request, "patient/sharing.html", status, grantees=offered, purposes=words.PURPOSES,
        categories=words.CATEGORIES, errors=errors or {}, given=request.POST,
        chosen=request.POST.getlist("categories") or ["all"], **_shown(request, patient),
    )  # fmt: skip


@declare("consent.edit")
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """Only who can see what, for when that changes while the page is open."""
    return show(request, "patient/_sharing.html", **_shown(request, decided_for(request)))


@declare("consent.edit")
@require_POST
def withdraw(request: HttpRequest, consent_id: str) -> HttpResponse:
    """Stop sharing, with one click; it holds at once."""
    found = parse_id(consent_id)
    if found is None:
        raise NotFound()
    row = selectors.consent(person_of(request), found)
    try:
        actions.withdraw(actor=person_of(request), consent_id=found, version=version_of(request))
    except Problem as problem:
        if meanwhile.told(request, problem):
            return page(request, row.patient_id, status=meanwhile.CHANGED)
    else:
        done(request, words.WITHDRAWN)
    return see(back_to(request, row.patient_id))


def _shown(request: HttpRequest, patient: UUID) -> dict[str, Any]:
    """Who sees the record now, and by what they do."""
    viewer = viewer_of(request)
    rows = selectors.consents(viewer, patient)
    return {
        "patient": people.patient(viewer, patient),
        "own": patient == person_of(request).patient_id,
        "consents": [row for row in rows if row.in_force],
        "past": [row for row in rows if not row.in_force],
        "carers": [row for row in selectors.carers(viewer, patient) if row.in_force],
        "treating": care.doctors_of_patient(viewer, patient),
        "restrictions": restrictions.restrictions(viewer, patient),
        "openings": selectors.openings(viewer, patient),
        "links": links.links(viewer, patient),
        "minutes": words.MINUTES,
        "site": settings.PUBLIC_URL.rstrip("/"),
        "zone": zone_of(viewer),
        "words": words,
    }


def back_to(request: HttpRequest, patient: UUID) -> str:
    return "/my/sharing" if patient == person_of(request).patient_id else f"/my/sharing?for={patient}"
