"""The copy of everything that is held about a patient: what an access request is answered with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.consent import selectors as sharing
from polyclinic.consent.selectors import ConsentRow, DelegationRow
from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict
from polyclinic.core.models import AuditEntry
from polyclinic.inpatient import selectors as wards
from polyclinic.inpatient.rows import StayRow
from polyclinic.laboratory import selectors as laboratory
from polyclinic.laboratory.rows import OrderRow
from polyclinic.nursing import copies as nursing
from polyclinic.nursing.copies import BesideRow
from polyclinic.papers import selectors as letters
from polyclinic.papers.rows import PaperRow, ReferralRow, SickNoteRow
from polyclinic.people import selectors as people
from polyclinic.people.selectors import PatientRecord
from polyclinic.pharmacy import counter
from polyclinic.pharmacy.rows import DispenseRow
from polyclinic.prescribing import asked
from polyclinic.prescribing import selectors as prescribing
from polyclinic.prescribing.rows import PrescriptionRow, RefillRow
from polyclinic.privacy import selectors
from polyclinic.privacy.models import Kind
from polyclinic.privacy.selectors import RequestRow, SeenRow
from polyclinic.privacy.states import ANSWERED
from polyclinic.records import course
from polyclinic.records.course import WholeRecord
from polyclinic.scheduling import overbooking
from polyclinic.scheduling import selectors as scheduling
from polyclinic.scheduling.rows import AppointmentRow
from polyclinic.transport import selectors as ambulances
from polyclinic.transport.rows import TripRow

FETCHED_WITHIN: Final = timedelta(days=30)
_AT_ONCE: Final = 200
# Newest first; who wants more than this many lines of the audit asks the privacy officer.
MOST_ACCESSES: Final = 5000


class Copy(msgspec.Struct, frozen=True, rename="camel"):
    """Everything held about one patient at a moment, as rows that speak the names of the API."""

    made_at: datetime
    patient: PatientRecord
    appointments: list[AppointmentRow]
    # Why those that are `extra` were booked beside another, by their id.
    extra_reasons: dict[UUID, str]
    consents: list[ConsentRow]
    delegations: list[DelegationRow]
    privacy_requests: list[RequestRow]
    accesses: list[SeenRow]
    record: WholeRecord
    laboratory: list[OrderRow]
    prescriptions: list[PrescriptionRow]
    refills: list[RefillRow]
    handed_over: list[DispenseRow]
    stays: list[StayRow]
    beside: list[BesideRow]
    sick_notes: list[SickNoteRow]
    referrals: list[ReferralRow]
    papers: list[PaperRow]
    ambulances: list[TripRow]


def copy_for(viewer: Viewer, request_id: UUID) -> Copy:
    """The copy that answers this request, as the record is now.

    Raises NotFound for a request that is not the viewer's, Conflict while it is not answered or thirty days after.
    """
    row = selectors.request(viewer, request_id)
    # Whoever answers it does not get the copy: it is made for who asked.
    patient = people.patient(viewer, row.patient_id)
    requests = selectors.requests_of(viewer, row.patient_id)
    if row.kind != Kind.ACCESS or row.status != ANSWERED or row.answered_at is None:
        raise Conflict(_("The hospital has not answered this request yet."), code="not_answered")
    if clock.now() >= row.answered_at + FETCHED_WITHIN:
        raise Conflict(_("This copy could be fetched for thirty days. Please ask for a new one."), code="copy_expired")
    return Copy(
        made_at=clock.now(),
        patient=patient,
        appointments=_appointments(viewer, row.patient_id),
        extra_reasons=overbooking.reasons(viewer, row.patient_id),
        consents=sharing.consents(viewer, row.patient_id),
        delegations=sharing.carers(viewer, row.patient_id),
        privacy_requests=requests,
        accesses=_accesses(row.patient_id),
        record=course.whole(viewer, row.patient_id),
        laboratory=laboratory.copied(viewer, row.patient_id),
        prescriptions=prescribing.copied(viewer, row.patient_id),
        refills=asked.copied(viewer, row.patient_id),
        handed_over=counter.copied(viewer, row.patient_id),
        stays=wards.stays_of(viewer, row.patient_id),
        beside=nursing.copied(viewer, row.patient_id),
        sick_notes=letters.sick_notes(viewer, row.patient_id),
        referrals=letters.referrals(viewer, row.patient_id),
        papers=letters.papers(viewer, row.patient_id),
        ambulances=ambulances.trips_of(viewer, row.patient_id),
    )


def _appointments(viewer: Viewer, patient_id: UUID) -> list[AppointmentRow]:
    found: list[AppointmentRow] = []
    for page in range(1, 1000):
        part = scheduling.appointments(viewer, patient_id=patient_id, page=page, limit=_AT_ONCE)
        found += part.rows
        if page >= part.pages:
            break
    return found


def _accesses(patient_id: UUID) -> list[SeenRow]:
    entries = AuditEntry.objects.filter(patient_id=patient_id).order_by("-at", "lane", "-seq")
    return selectors.seen(entries[:MOST_ACCESSES])
