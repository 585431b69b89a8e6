"""How long somebody still has to wait: a range from what this queue did today, and wide where little is known.

Counted from queue length and the times between calls while people waited (the queue-length estimator with the
measured rate: Ibrahim and Whitt 2009, MSOM 11:397). The range holds about four waits of five if calls come as they
did. Too short a promise is worse than too long a one (Ang et al. 2016, MSOM 18:141), so both ends are rounded up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, sqrt
from statistics import fmean, pstdev
from typing import Final, NamedTuple

from django.db.models import QuerySet

from polyclinic.core import clock
from polyclinic.visits import fairness
from polyclinic.visits.models import QueueEntry
from polyclinic.visits.states import HELD, NO_SHOW, SKIPPED, WAITING

# Until five calls have been seen: ten minutes each, give or take as much.
USUAL: Final = 10.0
FEWEST: Final = 5
SEEN: Final = 20
PAST: Final = timedelta(hours=3)
LONGEST_GAP: Final = 60.0
# Four of five lie within this many standard deviations of a normal distribution.
WIDTH: Final = 1.28
STEP: Final = 5


class Wait(NamedTuple):
    """How many are before, and from how many to how many minutes it may take. `known`: by calls of today."""

    ahead: int
    least: int
    most: int
    known: bool


def estimate(ahead: int, gaps: list[float]) -> Wait:
    """The range for somebody with `ahead` people before them, from the minutes between past calls."""
    known = len(gaps) >= FEWEST
    mean, deviation = (fmean(gaps), pstdev(gaps)) if known else (USUAL, USUAL)
    calls = ahead + 1
    middle, spread = calls * mean, WIDTH * deviation * sqrt(calls)
    least = max(0, STEP * ceil((middle - spread) / STEP))
    return Wait(ahead, least, max(STEP * ceil((middle + spread) / STEP), least + STEP), known)


def gaps(called: list[tuple[datetime, datetime]]) -> list[float]:
    """Minutes between one call and the next, from (called, joined) in the order of calls.

    Only where the next was already waiting at the call before: else the time between tells of an empty hall.
    """
    found = [
        (later[0] - earlier[0]).total_seconds() / 60 for earlier, later in pairwise(called) if later[1] <= earlier[0]
    ]
    return [min(gap, LONGEST_GAP) for gap in found]


def of(entry: QueueEntry) -> Wait:
    """The wait of a place in a queue, kept or about to be taken."""
    return estimate(len(before(entry)), recent(entry))


def before(entry: QueueEntry) -> list[QueueEntry]:
    """Who is called before this one as things stand."""
    own = fairness.key(entry.priority, entry.since)
    rows = _same_queue(entry).filter(state=WAITING, ended_at__isnull=True).exclude(pk=entry.pk)
    return [row for row in rows if fairness.key(row.priority, row.since) < own]


def recent(entry: QueueEntry) -> list[float]:
    """Minutes between the latest calls of this queue."""
    rows = _same_queue(entry).filter(called_at__gte=clock.now() - PAST).exclude(state__in=(HELD, SKIPPED, NO_SHOW))
    called = list(rows.order_by("-called_at").values_list("called_at", "enqueued_at")[: SEEN + 1])
    return gaps([(at, joined) for at, joined in reversed(called) if at is not None])


def _same_queue(entry: QueueEntry) -> QuerySet[QueueEntry]:
    rows = QueueEntry.objects.filter(facility_id=entry.facility_id, line=entry.line)
    return rows.filter(doctor_id=entry.doctor_id) if entry.doctor_id else rows.filter(doctor_id__isnull=True)
