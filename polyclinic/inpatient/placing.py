"""Which beds there are for a stay, and what speaks for and against each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from polyclinic.inpatient.models import Bed, BedStay
from polyclinic.inpatient.rules import Need, Place, Reason, judge
from polyclinic.inpatient.states import HOLDING


def reasons_of(stay: BedStay, beds: Iterable[Bed]) -> dict[UUID, list[Reason]]:
    """What speaks for and against each of these beds (with their wards) for the patient of this stay."""
    rows = list(beds)
    patient = stay.patient
    need = Need(patient.sex, patient.born, stay.isolation, stay.oxygen, stay.intensive, stay.ward_id)
    others = _sexes(stay)
    return {row.pk: judge(need, _place(row, others.get((row.ward_id, row.room), ()))) for row in rows}


def _place(row: Bed, others: Iterable[str]) -> Place:
    return Place(
        ward=row.ward_id, ward_name=row.ward.name, sex=row.sex or row.ward.sex, isolation=row.isolation,
        oxygen=row.oxygen, intensive=row.intensive, children=row.children, others=tuple(others),
    )  # fmt: skip


def _sexes(stay: BedStay) -> dict[tuple[UUID, str], list[str]]:
    """The sexes of everybody else who lies in a room of the facility or is about to. A bed without a room shares none.

    Those whom the asker may not see count too: nobody is named by it.
    """
    found: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    rows = BedStay.objects.filter(facility_id=stay.facility_id, state__in=HOLDING).exclude(pk=stay.pk)
    for ward, room, sex in rows.exclude(bed__room="").values_list("bed__ward_id", "bed__room", "patient__sex"):
        found[ward, room].append(sex)
    return found
