"""Setting a facility's hours and holidays. Nobody booked is stranded silently: whoever changes them decides for each.

The settings that strand nobody pass through here too, so that pages and clients have one door for all of them.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from polyclinic.core import clock, db
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.db import transactional
from polyclinic.facilities import catalogue, offers, ruling, setting
from polyclinic.facilities.declared import known
from polyclinic.facilities.models import Equipment, Facility, SettingVersion
from polyclinic.facilities.ruling import Opening
from polyclinic.scheduling import frames, offering, schedules, selectors
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.scheduling.rows import AppointmentRow
from polyclinic.scheduling.slots import minute_of, opened, union
from polyclinic.scheduling.states import EXPECTED


def affected_by(
    viewer: Viewer,
    facility_id: UUID,
    key: str,
    value: str,
    *,
    department_id: UUID | None = None,
    effective_from: datetime | None = None,
) -> list[AppointmentRow]:
    """Whom a change would leave outside the hours. Changes nothing. Raises as the change itself would."""
    row = known(key)
    place = setting.place_of(viewer, row, facility_id, department_id)
    wanted = row.kind.write(row.kind.read(value))
    if not row.strands:
        return []
    made = SettingVersion(
        facility=place, department_id=department_id, key=key, value=wanted, effective_from=effective_from or clock.now()
    )
    _require_here(facility_id, key, wanted)
    found = _affected(place, key, ruling.afresh(facility_id, made))
    return [selectors.appointment(viewer, one.pk) for one in found]


@transactional
def change(
    *,
    actor: Actor,
    facility_id: UUID,
    key: str,
    value: str,
    seen: int,
    department_id: UUID | None = None,
    effective_from: datetime | None = None,
    note: str = "",
    undoes: int | None = None,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> SettingVersion:
    """Set a setting (`facilities.setting.change`); where it strands somebody, raises PatientsStranded with them unless
    every one is acknowledged. `resolution` then keeps them booked, marked for attention, or cancels them.
    """
    row = known(key)
    place = setting.place_of(actor, row, facility_id, department_id)
    if row.strands:
        _lock(facility_id)

    def settle(made: SettingVersion) -> None:
        if row.strands:
            _require_here(facility_id, key, made.value)
            found = _affected(place, key, ruling.afresh(facility_id, made))
            schedules.resolve(actor, found, acknowledged, resolution, mark=_mark_of(key))

    return setting.change(
        actor=actor, facility_id=facility_id, key=key, value=value, seen=seen, department_id=department_id,
        effective_from=effective_from, note=note, undoes=undoes, settle=settle,
    )  # fmt: skip


@transactional
def undo(
    *,
    actor: Actor,
    facility_id: UUID,
    key: str,
    number: int,
    seen: int,
    department_id: UUID | None = None,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> SettingVersion:
    """Set it once more as version `number` had it (0: as before anybody set it), from now on. Raises as `change`."""
    return change(
        actor=actor, facility_id=facility_id, key=key, department_id=department_id, seen=seen, undoes=number,
        value=setting.old_value(actor, facility_id, key, number, department_id), acknowledged=acknowledged,
        resolution=resolution,
    )  # fmt: skip


@transactional
def set_devices(
    *,
    actor: Actor,
    equipment_id: UUID,
    count: int,
    version: int,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> Equipment:
    """How many devices of a kind can be used. Raises PatientsStranded as `change` does for whoever has one that goes,
    NotFound, Forbidden, StaleEdit, Invalid.
    """

    def settle(row: Equipment, wanted: int) -> None:
        _lock(row.facility_id)
        gone = [offers.device(row.pk, number) for number in range(wanted + 1, row.count + 1)]
        coming = _coming(row.facility, offering.SERVICE_CHANGED).filter(reservations__resource_id__in=gone).distinct()
        schedules.resolve(actor, list(coming), acknowledged, resolution, mark=offering.SERVICE_CHANGED)

    return catalogue.set_count(actor=actor, equipment_id=equipment_id, count=count, version=version, settle=settle)


def _lock(facility_id: UUID) -> None:
    """The doctors' time is locked first: a booking that began before is seen, one after sees the change."""
    here = list(Schedule.objects.filter(facility_id=facility_id).values_list("pk", "doctor_id"))
    db.lock_keys({doctor for _schedule, doctor in here})
    for schedule, _doctor in here:
        frames.being_changed(schedule)


def _require_here(facility_id: UUID, key: str, value: str) -> None:
    """Terms of a service name doctors, rooms, devices and people of this house."""
    service_id = offers.service_of(key)
    if service_id is not None:
        catalogue.require_here(facility_id, service_id, offers.read(value))


def _mark_of(key: str) -> str:
    return offering.SERVICE_CHANGED if offers.service_of(key) else schedules.OUTSIDE_HOURS


def _coming(place: Facility, decided: str) -> QuerySet[Appointment]:
    """Coming appointments but for those of which somebody has decided that they stay although this changed."""
    coming = Appointment.objects.filter(facility=place, state__in=EXPECTED, starts__gt=clock.now())
    return coming.exclude(attention=decided).select_related("facility", "schedule").order_by("starts", "pk")


def _affected(place: Facility, key: str, line: ruling.Timeline) -> list[Appointment]:
    service_id = offers.service_of(key)
    if service_id is None:
        return _stranded(place, line)
    coming = _coming(place, offering.SERVICE_CHANGED).filter(service_id=service_id)
    return offering.unmet(list(coming.prefetch_related("reservations")), line, service_id)


def _stranded(place: Facility, line: ruling.Timeline) -> list[Appointment]:
    """Coming appointments outside the house's hours for which nobody has decided yet."""
    zone = ZoneInfo(place.time_zone)
    found = []
    for one in _coming(place, schedules.OUTSIDE_HOURS):
        open_ = Opening(line, zone, one.schedule.department_id)
        if not _covers(open_, one, zone):
            found.append(one)
    return found


def _covers(opening: Opening, one: Appointment, zone: ZoneInfo) -> bool:
    day = one.starts.astimezone(zone).date()
    open_ = opening.on(day)
    if open_ is None:
        return True
    starts, ends = minute_of(one.starts), minute_of(one.ends)
    return any(low <= starts and ends <= high for low, high in union(opened(open_, day, zone)))
