"""Asking for a bed, saying when it will be free again, and needing it no more."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.facilities.models import Facility
from polyclinic.inpatient import beds, events
from polyclinic.inpatient.models import BedStay, Ward
from polyclinic.inpatient.states import IN_BED, OPEN, RESERVED, STAY, stay_subject
from polyclinic.inpatient.words import Priority
from polyclinic.people import joined
from polyclinic.people.models import Patient
from polyclinic.visits import known, wishes
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject

MAX_REASON = 200
FURTHEST = timedelta(days=365)


@transactional
def request(
    *,
    actor: Actor,
    facility_id: UUID | None = None,
    patient_id: UUID | None = None,
    visit_id: UUID | None = None,
    doctor_id: UUID | None = None,
    ward_id: UUID | None = None,
    priority: str = Priority.ROUTINE,
    isolation: bool = False,
    oxygen: bool = False,
    intensive: bool = False,
    reason: str = "",
    expected_on: date | None = None,
) -> BedStay:
    """Ask for a bed: for the patient of a visit, in its facility, or for a patient whom the facility knows.

    Raises NotFound (foreign or missing alike), Forbidden, Invalid naming the field, or Conflict when the patient waits
    for a bed here or lies in one already (`stay_open`, with its id).
    """
    facility, patient, visit = _whom(actor, facility_id, patient_id, visit_id)
    if priority not in Priority.values:
        raise Invalid(_("Choose one of the listed values."), field="priority", possible=list(Priority.values))
    if ward_id is not None and not _wards(facility.pk).filter(pk=ward_id).exists():
        raise NotFound(field="wardId")
    doctor = wishes.doctor_of(facility.pk, doctor_id)
    made = BedStay(
        facility=facility,
        patient=patient,
        visit=visit,
        doctor_id=doctor or (visit.main_doctor_id if visit else None),
        ward_id=ward_id,
        priority=priority,
        isolation=isolation,
        oxygen=oxygen,
        intensive=intensive,
        reason=wishes.text_of(reason, MAX_REASON, "reason"),
        requested_by=actor.label,
        expected_on=_day(facility, expected_on),
    )
    _refuse_second(facility.pk, patient.pk)
    try:
        with transaction.atomic():
            ledger.create(STAY, "request", made, actor=actor)
    except IntegrityError:
        # Asked twice at once: the twin came first.
        _refuse_second(facility.pk, patient.pk)
        raise
    known.remember(patient.pk, facility.pk)
    return made


@transactional
def cancel(*, actor: Actor, stay_id: UUID, reason: str, version: int | None = None) -> BedStay:
    """No bed is needed any more, and why; one that was reserved is free again.

    Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit.
    """
    row = seen(actor, stay_id)
    policy.require(actor, "stay.cancel", stay_subject(row))
    said, bed = wishes.reason_of(reason), row.bed if row.state == RESERVED else None
    if bed is not None:
        bed = beds.hold(row.facility_id, [bed.pk])[bed.pk]
    ledger.apply(
        STAY, "cancel", row, actor=actor, version=version, changes={"ended_at": clock.now(), "bed": None}, reason=said
    )
    if bed is not None:
        beds.step(actor, bed, "release")
    return row


@transactional
def plan(*, actor: Actor, stay_id: UUID, expected_on: date | None, version: int | None = None) -> BedStay:
    """Say on which day the patient will probably leave; None when nobody knows any more.

    Raises NotFound, Forbidden, Invalid, StaleEdit, or Conflict (`stay_over`).
    """
    row = seen(actor, stay_id)
    if row.state not in OPEN:
        raise Conflict(_("This stay is over."), code="stay_over")
    ledger.change(
        row, {"expected_on": _day(row.facility, expected_on)}, permission="stay.plan", subject=stay_subject(row),
        actor=actor, action="bed_stay.plan", version=version,
    )  # fmt: skip
    # The event tells the version that the row has after the change.
    log.append(events.StayPlanned.of(row))
    return row


def seen(actor: Actor, stay_id: UUID) -> BedStay:
    """A stay that the actor may see. Raises NotFound alike for a missing and a foreign one."""
    row = BedStay.objects.select_related("facility", "patient", "bed").filter(pk=stay_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "stay.view", stay_subject(row))
    return row


def refuse_merging(_stays: UUID, gone: UUID) -> None:
    """A stay that goes on under the record that goes would be seen by nobody looking for the other one."""
    if BedStay.objects.filter(patient_id=gone, ended_at__isnull=True).exists():
        raise Conflict(
            _("The other record waits for a bed or lies in one. That stay must end first."), code="stay_open"
        )


def _whom(
    actor: Actor, facility_id: UUID | None, patient_id: UUID | None, visit_id: UUID | None
) -> tuple[Facility, Patient, Visit | None]:
    """Whom a bed is asked for and where, and that this actor may ask."""
    if visit_id is not None:
        visit = Visit.objects.select_related("facility", "patient").filter(pk=visit_id).first()
        if visit is None or facility_id not in (None, visit.facility_id) or patient_id not in (None, visit.patient_id):
            raise NotFound(field="visitId")
        policy.require_sight(actor, "visit.view", visit_subject(visit))
        policy.require(actor, "stay.request", visit_subject(visit))
        joined.require_current(visit.patient_id)
        return visit.facility, visit.patient, visit
    if facility_id is None or patient_id is None:
        raise Invalid(
            _("Say for whom: a visit, or a patient and a hospital."), code="required",
            field="facilityId" if facility_id is None else "patientId",
        )  # fmt: skip
    # Without a visit no doctor is theirs yet: only who works here asks.
    policy.require(actor, "stay.request", Subject(facility_id=facility_id))
    facility, patient = Facility.objects.filter(pk=facility_id).first(), Patient.objects.filter(pk=patient_id).first()
    if facility is None or patient is None:
        raise NotFound(field="patientId" if facility else "facilityId")
    known.require(actor, patient_id, facility_id)
    joined.require_current(patient_id)
    return facility, patient, None


def _wards(facility_id: UUID) -> QuerySet[Ward]:
    return Ward.objects.filter(facility_id=facility_id, ended_at__isnull=True)


def _day(facility: Facility, day: date | None) -> date | None:
    """A day on which somebody can leave: today or later where they lie."""
    if day is None:
        return None
    today = clock.now().astimezone(ZoneInfo(facility.time_zone)).date()
    if not today <= day <= today + FURTHEST:
        raise Invalid(_("Choose a day from today on, within a year."), field="expectedOn")
    return day


def _refuse_second(facility_id: UUID, patient_id: UUID) -> None:
    """Who waits here or lies here is not asked for once more: nearly always a second click."""
    found = BedStay.objects.filter(facility_id=facility_id, patient_id=patient_id, ended_at__isnull=True).first()
    if found is not None:
        told = _("This patient lies in a bed here.") if found.state in IN_BED else _("This patient waits here already.")
        raise Conflict(told, code="stay_open", field="patientId", stayId=str(found.pk))
