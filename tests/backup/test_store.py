"""The folder of backups by itself: what is sealed, found again, found broken, kept and taken away."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polyclinic.backup import keys, store
from polyclinic.backup.keys import Opener, Sealer
from polyclinic.backup.problems import Busy, Damaged, NoRoom, NotSet, WrongKey
from polyclinic.backup.store import CHUNK, Kept, Repository

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair() -> tuple[Sealer, Opener]:
    return keys.make()


@pytest.fixture
def kept(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "backups here")
    made.prepare()
    return made


def backup(kept: Repository, sealer: Sealer, name: str, at: datetime, *contents: bytes) -> Kept:
    refs = [kept.put(sealer, content)[0].name for content in contents]
    made = Kept(name, at, "1", sealer.fingerprint, tuple(refs))
    kept.complete(sealer, made, b"what is in " + name.encode())
    return made


def files(kept: Repository) -> list[Path]:
    return [path for path in kept.folder.rglob("*") if path.is_file()]


def test_what_is_there_is_not_written_again_and_opens(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    words = b"Meera has a cough. " * 9000
    ref, added = kept.put(pair[0], words[:CHUNK])
    assert 0 < added < CHUNK
    assert kept.put(pair[0], words[:CHUNK]) == (ref, 0)
    assert kept.get(ref) == words[:CHUNK]
    # What cannot be made smaller is kept as it is.
    noise = os.urandom(1000)
    assert kept.get(kept.put(pair[0], noise)[0]) == noise
    assert all(b"Meera" not in path.read_bytes() for path in files(kept))


def test_another_installation_gives_the_same_content_another_name(
    kept: Repository, pair: tuple[Sealer, Opener]
) -> None:
    assert kept.put(pair[0], b"same")[0].name != kept.put(keys.make()[0], b"same")[0].name


def test_a_flipped_bit_is_found_and_healed_by_the_next_backup(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    ref, _added = kept.put(pair[0], b"as it was")
    path = kept.folder / "chunks" / ref.name[:2] / ref.name
    raw = bytearray(path.read_bytes())
    for place in range(len(raw)):
        hurt = bytearray(raw)
        hurt[place] ^= 1
        path.write_bytes(hurt)
        with pytest.raises(Damaged, match="is not what was written"):
            kept.check(ref.name)
    assert kept.put(pair[0], b"as it was")[1] > 0
    assert kept.get(ref) == b"as it was"


def test_a_chunk_in_the_place_of_another_does_not_open(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    one, other = (kept.put(pair[0], content)[0] for content in (b"one", b"other"))
    paths = [kept.folder / "chunks" / ref.name[:2] / ref.name for ref in (one, other)]
    paths[0].write_bytes(paths[1].read_bytes())
    with pytest.raises(Damaged):
        kept.get(one)


def test_the_list_of_contents_opens_by_its_key_alone(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    made = backup(kept, pair[0], "a", NOW, b"x")
    assert kept.body(pair[1], made) == b"what is in a"
    with pytest.raises(WrongKey, match=made.recipient):
        kept.body(keys.make()[1], made)


def test_who_can_only_write_there_puts_no_backup_of_their_own(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    # They know for whom backups are sealed, and have signing keys of their own.
    forger = keys.make()[0]
    forged = Sealer(pair[0].recipient, forger.naming, forger.signing)
    made = backup(kept, forged, "forged", NOW, b"x")
    with pytest.raises(Damaged):
        kept.body(pair[1], made)


def test_a_header_that_was_changed_does_not_open(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    made = backup(kept, pair[0], "a", NOW, b"x")
    path = kept.folder / "backups" / "a.backup"
    path.write_bytes(path.read_bytes().replace(b"2026-11-22", b"2026-11-23"))
    assert kept.find("a").made_at.day == 23
    with pytest.raises(Damaged):
        kept.body(pair[1], made)


def test_the_key_is_one_line_that_notices_a_typing_mistake(pair: tuple[Sealer, Opener]) -> None:
    line = pair[1].text()
    assert keys.opener(f"  {line}\n") == pair[1]
    swapped = line[:40] + ("A" if line[40] != "A" else "B") + line[41:]
    for wrong in ("", "secret", line[:-3], swapped, line.replace("POLYCLINIC", "OTHER")):
        with pytest.raises(WrongKey, match="no backup key"):
            keys.opener(wrong)


def test_the_servers_half_is_its_own_alone_and_opens_nothing(tmp_path: Path, pair: tuple[Sealer, Opener]) -> None:
    path = tmp_path / "keys" / "backup.json"
    with pytest.raises(NotSet, match="polyclinic backup key"):
        keys.sealer(path)
    keys.keep(pair[0], path)
    assert keys.sealer(path) == pair[0]
    assert path.stat().st_mode & 0o077 == 0
    assert keys._b64(pair[1].private) not in path.read_text()
    path.write_text("{}")
    with pytest.raises(NotSet, match="cannot be read"):
        keys.sealer(path)


def test_old_ones_go_with_what_only_they_held_and_the_newest_never(
    kept: Repository, pair: tuple[Sealer, Opener]
) -> None:
    backup(kept, pair[0], "1", NOW - timedelta(days=90), b"only here", b"shared")
    backup(kept, pair[0], "2", NOW - timedelta(days=60), b"shared")
    assert kept.sweep(NOW, 30) == (1, 1)
    assert [one.id for one in kept.backups()] == ["2"]
    assert kept.sweep(NOW, 30) == (0, 0)
    backup(kept, pair[0], "3", NOW - timedelta(days=29), b"new")
    backup(kept, pair[0], "4", NOW, b"new")
    assert kept.sweep(NOW, 30) == (1, 1)
    assert [one.id for one in kept.backups()] == ["3", "4"]


def test_nothing_goes_while_a_list_of_contents_cannot_be_read(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    backup(kept, pair[0], "1", NOW - timedelta(days=90), b"x")
    backup(kept, pair[0], "2", NOW, b"y")
    (kept.folder / "backups" / "1.backup").write_bytes(b"torn")
    before = files(kept)
    with pytest.raises(Damaged, match=r"1\.backup"):
        kept.sweep(NOW, 30)
    assert files(kept) == before


def test_what_a_broken_off_backup_left_is_taken_away(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    backup(kept, pair[0], "1", NOW, b"x")
    ref, _added = kept.put(pair[0], b"spoken of by nothing")
    (kept.folder / "chunks" / ref.name[:2] / ".new-torn").write_bytes(b"half")
    assert kept.sweep(NOW, 30) == (0, 2)


def test_a_full_disk_is_said_and_leaves_nothing_half(
    kept: Repository, pair: tuple[Sealer, Opener], monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(kept, pair[0], "1", NOW, b"x")
    before = {path: path.read_bytes() for path in files(kept)}

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(store.os, "fsync", full)
        with pytest.raises(NoRoom, match="what was complete still is"):
            kept.put(pair[0], b"more")
        with pytest.raises(NoRoom):
            kept.complete(pair[0], Kept("2", NOW, "1", "", ()), b"")
    assert {path: path.read_bytes() for path in files(kept)} == before
    assert kept.find("latest").id == "1"


def test_one_works_at_a_time_and_many_may_read(kept: Repository) -> None:
    with kept.held(), pytest.raises(Busy, match="another backup"), kept.held(patience=0):
        pass
    with kept.held(shared=True), kept.held(shared=True, patience=0), pytest.raises(Busy), kept.held(patience=0):
        pass
    with kept.held(patience=0):
        pass


def test_the_copy_of_the_keys_is_the_newest_alone(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    assert kept.keys_header() is None
    for words in (b"older", b"newer"):
        kept.keep_keys(pair[0], {"stamp": words.decode()}, words)
    header: Any = kept.keys_header()
    assert header["stamp"] == "newer"
    assert kept.keys_body(pair[1]) == b"newer"
    assert len([path for path in files(kept) if "keys" in path.name]) == 1
    with pytest.raises(WrongKey):
        kept.keys_body(keys.make()[1])


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(NotSet, match="not empty"):
        Repository(tmp_path).prepare()
    with pytest.raises(NotSet, match="no backups"):
        Repository(tmp_path).require()


def test_a_backup_is_named_or_not_there(kept: Repository, pair: tuple[Sealer, Opener]) -> None:
    with pytest.raises(NotSet, match="no complete backup"):
        kept.find("latest")
    backup(kept, pair[0], "1", NOW, b"x")
    for wrong in ("2", "../backups/1", "/etc/passwd"):
        with pytest.raises(NotSet, match="no backup"):
            kept.find(wrong)
