"""Asking for a bed: for the patient of a visit, or for somebody who is found by what is remembered of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.inpatient import actions, selectors
from polyclinic.people import search
from polyclinic.portals.beds.house import at, frame, key, place_of
from polyclinic.portals.common import FIRST_DAY, day_of, done, optional_id, person_of, see, show
from polyclinic.portals.forms import errors_of
from polyclinic.visits import selectors as visits
from polyclinic.web.access import declare


@declare("stay.request")
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """For whom? What is looked for is sent in the body: an address is written down everywhere."""
    place, places = place_of(request, "stay.request")
    text = request.POST.get("q", "").strip()[:100]
    hits = search.search(person_of(request), text) if text else []
    here = [hit for hit in hits if hit.place == place.id]
    return show(request, "beds/find.html", text=text, hits=here, places=places, **frame(request, "request", place))


@declare("stay.request")
@require_http_methods(["GET", "POST"])
def for_patient(request: HttpRequest, patient_id: str) -> HttpResponse:
    """The form for a patient whom the hospital knows; a POST asks."""
    place, _places = place_of(request, "stay.request")
    found = selectors.patient(person_of(request), place.id, key(patient_id))
    return _form(request, place, {"name": found.name, "born": found.born, "mrn": found.mrn, "sex": found.sex},
                 facility_id=place.id, patient_id=found.id)  # fmt: skip


@declare("stay.request")
@require_http_methods(["GET", "POST"])
def for_visit(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The form for the patient of a visit; a POST asks."""
    found = visits.visit(person_of(request), key(visit_id))
    place = at(request, found.facility_id)
    return _form(request, place, {"name": found.patient_name, "born": found.born, "mrn": found.mrn, "sex": found.sex},
                 visit_id=found.id)  # fmt: skip


def _form(request: HttpRequest, place: Any, who: dict[str, Any], **whom: Any) -> HttpResponse:  # noqa: ANN401
    problem: Problem | None = None
    if request.method == "POST":
        try:
            made = actions.request(actor=person_of(request), **whom, **_wish(request.POST))
        except Problem as caught:
            if caught.status in (403, 404) and not caught.field:
                raise
            problem = caught
        else:
            done(request, _("A bed is asked for."))
            return see(f"/beds/stays/{made.pk}")
    there = parse_id(str(problem.extra.get("stayId", ""))) if problem else None
    return show(
        request, "beds/request.html", problem.status if problem else 200, who=who, given=request.POST,
        errors=errors_of(problem) if problem else {}, there=there, zone=place.time_zone,
        wards=_wards(request, place.id), **frame(request, "request", place),
    )  # fmt: skip


def _wards(request: HttpRequest, place_id: UUID) -> list[tuple[str, str]]:
    """The wards to wish for; a doctor who works elsewhere too may not see this house's beds, and then names none."""
    try:
        return [(str(ward.id), ward.name) for ward in selectors.wards(person_of(request), place_id)]
    except NotFound:
        return []


def _wish(given: QueryDict) -> dict[str, Any]:
    text, needs = given.get("expected_on", "").strip()[:20], given.getlist("needs")
    return {
        "priority": given.get("priority", ""), "reason": given.get("reason", "")[:300],
        "ward_id": optional_id(given.get("ward"), "ward"),
        "expected_on": day_of(text, FIRST_DAY) if text else None,
        **{name: name in needs for name in ("isolation", "oxygen", "intensive")},
    }  # fmt: skip
