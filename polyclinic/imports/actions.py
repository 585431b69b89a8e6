"""The steps of whoever brings a list in: upload, say what its columns are, check, apply, cancel."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.files import problems, scanner, sealed
from polyclinic.files.problems import FileRefused
from polyclinic.files.storage import storage
from polyclinic.imports import fields, kinds, reading
from polyclinic.imports.models import Import, KnownHeading
from polyclinic.imports.states import IMPORT
from polyclinic.imports.words import CHECKED, Dates, Kind

_NAME: Final = 120


def upload(*, actor: Actor, facility_id: UUID, kind: str, data: bytes, name: str = "") -> Import:
    """Take a file in. Nothing of it is imported yet; `check` comes next.

    Raises NotFound, Forbidden, Invalid (`kind`), FileRefused saying what is wrong with the file, ScannerUnavailable.
    """
    person = _person(actor)
    policy.require_sight(person, "import.run", Subject(facility_id=facility_id))
    if kind not in Kind.values:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(Kind.values))
    _require(person, facility_id, kind)
    if len(data) > settings.MAX_UPLOAD_BYTES:
        raise problems.too_large(settings.MAX_UPLOAD_BYTES >> 20)
    encoding = reading.encoding_of(data)
    scanner.scan(data)
    delimiter = reading.delimiter_of([data], encoding)
    headings, rows = _counted(data, encoding, delimiter)
    known = dict(KnownHeading.objects.filter(facility_id=facility_id, kind=kind).values_list("heading", "field"))
    key = secrets.token_bytes(32)
    made = Import(
        id=new_id(), facility_id=facility_id, account_id=person.account_id, kind=kind,
        name=" ".join(name.split())[-_NAME:], secret=base64.b64encode(key).decode(), size=len(data),
        encoding=encoding, delimiter=delimiter, rows=rows, columns=fields.guess(kind, headings, known),
    )  # fmt: skip
    # On disk first: a row must never point to a content that is not there.
    storage().write(made.pk, sealed.seal(key, made.pk, data))
    try:
        _keep(person, made)
    except BaseException:
        storage().delete(made.pk)
        raise
    return made


@transactional
def _keep(actor: Person, made: Import) -> None:
    ledger.create(IMPORT, "upload", made, actor=actor)


def _counted(data: bytes, encoding: str, delimiter: str) -> tuple[list[str], int]:
    """The headings, and how many rows follow. Raises FileRefused."""
    found = reading.records((data[at : at + 65536] for at in range(0, len(data), 65536)), encoding, delimiter)
    first = next(found, None)
    if first is None or first.cells is None:
        raise FileRefused(_("The file has no headings in its first row."), code="no_headings", field="file")
    if len(first.cells) > reading.MOST_COLUMNS:
        raise FileRefused(_("The file has more than 100 columns. Leave out those that are not needed."),
                          code="too_many_columns", field="file")  # fmt: skip
    rows = 0
    for rows, _record in enumerate(found, 1):
        if rows > settings.IMPORT_MAX_ROWS:
            raise FileRefused(
                _("The file has more than %(most)s rows. Split it into several.") % {"most": settings.IMPORT_MAX_ROWS},
                code="too_many_rows", field="file",
            )  # fmt: skip
    if not rows:
        raise FileRefused(_("The file has headings and no rows."), code="no_rows", field="file")
    return first.cells, rows


@transactional
def check(
    *,
    actor: Actor,
    import_id: UUID,
    columns: Mapping[str, int],
    dates: str = Dates.ISO,
    headings: Sequence[str] = (),
    version: int | None = None,
) -> Import:
    """Say which column (counted from 0) holds which field, and have every row checked. Writes nothing else.

    Raises NotFound, Forbidden, Invalid naming the field, IllegalTransition, StaleEdit.
    """
    row = held(actor, import_id)
    if dates not in Dates.values:
        raise Invalid(_("Choose one of the listed values."), field="dates", possible=list(Dates.values))
    known = {field.name: field for field in fields.FIELDS[row.kind]}
    for name, number in columns.items():
        if name not in known or not 0 <= number < reading.MOST_COLUMNS:
            wrong = name if name in known else "columns"
            raise Invalid(_("There is no such column."), code="unknown_column", field=wrong)
    if len(set(columns.values())) < len(columns):
        twice = next(name for name, number in columns.items() if list(columns.values()).count(number) > 1)
        raise Invalid(_("A column can stand for one thing only."), code="twice", field=twice)
    for name, about in known.items():
        if about.needed and name not in columns:
            raise Invalid(_("Choose the column that holds this."), code="required", field=name)
    row.problems.all().delete()
    changes: dict[str, Any] = {
        "columns": dict(columns), "dates": dates, "seen": 0, "last": 1, "bad": 0, "claimed_until": None,
    }  # fmt: skip
    ledger.apply(IMPORT, "check", row, actor=actor, version=version, changes=changes)
    _remember(row, headings)
    return row


def _remember(row: Import, headings: Sequence[str]) -> None:
    """What these headings mean here, for the next file."""
    for name, number in row.columns.items():
        if number < len(headings):
            KnownHeading.objects.update_or_create(
                facility_id=row.facility_id, kind=row.kind, heading=fields.digest(headings[number]),
                defaults={"field": name},
            )  # fmt: skip


@transactional
def apply(*, actor: Actor, import_id: UUID, skip_bad: bool = False, version: int | None = None) -> Import:
    """Bring the good rows in, as the acting person. With bad rows only when `skip_bad` says that they are left out.

    Raises NotFound, Forbidden, IllegalTransition, StaleEdit, Conflict (`bad_rows`, `no_good_rows`).
    """
    row = held(actor, import_id)
    if row.state == CHECKED and row.bad >= row.rows:
        raise Conflict(_("No row can be imported. Correct the file and upload it again."), code="no_good_rows")
    if row.state == CHECKED and row.bad and not skip_bad:
        raise Conflict(
            _("%(bad)s rows are wrong. Correct the file and upload it again, or decide to leave them out.")
            % {"bad": row.bad}, code="bad_rows", field="skip_bad", bad=row.bad,
        )  # fmt: skip
    changes: dict[str, Any] = {"seen": 0, "last": 1, "claimed_until": None, "account_id": _person(actor).account_id}
    ledger.apply(IMPORT, "apply", row, actor=actor, version=version, changes=changes)
    return row


@transactional
def cancel(*, actor: Actor, import_id: UUID) -> Import:
    """End it. Rows that are in stay in. Raises NotFound, Forbidden, IllegalTransition when it is over."""
    row = held(actor, import_id)
    ledger.apply(IMPORT, "cancel", row, actor=actor, changes={"ended_at": clock.now(), "claimed_until": None})
    return row


def held(actor: Actor, import_id: UUID) -> Import:
    """The import, locked until the end of the transaction: its progress moves its version as well."""
    person = _person(actor)
    row = Import.objects.select_for_update().filter(pk=import_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(person, "import.run", Subject(facility_id=row.facility_id))
    _require(person, row.facility_id, row.kind)
    return row


def _person(actor: Actor) -> Person:
    if not isinstance(actor, Person):
        raise Unauthenticated()
    if actor.seen_by is not None:
        raise Forbidden()
    return actor


def _require(person: Person, facility_id: UUID, kind: str) -> None:
    """The right to import, and the right to do by hand what the list would do."""
    policy.require(person, "import.run", Subject(facility_id=facility_id))
    policy.require(person, kinds.SORTS[kind].right, Subject(facility_id=facility_id))


__all__ = ["apply", "cancel", "check", "held", "upload"]
