"""Reading imports: where one may, what became of each, what is wrong with its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.imports import fields, keeping, kinds
from polyclinic.imports.models import Import, ImportProblem
from polyclinic.imports.rows import ImportPlace, ImportRow, ProblemPage, ProblemRow
from polyclinic.imports.states import IMPORT
from polyclinic.imports.words import RUNNING, Kind

KEPT_SHOWN: Final = 200
PER_PAGE: Final = 50
_SAMPLE: Final = 5


def places(viewer: Viewer) -> list[ImportPlace]:
    """Where the viewer may import, by name. Raises NotFound for whom there is no such place."""
    person = _person(viewer)
    rows = Facility.objects.filter(pk__in=policy.places(person, "import.run")).order_by("name", "pk")
    found = [
        ImportPlace(pk, name, zone, tuple(kind for kind in Kind.values if kinds.may(person, pk, kind)))
        for pk, name, zone in rows.values_list("id", "name", "time_zone")
    ]
    if not found:
        raise NotFound()
    return found


def imports(viewer: Viewer, facility_id: UUID) -> list[ImportRow]:
    """The imports of a facility, newest first, at most 200. Raises NotFound."""
    policy.require_sight(_person(viewer), "import.run", Subject(facility_id=facility_id))
    rows = Import.objects.filter(facility_id=facility_id).select_related("account").order_by("-made_at")
    return [_row(row) for row in rows[:KEPT_SHOWN]]


def one(viewer: Viewer, import_id: UUID) -> ImportRow:
    """One import. Raises NotFound."""
    return _row(_seen(viewer, import_id))


def problems(viewer: Viewer, import_id: UUID, page: int = 1, limit: int = PER_PAGE) -> ProblemPage:
    """What is wrong with its rows, by row. Raises NotFound."""
    row = _seen(viewer, import_id)
    found = ImportProblem.objects.filter(batch=row).order_by("number")
    # While rows are being checked the count moves with each look.
    total = row.bad + row.refused if row.state not in RUNNING else found.count()
    shown = [_problem(row.kind, one) for one in found[(page - 1) * limit : page * limit]]
    return ProblemPage(shown, total, page, max(1, -(-total // limit)))


def sample(viewer: Viewer, import_id: UUID) -> tuple[list[str], list[list[str]]]:
    """The headings and the first rows, for whoever says which column is which. Raises NotFound, Conflict (`gone`)."""
    row = _seen(viewer, import_id)
    found = keeping.records(row)
    headings = (next(found).cells or []) if row.secret else []
    first = [one.cells or [] for one, _more in zip(found, range(_SAMPLE), strict=False)]
    width = len(headings)
    return [text.strip() for text in headings], [(cells + [""] * width)[:width] for cells in first]


def begin_errors(viewer: Viewer, import_id: UUID) -> None:
    """Put on record that the wrong rows are taken out, before they leave. Raises NotFound, Conflict (`gone`)."""
    row = _seen(viewer, import_id)
    if not row.secret:
        raise Conflict(keeping.GONE, code="gone")
    _record(_person(viewer), row)


def errors(viewer: Viewer, import_id: UUID) -> Iterator[list[str]]:
    """The wrong rows as they are in the file, each after its number, the column and what is wrong with it."""
    row = _seen(viewer, import_id)
    found = keeping.records(row)
    yield ["row", "column", "what is wrong", *((next(found).cells) or [])]
    wrong = iter(ImportProblem.objects.filter(batch=row).order_by("number").iterator(500))
    problem = next(wrong, None)
    for record in found:
        if problem is None:
            return
        if record.number == problem.number:
            told = _problem(row.kind, problem)
            yield [str(record.number), told.column, told.said, *(record.cells or [])]
            problem = next(wrong, None)


@transactional
def _record(person: Person, row: Import) -> None:
    ledger.record(
        actor=person, action="import.errors", row=row, subject=Subject(facility_id=row.facility_id),
        revision=row.version,
    )  # fmt: skip


def _person(viewer: Viewer) -> Person:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer


def _seen(viewer: Viewer, import_id: UUID) -> Import:
    person = _person(viewer)
    row = Import.objects.select_related("account").filter(pk=import_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(person, "import.run", Subject(facility_id=row.facility_id))
    return row


def _row(row: Import) -> ImportRow:
    steps = {"check", "apply", "cancel"} & set(IMPORT.possible(row.state))
    if row.bad >= row.rows:
        steps.discard("apply")
    return ImportRow(
        id=row.pk, facility_id=row.facility_id, kind=row.kind, stage=row.state, name=row.name, by=row.account.name,
        rows=row.rows, seen=row.seen, bad=row.bad, taken=row.taken, refused=row.refused, encoding=row.encoding,
        delimiter=row.delimiter, dates=row.dates, columns=row.columns,
        made_at=row.made_at, ended_at=row.ended_at, kept=bool(row.secret), possible=tuple(sorted(steps)),
        version=row.version,
    )  # fmt: skip


def _problem(kind: str, row: ImportProblem) -> ProblemRow:
    return ProblemRow(row.number, row.field, fields.label(kind, row.field), row.code, row.said, row.late)
