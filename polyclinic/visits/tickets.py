"""A visit's number and token, and the opaque codes by which somebody without an account may watch a queue.

A code is made from the id with a key of its own, and only its digest is stored: who reads the database cannot watch.
"""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F

from polyclinic.core import clock
from polyclinic.core.crypto import blind
from polyclinic.core.db import lock_keys
from polyclinic.facilities.models import Department, Facility
from polyclinic.visits import rules
from polyclinic.visits.models import DayNumber, Visit


def code(thing_id: UUID) -> str:
    """The code of a visit's ticket or of a hall board: 22 letters, digits, - and _ (128 bits)."""
    return blind.index("ticket", thing_id.hex)


def digest(code: str) -> str:
    """What is stored of a code and looked for."""
    return hashlib.sha256(code.encode()).hexdigest()


def number(made: Visit, facility: Facility) -> None:
    """Give the visit its number of the day, its token and its ticket."""
    made.day = clock.now().astimezone(ZoneInfo(facility.time_zone)).date()
    made.number = _next_number(facility.pk, made.day)
    departments = list(Department.objects.filter(facility_id=facility.pk).order_by("slug").values_list("pk", flat=True))
    place = departments.index(made.department_id) if made.department_id in departments else 0
    made.token = rules.token(rules.letter(made.priority, place), made.number)
    made.ticket = digest(code(made.pk))


def _next_number(facility_id: UUID, day: date) -> int:
    lock_keys([f"visit-number:{facility_id}:{day}"])
    row, _made = DayNumber.objects.get_or_create(facility_id=facility_id, day=day)
    DayNumber.objects.filter(pk=row.pk).update(last=F("last") + 1)
    return DayNumber.objects.values_list("last", flat=True).get(pk=row.pk)
