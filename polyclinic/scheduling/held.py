"""Reading a held time back: only the one who holds it may."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from polyclinic.core.actors import Anonymous, Viewer
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.scheduling.models import Hold


class HoldRow(msgspec.Struct, frozen=True, rename="camel"):
    """A time kept for someone until `expires_at`; all moments are UTC."""

    id: UUID
    schedule_id: UUID
    doctor_id: UUID
    facility_id: UUID
    service_id: UUID | None
    starts: datetime
    ends: datetime
    expires_at: datetime


def hold(viewer: Viewer, hold_id: UUID) -> HoldRow:
    """The viewer's own hold, also one that has run out but was not yet swept. Raises NotFound for any other."""
    if isinstance(viewer, Anonymous):
        raise Unauthenticated()
    columns = ("id", "schedule_id", "doctor_id", "schedule__facility_id", "service_id", "starts", "ends", "expires_at")
    found = Hold.objects.filter(pk=hold_id, holder=viewer.label).values_list(*columns).first()
    if found is None:
        raise NotFound()
    return HoldRow(*found)
