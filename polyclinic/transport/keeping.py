"""The fleet itself: where it stands, which vehicles there are, and which of them may be sent."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.transport import roads
from polyclinic.transport.models import Ambulance, Station
from polyclinic.transport.states import AMBULANCE, vehicle_subject
from polyclinic.transport.words import Kind

LONGEST_SIGN = 20
MAX_REASON = 200


@transactional
def place_station(*, actor: Actor, facility_id: UUID, latitude: float, longitude: float) -> Station:
    """Say where a facility's ambulances stand; the first time is what gives it ambulances at all.

    Raises NotFound, Forbidden, Invalid naming `latitude` or `longitude`.
    """
    subject = Subject(facility_id=facility_id)
    policy.require(actor, "ambulance.manage", subject)
    if not Facility.objects.filter(pk=facility_id).exists():
        raise NotFound(field="facilityId")
    at = roads.point(latitude, longitude)
    row = Station.objects.select_for_update().filter(pk=facility_id).first()
    if row is None:
        row = Station(facility_id=facility_id, latitude=at.latitude, longitude=at.longitude)
        row.save(force_insert=True)
        ledger.record(actor=actor, action="station.place", row=row, subject=subject, revision=1)
    else:
        ledger.change(
            row, {"latitude": at.latitude, "longitude": at.longitude}, permission="ambulance.manage", subject=subject,
            actor=actor, action="station.place",
        )  # fmt: skip
    return row


@transactional
def add(*, actor: Actor, facility_id: UUID, call_sign: str, kind: str) -> Ambulance:
    """A new vehicle, in service and without a crew. Raises NotFound, Forbidden, Invalid naming the field."""
    policy.require(actor, "ambulance.manage", Subject(facility_id=facility_id))
    if not Station.objects.filter(pk=facility_id).exists():
        raise Invalid(_("Say first where the ambulances stand."), code="no_station", field="latitude")
    sign = " ".join(call_sign.split())
    if not sign or len(sign) > LONGEST_SIGN:
        raise Invalid(_("Write a call sign of at most 20 characters."), field="call_sign")
    if kind not in Kind.values:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(Kind.values))
    made = Ambulance(facility_id=facility_id, call_sign=sign, kind=kind)
    try:
        with transaction.atomic():
            ledger.create(AMBULANCE, "add", made, actor=actor)
    except IntegrityError:
        raise Invalid(_("There is an ambulance with this call sign."), code="taken", field="call_sign") from None
    return made


@transactional
def withdraw(*, actor: Actor, ambulance_id: UUID, reason: str, version: int | None = None) -> Ambulance:
    """It cannot be sent for now, and why. Raises NotFound, Forbidden, Invalid, Conflict on a trip, StaleEdit."""
    row = locked(actor, ambulance_id)
    ledger.apply(AMBULANCE, "withdraw", row, actor=actor, version=version, reason=reason_of(reason))
    return row


@transactional
def restore(*, actor: Actor, ambulance_id: UUID, version: int | None = None) -> Ambulance:
    """It may be sent again. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    row = locked(actor, ambulance_id)
    ledger.apply(AMBULANCE, "restore", row, actor=actor, version=version)
    return row


def locked(actor: Actor, ambulance_id: UUID) -> Ambulance:
    """A vehicle that the actor may see, held until the transaction ends. Raises NotFound for foreign and missing."""
    row = Ambulance.objects.select_for_update().filter(pk=ambulance_id).first()
    if row is None:
        raise NotFound(field="ambulanceId") if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "ambulance.view", vehicle_subject(row))
    return row


def reason_of(text: str) -> str:
    """A reason that somebody must give. Raises Invalid naming `reason`."""
    said = " ".join(text.split())
    if not said:
        raise Invalid(_("Write why."), code="required", field="reason")
    if len(said) > MAX_REASON:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field="reason", maxLength=MAX_REASON
        )
    return said
