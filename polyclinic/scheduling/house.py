"""Setting a facility's hours and holidays. Nobody booked is stranded silently: whoever changes them decides for each.

The settings that strand nobody pass through here too, so that pages and clients have one door for all of them.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.core import clock, db
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.db import transactional
from polyclinic.facilities import ruling, setting
from polyclinic.facilities.declared import known
from polyclinic.facilities.models import Facility, SettingVersion
from polyclinic.facilities.ruling import Opening
from polyclinic.scheduling import frames, schedules, selectors
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
    found = _stranded(place, ruling.afresh(facility_id, made))
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
        # The doctors' time is locked first: a booking that began before is seen, one after sees the change.
        here = list(Schedule.objects.filter(facility_id=facility_id).values_list("pk", "doctor_id"))
        db.lock_keys({doctor for _schedule, doctor in here})
        for schedule, _doctor in here:
            frames.being_changed(schedule)

    def settle(made: SettingVersion) -> None:
        if row.strands:
            found = _stranded(place, ruling.afresh(facility_id, made))
            schedules.resolve(actor, found, acknowledged, resolution)

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


def _stranded(place: Facility, line: ruling.Timeline) -> list[Appointment]:
    """Coming appointments outside the house's hours for which nobody has decided yet."""
    coming = Appointment.objects.filter(facility=place, state__in=EXPECTED, starts__gt=clock.now())
    coming = coming.exclude(attention=schedules.OUTSIDE_HOURS).select_related("facility", "schedule")
    zone = ZoneInfo(place.time_zone)
    found = []
    for one in coming.order_by("starts", "pk"):
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
