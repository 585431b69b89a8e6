"""Which records are one person's. Readers of a patient's rows ask here for all of their ids; merging is `people.merge`.

Everything stays where it was written, under its own record and key: a merge is a link, and here it is followed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Conflict
from polyclinic.people.models import Merge, Patient

MERGED, UNDONE = "merged", "undone"


class MergedAway(Conflict):
    """The record was merged into another one, in which everything goes on."""

    code = "merged_away"
    sentence = _("This record was merged into another one. Go on there.")


def same(patient_id: UUID) -> tuple[UUID, ...]:
    """The ids of every record of this person, the one that stays first. Alone for nearly everybody."""
    stays = survivor(patient_id)
    gone = Merge.objects.filter(patient_id=stays, state=MERGED).order_by("merged_at", "pk")
    return (stays, *gone.values_list("gone_id", flat=True))


def within(patient_id: UUID) -> QuerySet[Patient, Any]:
    """The same ids, in no order, as a part of the query that reads their rows: for pages that count their questions."""
    merged = Merge.objects.filter(state=MERGED).order_by()
    stays = merged.filter(gone_id=patient_id).values("patient_id")
    # Joined side by side and not by OR, so that each part finds its index.
    return (
        Patient.objects.filter(pk=patient_id)
        .order_by()
        .values("pk")
        .union(
            merged.filter(patient_id=patient_id).values("gone_id"),
            stays,
            merged.filter(patient_id__in=stays).values("gone_id"),
        )
    )


def survivor(patient_id: UUID) -> UUID:
    """The record that stays, for one that was merged away; itself for any other."""
    found = Merge.objects.filter(gone_id=patient_id, state=MERGED).values_list("patient_id", flat=True).first()
    return found or patient_id


def survivors(patient_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Of these records, those that were merged away, and into which."""
    rows = Merge.objects.filter(gone_id__in=patient_ids, state=MERGED)
    return dict(rows.values_list("gone_id", "patient_id"))


def any_gone(field: str) -> Exists:
    """For a query with a patient's id in `field`: whether a record was merged into that one."""
    return Exists(Merge.objects.filter(patient_id=OuterRef(field), state=MERGED))


def gone(patient_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The records that were merged into one of these, and into which."""
    rows = Merge.objects.filter(patient_id__in=patient_ids, state=MERGED)
    return dict(rows.values_list("gone_id", "patient_id"))


def require_current(patient_id: UUID) -> None:
    """Nothing new is written under a record that was merged away. Raises MergedAway with the one that stays."""
    stays = survivor(patient_id)
    if stays != patient_id:
        raise MergedAway(field="patientId", patientId=str(stays))


def many(patient_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """`same` of many at once, in two questions."""
    stays = survivors(patient_ids)
    found = {one: stays.get(one, one) for one in patient_ids}
    gone: dict[UUID, list[UUID]] = {}
    merged = Merge.objects.filter(patient_id__in=set(found.values()), state=MERGED).order_by("merged_at", "pk")
    for patient, other in merged.values_list("patient_id", "gone_id"):
        gone.setdefault(patient, []).append(other)
    return {one: (kept, *gone.get(kept, ())) for one, kept in found.items()}
