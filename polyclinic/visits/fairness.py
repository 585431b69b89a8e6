"""Who comes next: pure rules, without a clock or a database of their own.

Everybody is placed by when they came, moved ahead by the head start of their class: an urgent patient counts as having
come 90 minutes earlier. So somebody who waits is overtaken only by those who come within the head start after them, and
by nobody later: no class can starve another, and a place depends on nothing that changes while one waits. It is the
accumulating priority queue (Kleinrock 1964; Stanford, Taylor and Ziedins 2014, doi:10.1007/s11134-013-9382-6) with one
rate for all and a start that differs by class. Emergencies alone stand outside: they always come first, among
themselves in the order in which they came.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from polyclinic.visits.words import Priority

HEAD_START: Final[dict[str, timedelta]] = {
    Priority.URGENT: timedelta(minutes=90),
    Priority.PRIORITY: timedelta(minutes=30),
    # Who keeps a booked time is not put behind everybody who came on the chance, nor before those who need it more.
    Priority.APPOINTMENT: timedelta(minutes=20),
    Priority.ROUTINE: timedelta(0),
}
# Whom nobody answered for counts as having come this much later, so that the next few go first.
SKIP_COST: Final = timedelta(minutes=15)


def key(priority: str, since: datetime) -> tuple[int, datetime]:
    """What a queue is sorted by: the smallest comes first. `since` is when the wait began that counts."""
    if priority == Priority.EMERGENCY:
        return 0, since
    return 1, since - HEAD_START.get(priority, timedelta(0))


def after_skip(since: datetime, now: datetime) -> datetime:
    """From when the wait counts of somebody who was called and did not come; never later than now."""
    return min(now, since + SKIP_COST)
