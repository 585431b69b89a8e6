"""What every look at stock begins with: the facility's day, and nobody else moving a medicine meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.core import clock
from polyclinic.core.db import lock_keys
from polyclinic.facilities.models import Facility


def today(facility_id: UUID) -> date:
    """The calendar day it is at a facility: what the dates on packs are compared with."""
    zone = Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id)
    return clock.now().astimezone(ZoneInfo(zone)).date()


def hold(facility_id: UUID, medicine_ids: Iterable[UUID]) -> None:
    """Let nobody else move these medicines here until the transaction ends: what is read now stays true."""
    lock_keys(f"stock:{facility_id}:{medicine_id}" for medicine_id in set(medicine_ids))
