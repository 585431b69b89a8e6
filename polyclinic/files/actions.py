"""Giving a file and taking it away."""

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
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Forbidden, NotFound
from polyclinic.core.ids import new_id
from polyclinic.files import checking, problems, scanner, sealed
from polyclinic.files.models import StoredFile
from polyclinic.files.states import CLEAN, FILE
from polyclinic.files.storage import storage


def set_photo(*, actor: Person, data: bytes) -> UUID:
    """Keep a photo of the acting person, in place of the one there was. Returns its id.

    Checked before anything is kept: size, kind by content, pixels, virus. Raises FileRefused saying which, Forbidden,
    or ScannerUnavailable.
    """
    if actor.seen_by is not None:
        raise Forbidden()
    policy.require(actor, "photo.edit", Subject(patient_id=actor.patient_id))
    if len(data) > settings.MAX_UPLOAD_BYTES:
        raise problems.too_large(settings.MAX_UPLOAD_BYTES >> 20)
    checked = checking.check(data, checking.PHOTO)
    scanner.scan(data)
    key = secrets.token_bytes(32)
    row = StoredFile(
        id=new_id(),
        account_id=actor.account_id,
        patient_id=actor.patient_id,
        kind=checking.PHOTO,
        media_type=checked.media_type,
        size=len(checked.content),
        width=checked.width,
        height=checked.height,
        secret=base64.b64encode(key).decode(),
        digest=hashlib.sha256(checked.content).hexdigest(),
    )
    # On disk first: a row must never point to a content that is not there. A failed transaction takes it away again.
    storage().write(row.pk, sealed.seal(key, row.pk, checked.content))
    try:
        _keep(actor, row)
    except BaseException:
        storage().delete(row.pk)
        raise
    return row.pk


@transactional
def _keep(actor: Actor, row: StoredFile) -> None:
    lock_keys([f"photo:{row.account_id}"])
    for old in StoredFile.objects.filter(account_id=row.account_id, kind=row.kind, state=CLEAN):
        _remove(actor, old)
    ledger.create(FILE, "keep", row, actor=actor)


@transactional
def remove_photo(*, actor: Person) -> None:
    """Take one's photo away, content and key. Raises NotFound when there is none, Forbidden."""
    lock_keys([f"photo:{actor.account_id}"])
    row = StoredFile.objects.filter(account_id=actor.account_id, kind=checking.PHOTO, state=CLEAN).first()
    if row is None:
        raise NotFound()
    _remove(actor, row)


def _remove(actor: Actor, row: StoredFile) -> None:
    # Without its key the content is gone, whatever becomes of the disk's blocks.
    ledger.apply(FILE, "remove", row, actor=actor, changes={"secret": "", "digest": ""})
    name = row.pk
    transaction.on_commit(lambda: storage().delete(name))
