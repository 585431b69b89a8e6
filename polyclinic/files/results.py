"""Files of laboratory results: what an analyser printed, a picture of a smear. Given by the laboratory, sealed."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.files import checking, problems, scanner, sealed
from polyclinic.files.models import ResultFile
from polyclinic.files.selectors import Content
from polyclinic.files.states import CLEAN, RESULT_FILE
from polyclinic.files.storage import storage
from polyclinic.laboratory.models import LabOrder, OrderedTest
from polyclinic.laboratory.states import CANCELLED, subject

MOST: Final = 5
_LONGEST: Final = 200


class FileRow(msgspec.Struct, frozen=True, rename="camel"):
    """One file of a result, without its content. `state` is clean or withdrawn."""

    id: UUID
    test_id: UUID
    number: int
    media_type: str
    size: int
    state: str
    version: int
    made_at: datetime
    made_by: str


def attach(*, actor: Person, test_id: UUID, data: bytes) -> UUID:
    """Keep a file with a test's present result. Returns its id; the same file sent twice is one.

    What it is is decided by its content: a picture is drawn anew, a PDF written anew and refused with anything active
    in it. Raises NotFound, Forbidden, Conflict (`cancelled`), FileRefused saying why, or ScannerUnavailable.
    """
    row = _test(actor, test_id)
    policy.require(actor, "lab.work", subject(row))
    if len(data) > settings.MAX_UPLOAD_BYTES:
        raise problems.too_large(settings.MAX_UPLOAD_BYTES >> 20)
    checked = checking.check(data, checking.DOCUMENT)
    # Never inside a transaction: it asks another machine.
    scanner.scan(data)
    key, made = secrets.token_bytes(32), new_id()
    file = ResultFile(
        id=made, ordered_test_id=row.pk, facility_id=row.facility_id, patient_id=row.patient_id,
        account_id=actor.account_id, media_type=checked.media_type, size=len(checked.content),
        secret=base64.b64encode(key).decode(), digest=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    # On disk first: a row must never point to a content that is not there. A failed transaction takes it away again.
    storage().write(made, sealed.seal(key, made, checked.content))
    kept = None
    try:
        kept = _keep(actor, file)
    finally:
        if kept != made:
            storage().delete(made)
    return kept


@transactional
def _keep(actor: Person, file: ResultFile) -> UUID:
    """The id of the file that now stands with the result: this one, or the same that stood there already."""
    lock_keys([f"result-file:{file.ordered_test_id}"])
    # As it is now: it may have been corrected or cancelled while the file was looked through.
    test = OrderedTest.objects.select_related("order").get(pk=file.ordered_test_id)
    if test.state == CANCELLED:
        raise Conflict(_("This test will not be made."), code="cancelled", field="file")
    file.ordered_test, file.number = test, test.number
    standing = list(ResultFile.objects.filter(ordered_test_id=test.pk, state=CLEAN))
    for other in standing:
        if other.digest == file.digest:
            return other.pk
    if len(standing) >= MOST:
        raise problems.enough(MOST)
    ledger.create(RESULT_FILE, "keep", file, actor=actor)
    return file.pk


@transactional
def withdraw(*, actor: Person, file_id: UUID, reason: str, version: int | None = None) -> UUID:
    """It belongs to another result or was taken in error. Returns the test's id; the laboratory alone opens it now.

    Raises NotFound, Forbidden, Invalid without a reason, IllegalTransition, StaleEdit.
    """
    row = _file(actor, file_id)
    said = reason.strip()[:_LONGEST]
    if not said:
        raise Invalid(_("Say why it is withdrawn."), code="required", field="reason")
    ledger.apply(RESULT_FILE, "withdraw", row, actor=actor, version=version, reason=said)
    return row.ordered_test_id


def of_order(viewer: Viewer, order_id: UUID) -> dict[UUID, list[FileRow]]:
    """The files of an order's tests that the viewer may open, by test, oldest first. Raises NotFound as the order does.

    Those who treat see them with the verified result, and the laboratory before.
    """
    _require_order(viewer, "lab.view", order_id)
    rows = ResultFile.objects.filter(ordered_test__order_id=order_id)
    return _shown(viewer, rows.select_related("ordered_test__order", "account").order_by("made_at", "pk"))


def of_released(viewer: Viewer, order_id: UUID) -> dict[UUID, list[FileRow]]:
    """The same for the patient, of results that are released. Raises NotFound for an order that is not theirs."""
    _require_order(viewer, "lab.released", order_id)
    rows = ResultFile.objects.filter(ordered_test__order_id=order_id)
    return _shown(viewer, rows.select_related("ordered_test__order", "account").order_by("made_at", "pk"))


def file(viewer: Viewer, file_id: UUID) -> FileRow:
    """One file without its content, for whoever may open it. Raises NotFound for anyone else."""
    row = ResultFile.objects.select_related("ordered_test__order", "account").filter(pk=file_id).first()
    if row is None or not _opens(viewer, row):
        raise NotFound() if isinstance(viewer, Person) else Unauthenticated()
    reads.opened(viewer, "result_file", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _row(row)


def test_of(viewer: Viewer, file_id: UUID) -> UUID:
    """The test that a file stands with, for whoever works with it. Raises NotFound for anyone else."""
    row = ResultFile.objects.select_related("ordered_test__order").filter(pk=file_id).first()
    if row is None or not policy.allowed(viewer, "lab.work", subject(row.ordered_test)):
        raise NotFound() if isinstance(viewer, Person) else Unauthenticated()
    return row.ordered_test_id


def content(viewer: Viewer, file_id: UUID) -> Content:
    """A file's content, chunk by chunk, for whoever may see the result it stands with. Raises NotFound for others."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    row = ResultFile.objects.select_related("ordered_test__order").filter(pk=file_id).first()
    if row is None or not _opens(viewer, row) or not row.secret:
        raise NotFound()
    reads.opened(viewer, "result_file", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    parts = sealed.open_(base64.b64decode(row.secret), row.pk, storage().read(row.pk))
    return Content(row.media_type, row.size, row.media_type in (checking.JPEG, checking.PNG), parts)


def _require_order(viewer: Viewer, right: str, order_id: UUID) -> None:
    row = LabOrder.objects.filter(pk=order_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, right, subject(row))


def _opens(viewer: Viewer, row: ResultFile) -> bool:
    test, about = row.ordered_test, subject(row.ordered_test)
    if policy.allowed(viewer, "lab.work", about):
        return True
    if row.state != CLEAN:
        return False
    if policy.allowed(viewer, "lab.view", about):
        return test.verified_number is not None and row.number <= test.verified_number
    released = test.released_number is not None and row.number <= test.released_number
    return released and policy.allowed(viewer, "lab.released", about)


def _shown(viewer: Viewer, rows: Iterable[ResultFile]) -> dict[UUID, list[FileRow]]:
    found: dict[UUID, list[FileRow]] = {}
    for row in rows:
        if _opens(viewer, row):
            found.setdefault(row.ordered_test_id, []).append(_row(row))
    return found


def _row(row: ResultFile) -> FileRow:
    return FileRow(
        row.pk, row.ordered_test_id, row.number, row.media_type, row.size, row.state, row.version, row.made_at,
        row.account.name,
    )  # fmt: skip


def _test(actor: Person, test_id: UUID) -> OrderedTest:
    row = OrderedTest.objects.select_related("order").filter(pk=test_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(actor, "lab.view", subject(row))
    return row


def _file(actor: Person, file_id: UUID) -> ResultFile:
    row = ResultFile.objects.select_for_update(of=("self",)).select_related("ordered_test__order").filter(pk=file_id)
    found = row.first()
    if found is None:
        raise NotFound()
    policy.require_sight(actor, "lab.view", subject(found.ordered_test))
    return found
