"""From when to when a vehicle may arrive: a range from its last position, and no promise."""

from __future__ import annotations

from datetime import datetime, timedelta

from polyclinic.core import clock
from polyclinic.transport import roads
from polyclinic.transport.rules import is_usable
from polyclinic.transport.states import EN_ROUTE, TO_PATIENT, TRANSPORTING


def expected(
    state: str,
    since: datetime,
    at: roads.Point | None,
    home: roads.Point,
    position: tuple[roads.Point, datetime] | None,
) -> tuple[datetime, datetime] | None:
    """The range for a trip in this state since then, to the patient `at` or, with the patient inside, `home`.

    None where nobody is on the way, or the place is not known. Never in the past: who is late comes at any moment.
    """
    if at is None or state not in (*TO_PATIENT, TRANSPORTING):
        return None
    moving = state in (EN_ROUTE, TRANSPORTING)
    start, target = (at, home) if state == TRANSPORTING else (home, at)
    begins = since if moving else clock.now()
    if position is not None and is_usable(position[1]):
        start = position[0]
        # A position from before the crew set off says where, and not when.
        begins = max(begins, position[1]) if moving else begins
    takes = roads.minutes(roads.road(start, target), moving=moving)
    now = clock.now()
    first = max(now, begins + timedelta(minutes=takes.least))
    return first, max(first + timedelta(minutes=1), begins + timedelta(minutes=takes.most))
