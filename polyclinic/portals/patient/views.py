"""A patient's home and appointments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from markupsafe import Markup

from polyclinic.core import clock
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.people import selectors as people
from polyclinic.portals.common import page_of, patient_of, person_of, show, viewer_of
from polyclinic.portals.patient import ics, visit
from polyclinic.portals.patient.people import acting
from polyclinic.reminders import selectors as reminders
from polyclinic.scheduling import selectors, series
from polyclinic.web.access import declare

# States in which the patient is still expected or already there.
COMING = ("booked", "confirmed", "checked_in")
PER_PAGE = 20


@declare("appointment.view")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    patient = people.patient(person_of(request), patient_of(request))
    ahead = upcoming(request)
    past = selectors.appointments(viewer_of(request), patient_id=patient.id, until=clock.now(), sort="-starts", limit=5)
    return show(
        request, "patient/home.html", patient=patient, coming=ahead, past=past.rows, others=acting(request),
        **_next(request, ahead), **visit.current(request),
    )  # fmt: skip


@declare("appointment.view")
@require_GET
def next_appointment(request: HttpRequest) -> HttpResponse:
    """Only the panel of the next appointment, for when it changes while the page is open."""
    return show(request, "patient/_next.html", **_next(request, upcoming(request)))


def upcoming(request: HttpRequest) -> list[Any]:
    """What is still to come, soonest first."""
    page = selectors.appointments(
        viewer_of(request), patient_id=patient_of(request), from_=clock.now(), sort="starts", limit=50
    )
    return [row for row in page.rows if row.status in COMING]


def _next(request: HttpRequest, ahead: list[Any]) -> dict[str, Any]:
    row = ahead[0] if ahead else None
    return {"next": row, "place": facility_of(request, row.facility_id) if row else None}


def facility_of(request: HttpRequest, facility_id: UUID) -> Any:  # noqa: ANN401 - a facility row
    """The facility an appointment is at."""
    return next((row for row in places.facilities(viewer_of(request)) if row.id == facility_id), None)


@declare("appointment.view")
@require_GET
def appointments(request: HttpRequest) -> HttpResponse:
    past = selectors.appointments(
        viewer_of(request), patient_id=patient_of(request), until=clock.now(), sort="-starts",
        page=page_of(request), limit=PER_PAGE,
    )  # fmt: skip
    return show(request, "patient/appointments.html", coming=upcoming(request), past=past)


@declare("appointment.view")
@require_GET
def coming(request: HttpRequest) -> HttpResponse:
    """Only the coming ones, for when one of them changes while the page is open."""
    return show(request, "patient/_coming.html", coming=upcoming(request))


@declare("appointment.view")
@require_GET
def appointment(request: HttpRequest, appointment_id: str) -> HttpResponse:
    row = own(request, appointment_id)
    return show(
        request,
        "patient/appointment.html",
        row=row,
        place=facility_of(request, row.facility_id),
        now=clock.now(),
        series=series.of_appointment(person_of(request), row.id),
        coming=reminders.coming_at(row),
        may_answer=reminders.may_answer(viewer_of(request), row),
    )


@declare("appointment.view")
@require_GET
def appointment_state(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Only what changes on that page: the state and what can be done."""
    row = own(request, appointment_id)
    return show(
        request,
        "patient/_appointment.html",
        row=row,
        place=facility_of(request, row.facility_id),
        now=clock.now(),
        series=series.of_appointment(person_of(request), row.id),
        coming=reminders.coming_at(row),
        may_answer=reminders.may_answer(viewer_of(request), row),
    )


@declare("appointment.view")
@require_GET
def booked(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """It is done: what, when, where, the calendar file and a code that opens this appointment on a phone."""
    row = own(request, appointment_id)
    code = qr(f"{settings.PUBLIC_URL}/my/appointments/{row.id}")
    return show(request, "patient/booked.html", row=row, place=facility_of(request, row.facility_id), code=code)


@declare("appointment.view")
@require_GET
def calendar(request: HttpRequest, appointment_id: str) -> HttpResponse:
    row = own(request, appointment_id)
    content = ics.calendar(row, facility_of(request, row.facility_id), settings.PUBLIC_URL)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


def own(request: HttpRequest, appointment_id: str) -> Any:  # noqa: ANN401 - an AppointmentRow
    """The appointment, when it is this patient's own or of someone they act for. A doctor's view is another page."""
    found = parse_id(appointment_id)
    if found is None:
        raise NotFound()
    row = selectors.appointment(viewer_of(request), found)
    person = person_of(request)
    if row.patient_id != person.patient_id and row.patient_id not in person.delegated:
        raise NotFound()
    return row


def qr(text: str) -> Markup:
    """`text` as an inline SVG that scanners read in both themes: always dark on white."""
    picture = segno.make(text, error="m").svg_inline(scale=4, dark="#000", light="#fff", border=2, omitsize=True)
    return Markup(picture)  # noqa: S704 - made by segno; the text is encoded as modules, never as markup
