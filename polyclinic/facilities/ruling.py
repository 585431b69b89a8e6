"""What is set for a facility at a moment: the newest version that has begun by then, else the usual value.

A version that was made later outweighs every earlier one from its beginning on, planned ones too: whoever undoes a
change that has not begun yet has undone it. Versions of one facility are kept together per facility version, which
every change moves; no stale answer outlives the commit that changed it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from polyclinic.core import clock
from polyclinic.core.errors import Invalid
from polyclinic.facilities import offers
from polyclinic.facilities.declared import find, known
from polyclinic.facilities.hours import Holiday, Stretches, Week
from polyclinic.facilities.models import Equipment, Facility, SettingVersion
from polyclinic.facilities.offers import Offer

# The version of a facility of which nothing was ever set: then there is nothing to look up.
UNTOUCHED: Final = 1
_SIZE: Final = 1_000
_lines: OrderedDict[tuple[UUID, int], Timeline] = OrderedDict()
_lock = threading.Lock()
_touched = threading.local()


class Timeline:
    """All that was ever set for one facility."""

    __slots__ = ("_versions", "devices")

    def __init__(
        self,
        rows: Iterable[tuple[str, UUID | None, str, datetime]] = (),
        devices: Mapping[UUID, tuple[UUID, ...]] | None = None,
    ) -> None:
        """`rows`: key, department, value, from; newest first. `devices`: those of each kind of equipment."""
        self.devices: Mapping[UUID, tuple[UUID, ...]] = devices or {}
        self._versions: dict[tuple[str, UUID | None], list[tuple[datetime, Any]]] = {}
        for key, department_id, text, since in rows:
            # A setting that is no longer declared rules nothing; its history stays.
            row = find(key)
            if row is None:
                continue
            # Nor does a value that a later, narrower limit refuses.
            with suppress(Invalid):
                self._versions.setdefault((key, department_id), []).append((since, row.kind.read(text)))

    def at(self, key: str, moment: datetime, department_id: UUID | None = None) -> Any:  # noqa: ANN401 - by its kind
        """The value in force then, None where nothing was set."""
        for since, value in self._versions.get((key, department_id), ()):
            if since <= moment:
                return value
        return None

    def offer(self, service_id: UUID, moment: datetime) -> Offer:
        """The terms of a service then."""
        found: Offer = self.at(offers.key_of(service_id), moment) or offers.USUAL
        return found

    def offers(self, service_id: UUID, first: datetime, last: datetime) -> list[tuple[datetime, datetime, Offer]]:
        """(from, until, terms) one after the other over this stretch; the terms change in between."""
        told = self._versions.get((offers.key_of(service_id), None), ())
        edges = sorted({first, *(since for since, _value in told if first < since < last)})
        return [
            (start, end, self.offer(service_id, start)) for start, end in zip(edges, [*edges[1:], last], strict=True)
        ]


class Opening:
    """When a facility (and one of its departments) is open, day by day."""

    __slots__ = ("_line", "_scopes", "_zone")

    def __init__(self, line: Timeline, zone: ZoneInfo, department_id: UUID | None = None) -> None:
        self._line, self._zone = line, zone
        # The department's own comes before that of the house.
        self._scopes = (None,) if department_id is None else (department_id, None)

    def holiday(self, day: date) -> Holiday | None:
        """The holiday of this day, None on a day like any other."""
        for scope in self._scopes:
            rows: tuple[Holiday, ...] = self._line.at("holidays", self._end(day), scope) or ()
            for row in rows:
                if row.day == day:
                    return row
        return None

    def on(self, day: date) -> Stretches | None:
        """Minutes of the day at which it is open; None when nobody has said.

        What is in force at the end of the day holds for the whole of it: hours change between days.
        """
        closed = self.holiday(day)
        if closed is not None:
            return closed.open
        for scope in self._scopes:
            week: Week | None = self._line.at("opening_hours", self._end(day), scope)
            if week is not None and week.days is not None:
                return week.days[day.weekday()]
        return None

    def _end(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), datetime.min.time(), self._zone) - timedelta(minutes=1)


def timeline(facility_id: UUID, version: int) -> Timeline:
    """What was set for a facility of this version; remembered, unless this transaction is changing it."""
    if version == UNTOUCHED:
        return _NOTHING
    found = _lines.get((facility_id, version))
    if found is not None:
        return found
    made = afresh(facility_id)
    if not (connection.in_atomic_block and facility_id in getattr(_touched, "ids", ())):
        with _lock:
            _lines[facility_id, version] = made
            while len(_lines) > _SIZE:
                _lines.popitem(last=False)
    return made


def afresh(facility_id: UUID, coming: SettingVersion | None = None) -> Timeline:
    """The same as the running transaction sees it; with a version that is still to be written, if one is given."""
    rows = SettingVersion.objects.filter(facility_id=facility_id).order_by("-number")
    more = [(coming.key, coming.department_id, coming.value, coming.effective_from)] if coming else []
    told = [*more, *rows.values_list("key", "department_id", "value", "effective_from")]
    return Timeline(told, _devices(facility_id) if any(key.startswith(offers.PREFIX) for key, *_rest in told) else None)


def _devices(facility_id: UUID) -> dict[UUID, tuple[UUID, ...]]:
    """The devices of each kind that a house has. A changed number moves the facility's version, as a setting does."""
    rows = Equipment.objects.filter(facility_id=facility_id).values_list("pk", "count")
    return {key: offers.devices(key, count) for key, count in rows}


def versions(facility_id: UUID, department_id: UUID | None = None) -> QuerySet[SettingVersion]:
    """Every version of the settings of a facility itself, or of one of its departments."""
    rows = SettingVersion.objects.filter(facility_id=facility_id)
    return rows.filter(department_id=department_id) if department_id else rows.filter(department__isnull=True)


def being_changed(facility_id: UUID) -> None:
    """From now on this thread does not remember the facility from inside a transaction: it may yet roll back."""
    if not hasattr(_touched, "ids"):
        _touched.ids = set()
    _touched.ids.add(facility_id)


def value(facility: Facility, key: str, moment: datetime | None = None) -> Any:  # noqa: ANN401 - by its kind
    """What is in force at `moment` (now): as set, else the facility's usual value."""
    found = timeline(facility.pk, facility.version).at(key, moment or clock.now())
    return usual(facility, key) if found is None else found


def usual(facility: Facility, key: str) -> Any:  # noqa: ANN401 - by its kind
    """The value before anybody set one."""
    row = known(key)
    return getattr(facility, key) if row.column else row.usual


def opening(facility: Facility, department_id: UUID | None = None) -> Opening | None:
    """When it is open; None when nothing was ever set."""
    if facility.version == UNTOUCHED:
        return None
    return Opening(timeline(facility.pk, facility.version), ZoneInfo(facility.time_zone), department_id)


_NOTHING: Final = Timeline()
