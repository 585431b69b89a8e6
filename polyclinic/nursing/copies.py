"""Everything that was written beside a patient's beds, for the copy of the record that they have asked for."""

from __future__ import annotations

from uuid import UUID

import msgspec

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.nursing import bodies, selectors, sheet, sight, summaries
from polyclinic.nursing.models import DischargeSummary, Dose, Handover, RoundNoteVersion
from polyclinic.nursing.rows import DoseRow, NoteRow, ObservationRow, OrderRow, SummaryRow
from polyclinic.people import joined


class BesideRow(msgspec.Struct, frozen=True, rename="camel"):
    """What was written of one stay. `handovers` are the four parts of each, oldest first."""

    stay_id: UUID
    observations: tuple[ObservationRow, ...]
    notes: tuple[NoteRow, ...]
    medicines: tuple[OrderRow, ...]
    doses: tuple[DoseRow, ...]
    handovers: tuple[dict[str, str], ...]
    summary: SummaryRow | None


def copied(viewer: Viewer, patient_id: UUID) -> list[BesideRow]:
    """What was measured, noted, given and handed over in each stay, oldest first. Raises NotFound."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    stays = list(sight.stays().filter(patient_id__in=joined.same(patient_id)).order_by("requested_at"))
    measured = selectors._observations(stays)
    reads.listed(viewer, "bedside", patient_id, ((row.patient_id, row.facility_id) for row in stays))
    found = []
    for row in stays:
        notes = RoundNoteVersion.objects.filter(note__stay=row).order_by("version")
        handed = Handover.objects.filter(stay=row).order_by("signed_at")
        doses = Dose.objects.filter(order__stay=row).order_by("recorded_at")
        summary = DischargeSummary.objects.filter(stay=row).first()
        found.append(
            BesideRow(
                row.pk, tuple(one for one in measured[row.pk] if one.here),
                tuple(NoteRow(one.body, one.version, one.saved_at, one.author) for one in notes),
                tuple(sheet.orders_of(row)), tuple(sheet.dose_row(one) for one in doses),
                tuple(bodies.read_parts(one.body) for one in handed if one.body),
                summaries._row(summary) if summary else None,
            )
        )  # fmt: skip
    return found
