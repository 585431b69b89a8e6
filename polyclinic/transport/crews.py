"""Who is in which vehicle, and where their phones say that it is."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.core.outbox import log
from polyclinic.transport import roads
from polyclinic.transport.events import Moved
from polyclinic.transport.keeping import locked
from polyclinic.transport.models import Ambulance, AmbulanceTrip, CrewShift
from polyclinic.transport.rules import APART
from polyclinic.transport.states import OUT_OF_SERVICE, SHIFT, vehicle_subject
from polyclinic.transport.words import Seat


@transactional
def begin(*, actor: Actor, ambulance_id: UUID, seat: str, account_id: UUID | None = None) -> CrewShift:
    """Begin one's shift in a vehicle; a job of ours says whose (`account_id`).

    Raises NotFound, Forbidden, Invalid naming `seat`, or Conflict when one is on shift already (`on_shift`), the seat
    is taken (`seat_taken`) or the vehicle is out of service.
    """
    vehicle = locked(actor, ambulance_id)
    if seat not in Seat.values:
        raise Invalid(_("Choose one of the listed values."), field="seat", possible=list(Seat.values))
    if vehicle.state == OUT_OF_SERVICE:
        raise Conflict(_("This ambulance is out of service."), code="out_of_service", field="ambulanceId")
    who = actor.account_id if isinstance(actor, Person) else account_id
    if who is None:
        raise Forbidden()
    made = CrewShift(ambulance=vehicle, account_id=who, seat=seat)
    try:
        with transaction.atomic():
            ledger.create(SHIFT, "begin", made, actor=actor)
    except IntegrityError:
        raise _taken(who) from None
    return made


def _taken(account_id: UUID) -> Conflict:
    """Which of the two rules a shift has broken."""
    own = CrewShift.objects.filter(account_id=account_id, ended_at__isnull=True).exists()
    if own:
        return Conflict(_("You are on shift already. End that shift first."), code="on_shift")
    return Conflict(_("Somebody else has this seat. Choose the other one."), code="seat_taken", field="seat")


@transactional
def end(*, actor: Actor, version: int | None = None) -> CrewShift:
    """End one's own shift. Raises NotFound without one, Conflict while nobody else of the crew stays on a trip."""
    row = shift_of(actor)
    if row is None:
        raise NotFound()
    # Whoever sends the vehicle at this moment is first or second, and never beside us.
    Ambulance.objects.select_for_update().get(pk=row.ambulance_id)
    ledger.apply(SHIFT, "end", row, actor=actor, version=version, changes={"ended_at": clock.now()})
    return row


@transactional
def report(*, actor: Actor, ambulance_id: UUID, latitude: float, longitude: float) -> bool:
    """Where the vehicle is now, said by somebody who is in it. Returns whether it was kept: more often than every ten
    seconds nobody can see it anyway.

    It changes no state and leaves no audit entry: the last position stands on the vehicle, and no other is kept. Raises
    NotFound, Forbidden for who is not in it, Invalid naming the field.
    """
    at = roads.point(latitude, longitude)
    row = Ambulance.objects.filter(pk=ambulance_id).first()
    if row is None:
        raise NotFound(field="ambulanceId")
    policy.require_sight(actor, "ambulance.view", vehicle_subject(row))
    policy.require(actor, "ambulance.drive", vehicle_subject(row))
    shift = shift_of(actor)
    if shift is None or shift.ambulance_id != row.pk:
        raise Forbidden(_("Only the crew of this ambulance can do this."), code="not_this_crew")
    return moved(row, at)


def moved(row: Ambulance, at: roads.Point) -> bool:
    """Keep a position, in the caller's transaction."""
    now = clock.now()
    if row.position_at is not None and now - row.position_at < APART:
        return False
    # The other phone of the same vehicle may have been quicker; one position is as good as the other.
    changed = Ambulance.objects.filter(pk=row.pk, moves=row.moves).update(
        latitude=at.latitude, longitude=at.longitude, position_at=now, moves=row.moves + 1
    )
    if not changed:
        return False
    trip = AmbulanceTrip.objects.filter(ambulance_id=row.pk, closed_at__isnull=True).first()
    log.append(
        Moved(
            facility_id=row.facility_id, ambulance_id=row.pk, patient_id=trip.patient_id if trip else None,
            status=row.state, revision=row.moves + 1,
        )
    )  # fmt: skip
    return True


def shift_of(actor: Actor) -> CrewShift | None:
    """The shift that this person has begun and not ended."""
    if not isinstance(actor, Person):
        return None
    return (
        CrewShift.objects.select_related("ambulance").filter(account_id=actor.account_id, ended_at__isnull=True).first()
    )
