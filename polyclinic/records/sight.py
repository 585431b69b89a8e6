"""The visit or patient that a reader or writer names, for whoever may see it."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.scheduling import sight
from polyclinic.visits import known
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject


def visit(viewer: Viewer, permission: str, visit_id: UUID) -> Visit:
    """The visit, for whoever may do this to what is written in it. Raises NotFound for anyone else."""
    row = Visit.objects.select_related("patient", "facility").filter(pk=visit_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, permission, visit_subject(row))
    return row


def looked(viewer: Viewer, row: Visit) -> None:
    """Put on record that somebody reads what is written in a visit: once a request, whatever parts of it."""
    reads.opened(viewer, "chart", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)


def patient(viewer: Viewer, permission: str, patient_id: UUID) -> Subject:
    """By which place or doctor of the patient's the viewer has this right. Raises NotFound for anyone else."""
    try:
        return sight.require_patient(viewer, permission, patient_id)
    except NotFound:
        # A walk-in has no appointment, and is known at the desk where they came and to who was given the visit.
        if not isinstance(viewer, Person):
            raise
        visits = Visit.objects.filter(patient_id=patient_id)
        for place in policy.places(viewer, permission):
            found = Subject(patient_id=patient_id, facility_id=place)
            came = known.at(patient_id, place) or visits.filter(facility_id=place).exists()
            # Asked of the one record too: it may be restricted there.
            if came and policy.allowed(viewer, permission, found):
                return found
        mine = Subject(patient_id=patient_id, doctor_id=viewer.doctor_id)
        given = viewer.doctor_id and visits.filter(main_doctor_id=viewer.doctor_id).exists()
        if given and policy.allowed(viewer, permission, mine):
            return mine
        raise
