"""The audit chain: append-only for everyone, and every alteration made behind its back is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DatabaseError, connection, transaction

from polyclinic.core import clock, context
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry
from tests.core.tampering import open_audit, sql

pytestmark = pytest.mark.django_db


def write(count: int = 12) -> list[AuditEntry]:
    """A chain of entries with every kind of field used."""
    for number in range(count):
        chain.append(
            actor=SystemActor("demo"),
            action="thing.step",
            subject_kind="thing",
            subject_id=new_id(),
            patient_id=new_id() if number % 2 else None,
            facility_id=new_id(),
            from_state="old",
            to_state="new",
            revision=number,
            reason="because – “so”, 🦋 עברית",
            detail={"number": number, "nested": {"list": [1, 2]}} if number % 3 else None,
        )
    return list(AuditEntry.objects.order_by("lane", "seq"))


def test_an_honest_chain_is_believed() -> None:
    write(40)
    assert list(chain.verify()) == []


def test_times_with_and_without_microseconds_survive_the_database() -> None:
    """A database that rounds or shifts a time would break honest chains."""
    moments = [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 6, 1, 12, 0, tzinfo=UTC),
    ]
    for moment in moments:
        with clock.fixed(moment):
            write(1)
    assert list(chain.verify()) == []


def test_a_clock_in_another_zone_seals_the_same_instant() -> None:
    with clock.fixed(datetime(2026, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))):
        write(1)
    assert list(chain.verify()) == []


def test_entries_carry_the_request_they_were_made_in() -> None:
    token = context.request_id.set("req-1")
    try:
        write(1)
    finally:
        context.request_id.reset(token)
    assert AuditEntry.objects.get().request_id == "req-1"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET reason = 'nothing happened'",
        "UPDATE core_auditentry SET reason = reason",
        "DELETE FROM core_auditentry",
        "DELETE FROM core_auditentry WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_change_or_delete(statement: str) -> None:
    write(5)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)
    assert AuditEntry.objects.count() == 5


def test_two_entries_cannot_have_one_place() -> None:
    first = write(2)[0]
    first.pk = None
    with pytest.raises(DatabaseError), transaction.atomic():
        first.save(force_insert=True)


EDITS: dict[str, str] = {
    "actor": "'account:someone-else'", "via": "'api'", "action": "'thing.other'", "subject_kind": "'other'",
    "subject_id": "'x'", "patient_id": "'{id}'", "facility_id": "'{id}'", "from_state": "''", "to_state": "'x'",
    "revision": "999", "reason": "''", "request_id": "'x'", "detail": "'{{}}'", "at": "'2020-01-01 00:00:00'",
    "digest": "previous", "listed": "'x'",
}  # fmt: skip


def test_the_list_of_edits_covers_every_field() -> None:
    known = {field.column for field in AuditEntry._meta.concrete_fields}
    assert known - {"id", "lane", "seq", "previous"} == set(EDITS)


@pytest.mark.parametrize("column", sorted(EDITS))
def test_an_edit_of_any_field_is_found(column: str) -> None:
    rows = write()
    value = EDITS[column].format(id=new_id() if connection.vendor == "postgresql" else new_id().hex)
    with open_audit():
        sql(f"UPDATE core_auditentry SET {column} = {value} WHERE id = {rows[5].pk}")
    assert next(chain.verify()).seq in (rows[5].seq, rows[5].seq + 1)


def _delete(rows: list[AuditEntry]) -> None:
    sql(f"DELETE FROM core_auditentry WHERE id = {rows[4].pk}")


def _delete_first(rows: list[AuditEntry]) -> None:
    sql(f"DELETE FROM core_auditentry WHERE id = {rows[0].pk}")


def _delete_and_close_the_gap(rows: list[AuditEntry]) -> None:
    _delete(rows)
    for row in rows[5:]:
        sql(f"UPDATE core_auditentry SET seq = {row.seq - 1} WHERE id = {row.pk}")


def _swap(rows: list[AuditEntry]) -> None:
    """Two neighbours exchange places, with all that is sealed in them."""
    first, second = rows[3], rows[4]
    sql(f"UPDATE core_auditentry SET seq = 9999 WHERE id = {first.pk}")
    sql(f"UPDATE core_auditentry SET seq = {first.seq} WHERE id = {second.pk}")
    sql(f"UPDATE core_auditentry SET seq = {second.seq} WHERE id = {first.pk}")


def _insert(rows: list[AuditEntry]) -> None:
    """A forged entry with a right digest of its own, squeezed in by moving the others on."""
    for row in reversed(rows[6:]):
        sql(f"UPDATE core_auditentry SET seq = {row.seq + 1} WHERE id = {row.pk}")
    forged = AuditEntry.objects.get(pk=rows[5].pk)
    forged.pk, forged.seq, forged.previous = None, rows[5].seq + 1, rows[5].digest
    values = [getattr(forged, name) for name in chain._FIELDS]
    forged.digest = chain.digest(values)
    forged.save(force_insert=True)


def _edit_and_seal_again(rows: list[AuditEntry]) -> None:
    """The edited entry gets a right digest; the next one still names the old."""
    forged = AuditEntry.objects.get(pk=rows[5].pk)
    forged.reason = "something else"
    values = [getattr(forged, name) for name in chain._FIELDS]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_auditentry SET reason = %s, digest = %s WHERE id = %s",
            [forged.reason, chain.digest(values), forged.pk],
        )


@pytest.mark.parametrize(
    "tamper", [_delete, _delete_first, _delete_and_close_the_gap, _swap, _insert, _edit_and_seal_again]
)
def test_other_tampering_is_found_too(tamper: Callable[[list[AuditEntry]], None]) -> None:
    rows = write()
    with open_audit():
        tamper(rows)
    assert list(chain.verify())


def test_a_cut_tail_is_not_seen_by_the_chain_alone() -> None:
    """Why there are checkpoints: `tests/promises/test_t16_*` shows that they see it."""
    rows = write()
    with open_audit():
        sql(f"DELETE FROM core_auditentry WHERE id = {rows[-1].pk}")
    assert list(chain.verify()) == []


def test_every_field_of_an_entry_is_sealed() -> None:
    sealed = set(chain._FIELDS) | {"digest", "id"}
    assert {field.name for field in AuditEntry._meta.concrete_fields} == sealed
    assert re.fullmatch(r"[0-9a-f]{64}", write(1)[0].digest)
