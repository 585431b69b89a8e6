"""The doctor's patients: everyone who has booked with them, and nobody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core import clock
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.files.selectors import photo_of_patient
from polyclinic.portals.common import allergies_of, doctor_of, page_of, person_of, see, show
from polyclinic.portals.doctor.day import nav
from polyclinic.portals.doctor.lines import line
from polyclinic.privacy import closing, restrictions
from polyclinic.scheduling import actions, selectors
from polyclinic.web.access import declare

PER_PAGE = 50


@declare("patient.list")
@require_http_methods(["GET", "POST"])
def patients(request: HttpRequest) -> HttpResponse:
    """The list; a POST takes the "new" marks away, for looking alone changes nothing."""
    doctor, person = doctor_of(request), person_of(request)
    if request.method == "POST":
        actions.mark_patients_seen(actor=person, doctor_id=doctor)
        return see("/doctor/patients")
    search = request.GET.get("q", "").strip()[:80]
    page = selectors.doctor_patients(person, doctor, search=search, page=page_of(request), limit=PER_PAGE)
    return show(
        request, "doctor/patients.html", page=page, search=search, nav=nav(request, "patients"), zone=zone(request)
    )


def zone(request: HttpRequest) -> str:
    """The zone in which this doctor reads dates that belong to no single appointment."""
    schedules = selectors.schedules_of_doctor(person_of(request), doctor_of(request))
    return str(schedules[0].time_zone) if schedules else "UTC"


@declare("patient.list")
@require_GET
def row(request: HttpRequest, patient_id: str) -> HttpResponse:
    """One row of the list."""
    found = selectors.patient_of_doctor(person_of(request), _id(patient_id))
    return show(request, "doctor/_patient_row.html", patient=found, zone=zone(request))


@declare("patient.list")
@require_GET
def new_count(request: HttpRequest) -> HttpResponse:
    """Only the badge in the bar."""
    return show(request, "doctor/_badge.html", nav=nav(request, ""))


@declare("patient.view")
@require_GET
def patient(request: HttpRequest, patient_id: str) -> HttpResponse:
    """One patient, with the appointments they have with this doctor."""
    doctor = doctor_of(request)
    found = selectors.patient_of_doctor(person_of(request), _id(patient_id))
    page = selectors.appointments(
        person_of(request), doctor_id=doctor, patient_id=found.id, sort="-starts", page=page_of(request), limit=PER_PAGE
    )
    return show(
        request, "doctor/patient.html", patient=found, lines=_lines(page.rows), page=page, now=clock.now(),
        nav=nav(request, "patients"), photo=photo_of_patient(person_of(request), found.id),
        restricted_since=restrictions.since(person_of(request), found.id), zone=zone(request),
        closed=closing.shuts_out(person_of(request), found.id),
        allergies=allergies_of(request, found.id),
    )  # fmt: skip


def _lines(rows: list[Any]) -> list[Any]:
    return [line(row) for row in rows]


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found
