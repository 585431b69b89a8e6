"""The write door of trips: sending a vehicle, each step of its crew, and ending it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Membership
from polyclinic.notify import actions as notices
from polyclinic.transport import asking, keeping, roads
from polyclinic.transport.models import Ambulance, AmbulanceTrip, CrewShift, Station
from polyclinic.transport.rules import is_usable
from polyclinic.transport.states import (
    CANCELLED,
    CLEARED,
    NEXT,
    OUT_OF_SERVICE,
    REQUESTED,
    TRANSPORTING,
    TRIP,
    trip_subject,
)
from polyclinic.transport.steps import entered

NOTICE: Final = "ambulance"
# Who prepares for somebody who is being brought.
_RECEIVE: Final = (Role.NURSE, Role.MAIN_DOCTOR)
STEPS: Final = tuple(dict.fromkeys(NEXT.values()))


@transactional
def dispatch(*, actor: Actor, trip_id: UUID, ambulance_id: UUID, version: int | None = None) -> AmbulanceTrip:
    """Send this vehicle; or, until the first one has arrived, this one instead.

    Raises NotFound, Forbidden, IllegalTransition, StaleEdit, or Conflict: somebody else has sent it elsewhere
    (`ambulance_taken`), nobody is in it (`no_crew`), it is out of service.
    """
    row = hold(actor, trip_id)
    # With the vehicle locked nobody withdraws it and no crew leaves it between our look and our writing.
    vehicle = keeping.locked(actor, ambulance_id)
    if vehicle.facility_id != row.facility_id:
        raise NotFound(field="ambulanceId")
    step = "dispatch" if row.state == REQUESTED else "reassign"
    TRIP.row(row.state, step)
    if vehicle.pk == row.ambulance_id:
        raise Conflict(_("This ambulance has the trip already."), code="same_ambulance", field="ambulanceId")
    _require_ready(vehicle)
    changes: dict[str, object] = {"ambulance_id": vehicle.pk, **_estimates(row, vehicle)}
    try:
        with transaction.atomic():
            ledger.apply(TRIP, step, row, actor=actor, version=version, changes=changes)
    except IntegrityError:
        # The database's one trip for a vehicle has the last word, whatever we saw before.
        raise _taken(vehicle) from None
    entered(row)
    return row


def _require_ready(vehicle: Ambulance) -> None:
    if vehicle.state == OUT_OF_SERVICE:
        raise Conflict(_("This ambulance is out of service."), code="out_of_service", field="ambulanceId")
    if not CrewShift.objects.filter(ambulance_id=vehicle.pk, ended_at__isnull=True).exists():
        raise Conflict(_("Nobody is on shift in this ambulance."), code="no_crew", field="ambulanceId")
    if AmbulanceTrip.objects.filter(ambulance_id=vehicle.pk, closed_at__isnull=True).exists():
        raise _taken(vehicle)


def _taken(vehicle: Ambulance) -> Conflict:
    return Conflict(
        _("%(call_sign)s has just been sent elsewhere. Choose another ambulance.") % {"call_sign": vehicle.call_sign},
        code="ambulance_taken", field="ambulanceId",
    )  # fmt: skip


def _estimates(row: AmbulanceTrip, vehicle: Ambulance) -> dict[str, object]:
    """The kilometres that stand in the trip's record; none without the patient's place."""
    at, station = roads.read(row.place), Station.objects.get(pk=row.facility_id)
    if at is None:
        return {"km_to_patient": None, "km_to_hospital": None, "estimate": ""}
    home = roads.Point(station.latitude, station.longitude)
    return {
        "km_to_patient": round(roads.road(where(vehicle, home), at), 1),
        "km_to_hospital": round(roads.road(at, home), 1),
        "estimate": roads.VERSION,
    }


def where(vehicle: Ambulance, home: roads.Point) -> roads.Point:
    """Where a vehicle is to be counted from: its last position, or its station when that is too old."""
    if is_usable(vehicle.position_at) and vehicle.latitude is not None and vehicle.longitude is not None:
        return roads.Point(vehicle.latitude, vehicle.longitude)
    return home


@transactional
def take(*, actor: Actor, trip_id: UUID, action: str, version: int | None = None, outcome: str = "") -> AmbulanceTrip:
    """One step of the crew: `acknowledge`, `set_off`, `arrive`, `load`, `deliver` or `clear` (with what came of it).

    Raises NotFound, Forbidden for who is not in the vehicle, Invalid, IllegalTransition, StaleEdit.
    """
    if action not in STEPS:
        raise Invalid(_("Choose one of the listed values."), field="action", possible=list(STEPS))
    row = hold(actor, trip_id)
    changes: dict[str, object] = {}
    if TRIP.row(row.state, action).target == CLEARED:
        changes["closed_at"] = clock.now()
        changes["outcome"] = _sealed(row, asking.text_of("outcome", outcome))
    ledger.apply(TRIP, action, row, actor=actor, version=version, changes=changes)
    entered(row)
    if row.state == TRANSPORTING:
        _tell(row)
    return row


@transactional
def cancel(*, actor: Actor, trip_id: UUID, reason: str, version: int | None = None) -> AmbulanceTrip:
    """Nobody needs it any more; possible until the crew has arrived, and with the reason.

    Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit.
    """
    row = hold(actor, trip_id)
    why = keeping.reason_of(reason)
    ledger.apply(TRIP, "cancel", row, actor=actor, version=version, changes={"closed_at": clock.now()}, reason=why)
    assert row.state == CANCELLED
    entered(row)
    return row


def _sealed(row: AmbulanceTrip, text: str) -> object:
    field = AmbulanceTrip._meta.get_field("outcome")
    return field.sealer().seal(row.pk, field.owner_of(row), text)


def _tell(row: AmbulanceTrip) -> None:
    """A notice to whoever receives patients here: that somebody comes, and nothing of whom or why."""
    held = Membership.objects.filter(facility_id=row.facility_id, role__in=_RECEIVE, account__is_active=True)
    working = held.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=clock.now()))
    for account_id in dict.fromkeys(working.order_by("started_at", "pk").values_list("account_id", flat=True)):
        notices.tell(account_id, NOTICE, mail=False)


def hold(actor: Actor, trip_id: UUID) -> AmbulanceTrip:
    row = AmbulanceTrip.objects.select_for_update().filter(pk=trip_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "ambulance.view", trip_subject(row))
    return row
