"""The journal of reads: every acknowledged line becomes one entry, wherever the process is stopped."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain, groups, journal, reads
from polyclinic.core.audit.journal import CLOSED, OPEN, Journal
from polyclinic.core.audit.reads import Sighting
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry, AuditGroup, AuditSegment

pytestmark = pytest.mark.django_db


def sighting(*patients: Any, subject: str = "") -> Sighting:
    return Sighting(
        SystemActor("demo"), "patient.list", "patient", subject, None, "", set(patients) or {new_id()}, clock.now()
    )


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "reads")
    yield made
    made.close_segment()


def test_what_is_written_comes_in_once_with_its_patients(kept: Journal) -> None:
    people = {new_id() for _ in range(3)}
    alone = new_id()
    kept.write(journal.lines([sighting(*people, subject="a"), sighting(alone, subject="b")], kept.known))
    assert AuditEntry.objects.count() == 0
    assert kept.bring_in() == 2
    assert kept.bring_in() == 0
    first, second = AuditEntry.objects.order_by("seq")
    assert {one.patient_id for one in AuditGroup.objects.get(name=first.listed).members.all()} == people
    assert (second.listed, second.patient_id) == ("", alone)
    assert list(chain.verify()) == []
    assert list(groups.broken()) == []
    assert list(kept.folder.iterdir()) == []


def test_a_list_that_is_known_is_named_and_not_written_out_again(kept: Journal) -> None:
    people = [new_id() for _ in range(40)]
    first = journal.lines([sighting(*people)], kept.known)
    kept.write(first)
    kept.bring_in()
    again = journal.lines([sighting(*people)], kept.known)
    assert len(again) < len(first) / 3
    kept.write(again)
    assert kept.bring_in() == 1
    assert AuditGroup.objects.count() == 1
    assert AuditEntry.objects.exclude(listed="").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_segment_whose_entries_are_in_is_not_read_twice(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the commit and the removal of the file."""
    kept.write(journal.lines([sighting()]))
    monkeypatch.setattr(Path, "unlink", lambda *_a, **_k: None)
    assert kept.bring_in() == 1
    monkeypatch.undo()
    assert [path.suffix for path in kept.folder.iterdir()] == [CLOSED]
    assert Journal(kept.folder).bring_in() == 0
    assert AuditEntry.objects.count() == 1
    assert list(kept.folder.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_segment_stays_when_the_database_fails(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write(journal.lines([sighting()]))

    def away(_entries: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(chain, "append_readings", away)
    with pytest.raises(DatabaseError):
        kept.bring_in()
    monkeypatch.undo()
    assert kept.bring_in() == 1
    assert AuditEntry.objects.count() == 1


def test_names_of_segments_are_forgotten_once_their_files_are_gone(kept: Journal) -> None:
    for _ in range(3):
        kept.write(journal.lines([sighting()]))
        kept.bring_in()
    assert AuditSegment.objects.count() == 1


def test_half_a_last_line_was_never_acknowledged(kept: Journal) -> None:
    whole = journal.lines([sighting(), sighting()])
    kept.write(whole)
    kept.close_segment()
    (path,) = kept.folder.iterdir()
    path.write_bytes(whole[:-20])
    assert kept.bring_in() == 1


def test_a_line_that_cannot_be_read_is_told(kept: Journal, caplog: pytest.LogCaptureFixture) -> None:
    kept.write(b"[1,2]\n" + journal.lines([sighting()]))
    assert kept.bring_in() == 2
    assert sorted(AuditEntry.objects.values_list("action", flat=True)) == ["journal.damaged", "patient.list"]
    assert "line 1 of a segment" in caplog.text


def test_a_full_disk_refuses_before_anything_is_written(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int, _from: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        kept.write(journal.lines([sighting()]))
    assert list(kept.folder.iterdir()) == []
    monkeypatch.undo()
    kept.write(journal.lines([sighting()]))
    assert kept.bring_in() == 1


def test_a_file_system_that_promises_no_room_is_made_to_give_it(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_handle: int, _from: int, _size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unknown)
    kept.write(journal.lines([sighting()]))
    (path,) = kept.folder.iterdir()
    assert path.stat().st_blocks * 512 >= journal.ROOM
    assert kept.bring_in() == 1


def test_a_full_segment_is_followed_by_another(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ROOM", 1000)
    for _ in range(20):
        kept.write(journal.lines([sighting()]))
    assert len(list(kept.folder.iterdir())) > 1
    kept.sync()
    assert kept.bring_in() == 20
    # Longer than any segment: it gets one of its own.
    people = [new_id() for _ in range(60)]
    kept.write(journal.lines([sighting(*people)]))
    assert kept.bring_in() == 1
    assert AuditGroup.objects.get().members.count() == 60
    assert list(kept.folder.iterdir()) == []


def test_killed_in_the_middle_of_a_line_the_ones_before_stand(tmp_path: Path) -> None:
    """Whatever the processor copied first: as long as the first byte is missing there is no line."""
    whole = journal.lines([sighting(subject="acknowledged")])
    rest = journal.lines([sighting(subject="not"), sighting(subject="nor")])
    for number, torn in enumerate((b"\0" + rest[1:], b"\0" * 30 + rest[30:], b"\0" + rest[1:9])):
        folder = tmp_path / str(number)
        kept = Journal(folder)
        (folder / f"{number}{CLOSED}").write_bytes(whole + torn + bytes(500))
        before = AuditEntry.objects.count()
        assert kept.bring_in() == 1
        assert AuditEntry.objects.count() == before + 1
        assert not AuditEntry.objects.filter(action="journal.damaged").exists()


def test_written_lines_are_put_on_disk_by_the_thread(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced, stopping = threading.Event(), threading.Event()
    monkeypatch.setattr(journal, "_sync", lambda _handle: synced.set())
    thread = threading.Thread(target=kept.keep_on_disk, args=(stopping,))
    thread.start()
    try:
        kept.write(journal.lines([sighting()]))
        assert synced.wait(30)
    finally:
        stopping.set()
        thread.join()


def test_a_segment_that_cannot_be_synced_is_written_to_no_more(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    kept.write(journal.lines([sighting()]))
    monkeypatch.setattr(journal, "_sync", broken)
    with pytest.raises(OSError, match="Input/output"):
        kept.sync()
    monkeypatch.undo()
    assert [path.suffix for path in kept.folder.iterdir()] == [CLOSED]
    kept.write(journal.lines([sighting()]))
    assert kept.bring_in() == 2


def test_what_a_dead_process_left_is_adopted_and_a_living_ones_is_not(kept: Journal) -> None:
    kept.write(journal.lines([sighting()]))
    other = Journal(kept.folder)
    other.adopt()
    assert other.bring_in() == 0, "its writer lives"
    # As when its process is gone: nothing of it is open any more.
    ((handle, _size, _path),) = kept._let_go()
    os.close(handle)
    assert [path.suffix for path in kept.folder.iterdir()] == [OPEN]
    other.adopt()
    assert other.bring_in() == 1


def test_the_journal_is_its_owners_alone(kept: Journal) -> None:
    kept.write(journal.lines([sighting()]))
    (path,) = kept.folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert kept.folder.stat().st_mode & 0o077 == 0


def test_entries_keep_the_moment_of_reading(kept: Journal) -> None:
    one = sighting()
    kept.write(journal.lines([one]))
    kept.bring_in()
    assert AuditEntry.objects.get().at == one.at


def test_nothing_to_bring_in_where_no_journal_was_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_journal", None)
    assert journal.bring_in() == 0


def test_direct_reads_and_the_journal_make_the_same_entry(kept: Journal) -> None:
    one = sighting(new_id(), new_id())
    reads.keep([one])
    kept.write(journal.lines([one]))
    kept.bring_in()
    first, second = AuditEntry.objects.order_by("pk").values_list("at", "actor", "action", "listed", "detail")
    assert first == second
