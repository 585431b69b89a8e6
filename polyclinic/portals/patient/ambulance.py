"""A patient asks for an ambulance and sees it come: for themselves, or for whom they act for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.people import selectors as people
from polyclinic.portals.ambulance.words import CONTEXT, coordinates_of
from polyclinic.portals.common import done, optional_id, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.patient.visit import patients_of
from polyclinic.transport import actions, asking, selectors
from polyclinic.transport.rows import TripRow
from polyclinic.web.access import declare
from polyclinic.web.headers import with_position

_FIELDS = ("phone", "address", "problem")


def _going(request: HttpRequest) -> list[TripRow]:
    person = person_of(request)
    return [row for one in patients_of(request) for row in selectors.trips_of(person, one, going=True)]


@declare("ambulance.request")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The trips that go on, and a form for whoever has none; those before."""
    mine = patients_of(request)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            _ask(request, mine)
        except Problem as problem:
            # The second of two clicks: there is one already, and this very page shows it.
            if problem.code == "trip_open":
                return see("/my/ambulance")
            if problem.status == 404:
                raise
            errors = errors_of(problem)
        else:
            done(request, _("We have your request. Somebody sends an ambulance now. Stay where you are."))
            return see("/my/ambulance")
    person = person_of(request)
    going = _going(request)
    busy = {row.patient_id for row in going}
    known = [people.patient(person, one) for one in mine if one not in busy]
    before = [row for one in mine for row in selectors.trips_of(person, one) if row.closed_at]
    context: dict[str, Any] = {
        "going": going, "free": known, "stations": selectors.stations(person), "errors": errors,
        "given": request.POST, "before": before[:20], "own": person.patient_id, "phones": _phones(request),
    }  # fmt: skip
    return with_position(show(request, "patient/ambulance.html", 422 if errors else 200, **context, **CONTEXT))


def _ask(request: HttpRequest, mine: list[UUID]) -> None:
    patient = optional_id(request.POST.get("patient"), "patient") or mine[0]
    if patient not in mine:
        raise NotFound()
    given: Any = {name: request.POST.get(name, "")[:400] for name in _FIELDS}
    asking.request(
        actor=person_of(request), facility_id=optional_id(request.POST.get("facilityId"), "facilityId"),
        patient_id=patient, **given, **coordinates_of(request.POST),
    )  # fmt: skip


def _phones(request: HttpRequest) -> list[Any]:
    return [row for row in facilities.facilities(person_of(request)) if row.emergency_phone][:3]


@declare("ambulance.request")
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """Only the trips that go on."""
    return show(request, "patient/_ambulance.html", going=_going(request), own=person_of(request).patient_id, **CONTEXT)


@declare("ambulance.cancel")
@require_POST
def cancel(request: HttpRequest, trip_id: str) -> HttpResponse:
    """It is not needed any more, and why."""
    row = _own(request, trip_id)
    try:
        reason = request.POST.get("reason", "")[:400]
        if not reason.strip():
            raise Invalid(_("Write why."), code="required", field="reason")
        actions.cancel(actor=person_of(request), trip_id=row.id, reason=reason, version=version_of(request))
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Cancelled. No ambulance comes."))
    return see("/my/ambulance")


@declare("ambulance.view")
@require_GET
def one(request: HttpRequest, trip_id: str) -> HttpResponse:
    """The record of one trip."""
    return show(request, "patient/ambulance_trip.html", row=_own(request, trip_id), **CONTEXT)


@declare("ambulance.view")
@require_GET
def one_state(request: HttpRequest, trip_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    row = _own(request, trip_id)
    return show(request, "ambulance/_record.html", row=row, address=f"/my/ambulance/{row.id}/state", **CONTEXT)


def _own(request: HttpRequest, trip_id: str) -> TripRow:
    key, mine = parse_id(trip_id), patients_of(request)
    if key is None:
        raise NotFound()
    row = selectors.trip(person_of(request), key)
    if row.patient_id not in mine:
        raise NotFound()
    return row
