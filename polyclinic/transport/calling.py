"""Asking for an ambulance without an account, and following it by a link that nobody can guess.

Whoever has the link sees how far the ambulance is and may say that none is needed; they see neither the telephone
number nor the address nor what was wrong, for a link may be found by others. Who called is a voice on a telephone:
the trip stands on the board as not identified until a dispatcher joins it to a record.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, SystemActor
from polyclinic.core.crypto import blind, ring
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.core.outbox import rooms
from polyclinic.transport import arriving, asking, roads
from polyclinic.transport.actions import hold
from polyclinic.transport.events import Identified
from polyclinic.transport.models import AmbulanceTrip, Station
from polyclinic.transport.rules import is_usable
from polyclinic.transport.states import EN_ROUTE, REQUESTED, TRIP, trip_subject
from polyclinic.transport.steps import entered
from polyclinic.transport.words import Kind, Source
from polyclinic.visits import known

ACTOR: Final = SystemActor("emergency-call", via="web")
# A link shows the end of its trip for a while, and then nothing.
AFTERWARDS: Final = timedelta(hours=6)
# So many such calls may wait at one house: more would hide from the dispatcher whoever is in danger.
MOST_WAITING: Final = 20
_LEAST_DIGITS: Final = 5
_KEY: Final = re.compile(r"[\w-]{22,80}", re.ASCII)
_SEALED: Final = ("who", "phone", "address", "place", "problem", "outcome")


class Following(msgspec.Struct, frozen=True, rename="camel"):
    """A call as its link shows it. `crew`: where the vehicle was last, while it is on its way."""

    call_id: UUID
    status: str
    version: int
    facility_name: str
    emergency_phone: str
    time_zone: str
    call_sign: str
    requested_at: datetime
    eta_from: datetime | None
    eta_until: datetime | None
    at: roads.Point | None
    home: roads.Point
    crew: roads.Point | None
    crew_at: datetime | None
    as_of: datetime


def code_of(key: str) -> str:
    """The code of the link that a form with this key leads to: 22 letters, digits, - and _ (128 bits)."""
    return blind.index("ambulance-call", key)


@transactional
def call(
    *,
    key: str,
    phone: str,
    address: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    problem: str = "",
    who: str = "",
    facility_id: UUID | None = None,
) -> tuple[AmbulanceTrip, str]:
    """Ask for an ambulance: the trip, and the code of its link. The same `key` again is the same trip.

    Raises Invalid naming the field, Conflict when one was asked for with this telephone (`trip_open`) or too many such
    calls wait at this house (`too_many_calls`).
    """
    if not _KEY.fullmatch(key):
        raise Invalid(_("This page is out of date. Reload and try again."), field="key")
    code = code_of(key)
    if (before := _by_code(code)) is not None:
        return before, code
    made = _made(phone, address, asking.place_of(latitude, longitude), problem, who, facility_id)
    made.code = _digest(code)
    waiting = AmbulanceTrip.objects.filter(
        facility_id=made.facility_id, source=Source.PUBLIC, state=REQUESTED, patient__isnull=True
    )
    if waiting.count() >= MOST_WAITING:
        raise Conflict(
            _("Very many people are asking for an ambulance now. Call the emergency number."), code="too_many_calls"
        )
    try:
        with transaction.atomic():
            ledger.create(TRIP, "request", made, actor=ACTOR)
    except IntegrityError:
        # The other of two clicks was quicker, or this telephone has asked already: the constraints have seen it.
        if (before := _by_code(code)) is not None:
            return before, code
        raise Conflict(
            _("An ambulance was asked for with this telephone number already. It is looked after."), code="trip_open",
            field="phone",
        ) from None  # fmt: skip
    entered(made)
    return made, code


def number_of(phone: str) -> str:
    """A telephone number as calls are counted by it; it cannot be read back."""
    return blind.index("ambulance-caller", blind.digits(phone))


def check(*, phone: str, address: str, at: roads.Point | None) -> None:
    """Raise Invalid naming the field that is missing: a call needs a telephone and a place."""
    if len(blind.digits(phone)) < _LEAST_DIGITS:
        raise Invalid(_("Write a phone number that is answered now."), code="required", field="phone")
    if not address and at is None:
        raise Invalid(_("Write where the ambulance must come to."), code="required", field="address")


def _made(
    phone: str, address: str, at: roads.Point | None, problem: str, who: str, facility_id: UUID | None
) -> AmbulanceTrip:
    texts = {
        name: asking.text_of(name, text)
        for name, text in (("who", who), ("phone", phone), ("address", address), ("problem", problem))
    }
    check(phone=texts["phone"], address=texts["address"], at=at)
    where = asking.station(facility_id, at)
    return AmbulanceTrip(
        facility_id=where.pk, source=Source.PUBLIC, need=Kind.BASIC, place=at.text() if at else "",
        requested_by=ACTOR.label, caller=number_of(texts["phone"]), **texts,
    )  # fmt: skip


def follow(code: str) -> Following:
    """How far it is. Raises NotFound for a code that is none, or whose trip ended hours ago."""
    row = _seen(code)
    station = Station.objects.get(pk=row.facility_id)
    home, at = roads.Point(station.latitude, station.longitude), roads.read(row.place)
    vehicle, since = row.ambulance, row.steps.order_by("-number").values_list("at", flat=True)[0]
    last = None
    if vehicle is not None and vehicle.latitude is not None and vehicle.longitude is not None and vehicle.position_at:
        last = roads.Point(vehicle.latitude, vehicle.longitude), vehicle.position_at
    eta = arriving.expected(row.state, since, at, home, last)
    # Where a crew is concerns the caller while it drives to them; neither before nor with the patient inside.
    shown = last if last and row.state == EN_ROUTE and is_usable(last[1]) else None
    return Following(
        call_id=row.pk, status=row.state, version=row.version, facility_name=row.facility.name,
        emergency_phone=row.facility.emergency_phone, time_zone=row.facility.time_zone,
        call_sign=vehicle.call_sign if vehicle else "", requested_at=row.requested_at,
        eta_from=eta[0] if eta else None, eta_until=eta[1] if eta else None, at=at, home=home,
        crew=shown[0] if shown else None, crew_at=shown[1] if shown else None, as_of=clock.now(),
    )  # fmt: skip


@transactional
def cancel(*, code: str, version: int | None = None) -> AmbulanceTrip:
    """Whoever called says that none is needed. Raises NotFound, IllegalTransition once it has arrived, StaleEdit."""
    row = AmbulanceTrip.objects.select_for_update().get(pk=_seen(code).pk)
    changes = {"closed_at": clock.now()}
    ledger.apply(TRIP, "cancel", row, actor=ACTOR, version=version, changes=changes, reason=str(_("Said the caller")))
    entered(row)
    return row


@transactional
def identify(*, actor: Actor, trip_id: UUID, mrn: str, version: int | None = None) -> AmbulanceTrip:
    """Join a trip of somebody unknown to a patient's record, from which it is sealed and seen from now on.

    Raises NotFound, Forbidden, Invalid naming `mrn`, Conflict (`identified`, or `trip_open`: another ambulance is on
    its way to this patient), StaleEdit.
    """
    row = hold(actor, trip_id)
    policy.require(actor, "ambulance.dispatch", trip_subject(row))
    if row.patient_id is not None:
        raise Conflict(_("This trip belongs to a record already."), code="identified")
    patient = asking.patient_of(actor, row.facility_id, None, mrn)
    if patient is None:
        raise Invalid(_("Write the record number."), code="required", field="mrn")
    # Sealed anew with the patient's own key: what is erased with them is erased here too.
    changes: dict[str, object] = {"patient_id": patient.pk}
    for name in _SEALED:
        changes[name] = column(AmbulanceTrip, name).seal(row.pk, ring.patient(patient.pk), getattr(row, name))
    told = Identified(
        facility_id=row.facility_id, ambulance_id=row.ambulance_id, patient_id=patient.pk, status=row.state,
        revision=row.version + 1, trip_id=row.pk,
    )  # fmt: skip
    try:
        with transaction.atomic():
            ledger.change(
                row, changes, permission="ambulance.dispatch", subject=Subject(patient.pk, None, row.facility_id),
                actor=actor, action="ambulance_trip.identify", event=told, version=version,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict(
            _("Another ambulance is on its way to this patient. Cancel one of the two first."), code="trip_open",
            field="mrn",
        ) from None  # fmt: skip
    known.remember(patient.pk, row.facility_id)
    return row


def rooms_of(code: str) -> set[str]:
    """The live room that the code of a call opens. Raises NotFound for a code that is none."""
    return {rooms.caller(_seen(code).pk)}


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _by_code(code: str) -> AmbulanceTrip | None:
    return AmbulanceTrip.objects.select_related("facility", "ambulance").filter(code=_digest(code)).first()


def _seen(code: str) -> AmbulanceTrip:
    row = _by_code(code) if code else None
    if row is None or (row.closed_at is not None and row.closed_at + AFTERWARDS < clock.now()):
        raise NotFound()
    return row
