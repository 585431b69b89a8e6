"""The public directory: places, doctors, services. Anyone may look; the viewer is asked for all the same."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities import ruling
from polyclinic.facilities.models import Facility, Service
from polyclinic.people.models import Doctor

MAX_LIMIT = 200


class FacilityRow(msgspec.Struct, frozen=True, rename="camel"):
    """A place of care as the public sees it. `specialties` are those of its bookable doctors."""

    id: UUID
    slug: str
    name: str
    address: str
    city: str
    phone: str
    emergency_phone: str
    time_zone: str
    notice_hours: int
    departments: tuple[str, ...]
    specialties: tuple[str, ...]
    doctor_count: int


class PlaceRow(msgspec.Struct, frozen=True, rename="camel"):
    """One of the places where a doctor can be booked, and by which schedule."""

    schedule_id: UUID
    facility_id: UUID
    facility_slug: str
    facility_name: str
    city: str
    time_zone: str


class DoctorRow(msgspec.Struct, frozen=True, rename="camel"):
    """A doctor as the public sees them. `name` is "Dr Anil Rao"."""

    id: UUID
    name: str
    title: str
    family_name: str
    given_name: str
    specialty: str
    languages: str
    about: str
    places: tuple[PlaceRow, ...]


class DoctorPage(msgspec.Struct, frozen=True, rename="camel"):
    """One page of doctors; `total` counts all that match."""

    rows: list[DoctorRow]
    total: int
    page: int
    pages: int


class ServiceRow(msgspec.Struct, frozen=True, rename="camel"):
    """A service; `minutes` is None when the doctor's schedule decides how long it takes."""

    id: UUID
    slug: str
    name: str
    specialty: str
    minutes: int | None
    about: str


def facilities(viewer: Viewer) -> list[FacilityRow]:
    """All places of care, by name."""
    return [_facility(row) for row in _facilities().order_by("name", "pk")]


def facility(viewer: Viewer, slug: str) -> FacilityRow:
    """The place with this slug. Raises NotFound."""
    row = _facilities().filter(slug=slug).first()
    if row is None:
        raise NotFound()
    return _facility(row)


def doctors(
    viewer: Viewer,
    *,
    facility_id: UUID | None = None,
    specialty: str | None = None,
    search: str = "",
    page: int = 1,
    limit: int = 50,
) -> DoctorPage:
    """Bookable doctors by name. `search` is part of a name or a specialty. Raises Invalid for a bad page or limit."""
    if page < 1:
        raise Invalid(_("Pages count from 1."), field="page")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")
    query = _doctors()
    if facility_id:
        query = query.filter(schedules__facility_id=facility_id, schedules__bookable=True)
    if specialty:
        query = query.filter(specialty=specialty)
    for word in search.split()[:5]:
        query = query.filter(
            Q(family_name__icontains=word) | Q(given_name__icontains=word) | Q(specialty__icontains=word)
        )
    query = query.distinct()
    total = query.count()
    rows = query.order_by("family_name", "given_name", "pk")[(page - 1) * limit : page * limit]
    return DoctorPage([_doctor(row) for row in rows], total, page, max(1, -(-total // limit)))


def doctor(viewer: Viewer, doctor_id: UUID) -> DoctorRow:
    """One doctor. Raises NotFound, also for a doctor who no longer practises here."""
    row = _doctors().filter(pk=doctor_id).first()
    if row is None:
        raise NotFound()
    return _doctor(row)


def services(viewer: Viewer, *, specialty: str | None = None) -> list[ServiceRow]:
    """Services by name, of one specialty or all."""
    query = Service.objects.filter(specialty=specialty) if specialty else Service.objects.all()
    columns = ("id", "slug", "name", "specialty", "minutes", "about")
    return [ServiceRow(*cells) for cells in query.order_by("name", "pk").values_list(*columns)]


def specialties(viewer: Viewer) -> list[str]:
    """Specialties that have a bookable doctor, in alphabetical order."""
    query = Doctor.objects.filter(account__is_active=True, schedules__bookable=True)
    return list(query.order_by("specialty").values_list("specialty", flat=True).distinct())


def _facilities() -> QuerySet[Facility]:
    return Facility.objects.prefetch_related("departments", "schedules__doctor__account")


def _facility(row: Facility) -> FacilityRow:
    here = {part.doctor for part in row.schedules.all() if part.bookable and part.doctor.account.is_active}
    return FacilityRow(
        row.pk,
        row.slug,
        row.name,
        row.address,
        row.city,
        row.phone,
        row.emergency_phone,
        row.time_zone,
        ruling.value(row, "notice_hours"),
        tuple(sorted(part.name for part in row.departments.all())),
        tuple(sorted({one.specialty for one in here})),
        len(here),
    )


def _doctors() -> QuerySet[Doctor]:
    return Doctor.objects.filter(account__is_active=True).prefetch_related("schedules__facility")


def _doctor(row: Doctor) -> DoctorRow:
    places = [part for part in row.schedules.all() if part.bookable]
    return DoctorRow(
        row.pk,
        str(row),
        row.title,
        row.family_name,
        row.given_name,
        row.specialty,
        row.languages,
        row.about,
        tuple(
            PlaceRow(
                part.pk,
                part.facility_id,
                part.facility.slug,
                part.facility.name,
                part.facility.city,
                part.facility.time_zone,
            )
            for part in sorted(places, key=lambda part: part.facility.name)
        ),
    )
