"""When a trip came to which state: what its record is made of."""

from __future__ import annotations

from polyclinic.core import clock
from polyclinic.core.outbox import log
from polyclinic.transport.events import Progress
from polyclinic.transport.models import AmbulanceTrip, TripStep


def entered(row: AmbulanceTrip) -> None:
    """Write down that a trip is in its present state, in the caller's transaction."""
    TripStep.objects.create(
        trip_id=row.pk, number=row.version, step=row.state, ambulance_id=row.ambulance_id, at=clock.now()
    )
    if row.code:
        log.append(Progress(call_id=row.pk, revision=row.version))
