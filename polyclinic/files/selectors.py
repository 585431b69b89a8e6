"""Looking at files. What the viewer may not see is answered like what does not exist."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.files import sealed
from polyclinic.files.checking import JPEG, PHOTO, PNG
from polyclinic.files.models import StoredFile
from polyclinic.files.states import CLEAN
from polyclinic.files.storage import storage
from polyclinic.scheduling import sight

_photo = CompiledQuery(
    lambda account: StoredFile.objects.filter(account_id=account, kind=PHOTO, state=CLEAN).values_list("pk"), new_id()
)


@dataclass(frozen=True, slots=True)
class Content:
    """A file to be given out. `drawn` says that it is a picture of our own making, safe to show in place."""

    media_type: str
    size: int
    drawn: bool
    parts: Iterator[bytes]


def content(viewer: Viewer, file_id: UUID) -> Content:
    """A file's content, opened chunk by chunk.

    One's own; a patient's for whoever may see that patient; a colleague's photo for everybody signed in. Raises
    NotFound for anything else, and for what has been removed or whose key is gone.
    """
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    row = StoredFile.objects.filter(pk=file_id, state=CLEAN).first()
    if row is None:
        raise NotFound()
    if row.account_id != viewer.account_id and row.patient_id is not None:
        subject = sight.require_patient(viewer, "patient.view", row.patient_id)
        reads.opened(viewer, "file", row.pk, patient_id=row.patient_id, facility_id=subject.facility_id)
    if not row.secret:
        raise NotFound()
    parts = sealed.open_(base64.b64decode(row.secret), row.pk, storage().read(row.pk))
    return Content(row.media_type, row.size, row.media_type in (JPEG, PNG), parts)


def photo_of(viewer: Viewer) -> UUID | None:
    """The id of the viewer's own photo, if there is one."""
    if not isinstance(viewer, Person):
        return None
    rows = _photo.rows(viewer.account_id)
    return rows[0][0] if rows else None


def photo_of_patient(viewer: Viewer, patient_id: UUID) -> UUID | None:
    """The id of a patient's photo, for whoever may see the patient. Raises NotFound for anyone else."""
    sight.require_patient(viewer, "patient.view", patient_id)
    found = StoredFile.objects.filter(patient_id=patient_id, kind=PHOTO, state=CLEAN)
    return found.values_list("pk", flat=True).first()
