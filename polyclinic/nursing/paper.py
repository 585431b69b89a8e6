"""The discharge summary as a paper: signed ones alone, the same whoever prints it."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.core.access import policy
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict
from polyclinic.inpatient.models import BedStay
from polyclinic.nursing import sight, summaries
from polyclinic.nursing.rows import SummaryRow
from polyclinic.nursing.states import SIGNED
from polyclinic.nursing.words import SUMMARY
from polyclinic.papers.rows import Printable
from polyclinic.papers.sheet import Block, Pairs, Sheet, Sign, Source, Text, facts_of
from polyclinic.papers.words import SEXES, PaperKind, born, day, moment


def find(viewer: Viewer, stay_id: UUID, _variant: str = "") -> Source:
    """The summary of a stay. Raises NotFound; Conflict while it is not signed."""
    row = summaries.summary(viewer, stay_id)
    stay = sight.stay(viewer, "summary.view", stay_id)
    if row.status != SIGNED:
        raise Conflict(_("It is printed when it is signed."), code="nothing_to_print")
    return Source(
        kind=PaperKind.DISCHARGE_SUMMARY, subject_id=stay.pk, variant="", patient_id=stay.patient_id,
        facility_id=stay.facility_id, doctor_id=stay.doctor_id, time_zone=stay.facility.time_zone,
        facts=facts_of(row.parts, row.author, row.signed_at, stay.admitted_at, stay.ended_at, row.amended, row.why)
        if row.amended
        else facts_of(row.parts, row.author, row.signed_at, stay.admitted_at, stay.ended_at),
        draw=lambda: _sheet(stay, row), at=row.signed_at,
    )  # fmt: skip


def of_patient(viewer: Viewer, patient_id: UUID) -> list[Printable]:
    """The signed summaries of a patient, for their list of papers; none for who may not read them."""
    if not policy.allowed(viewer, "summary.view", policy.Subject(patient_id=patient_id)):
        return []
    return [
        Printable(
            PaperKind.DISCHARGE_SUMMARY, stay.pk, stay.facility.name, stay.facility.time_zone,
            row.signed_at or stay.requested_at, row.author,
        )
        for stay, row in summaries.signed_of(viewer, patient_id)
    ]  # fmt: skip


def _sheet(stay: BedStay, row: SummaryRow) -> Sheet:
    zone, patient = stay.facility.time_zone, stay.patient
    blocks: list[Block] = [
        Pairs(
            (
                (_("Admitted"), day(stay.admitted_at, zone)), (_("Left"), day(stay.ended_at, zone)),
                (_("Ward"), stay.bed.ward.name if stay.bed else "–"),
            )
        )
    ]  # fmt: skip
    if row.amended:
        said = _("Amended: it replaces what was signed before. Why: %(why)s") % {"why": row.why}
        blocks.append(Text((said,), _("Amended")))
    blocks += [Text(tuple(row.parts[name].splitlines()), str(SUMMARY[name])) for name in SUMMARY if row.parts.get(name)]
    blocks.append(Sign(row.author, stay.facility.name, moment(row.signed_at, zone)))
    who = (
        (_("Patient"), str(patient)), (_("Born"), born(patient.born)), (_("Sex"), str(SEXES[patient.sex])),
        (_("Record number"), patient.mrn),
    )  # fmt: skip
    return Sheet(_("Discharge summary, amended") if row.amended else _("Discharge summary"), "", who, tuple(blocks))
