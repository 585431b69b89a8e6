"""T16: the audit finds what was altered behind its back: 600 of 600 random edits, deletions, insertions, swaps, cut
tails, rewrites, changed lists and touched checkpoint files, and raises no false alarm.

Everything written is signed before the attacks begin; what the last minute wrote is signed at its end.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain, checkpoints, proof, reads
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry, AuditGroup, AuditGroupMember
from tests.core.tampering import open_audit, sql

SIZE, ROUNDS, SEED = 60, 600, 16
TEXTS = ("actor", "via", "action", "subject_kind", "subject_id", "from_state", "to_state", "reason", "detail")


def write(rng: random.Random) -> list[AuditEntry]:
    """One chain with fields of every shape, as random as the seed allows."""
    for number in range(SIZE):
        if number % 6 == 5:
            shown = [(new_id(), None) for _patient in range(rng.randrange(1, 5))]
            reads.listed(SystemActor("demo"), "appointment", new_id(), shown)
            continue
        if number % 20 == 0:
            checkpoints.take()
        chain.append(
            actor=SystemActor(rng.choice(["demo", "hold-sweeper"])),
            action=rng.choice(["appointment.book", "appointment.cancel", "schedule.hours"]),
            subject_kind="appointment",
            subject_id=new_id(),
            patient_id=rng.choice([None, new_id()]),
            facility_id=rng.choice([None, new_id()]),
            from_state=rng.choice(["", "booked"]),
            to_state=rng.choice(["booked", "cancelled"]),
            revision=number,
            reason=rng.choice(["", "because", "“quoted” 🦋", "שלום"]),
            detail=rng.choice([None, {"a": 1}, {"deep": {"list": [None, True, "x"]}}]),
        )
    checkpoints.take()
    return list(AuditEntry.objects.order_by("lane", "seq"))


def edit(rng: random.Random, rows: list[AuditEntry]) -> None:
    """One character more in any text field, or another number, id or time."""
    row = rng.choice(rows)
    column = rng.choice([*TEXTS, "revision", "patient_id", "at"])
    if column in TEXTS:
        sql(f"UPDATE core_auditentry SET {column} = {column} || 'x' WHERE id = {row.pk}")
    elif column == "revision":
        sql(f"UPDATE core_auditentry SET revision = revision + 1 WHERE id = {row.pk}")
    else:
        value = clock.now() if column == "at" else new_id()
        AuditEntry.objects.filter(pk=row.pk).update(**{column: value})


def delete(rng: random.Random, rows: list[AuditEntry]) -> None:
    """Any entry but the last; half the time the gap is closed."""
    place = rng.randrange(len(rows) - 1)
    sql(f"DELETE FROM core_auditentry WHERE id = {rows[place].pk}")
    if rng.random() < 0.5:
        for row in rows[place + 1 :]:
            sql(f"UPDATE core_auditentry SET seq = seq - 1 WHERE id = {row.pk}")


def insert(rng: random.Random, rows: list[AuditEntry]) -> None:
    """A forged entry, rightly sealed onto the one before it, with the rest moved on."""
    place = rng.randrange(len(rows) - 1)
    for row in reversed(rows[place + 1 :]):
        sql(f"UPDATE core_auditentry SET seq = seq + 1 WHERE id = {row.pk}")
    forged = AuditEntry.objects.get(pk=rows[place].pk)
    forged.pk, forged.seq, forged.previous = None, rows[place].seq + 1, rows[place].digest
    forged.digest = chain.digest([getattr(forged, name) for name in chain._FIELDS])
    forged.save(force_insert=True)


def swap(rng: random.Random, rows: list[AuditEntry]) -> None:
    """Two entries exchange places."""
    first, second = rng.sample(rows, 2)
    sql(f"UPDATE core_auditentry SET seq = 1000000 WHERE id = {first.pk}")
    sql(f"UPDATE core_auditentry SET seq = {first.seq} WHERE id = {second.pk}")
    sql(f"UPDATE core_auditentry SET seq = {second.seq} WHERE id = {first.pk}")


def reseal(rng: random.Random, rows: list[AuditEntry]) -> None:
    """An edit with a right digest of its own; the next entry gives it away."""
    forged = AuditEntry.objects.get(pk=rng.choice(rows[:-1]).pk)
    forged.reason += "x"
    sealed = chain.digest([getattr(forged, name) for name in chain._FIELDS])
    AuditEntry.objects.filter(pk=forged.pk).update(reason=forged.reason, digest=sealed)


def cut_tail(rng: random.Random, rows: list[AuditEntry]) -> None:
    """The last entries are gone, as if they had never been."""
    sql(f"DELETE FROM core_auditentry WHERE seq > {rng.randrange(len(rows))}")


def rewrite(rng: random.Random, rows: list[AuditEntry]) -> None:
    """One entry changed and every digest from there to the end made right again: a chain that holds in itself."""
    place = rng.randrange(len(rows))
    previous = rows[place].previous
    for number, row in enumerate(rows[place:]):
        forged = AuditEntry.objects.get(pk=row.pk)
        forged.previous = previous
        if number == 0:
            forged.actor += "x"
        previous = chain.digest([getattr(forged, name) for name in chain._FIELDS])
        AuditEntry.objects.filter(pk=row.pk).update(actor=forged.actor, previous=forged.previous, digest=previous)
    assert list(chain.verify()) == []


def another_database(rng: random.Random, rows: list[AuditEntry]) -> None:
    """Another honest chain of the same length in place of this one."""
    sql("DELETE FROM core_auditentry")
    for number in range(len(rows)):
        chain.append(actor=SystemActor("demo"), action="x", subject_kind="x", subject_id=number)
    assert list(chain.verify()) == []


def take_off_a_list(rng: random.Random, rows: list[AuditEntry]) -> None:
    """A patient did not stand in a list that was read; or somebody else did."""
    one = rng.choice(list(AuditGroupMember.objects.all()))
    if rng.random() < 0.5:
        sql(f"DELETE FROM core_auditgroupmember WHERE id = {one.pk}")
    else:
        AuditGroupMember.objects.create(group_id=one.group_id, patient_id=new_id())


def lose_a_list(rng: random.Random, rows: list[AuditEntry]) -> None:
    """A list is gone, whole."""
    one = rng.choice(list(AuditGroup.objects.all()))
    sql(f"DELETE FROM core_auditgroupmember WHERE group_id = {one.pk}")
    sql(f"DELETE FROM core_auditgroup WHERE id = {one.pk}")


def _files(change: Callable[[list[bytes]], list[bytes]]) -> None:
    (path,) = checkpoints.folder().glob(checkpoints.PATTERN)
    path.write_bytes(b"".join(line + b"\n" for line in change(path.read_bytes().splitlines())))


def lose_a_checkpoint(rng: random.Random, rows: list[AuditEntry]) -> None:
    """Any line, the last as well."""
    place = rng.randrange(len(list(checkpoints.lines())))
    _files(lambda lines: lines[:place] + lines[place + 1 :])


def edit_a_checkpoint(rng: random.Random, rows: list[AuditEntry]) -> None:
    """One hexadecimal digit of a digest."""
    place = rng.randrange(len(list(checkpoints.lines())))

    def change(lines: list[bytes]) -> list[bytes]:
        at = lines[place].index(b'"0":[') + 12
        digit = b"0" if lines[place][at : at + 1] != b"0" else b"1"
        return [*lines[:place], lines[place][:at] + digit + lines[place][at + 1 :], *lines[place + 1 :]]

    _files(change)


ATTACKS = (
    edit, delete, insert, swap, reseal, cut_tail, rewrite, another_database, take_off_a_list, lose_a_list,
    lose_a_checkpoint, edit_a_checkpoint,
)  # fmt: skip


def attack(rng: random.Random, rows: list[AuditEntry], kept: Path) -> tuple[str, bool]:
    """Tamper once, ask the verifier, put everything back. Says what was done and whether it was noticed."""
    how = rng.choice(ATTACKS)
    with transaction.atomic():
        how(rng, rows)
        found = any(True for _ in proof.tampering())
        transaction.set_rollback(True)
    if "checkpoint" in how.__name__:
        shutil.copytree(kept, checkpoints.folder(), dirs_exist_ok=True)
    return how.__name__, found


@pytest.fixture
def one_lane(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """All entries in one chain, on PostgreSQL too, so that every attack has neighbours to move; files of our own."""
    monkeypatch.setattr(chain, "_take_lane", lambda: chain.Claim(0, *chain._head(0)))
    settings.AUDIT_CHECKPOINTS, settings.DATA = tmp_path / "checkpoints", tmp_path


@pytest.mark.django_db
def test_t16_every_alteration_is_found_and_nothing_else(one_lane: None, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    rows = write(rng)
    kept = shutil.copytree(checkpoints.folder(), tmp_path / "kept")
    assert len(list(checkpoints.lines())) > 2
    with open_audit():
        missed, done = [], set()
        for number in range(ROUNDS):
            how, found = attack(rng, rows, kept)
            done.add(how)
            if not found:
                missed.append((number, how))
            if number % 20 == 0:
                assert list(proof.tampering()) == [], "false alarm on the untouched audit"
    assert missed == []
    assert done == {how.__name__ for how in ATTACKS}
    assert list(proof.verify()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("how", [cut_tail, rewrite, another_database])
def test_t16_control_without_checkpoints_these_go_unseen(one_lane: None, how: Callable[..., None]) -> None:
    rng = random.Random(SEED)
    rows = write(rng)
    with open_audit(), transaction.atomic():
        how(rng, rows)
        assert any(True for _ in proof.tampering())
        for path in checkpoints.folder().glob(checkpoints.PATTERN):
            path.unlink()
        sql("DELETE FROM core_auditcheckpoint")
        assert list(proof.tampering()) == []


@pytest.mark.django_db
def test_t16_a_checkpoint_signed_by_another_key_counts_for_nothing(one_lane: None) -> None:
    """Whoever rewrites database and file needs the key as well."""
    rng = random.Random(SEED)
    rows = write(rng)
    with open_audit(), transaction.atomic():
        rewrite(rng, rows)
        for path in checkpoints.folder().glob(checkpoints.PATTERN):
            path.unlink()
        (checkpoints.folder().parent / "keys" / "audit.key").unlink()
        checkpoints._load_key.cache_clear()
        checkpoints.take()
        assert next(one.what for one in proof.tampering()) == "checkpoint 1 is gone from the files"


@pytest.mark.django_db
def test_t16_a_missing_guard_is_told(one_lane: None) -> None:
    write(random.Random(SEED))
    with open_audit():
        assert list(proof.tampering()) == []
        assert {one.what.split()[0:2][1] for one in proof.verify()} == {"trigger"}


@pytest.mark.django_db
def test_t16_control_without_the_seal_edits_go_unseen(one_lane: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the digest made blind, the same attack passes: the finding above is the seal's doing."""
    rng = random.Random(SEED)
    monkeypatch.setattr(chain, "digest", lambda values: f"{values[1]:064d}")
    rows = write(rng)
    with open_audit(), transaction.atomic():
        edit(rng, rows)
        assert list(chain.verify()) == []


@pytest.mark.django_db
def test_t16_the_attacker_had_to_take_the_triggers_off_first(one_lane: None) -> None:
    rng = random.Random(SEED)
    rows = write(rng)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        edit(rng, rows)
    assert connection.in_atomic_block
    assert list(chain.verify()) == []
