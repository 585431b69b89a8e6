"""The stay that a reader or writer names, for whoever may see it, and what is written of it."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.inpatient.models import BedStay
from polyclinic.inpatient.states import stay_subject

Row = TypeVar("Row", bound=models.Model)


def stays() -> Any:  # noqa: ANN401 - a queryset of stays
    """Stays with everything that stands beside their name."""
    return BedStay.objects.select_related("patient", "facility", "doctor", "bed__ward")


def stay(viewer: Viewer, permission: str, stay_id: UUID) -> BedStay:
    """The stay, for whoever may do this to what is written of it. Raises NotFound for anyone else."""
    row: BedStay | None = stays().filter(pk=stay_id).first()
    if row is None:
        raise missing(viewer)
    policy.require_sight(viewer, permission, stay_subject(row))
    return row


def to_write(actor: Actor, permission: str, stay_id: UUID, *, see: str) -> BedStay:
    """The stay to write of: foreign is missing, and whoever may only look is refused."""
    row = stay(actor, see, stay_id)
    policy.require(actor, permission, stay_subject(row))
    return row


def entry(viewer: Viewer, permission: str, model: type[Row], entry_id: UUID, *, through: str = "stay") -> Row:
    """Something written of a stay. Raises NotFound alike for a missing and for a foreign one."""
    row = model._default_manager.select_related(f"{through}__patient", f"{through}__facility", f"{through}__bed__ward")
    found = row.filter(pk=entry_id).first()
    if found is None:
        raise missing(viewer)
    policy.require_sight(viewer, permission, stay_subject(found.stay))  # type: ignore[attr-defined]
    return found


def missing(viewer: Viewer) -> Exception:
    return NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()


def looked(viewer: Viewer, row: BedStay) -> None:
    """Put on record that somebody reads what is written of a stay: once a request, whatever parts of it."""
    reads.opened(viewer, "bedside", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)


def author(actor: Actor) -> str:
    """Who stands beside what they wrote."""
    return actor.name if isinstance(actor, Person | SystemActor) else ""
