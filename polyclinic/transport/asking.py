"""Asking for an ambulance: by the patient, by whoever acts for them, or by a hospital that was called."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.people import joined
from polyclinic.people.models import Patient
from polyclinic.transport import roads
from polyclinic.transport.models import AmbulanceTrip, Station
from polyclinic.transport.states import TRIP, trip_subject
from polyclinic.transport.steps import entered
from polyclinic.transport.words import Kind, Source
from polyclinic.visits import known

LONGEST: Final = {"who": 80, "phone": 32, "address": 200, "problem": 300, "outcome": 300}


@transactional
def request(
    *,
    actor: Actor,
    facility_id: UUID | None = None,
    patient_id: UUID | None = None,
    mrn: str = "",
    who: str = "",
    phone: str = "",
    address: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    problem: str = "",
    need: str = Kind.BASIC.value,
) -> AmbulanceTrip:
    """Ask for an ambulance. Without a facility the nearest one is asked, as far as the place is known.

    A hospital names the patient by id or record number, or says in `who` whom it was called about. Raises NotFound
    (foreign or missing alike), Forbidden, Invalid naming the field, or Conflict when an ambulance was asked for this
    patient already (`trip_open`, with its id for whoever may see it).
    """
    at = place_of(latitude, longitude)
    where = station(facility_id, at)
    policy.require(actor, "ambulance.request", Subject(patient_id, None, where.pk))
    patient = patient_of(actor, where.pk, patient_id, mrn)
    texts = {
        "who": text_of("who", who), "phone": text_of("phone", phone), "address": text_of("address", address),
        "problem": text_of("problem", problem),
    }  # fmt: skip
    if need not in Kind.values:
        raise Invalid(_("Choose one of the listed values."), field="need", possible=list(Kind.values))
    if not texts["address"] and at is None:
        raise Invalid(_("Write where the ambulance must come to."), code="required", field="address")
    if not texts["phone"]:
        raise Invalid(_("Write a phone number that is answered now."), code="required", field="phone")
    if patient is None and not texts["who"]:
        raise Invalid(_("Write who it is for, as far as is known."), code="required", field="who")
    hospital = policy.allowed(actor, "ambulance.request", Subject(None, None, where.pk))
    made = AmbulanceTrip(
        facility_id=where.pk, patient=patient, need=need, place=at.text() if at else "", requested_by=actor.label,
        source=Source.HOSPITAL if hospital else Source.PATIENT, **texts,
    )  # fmt: skip
    try:
        with transaction.atomic():
            ledger.create(TRIP, "request", made, actor=actor)
    except IntegrityError:
        raise _open_already(actor, made) from None
    entered(made)
    if patient is not None:
        known.remember(patient.pk, where.pk)
    return made


def _open_already(actor: Actor, made: AmbulanceTrip) -> Conflict:
    """A second request is nearly always a second click; the constraint has seen it."""
    found = AmbulanceTrip.objects.filter(patient=made.patient, closed_at__isnull=True).first()
    seen = found is not None and policy.allowed(actor, "ambulance.view", trip_subject(found))
    return Conflict(
        _("An ambulance was asked for already. It is looked after."),
        code="trip_open", field="patientId", **({"tripId": str(found.pk)} if found is not None and seen else {}),
    )  # fmt: skip


def station(facility_id: UUID | None, at: roads.Point | None) -> Station:
    rows = list(Station.objects.order_by("facility__name", "pk"))
    if facility_id is not None:
        rows = [row for row in rows if row.pk == facility_id]
    if not rows:
        raise Invalid(
            _("This hospital has no ambulances. Choose another one."), code="no_ambulances", field="facilityId"
        )
    if at is None:
        if len(rows) > 1:
            raise Invalid(_("Choose a hospital, or send where you are."), code="required", field="facilityId")
        return rows[0]
    return min(rows, key=lambda row: roads.straight(at, roads.Point(row.latitude, row.longitude)))


def patient_of(actor: Actor, facility_id: UUID, patient_id: UUID | None, mrn: str) -> Patient | None:
    """Whom it is for, when somebody known; another place's patient is answered as missing."""
    number = mrn.strip().upper()
    if patient_id is None and not number:
        return None
    found = Patient.objects.filter(**({"pk": patient_id} if patient_id else {"mrn": number})).first()
    unknown = _("No patient with this number is known here. Leave it empty and write the name.")
    if found is None:
        raise NotFound(field="patientId") if patient_id else Invalid(unknown, code="unknown", field="mrn")
    own = policy.allowed(actor, "ambulance.request", Subject(found.pk, None, None))
    if not own:
        try:
            known.require(actor, found.pk, facility_id)
        except NotFound:
            if patient_id:
                raise
            raise Invalid(unknown, code="unknown", field="mrn") from None
    joined.require_current(found.pk)
    return found


def place_of(latitude: float | None, longitude: float | None) -> roads.Point | None:
    """A place given by both its coordinates or by none. Raises Invalid naming the one that is missing or wrong."""
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        missing = "latitude" if latitude is None else "longitude"
        raise Invalid(_("Give both coordinates, or none."), code="required", field=missing)
    return roads.point(latitude, longitude)


def text_of(field: str, text: str) -> str:
    """What somebody wrote, without blanks around it. Raises Invalid naming the field when it is too long."""
    said = " ".join(text.split())
    if len(said) > LONGEST[field]:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field=field, maxLength=LONGEST[field]
        )
    return said


def refuse_merging(_stays: UUID, gone: UUID) -> None:
    """A trip that goes on under the record that goes would be seen by nobody looking for the other one."""
    if AmbulanceTrip.objects.filter(patient_id=gone, closed_at__isnull=True).exists():
        raise Conflict(_("An ambulance is on its way for the other record. Finish that trip first."), code="trip_open")
