"""What the server does for imports: it checks rows, and brings the good ones in, some at a time.

Each row comes in by the domain's own action, in one transaction with its `ImportedRow` and the place where the work
stands. Cut off anywhere, the next turn goes on after the last row that is in; two servers at once cannot both take a
row, because the place moves only from where each of them saw it.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Final

from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import reads
from polyclinic.core.crypto.problems import Tampered
from polyclinic.core.db import here, transactional
from polyclinic.core.errors import Invalid, Problem, StaleEdit
from polyclinic.core.outbox import log
from polyclinic.facilities import identity
from polyclinic.imports import fields, keeping, kinds
from polyclinic.imports.cells import meant
from polyclinic.imports.events import ImportProgressed
from polyclinic.imports.models import Import, ImportedRow, ImportProblem
from polyclinic.imports.reading import Record
from polyclinic.imports.states import IMPORT
from polyclinic.imports.words import APPLYING, CHECKING, RUNNING

_log = logging.getLogger(__name__)
_IMPORTER: Final = SystemActor("importer")
_LEASE: Final = timedelta(seconds=60)
# Seconds of work in one turn; the next turn goes on. Progress is told this often.
_TURN: Final = 5.0
_TELL: Final = 0.5
_AT_A_TIME: Final = 500


_UNSTORED: Final = _("This row cannot be stored as it is. Enter it by hand.")


class _Lost(Exception):
    """Somebody cancelled it, or another server has it."""


def work() -> int:
    """Go on with each import that is checked or applied. Returns how many rows were dealt with."""
    return sum(
        _turn(pk) for pk in Import.objects.filter(state__in=RUNNING).order_by("made_at").values_list("pk", flat=True)
    )


def _turn(pk: Any) -> int:  # noqa: ANN401 - an import's key
    now = clock.now()
    free = Import.objects.filter(pk=pk, state__in=RUNNING).exclude(claimed_until__gt=now)
    if not free.update(claimed_until=now + _LEASE):
        return 0
    row = Import.objects.get(pk=pk)
    try:
        person = identity.person_of_account(row.account_id, via="import")
        if person is None or not kinds.may(person, row.facility_id, row.kind):
            # Whoever wanted it has lost the right to since: what they could not do today is not done.
            _end(row, "cancel")
            return 0
        job = kinds.Work(person, row.facility_id, row.dates, f"IMPORT-{row.pk.hex[-12:].upper()}")
        with reads.gathering():
            return _check(row, job) if row.state == CHECKING else _apply(row, job)
    except _Lost:
        return 0
    except (FileNotFoundError, Tampered, Problem) as failure:
        _log.warning("import %s ended: %s", row.pk, type(failure).__name__)
        _end(row, "cancel")
        return 0
    except DatabaseError:
        # The database may be away for a while; the next turn goes on.
        raise
    except Exception as failure:
        # One import must not stop those of others. Its words could say what stands in the file, so its kind is kept.
        _log.error("import %s ended by a fault: %s", row.pk, type(failure).__name__)
        _end(row, "cancel")
        return 0
    finally:
        Import.objects.filter(pk=pk).update(claimed_until=None)


def _rows(row: Import) -> Iterator[Record]:
    found = keeping.records(row)
    next(found, None)
    return found


def _cells(row: Import, record: Record) -> dict[str, str]:
    """What the row says, by field. Raises Invalid for a row that cannot be read."""
    if record.cells is None:
        raise Invalid(_("This row cannot be read: a quotation mark is open. Close it or take it out."), code="torn")
    cells, found = record.cells, {}
    for field in fields.FIELDS[row.kind]:
        at = row.columns.get(field.name, len(cells))
        found[field.name] = meant(cells[at]) if at < len(cells) else ""
    for field in fields.FIELDS[row.kind]:
        if field.needed and not found[field.name]:
            raise Invalid(_("Nothing stands here, and it is needed. Fill it in."), code="required", field=field.name)
    return found


def _check(row: Import, job: kinds.Work) -> int:
    """Every row by the rules that hold by hand. Begun anew when it was cut off: it has written nothing else."""
    ImportProblem.objects.filter(batch=row).delete()
    sort, bad, seen, told = kinds.SORTS[row.kind], 0, 0, time.monotonic()
    waiting: list[ImportProblem] = []
    met: dict[bytes, int] = {}
    for seen, record in enumerate(_rows(row), 1):
        try:
            cells = _cells(row, record)
            # Sixteen bytes a row: a hundred thousand of them fit anywhere.
            same = hashlib.blake2b("\0".join(sort.same(cells)).encode(), digest_size=16).digest()
            before = met.setdefault(same, record.number)
            if before != record.number:
                raise Invalid(
                    _("The same stands in row %(row)s. Leave one of them.") % {"row": before}, code="twice",
                    field=fields.FIELDS[row.kind][0].name,
                )  # fmt: skip
            sort.check(job, cells)
        except Problem as problem:
            bad += 1
            waiting.append(_problem(row, record.number, problem))
        if len(waiting) >= _AT_A_TIME:
            ImportProblem.objects.bulk_create(waiting)
            waiting = []
        if time.monotonic() - told > _TELL:
            _progress(row, {"seen": seen, "last": record.number, "bad": bad})
            told = time.monotonic()
    ImportProblem.objects.bulk_create(waiting)
    _end(row, "finish_check", {"seen": seen, "bad": bad})
    return seen


def _apply(row: Import, job: kinds.Work) -> int:
    """The good rows that are still to come in, for one turn."""
    started = told = time.monotonic()
    bad = set(ImportProblem.objects.filter(batch=row, late=False).values_list("number", flat=True))
    done = 0
    for record in _rows(row):
        if record.number <= row.last:
            continue
        if record.number in bad:
            _step(row, record.number)
            _stand(row, record.number)
        else:
            _bring_in(row, record, job)
        done += 1
        now = time.monotonic()
        if now - told > _TELL:
            _progress(row, {})
            told = now
        if now - started > _TURN:
            return done
    _end(row, "finish")
    return done


def _bring_in(row: Import, record: Record, job: kinds.Work) -> None:
    # Joined to a caller's transaction, a row that is refused must take its step back with it.
    joined = transaction.atomic() if here().in_atomic_block else nullcontext()
    try:
        with joined:
            _one(row, record, job)
    except (Problem, DataError, IntegrityError) as failure:
        # What the database itself refuses is this row's fault alone, and would be refused each time.
        _refuse(row, record.number, failure if isinstance(failure, Problem) else Invalid(_UNSTORED, code="unstored"))
        _stand(row, record.number, "refused")
    else:
        _stand(row, record.number, "taken")


@transactional
def _one(row: Import, record: Record, job: kinds.Work) -> None:
    """One row and that it is in, or neither."""
    _step(row, record.number, "taken")
    made = kinds.SORTS[row.kind].apply(job, _cells(row, record), record.number)
    ImportedRow.objects.create(batch=row, number=record.number, made_id=made)


@transactional
def _refuse(row: Import, number: int, problem: Problem) -> None:
    """Between the check and now something came that this row does not go with."""
    _step(row, number, "refused")
    made = _problem(row, number, problem)
    made.late = True
    made.save(force_insert=True)


@transactional
def _step(row: Import, number: int, counted: str = "") -> None:
    """Move the place, from where this server saw it. Raises _Lost when it is elsewhere or the import is cancelled."""
    more = {counted: F(counted) + 1} if counted else {}
    moved = Import.objects.filter(pk=row.pk, state=APPLYING, last=row.last).update(
        last=number, seen=F("seen") + 1, **more
    )
    if moved != 1:
        raise _Lost()


def _stand(row: Import, number: int, counted: str = "") -> None:
    row.last, row.seen = number, row.seen + 1
    if counted:
        setattr(row, counted, getattr(row, counted) + 1)


def _problem(row: Import, number: int, problem: Problem) -> ImportProblem:
    known = {field.name for field in fields.FIELDS[row.kind]}
    field = problem.field if problem.field in known else ""
    return ImportProblem(
        batch=row, number=number, field=field, code=problem.code[:40], said=str(problem.sentence)[:400]
    )


@transactional
def _progress(row: Import, changes: dict[str, int]) -> None:
    """Tell how far it is, and keep it claimed."""
    moved = Import.objects.filter(pk=row.pk, state=row.state).update(
        version=F("version") + 1, claimed_until=clock.now() + _LEASE, **changes
    )
    if moved != 1:
        raise _Lost()
    row.refresh_from_db(fields=["version", "seen", "last", "bad", "taken", "refused"])
    log.append(ImportProgressed.of(row))


@transactional
def _end(row: Import, action: str, changes: dict[str, Any] | None = None) -> None:
    fresh = Import.objects.select_for_update().filter(pk=row.pk, state=row.state).first()
    if fresh is None:
        return
    over = {} if action == "finish_check" else {"ended_at": clock.now()}
    try:
        ledger.apply(IMPORT, action, fresh, actor=_IMPORTER, changes={**over, **(changes or {})})
    except StaleEdit:
        raise _Lost() from None
