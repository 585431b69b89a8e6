"""Sealed texts: they open where they were sealed and nowhere else."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import models

from polyclinic.core.crypto import blind, kms, sealing
from polyclinic.core.crypto import ring as rings
from polyclinic.core.crypto.fields import Column, EncryptedTextField, Sealed
from polyclinic.core.crypto.problems import KeyErased, KeyMissing, MasterKeyUnusable, Tampered
from polyclinic.core.crypto.ring import ring
from polyclinic.core.crypto.vault import vault
from polyclinic.core.ids import new_id
from tests.crypto.conftest import fresh

ANN = "patient:" + str(UUID(int=1))
BEN = "patient:" + str(UUID(int=2))
PLACE = "table.column.row"
TEXT = "Dyspnoea since Monday ☂"


def test_a_sealed_text_opens_and_shows_nothing(keys: Path) -> None:
    sealed = sealing.seal(ANN, PLACE, TEXT)
    assert sealing.open_(PLACE, sealed) == TEXT
    assert "Dyspnoea" not in sealed
    assert sealed != sealing.seal(ANN, PLACE, TEXT)


@pytest.mark.parametrize("place", ["table.column.other", "table.other.row", "other.column.row"])
def test_a_text_moved_elsewhere_fails_loudly(keys: Path, place: str) -> None:
    with pytest.raises(Tampered):
        sealing.open_(place, sealing.seal(ANN, PLACE, TEXT))


def test_a_text_under_another_key_id_fails_loudly(keys: Path) -> None:
    mine, theirs = sealing.seal(ANN, PLACE, TEXT), sealing.seal(BEN, PLACE, TEXT)
    head, body = theirs.rsplit(":", 1)[0], mine.rsplit(":", 1)[1]
    with pytest.raises(Tampered):
        sealing.open_(PLACE, f"{head}:{body}")


def test_every_altered_character_fails_loudly(keys: Path) -> None:
    sealed = sealing.seal(ANN, PLACE, "x")
    body = sealed.rindex(":") + 1
    for at in range(body, len(sealed) - 1):
        other = "A" if sealed[at] != "A" else "B"
        with pytest.raises(Tampered):
            sealing.open_(PLACE, sealed[:at] + other + sealed[at + 1 :])


@pytest.mark.parametrize("stored", ["plain words", "v1:", "v1::", "v2:a:b"])
def test_what_is_not_sealed_is_refused(keys: Path, stored: str) -> None:
    with pytest.raises(Tampered):
        sealing.open_(PLACE, stored)


def test_keys_outlive_the_process(keys: Path) -> None:
    sealed = sealing.seal(ANN, PLACE, TEXT)
    fresh()
    assert sealing.open_(PLACE, sealed) == TEXT
    assert sealing.key_of(sealing.seal(ANN, PLACE, TEXT)) == sealing.key_of(sealed)


def test_another_master_key_does_not_open_the_vault(keys: Path) -> None:
    sealed = sealing.seal(ANN, PLACE, TEXT)
    (keys / "master.json").unlink()
    fresh()
    with pytest.raises(MasterKeyUnusable):
        sealing.open_(PLACE, sealed)


def test_another_vault_is_told_from_a_shredded_key(keys: Path) -> None:
    sealed = sealing.seal(ANN, PLACE, TEXT)
    (keys / "vault.sqlite3").unlink()
    fresh()
    with pytest.raises(KeyMissing):
        sealing.open_(PLACE, sealed)


def test_key_files_are_their_owners_only(keys: Path) -> None:
    sealing.seal(ANN, PLACE, TEXT)
    for path in keys.iterdir():
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
    assert not keys.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def test_the_vault_holds_no_key_in_clear(keys: Path) -> None:
    key = ring.current(ANN)
    raw = (keys / "vault.sqlite3").read_bytes()
    assert key.secret not in raw
    assert key.secret.hex().encode() not in raw
    assert repr(key).count(key.secret.hex()) == 0


def test_a_shredded_key_is_gone_for_good(keys: Path) -> None:
    sealed = sealing.seal(ANN, PLACE, TEXT)
    kept = sealing.seal(BEN, PLACE, TEXT)
    wrapped = vault().key(sealing.key_of(sealed))
    assert wrapped is not None
    assert ring.shred(ANN) == 1
    for _process in range(2):
        with pytest.raises(KeyErased):
            sealing.open_(PLACE, sealed)
        with pytest.raises(KeyErased):
            sealing.seal(ANN, PLACE, TEXT)
        assert sealing.open_(PLACE, kept) == TEXT
        fresh()
    # Not only marked: its wrapped bytes are overwritten in the file.
    assert wrapped.wrapped.encode() not in (keys / "vault.sqlite3").read_bytes()


def test_an_owner_shredded_before_the_first_key_gets_none(keys: Path) -> None:
    assert ring.shred(ANN) == 0
    with pytest.raises(KeyErased):
        ring.current(ANN)


def test_another_process_hears_of_a_shredding(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = rings.Ring()
    key = other.current(ANN)
    monkeypatch.setattr(rings, "HEARD_WITHIN", 0)
    ring.shred(ANN)
    with pytest.raises(KeyErased):
        other.by_id(key.id)


def test_rivals_make_one_key(keys: Path) -> None:
    rival, barrier, found = rings.Ring(), threading.Barrier(8), []

    def ask(one: rings.Ring) -> None:
        barrier.wait()
        found.append(one.current(ANN).id)

    threads = [threading.Thread(target=ask, args=(one,)) for one in [ring, rival] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_list_is_warmed_with_one_question(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [sealing.seal(rings.patient(new_id()), PLACE, TEXT) for _ in range(20)]
    ring.forget()
    Column.warm(["", *texts])
    monkeypatch.setattr(type(vault()), "key", None)
    assert all(sealing.open_(PLACE, text) == TEXT for text in texts)


def test_a_blind_index_is_the_same_for_the_same_and_says_nothing(keys: Path) -> None:
    index = blind.index("phone", "+15550142")
    assert index == blind.index("phone", "+15550142")
    assert len(index) == blind.LENGTH
    assert index != blind.index("phone", "+15550143")
    assert index != blind.index("other", "+15550142")
    assert blind.index("phone", "") == ""
    assert blind.digits(" +1 (555) 01-42") == "+15550142"


def test_a_given_master_key_is_used_and_never_written(keys: Path, settings: Any) -> None:
    import base64

    first, second = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    settings.MASTER_KEY = f"k1={first}"
    sealed = sealing.seal(ANN, PLACE, TEXT)
    assert not (keys / "master.json").exists()
    with pytest.raises(MasterKeyUnusable, match="rewrap"):
        kms.kms().rotate()
    settings.MASTER_KEY = f"k2={second},k1={first}"
    fresh()
    assert sealing.open_(PLACE, sealed) == TEXT
    settings.MASTER_KEY = f"k2={second}"
    fresh()
    with pytest.raises(MasterKeyUnusable, match="k1"):
        sealing.open_(PLACE, sealed)


@pytest.mark.parametrize("text", ["", "k1", "k1=short", "k1=!!!!"])
def test_a_master_key_that_is_none_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "master.json").write_text(text or "{}")
    with pytest.raises(MasterKeyUnusable):
        kms.LocalKeys(tmp_path / "master.json", text)


def test_the_vault_file_keeps_no_log_beside_it(keys: Path) -> None:
    ring.current(ANN)
    assert sorted(path.name for path in keys.iterdir()) == ["master.json", "vault.sqlite3"]
    line = sqlite3.connect(keys / "vault.sqlite3")
    assert line.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    line.close()


class _Row(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id)
    patient_id = models.UUIDField(null=True)
    said = EncryptedTextField(owner="patient_id", blank=True, default="")
    noted = EncryptedTextField(purpose="notes", blank=True, default="")

    class Meta:
        app_label = "crypto_tests"  # no installed app: migrations do not see it
        managed = False


def _stored(row: _Row, name: str) -> Any:
    return _Row._meta.get_field(name).pre_save(row, True)


def test_a_field_seals_on_the_way_in_and_opens_at_the_first_look(keys: Path) -> None:
    row = _Row(patient_id=UUID(int=1), said=TEXT, noted="")
    stored = _stored(row, "said")
    assert type(stored) is Sealed
    assert _stored(row, "noted") == ""
    again = _Row(id=row.pk, patient_id=UUID(int=1), said=stored)
    assert type(again.__dict__["said"]) is Sealed  # nothing is opened before it is wanted
    assert again.said == TEXT
    assert row.said == TEXT


def test_a_field_refuses_plain_text_and_a_foreign_rows(keys: Path) -> None:
    row = _Row(patient_id=UUID(int=1), said=TEXT)
    stored = _stored(row, "said")
    with pytest.raises(Tampered):
        _ = _Row(patient_id=UUID(int=1), said=stored).said  # another row's key
    with pytest.raises(Tampered):
        _ = _Row(id=row.pk, patient_id=UUID(int=1), noted=stored).noted
    with pytest.raises(TypeError, match="sealed"):
        _Row.objects.filter(said=TEXT)
    with pytest.raises(TypeError, match="patient"):
        _stored(_Row(said=TEXT), "said")
    field = _Row._meta.get_field("said")
    with pytest.raises(TypeError, match="sealed"):
        field.get_prep_value(TEXT)


def test_a_shredded_patients_field_is_empty(keys: Path) -> None:
    row = _Row(patient_id=UUID(int=1), said=TEXT)
    stored = _stored(row, "said")
    ring.shred(ANN)
    assert _Row(id=row.pk, patient_id=UUID(int=1), said=stored).said == ""


def test_many_rows_of_a_column_open_as_each_alone(keys: Path) -> None:
    column = Column("table", "column")
    rows = [new_id() for _row in range(5)]
    stored: list[str] = [
        column.seal(row, owner, f"{TEXT} {number}")
        for number, (row, owner) in enumerate(zip(rows, [ANN, BEN, ANN, BEN, ANN], strict=True))
    ]
    stored[2] = ""
    for _process in range(2):
        assert column.open_each(rows, stored) == [
            column.open(row, text) for row, text in zip(rows, stored, strict=True)
        ]
        fresh()
    assert column.open_each([], []) == []
    assert column.open_each([1], [column.seal(1, ANN, TEXT)]) == [TEXT]
    ring.shred(BEN)
    assert column.open_each(rows, stored) == [f"{TEXT} 0", "", "", "", f"{TEXT} 4"]


@pytest.mark.parametrize("spoiled", ["plain words", "v1:", "v1::", "v2:a:b", "another's"])
def test_among_many_rows_what_was_not_sealed_for_its_own_is_refused(keys: Path, spoiled: str) -> None:
    column = Column("table", "column")
    rows = [new_id(), new_id(), new_id()]
    stored: list[str] = [column.seal(row, ANN, TEXT) for row in rows]
    stored[1] = stored[2] if spoiled == "another's" else spoiled
    with pytest.raises(Tampered):
        column.open_each(rows, stored)


def test_among_many_rows_a_key_that_is_missing_is_told(keys: Path) -> None:
    column = Column("table", "column")
    row = new_id()
    stored = column.seal(row, ANN, TEXT)
    (keys / "vault.sqlite3").unlink()
    fresh()
    with pytest.raises(KeyMissing):
        column.open_each([row], [stored])
