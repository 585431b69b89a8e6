"""Services seen from the diary: whom new terms leave without what they ask for, and who has what beside the doctor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.facilities import offers
from polyclinic.facilities.models import Equipment, Service
from polyclinic.facilities.ruling import Timeline
from polyclinic.people.models import Account, Doctor
from polyclinic.scheduling import frames, needs
from polyclinic.scheduling.models import Appointment, Reservation
from polyclinic.scheduling.needs import Asked, Crew
from polyclinic.scheduling.rows import AppointmentRow

SERVICE_CHANGED: Final = "service_changed"
_BESIDE: Final = (Reservation.Kind.DEVICE, Reservation.Kind.SECOND)


def unmet(coming: Sequence[Appointment], line: Timeline, service_id: UUID) -> list[Appointment]:
    """Those of a service's appointments that do not have what these terms ask for, or last another time."""
    crew = Crew()
    return [one for one in coming if not _met(one, line, service_id, crew)]


def _met(one: Appointment, line: Timeline, service_id: UUID, crew: Crew) -> bool:
    offer = line.offer(service_id, one.starts)
    if not (offer.offered and needs.on_day(offer, one.starts, needs.zone_of(one.facility))):
        return False
    if offer.doctors and one.doctor_id not in offer.doctors:
        return False
    if offer.minutes and (one.ends - one.starts).total_seconds() != offer.minutes * 60:
        return False
    taken = {row.resource_id for row in one.reservations.all()}
    pools = crew.pools(one.facility_id, one.doctor_id, one.room_id, offer, line.devices)
    return all(taken.intersection(pool.members) for pool in pools)


def given_in(viewer: Viewer, schedule_id: UUID) -> list[tuple[UUID, str]]:
    """Services that can be booked in this schedule on today's terms: (id, name), by name. Raises NotFound."""
    frame = frames.required(schedule_id)
    rows = Service.objects.filter(specialty=frame.specialty).order_by("name", "pk")
    now, found = clock.now(), []
    for key, name, minutes, facility_id in rows.values_list("pk", "name", "minutes", "facility_id"):
        wanted = Asked(key, minutes, frame.specialty, facility_id)
        offer = needs.terms(frame.facility, key, now)
        if needs.given(offer, wanted, frame.doctor_id, frame.specialty, frame.facility_id):
            found.append((key, name))
    return found


def with_beside(rows: Sequence[AppointmentRow]) -> list[AppointmentRow]:
    """The rows with what and who is taken besides standing after the room, as a desk reads it."""
    told = beside(rows)
    return [_standing(row, told[row.id]) if row.id in told else row for row in rows]


def _standing(row: AppointmentRow, more: str) -> AppointmentRow:
    return msgspec.structs.replace(row, room_name=f"{row.room_name} · {more}" if row.room_name else more)


def beside(rows: Iterable[AppointmentRow]) -> dict[UUID, str]:
    """What and who is taken for each of these appointments beside doctor, room and patient, in words.

    The rows are those that the viewer was shown. Nothing is asked of the database when none has a service.
    """
    places = {row.id: row.facility_id for row in rows if row.service_id}
    if not places:
        return {}
    taken = Reservation.objects.filter(appointment_id__in=list(places), kind__in=_BESIDE).order_by("kind", "pk")
    found = list(taken.values_list("appointment_id", "kind", "resource_id"))
    if not found:
        return {}
    names = _devices({places[key] for key, kind, _id in found if kind == Reservation.Kind.DEVICE})
    names |= _people([resource for _key, kind, resource in found if kind == Reservation.Kind.SECOND])
    told: dict[UUID, list[str]] = {}
    for key, _kind, resource in found:
        told.setdefault(key, []).append(names.get(resource, "–"))
    return {key: " · ".join(parts) for key, parts in told.items()}


def _devices(facilities: Iterable[UUID]) -> dict[UUID, str]:
    """Names of devices; one of several bears its number."""
    names: dict[UUID, str] = {}
    wanted = list(facilities)
    rows = Equipment.objects.filter(facility_id__in=wanted).values_list("pk", "name", "count") if wanted else ()
    for key, name, count in rows:
        for number, device in enumerate(offers.devices(key, max(count, 1)), 1):
            names[device] = name if count < 2 else f"{name} {number}"
    return names


def _people(keys: list[UUID]) -> dict[UUID, str]:
    if not keys:
        return {}
    names = dict(Account.objects.filter(pk__in=keys).values_list("pk", "name"))
    return names | {row.pk: str(row) for row in Doctor.objects.filter(pk__in=keys)}
