"""A photo taken at the desk, by which staff tell a patient from another. Optional; one for each facility that took one.

It is checked, drawn anew and sealed like every file, and belongs to the patient's record: it goes with their key.
Looking at it is a reading of the record. A patient's own photo, which they choose themselves, is `files.actions`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from uuid import UUID

from django.conf import settings
from django.db import transaction

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.files import checking, problems, scanner, sealed
from polyclinic.files.models import Portrait
from polyclinic.files.selectors import Content
from polyclinic.files.states import CLEAN, PORTRAIT
from polyclinic.files.storage import storage
from polyclinic.people import joined
from polyclinic.people.models import Patient
from polyclinic.scheduling import sight
from polyclinic.visits import known


def take(*, actor: Person, facility_id: UUID, patient_id: UUID, data: bytes) -> UUID:
    """Keep a photo of a patient whom the facility knows, in place of the one there was. Returns its id.

    Checked before anything is kept: size, kind by content, pixels, virus. Raises NotFound, Forbidden, FileRefused
    saying why, or ScannerUnavailable.
    """
    _require(actor, facility_id, patient_id)
    if len(data) > settings.MAX_UPLOAD_BYTES:
        raise problems.too_large(settings.MAX_UPLOAD_BYTES >> 20)
    checked = checking.check(data, checking.PHOTO)
    # Never inside a transaction: it asks another machine.
    scanner.scan(data)
    key, made = secrets.token_bytes(32), new_id()
    row = Portrait(
        id=made, patient_id=patient_id, facility_id=facility_id, account_id=actor.account_id,
        media_type=checked.media_type, size=len(checked.content), secret=base64.b64encode(key).decode(),
        digest=hashlib.sha256(checked.content).hexdigest(),
    )  # fmt: skip
    # On disk first: a row must never point to a content that is not there. A failed transaction takes it away again.
    storage().write(made, sealed.seal(key, made, checked.content))
    try:
        _keep(actor, row)
    except BaseException:
        storage().delete(made)
        raise
    return made


@transactional
def _keep(actor: Actor, row: Portrait) -> None:
    lock_keys([f"portrait:{row.facility_id}:{row.patient_id}"])
    for old in Portrait.objects.filter(facility_id=row.facility_id, patient_id=row.patient_id, state=CLEAN):
        _remove(actor, old)
    ledger.create(PORTRAIT, "keep", row, actor=actor)


@transactional
def remove(*, actor: Actor, facility_id: UUID, patient_id: UUID) -> None:
    """Take a patient's photo away, content and key. Raises NotFound when there is none, Forbidden."""
    _require(actor, facility_id, patient_id)
    lock_keys([f"portrait:{facility_id}:{patient_id}"])
    row = Portrait.objects.filter(facility_id=facility_id, patient_id=patient_id, state=CLEAN).first()
    if row is None:
        raise NotFound()
    _remove(actor, row)


def _remove(actor: Actor, row: Portrait) -> None:
    # Without its key the content is gone, whatever becomes of the disk's blocks.
    ledger.apply(PORTRAIT, "remove", row, actor=actor, changes={"secret": "", "digest": ""})
    name = row.pk
    transaction.on_commit(lambda: storage().delete(name))


def of(viewer: Viewer, patient_id: UUID, facility_id: UUID) -> UUID | None:
    """The id of the photo that a facility took of a patient. Raises NotFound for whom may not see the patient there."""
    _require_sight(viewer, patient_id, facility_id)
    found = Portrait.objects.filter(patient_id__in=joined.same(patient_id), facility_id=facility_id, state=CLEAN)
    return found.order_by("-made_at").values_list("pk", flat=True).first()


def content(viewer: Viewer, portrait_id: UUID) -> Content:
    """The picture, for whoever may see the patient where it was taken. Raises NotFound for others, and when it is gone.

    That it was looked at is written down, for the patient to see.
    """
    row = Portrait.objects.filter(pk=portrait_id, state=CLEAN).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person) else Unauthenticated()
    _require_sight(viewer, row.patient_id, row.facility_id)
    if not row.secret:
        raise NotFound()
    reads.opened(viewer, "portrait", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    parts = sealed.open_(base64.b64decode(row.secret), row.pk, storage().read(row.pk))
    return Content(row.media_type, row.size, row.media_type in (checking.JPEG, checking.PNG), parts)


def _require_sight(viewer: Viewer, patient_id: UUID, facility_id: UUID) -> None:
    """Staff of the facility, when it knows the patient; else whoever may see the patient anywhere."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    there = policy.allowed(viewer, "patient.view", Subject(patient_id=patient_id, facility_id=facility_id))
    if not (there and known.at(patient_id, facility_id)):
        sight.require_patient(viewer, "patient.view", patient_id)


def _require(actor: Actor, facility_id: UUID, patient_id: UUID) -> None:
    policy.require_sight(actor, "portrait.edit", Subject(facility_id=facility_id))
    if not Patient.objects.filter(pk=patient_id).exists() or not known.at(patient_id, facility_id):
        raise NotFound(field="patientId")
    policy.require(actor, "portrait.edit", Subject(patient_id=patient_id, facility_id=facility_id))
    joined.require_current(patient_id)
