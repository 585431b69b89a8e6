"""What a desk chooses from when it opens a visit."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound
from polyclinic.facilities.models import Department
from polyclinic.people.models import Doctor, Patient
from polyclinic.people.search import Hit
from polyclinic.visits import known


def departments(viewer: Viewer, facility_id: UUID) -> list[tuple[UUID, str]]:
    """A facility's departments by name. Raises NotFound where the viewer opens no visits."""
    policy.require_sight(viewer, "visit.register", Subject(facility_id=facility_id))
    return list(Department.objects.filter(facility_id=facility_id).order_by("name").values_list("pk", "name"))


def doctors(viewer: Viewer, facility_id: UUID) -> list[tuple[UUID, str]]:
    """Who sees patients at a facility, by name. Raises NotFound where the viewer sees no visits."""
    policy.require_sight(viewer, "visit.view", Subject(facility_id=facility_id))
    rows = Doctor.objects.filter(schedules__facility_id=facility_id).order_by("family_name", "given_name")
    return [(row.pk, str(row)) for row in rows]


def patient(viewer: Viewer, facility_id: UUID, patient_id: UUID) -> Hit:
    """A patient whom the facility knows. Raises NotFound for another's and a missing one alike."""
    policy.require_sight(viewer, "visit.register", Subject(facility_id=facility_id))
    row = Patient.objects.filter(pk=patient_id).first()
    if row is None or not known.at(patient_id, facility_id):
        raise NotFound()
    reads.opened(viewer, "patient", row.pk, patient_id=row.pk, facility_id=facility_id)
    return Hit(
        id=row.pk, mrn=row.mrn, name=str(row), born=row.born, sex=row.sex, temporary=row.temporary, score=0.0,
        place=facility_id,
    )  # fmt: skip
