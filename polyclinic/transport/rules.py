"""Guards of the state tables, and how old a position may be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.errors import Conflict, Forbidden
from polyclinic.transport.models import AmbulanceTrip, CrewShift

# A position is where the vehicle is for this long, and good enough to choose by for that long. Later only the station
# is known to be somewhere.
FRESH: Final = timedelta(minutes=2)
USABLE: Final = timedelta(minutes=15)
# Positions that come sooner after the last one are dropped: phones send many more than a board can show.
APART: Final = timedelta(seconds=10)


def not_on_a_trip(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - an Ambulance
    """A vehicle that is on a trip stays in service until somebody else has taken the trip over."""
    if AmbulanceTrip.objects.filter(ambulance_id=row.pk, closed_at__isnull=True).exists():
        raise Conflict(
            _("%(call_sign)s is on a trip. Give the trip to another ambulance first.") % {"call_sign": row.call_sign},
            code="on_a_trip",
        )


def somebody_stays(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a CrewShift
    """Nobody leaves a trip without a crew."""
    trip = AmbulanceTrip.objects.filter(ambulance_id=row.ambulance_id, closed_at__isnull=True).exists()
    others = CrewShift.objects.filter(ambulance_id=row.ambulance_id, ended_at__isnull=True).exclude(pk=row.pk)
    if trip and not others.exists():
        raise Conflict(_("You are on a trip. Finish it first, or hand it over."), code="on_a_trip")


def in_this_vehicle(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an AmbulanceTrip
    """The crew of the vehicle itself says how far it is; or a dispatcher, who has heard it by radio."""
    if not isinstance(actor, Person) or policy.allowed(
        actor, "ambulance.dispatch", Subject(None, None, row.facility_id)
    ):
        return
    here = CrewShift.objects.filter(
        ambulance_id=row.ambulance_id, account_id=actor.account_id, ended_at__isnull=True
    ).exists()
    if not here:
        raise Forbidden(_("Only the crew of this ambulance can do this."), code="not_this_crew")


def is_fresh(at: datetime | None) -> bool:
    """Whether a position of this moment says where the vehicle is now."""
    return at is not None and clock.now() - at <= FRESH


def is_usable(at: datetime | None) -> bool:
    """Whether a position of this moment is good enough to choose by."""
    return at is not None and clock.now() - at <= USABLE
