"""The file of an import: sealed when it comes, opened part by part, gone after its days."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict
from polyclinic.files import sealed
from polyclinic.files.storage import storage
from polyclinic.imports import reading, words
from polyclinic.imports.models import Import
from polyclinic.imports.reading import Record
from polyclinic.imports.states import IMPORT

_SHREDDER = SystemActor("importer")
_AT_A_TIME = 50
GONE = _("The file is no longer kept. Upload it again.")


def chunks(row: Import) -> Iterator[bytes]:
    """The file's bytes, a part at a time. Raises Conflict (`gone`) when it is no longer kept."""
    if not row.secret:
        raise Conflict(GONE, code="gone")
    return sealed.open_(base64.b64decode(row.secret), row.pk, storage().read(row.pk))


def records(row: Import) -> Iterator[Record]:
    """The file's rows, headings first."""
    return reading.records(chunks(row), row.encoding, row.delimiter)


def shred_old() -> int:
    """Forget files whose days are over, with whatever was still to be done with them. Returns how many."""
    until = clock.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    return sum(_shred(row) for row in Import.objects.filter(shredded_at__isnull=True, made_at__lt=until)[:_AT_A_TIME])


@transactional
def _shred(row: Import) -> bool:
    if row.state not in words.OVER:
        ledger.apply(IMPORT, "cancel", row, actor=_SHREDDER, changes={"ended_at": clock.now(), "claimed_until": None})
    Import.objects.filter(pk=row.pk).update(secret="", name="", shredded_at=clock.now())
    ledger.record(
        actor=_SHREDDER, action="import.shred", row=row, subject=Subject(facility_id=row.facility_id),
        revision=row.version,
    )  # fmt: skip
    name = row.pk
    # Without its key the content is gone, whatever becomes of the disk's blocks.
    transaction.on_commit(lambda: storage().delete(name))
    return True
