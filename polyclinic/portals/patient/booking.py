"""Booking, the part before signing in: why, where and with whom, and when. Looking changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.facilities import selectors as places
from polyclinic.portals.common import day_of, optional_id, show, today_in, viewer_of
from polyclinic.portals.patient import strip
from polyclinic.scheduling import selectors
from polyclinic.web.access import declare

DOCTORS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person has said so far; it travels in the address, so that Back and a bookmark work."""

    service: UUID | None = None
    doctor: UUID | None = None
    facility: UUID | None = None
    first: date | None = None
    pick: str = ""
    # For whom, when it is not for oneself; who may be booked for is decided when booking.
    whom: UUID | None = None

    @classmethod
    def read(cls, query: QueryDict) -> Wish:
        given = query.get("from")
        return cls(
            service=optional_id(query.get("service"), "service"),
            doctor=optional_id(query.get("doctor"), "doctor"),
            facility=optional_id(query.get("facility"), "facility"),
            first=day_of(given, date.min) if given else None,
            pick=query.get("pick", "")[:80],
            whom=optional_id(query.get("for"), "for"),
        )

    def query(self, **changes: Any) -> str:  # noqa: ANN401 - the fields' own types
        """The wish as a query string, with some of it changed; empty parts are left out."""
        wish = replace(self, **changes)
        named = {
            "service": wish.service,
            "doctor": wish.doctor,
            "facility": wish.facility,
            "from": wish.first,
            "pick": wish.pick,
            "for": wish.whom,
        }
        return urlencode({name: str(value) for name, value in named.items() if value})


@declare("public")
@require_GET
def why(request: HttpRequest) -> HttpResponse:
    """The reason to come. A doctor chosen before narrows the services to theirs."""
    wish = Wish.read(request.GET)
    viewer = viewer_of(request)
    doctor = places.doctor(viewer, wish.doctor) if wish.doctor else None
    services = places.services(viewer, specialty=doctor.specialty if doctor else None)
    step = "time" if doctor else "where"
    return show(request, "patient/book_why.html", services=services, doctor=doctor, wish=wish, step=step)


@declare("public")
@require_GET
def where(request: HttpRequest) -> HttpResponse:
    """The first free time on top; below it the doctors who offer the service, each with their next free time."""
    wish = Wish.read(request.GET)
    viewer = viewer_of(request)
    service = service_of(viewer, wish.service)
    doctors = places.doctors(
        viewer, facility_id=wish.facility, specialty=service.specialty, search="", page=1, limit=DOCTORS_SHOWN
    )
    free = selectors.next_free_by_doctor(viewer, [doctor.id for doctor in doctors.rows], service_id=service.id)
    first = min(free.values(), key=lambda slot: slot.starts, default=None)
    return show(
        request, "patient/book_where.html", service=service, wish=wish, doctors=doctors.rows, free=free, first=first,
        facilities=places.facilities(viewer), names={doctor.id: doctor.name for doctor in doctors.rows},
    )  # fmt: skip


@declare("public")
@require_GET
def time(request: HttpRequest) -> HttpResponse:
    """Seven days of free times."""
    return show(request, "patient/book_time.html", **week_of(viewer_of(request), Wish.read(request.GET)))


@declare("public")
@require_GET
def slots(request: HttpRequest) -> HttpResponse:
    """Only the times of that page, for when they change while it is open."""
    return show(request, "patient/_slots.html", **week_of(viewer_of(request), Wish.read(request.GET)))


def service_of(viewer: Viewer, service_id: UUID | None) -> Any:  # noqa: ANN401 - a service row
    """The service of this id, or NotFound."""
    for service in places.services(viewer, specialty=None):
        if service.id == service_id:
            return service
    raise NotFound()


def week_of(viewer: Viewer, wish: Wish) -> dict[str, Any]:
    """What the page of times shows: the week asked for, else the week of the first free time."""
    service = service_of(viewer, wish.service) if wish.service else None
    doctor = places.doctor(viewer, wish.doctor) if wish.doctor else None
    if service is None and doctor is None:
        raise NotFound()
    filters: dict[str, Any] = {
        "doctor_id": wish.doctor,
        "service_id": wish.service,
        "specialty": service.specialty if service and not doctor else None,
        "facility_id": wish.facility,
    }
    found = selectors.first_free(viewer, **filters, limit=1)
    first = found[0] if found else None
    facilities = places.facilities(viewer)
    # All times of one page are in one zone: that of the facility chosen, else of the first free time.
    place = wish.facility or (first.facility_id if first else facilities[0].id)
    facility = next((row for row in facilities if row.id == place), None)
    if facility is None:
        raise NotFound()
    works = {place.facility_id for place in doctor.places} if doctor else None
    today = today_in(facility.time_zone)
    natural = strip.choice(first).day if first else today
    begin = max(today, wish.first or natural)
    free = selectors.free_slots(viewer, **{**filters, "facility_id": facility.id}, first_day=begin, days=strip.DAYS)
    return {
        "wish": replace(wish, first=begin),
        "service": service,
        "doctor": doctor,
        "facility": facility,
        "facilities": [row for row in facilities if works is None or row.id in works],
        "first": strip.choice(first, wish.pick) if first else None,
        "week": strip.week(free, begin, facility.time_zone, wish.pick),
        "earlier": max(today, begin - timedelta(days=strip.DAYS)) if begin > today else None,
        "later": begin + timedelta(days=strip.DAYS),
    }
