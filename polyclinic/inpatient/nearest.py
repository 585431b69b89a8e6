"""Which emergency department is nearest by road, and whether it has a free bed: for anybody, also without an account.

Of beds only "free", "few" or "none" is told, and when one last changed: nobody can tell from it who lies where.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Invalid
from polyclinic.facilities import selectors as facilities
from polyclinic.facilities.selectors import FacilityRow
from polyclinic.inpatient.models import Bed
from polyclinic.inpatient.states import AVAILABLE, RETIRED
from polyclinic.inpatient.words import WardKind
from polyclinic.transport import reach, roads
from polyclinic.transport.roads import Minutes, Point

# Fewer free beds than this are few: the next ambulance may take the last.
MANY: Final = 3
# Whoever has changed no bed for so long may not be keeping the board.
LATELY_HOURS: Final = 24
_PAIR: Final = re.compile(r"\s*([-−+]?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*([-−+]?\d{1,3}(?:\.\d+)?)\s*", re.ASCII)


class DepartmentRow(msgspec.Struct, frozen=True, rename="camel"):
    """A facility with an emergency department. `beds`: free, few, none, or unknown where nobody keeps its beds here.

    Minutes and kilometres are by road and estimated; null where the place is not known. `ambulance`: how long one of
    its ambulances may take from now, null while none is free.
    """

    facility_id: UUID
    name: str
    slug: str
    address: str
    city: str
    emergency_phone: str
    time_zone: str
    latitude: float | None
    longitude: float | None
    beds: str
    changed_at: datetime | None
    lately: bool
    as_of: datetime
    km: float | None
    drive: Minutes | None
    ambulance: Minutes | None
    # The first in order that has a free bed.
    best: bool


def departments(viewer: Viewer, at: Point | None = None) -> list[DepartmentRow]:
    """The emergency departments, the nearest by road first; by name without a place."""
    beds, homes = _beds(), reach.stations()
    sooner = reach.soonest(at) if at else {}
    rows = [
        _row(one, beds.get(one.id), homes.get(one.id), at, sooner.get(one.id))
        for one in facilities.facilities(viewer)
        if one.emergency_phone or one.id in beds
    ]
    # Without a place of its own a department cannot be compared: it comes last.
    rows.sort(key=lambda row: (row.km is None, row.km or 0.0, row.name))
    best = next((row.facility_id for row in rows if row.km is not None and row.beds in ("free", "few")), None)
    return [msgspec.structs.replace(row, best=row.facility_id == best) for row in rows]


def _row(
    one: FacilityRow, beds: tuple[int, datetime] | None, home: Point | None, at: Point | None, ambulance: Minutes | None
) -> DepartmentRow:
    km = roads.road(at, home) if at and home else None
    now = clock.now()
    changed = beds[1] if beds else None
    return DepartmentRow(
        facility_id=one.id, name=one.name, slug=one.slug, address=one.address, city=one.city,
        emergency_phone=one.emergency_phone, time_zone=one.time_zone, latitude=home.latitude if home else None,
        longitude=home.longitude if home else None, beds=word(beds[0]) if beds else "unknown", changed_at=changed,
        lately=changed is not None and (now - changed).total_seconds() <= LATELY_HOURS * 3600, as_of=now,
        km=round(km, 1) if km is not None else None,
        # Whoever drives is moving already; there is no crew to be told first.
        drive=roads.minutes(km, moving=True) if km is not None else None, ambulance=ambulance, best=False,
    )  # fmt: skip


def word(free: int) -> str:
    """How many free beds, as anybody may know it."""
    return "none" if free == 0 else "few" if free < MANY else "free"


def _beds() -> dict[UUID, tuple[int, datetime]]:
    """Free beds of each facility's emergency wards, and when one of them last changed."""
    there = Bed.objects.filter(ward__kind=WardKind.EMERGENCY, ward__ended_at__isnull=True).exclude(state=RETIRED)
    rows = there.values("facility_id").annotate(free=Count("pk", filter=Q(state=AVAILABLE)), changed=Max("since"))
    return {row["facility_id"]: (row["free"], row["changed"]) for row in rows}


def place_of(viewer: Viewer, text: str) -> Point | None:
    """The place that somebody wrote: two coordinates, or a hospital, street or town where a hospital of ours is.

    There is no map of addresses here and none is asked outside. None for an empty text; raises Invalid for what nobody
    here knows.
    """
    said = " ".join(text.split()).casefold()
    if not said:
        return None
    if (exact := coordinates_in(said)) is not None:
        return exact
    homes, found = reach.stations(), defaultdict(list)
    for row in facilities.facilities(viewer):
        if row.id in homes:
            for name in (row.name, row.city, row.address):
                if len(said) > 2 and said in name.casefold():
                    found[row.id].append(name)
    if not found:
        raise Invalid(
            _("This place is not known here. Write a town or a hospital of ours, or coordinates such as 51.5, -0.12."),
            code="unknown_place", field="where",
        )  # fmt: skip
    # The shortest name that holds what was written is the nearest to it.
    return homes[min(found, key=lambda one: min(map(len, found[one])))]


def coordinates_in(text: str) -> Point | None:
    """The place of a text that is two coordinates and nothing else; None for any other. Raises Invalid for no place."""
    pair = _PAIR.fullmatch(text)
    return roads.point(*(float(part.replace("−", "-")) for part in pair.groups())) if pair else None
