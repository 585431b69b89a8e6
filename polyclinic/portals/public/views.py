"""The public pages: who is here, what is offered, when someone is free. In an emergency: `portals.public.sos`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.facilities import settings
from polyclinic.facilities.declared import open_said, weekdays
from polyclinic.portals.common import optional_id, page_of, show, today_in, viewer_of
from polyclinic.portals.patient import strip
from polyclinic.scheduling import selectors
from polyclinic.web.access import declare

PER_PAGE = 20


@declare("public")
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    return show(
        request, "public/landing.html", specialties=places.specialties(viewer), facilities=places.facilities(viewer),
        first=_first(request),
    )  # fmt: skip


@declare("public")
@require_GET
def next_free(request: HttpRequest) -> HttpResponse:
    """Only the next free appointments of the landing page."""
    return show(request, "public/_next_free.html", first=_first(request))


def _first(request: HttpRequest) -> list[dict[str, Any]]:
    """The soonest free time of each of the three doctors who are free first."""
    viewer = viewer_of(request)
    page = places.doctors(viewer, facility_id=None, specialty=None, search="", page=1, limit=100)
    doctors = {row.id: row for row in page.rows}
    free = selectors.next_free_by_doctor(viewer, list(doctors))
    names = {row.id: row.name for row in places.facilities(viewer)}
    soonest = sorted(free.values(), key=lambda slot: slot.starts)[:3]
    return [
        {"doctor": doctors[slot.doctor_id], "slot": strip.choice(slot), "place": names[slot.facility_id]}
        for slot in soonest
    ]


@declare("public")
@require_GET
def hospitals(request: HttpRequest) -> HttpResponse:
    return show(request, "public/hospitals.html", facilities=places.facilities(viewer_of(request)))


@declare("public")
@require_GET
def hospital(request: HttpRequest, slug: str) -> HttpResponse:
    viewer = viewer_of(request)
    facility = places.facility(viewer, slug)
    page = places.doctors(
        viewer, facility_id=facility.id, specialty=None, search="", page=page_of(request), limit=PER_PAGE
    )
    free = selectors.next_free_by_doctor(viewer, [row.id for row in page.rows])
    opening = settings.opening_hours(viewer, facility.id)
    return show(
        request, "public/hospital.html", facility=facility, page=page, free=_choices(free), opening=opening,
        weekdays=weekdays(), open_said=open_said,
    )  # fmt: skip


@declare("public")
@require_GET
def doctors(request: HttpRequest) -> HttpResponse:
    """The directory. Each doctor's next free time is a region of its own that follows their bookings."""
    viewer = viewer_of(request)
    facility = optional_id(request.GET.get("hospital"), "hospital")
    specialty = request.GET.get("specialty", "")[:40]
    search = request.GET.get("q", "").strip()[:80]
    page = places.doctors(
        viewer, facility_id=facility, specialty=specialty or None, search=search, page=page_of(request), limit=PER_PAGE
    )
    free = selectors.next_free_by_doctor(viewer, [row.id for row in page.rows])
    return show(
        request, "public/doctors.html", page=page, free=_choices(free), facility=facility, specialty=specialty,
        search=search, facilities=places.facilities(viewer), specialties=places.specialties(viewer),
    )  # fmt: skip


def _choices(free: dict[Any, Any]) -> dict[Any, strip.Choice]:
    return {doctor: strip.choice(slot) for doctor, slot in free.items()}


def _doctor(request: HttpRequest, text: str) -> Any:  # noqa: ANN401 - a doctor row
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return places.doctor(viewer_of(request), found)


@declare("public")
@require_GET
def doctor(request: HttpRequest, doctor_id: str) -> HttpResponse:
    row = _doctor(request, doctor_id)
    return show(request, "public/doctor.html", doctor=row, **_days(request, row))


def _days(request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ANN401 - a doctor row
    """The doctor's next days with free times, at each place they work."""
    viewer = viewer_of(request)
    names = {place.id: place for place in places.facilities(viewer)}
    shown = []
    for facility in (names[place.facility_id] for place in row.places if place.facility_id in names):
        first = selectors.first_free(viewer, doctor_id=row.id, facility_id=facility.id, limit=1)
        begin = strip.choice(first[0]).day if first else today_in(facility.time_zone)
        free = selectors.free_slots(viewer, doctor_id=row.id, facility_id=facility.id, first_day=begin, days=strip.DAYS)
        shown.append({"facility": facility, "begin": begin, "week": strip.week(free, begin, facility.time_zone)})
    return {"places": shown}


@declare("public")
@require_GET
def doctor_days(request: HttpRequest, doctor_id: str) -> HttpResponse:
    """Only the free days of that page."""
    row = _doctor(request, doctor_id)
    return show(request, "public/_doctor_days.html", doctor=row, **_days(request, row))


@declare("public")
@require_GET
def doctor_next_free(request: HttpRequest, doctor_id: str) -> HttpResponse:
    """Only one doctor's next free time, for the directory."""
    row = _doctor(request, doctor_id)
    free = _choices(selectors.next_free_by_doctor(viewer_of(request), [row.id]))
    return show(request, "public/_doctor_free.html", doctor=row, slot=free.get(row.id))


@declare("public")
@require_GET
def services(request: HttpRequest) -> HttpResponse:
    return show(request, "public/services.html", services=places.services(viewer_of(request), specialty=None))
