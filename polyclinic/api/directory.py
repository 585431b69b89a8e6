"""What anyone may look up: hospitals, doctors, services, free times."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Day, FreeDoctorRow, Limit, PageNumber, Words, described, list_of
from polyclinic.core import clock
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities import selectors as facilities
from polyclinic.facilities.selectors import DoctorRow, FacilityRow, ServiceRow
from polyclinic.scheduling import selectors
from polyclinic.scheduling.rows import Slot
from polyclinic.web.access import declare

router = Router(tags=["Directory"])
Days = Annotated[int, Field(ge=1, le=31)]
First = Annotated[int, Field(ge=1, le=50)]


@router.get("/hospitals", response={200: list_of(FacilityRow), **PROBLEMS}, summary="List hospitals")
@declare("public")
def list_hospitals(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Every hospital and clinic, by name."""
    return answers.cut(request, facilities.facilities(answers.viewer_of(request)), page, limit, fields)


@router.get("/hospitals/{hospitalId}", response={200: described(FacilityRow), **PROBLEMS}, summary="Read a hospital")
@declare("public")
def read_hospital(request: HttpRequest, hospitalId: str, fields: Words | None = None) -> HttpResponse:
    """One hospital with its departments."""
    wanted = answers.key(hospitalId)
    found = next((row for row in facilities.facilities(answers.viewer_of(request)) if row.id == wanted), None)
    if found is None:
        raise NotFound()
    return answers.one(request, found, fields)


@router.get("/doctors", response={200: list_of(FreeDoctorRow), **PROBLEMS}, summary="List doctors")
@declare("public")
def list_doctors(
    request: HttpRequest,
    hospitalId: UUID | None = None,
    specialty: Words | None = None,
    search: Words = "",
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Doctors by name, each with `nextFree`, the first slot that can be booked now (null for none in 90 days)."""
    viewer = answers.viewer_of(request)
    found = facilities.doctors(
        viewer, facility_id=hospitalId, specialty=specialty, search=search, page=page, limit=limit
    )
    free = selectors.next_free_by_doctor(viewer, [row.id for row in found.rows])
    rows = [FreeDoctorRow.of(row, free.get(row.id)) for row in found.rows]
    return answers.listing(request, rows, total=found.total, page=found.page, pages=found.pages, fields=fields)


@router.get("/doctors/{doctorId}", response={200: described(DoctorRow), **PROBLEMS}, summary="Read one doctor")
@declare("public")
def read_doctor(request: HttpRequest, doctorId: str, fields: Words | None = None) -> HttpResponse:
    """One doctor and where they can be booked."""
    return answers.one(request, facilities.doctor(answers.viewer_of(request), answers.key(doctorId)), fields)


@router.get(
    "/doctors/{doctorId}/availability", response={200: list_of(Slot), **PROBLEMS}, summary="A doctor's free times"
)
@declare("public")
def availability(
    request: HttpRequest,
    doctorId: str,
    from_: Annotated[Day | None, Query(alias="from")] = None,
    days: Days = 7,
    serviceId: UUID | None = None,
    hospitalId: UUID | None = None,
) -> HttpResponse:
    """Free slots of `days` days from a day of each hospital's calendar (from now when no day is given)."""
    rows = selectors.free_slots(
        answers.viewer_of(request),
        doctor_id=answers.key(doctorId),
        service_id=serviceId,
        facility_id=hospitalId,
        # West of UTC it is still yesterday; what has passed is left out by the clock.
        first_day=from_ or clock.now().date() - timedelta(days=1),
        days=days if from_ else days + 1,
    )
    return answers.listing(request, rows)


@router.get("/slots", response={200: list_of(Slot), **PROBLEMS}, summary="Search free times")
@declare("public")
def slots(
    request: HttpRequest,
    specialty: Words | None = None,
    serviceId: UUID | None = None,
    hospitalId: UUID | None = None,
    doctorId: UUID | None = None,
    from_: Annotated[Day | None, Query(alias="from")] = None,
    days: Days = 7,
    first: First | None = None,
) -> HttpResponse:
    """Free slots of all doctors that match, soonest first. `first` gives the first so many, however far ahead."""
    if not (specialty or serviceId or hospitalId or doctorId):
        raise Invalid(_("Name a specialty, service, hospital or doctor."), code="required", field="specialty")
    viewer = answers.viewer_of(request)
    if first is not None:
        found = selectors.first_free(
            viewer,
            doctor_id=doctorId,
            specialty=specialty,
            service_id=serviceId,
            facility_id=hospitalId,
            limit=first,
        )
    else:
        found = selectors.free_slots(
            viewer,
            doctor_id=doctorId,
            specialty=specialty,
            service_id=serviceId,
            facility_id=hospitalId,
            first_day=from_ or clock.now().date(),
            days=days,
        )
    return answers.listing(request, found)


@router.get("/services", response={200: list_of(ServiceRow), **PROBLEMS}, summary="List services")
@declare("public")
def list_services(
    request: HttpRequest,
    specialty: Words | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Reasons to come, how long each takes and which specialty gives it."""
    rows = facilities.services(answers.viewer_of(request), specialty=specialty)
    return answers.cut(request, rows, page, limit, fields)
