"""Keys are renewed without a text becoming unreadable, and what was broken off goes on."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from polyclinic.core.crypto import blind, fields, rotation, sealing, sweep
from polyclinic.core.crypto import ring as rings
from polyclinic.core.crypto.problems import KeyErased, MasterKeyUnusable, Tampered
from polyclinic.core.crypto.ring import ring
from polyclinic.core.crypto.vault import Vault, vault
from polyclinic.people.models import Patient
from polyclinic.scheduling.models import Appointment
from tests.crypto.conftest import fresh
from tests.house import House

ANN = "patient:ann"
PLACE = "table.column.row"


def quiet(_line: str) -> None:
    pass


def raw(row: Patient) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM people_patient WHERE mrn = %s", [row.mrn])
        return str(cursor.fetchone()[0])


def test_a_new_master_key_opens_what_the_old_one_sealed(keys: Path) -> None:
    texts = {owner: sealing.seal(owner, PLACE, owner) for owner in (f"patient:{n}" for n in range(30))}
    before = json.loads((keys / "master.json").read_text())
    assert rotation.rotate_master(quiet) == 30
    after = json.loads((keys / "master.json").read_text())
    assert after["current"] == "k2"
    assert before["keys"]["k1"] not in after["keys"].values()
    for _process in range(2):
        assert all(sealing.open_(PLACE, text) == owner for owner, text in texts.items())
        fresh()
    found = rotation.status()
    assert (found.master, found.roots, found.current, found.left_behind) == ("k2", 1, 30, 0)


def test_an_old_copy_of_the_vault_does_not_open_with_the_new_master_key(keys: Path) -> None:
    text = sealing.seal(ANN, PLACE, "x")
    copy = (keys / "vault.sqlite3").read_bytes()
    rotation.rotate_master(quiet)
    fresh()
    (keys / "vault.sqlite3").write_bytes(copy)
    with pytest.raises(MasterKeyUnusable):
        sealing.open_(PLACE, text)


def test_a_broken_off_rotation_is_ended_by_rewrap(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {owner: sealing.seal(owner, PLACE, owner) for owner in (f"patient:{n}" for n in range(9))}
    monkeypatch.setattr(rotation, "_STEP", 4)
    honest, calls = Vault.rewrap, []

    def dies_at_the_second(self: Vault, rows: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        honest(self, rows)

    monkeypatch.setattr(Vault, "rewrap", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate_master(quiet)
    monkeypatch.setattr(Vault, "rewrap", honest)
    fresh()
    assert rotation.status().left_behind == 5
    assert all(sealing.open_(PLACE, text) == owner for owner, text in texts.items())
    assert rotation.rewrap(quiet) == 5
    fresh()
    assert (rotation.status().left_behind, rotation.status().roots) == (0, 1)
    assert all(sealing.open_(PLACE, text) == owner for owner, text in texts.items())


def test_a_key_made_under_a_root_that_has_gone_is_made_again(keys: Path) -> None:
    other = rings.Ring()
    other.current(ANN)  # knows the first root
    rotation.rotate_master(quiet)
    made = other.current("patient:ben")
    row = vault().key(made.id)
    assert row is not None
    assert row.root == ring.root()


@pytest.mark.django_db
def test_new_data_keys_seal_every_column_anew(keys: Path, house: House) -> None:
    patient = house.patient
    patient.phone = "+1 555 0142"
    patient.save()
    reason = fields.column(Appointment, "reason")
    made = Appointment.objects.create(
        patient=patient, doctor=house.doctor, facility=house.facility, schedule=house.schedule, state="booked",
        starts=house.slot(), ends=house.slot(1), reason="Cough", booked_by="x",
    )  # fmt: skip
    old, index = raw(patient), patient.phone_index
    assert rotation.rotate_data(quiet, pause=0) == 2
    assert raw(patient) != old
    assert sealing.key_of(raw(patient)) == ring.current(rings.patient(patient.pk)).id != sealing.key_of(old)
    for _process in range(2):
        again = Patient.objects.get(pk=patient.pk)
        assert (again.phone, again.phone_index) == ("+1 555 0142", index)
        assert Appointment.objects.get(pk=made.pk).reason == "Cough"
        # A copy of the database from before still opens: the older key is kept for it.
        assert fields.column(Patient, "phone").open(patient.pk, old) == "+1 555 0142"
        fresh()
    assert reason.open(made.pk, Appointment.objects.values_list("reason", flat=True).get(pk=made.pk)) == "Cough"
    assert rotation.walk(quiet) == 0  # nothing is done twice


@pytest.mark.django_db
def test_what_is_written_during_the_walk_is_kept(keys: Path, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = house.patient
    patient.phone = "111"
    patient.save()
    ring.make([rings.patient(patient.pk)], renewing=True)
    honest = fields.Column.open

    def somebody_writes(self: fields.Column, row: object, stored: str) -> str:
        text = honest(self, row, stored)
        if text == "111":
            monkeypatch.setattr(fields.Column, "open", honest)
            Patient.objects.filter(pk=patient.pk).update(
                phone=fields.column(Patient, "phone").seal(patient.pk, rings.patient(patient.pk), "222")
            )
        return text

    monkeypatch.setattr(fields.Column, "open", somebody_writes)
    assert rotation.walk(quiet) == 0
    assert Patient.objects.get(pk=patient.pk).phone == "222"


@pytest.mark.django_db
def test_texts_of_two_rows_swapped_in_the_database_fail_loudly(keys: Path, house: House) -> None:
    for patient, phone in ((house.patient, "111"), (house.other_patient, "222")):
        patient.phone = phone
        patient.save()
    mine, theirs = raw(house.patient), raw(house.other_patient)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_patient SET phone = %s WHERE mrn = %s", [theirs, house.patient.mrn])
    with pytest.raises(Tampered):
        _ = Patient.objects.get(pk=house.patient.pk).phone
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_patient SET phone = %s WHERE mrn = %s", [mine, house.patient.mrn])
    assert Patient.objects.get(pk=house.patient.pk).phone == "111"


@pytest.mark.django_db
def test_a_phone_is_found_by_its_blind_index(keys: Path, house: House) -> None:
    house.patient.phone = "+1 (555) 0142"
    house.patient.save()
    wanted = blind.index("phone", blind.digits("+1 555-0142"))
    assert Patient.objects.get(phone_index=wanted).pk == house.patient.pk
    # A row whose phone nobody looked at keeps its index when something else is saved.
    again = Patient.objects.get(pk=house.patient.pk)
    again.save()
    assert Patient.objects.get(phone_index=wanted).phone == "+1 (555) 0142"


class FakeTransit(http.server.BaseHTTPRequestHandler):
    """A key service as Vault and OpenBao speak: enough of it to be believed."""

    keys: dict[int, bytes] = {}
    oldest = 1
    asked: list[str] = []

    def _answer(self, status: int, data: object = None) -> None:
        body = json.dumps({"data": data}).encode() if data is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer(200, {"latest_version": max(self.keys)})

    def do_POST(self) -> None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        what = self.path.removeprefix("/v1/transit/")
        type(self).asked.append(what)
        if self.headers["X-Vault-Token"] != "s.right":
            return self._answer(403, {"errors": ["permission denied"]})
        bound = base64.b64decode(given.get("associated_data", ""))
        if what == "encrypt/poly":
            version = max(self.keys)
            sealed = AESGCM(self.keys[version]).encrypt(b"0" * 12, base64.b64decode(given["plaintext"]), bound)
            return self._answer(200, {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}"})
        if what == "decrypt/poly":
            _vault, version_text, text = given["ciphertext"].split(":")
            if int(version_text[1:]) < self.oldest:
                return self._answer(400, {"errors": ["too old"]})
            try:
                plain = AESGCM(self.keys[int(version_text[1:])]).decrypt(b"0" * 12, base64.b64decode(text), bound)
            except InvalidTag:
                return self._answer(400, {"errors": ["authentication failed"]})
            return self._answer(200, {"plaintext": base64.b64encode(plain).decode()})
        if what == "keys/poly/rotate":
            type(self).keys[max(self.keys) + 1] = bytes([len(self.keys) + 1]) * 32
            return self._answer(204)
        assert what == "keys/poly/config"
        type(self).oldest = given["min_decryption_version"]
        return self._answer(204)

    def log_message(self, *_told: object) -> None:
        pass


@pytest.fixture
def transit(keys: Path, settings: Any) -> Iterator[type[FakeTransit]]:
    FakeTransit.keys, FakeTransit.oldest, FakeTransit.asked = {1: b"\1" * 32}, 1, []
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeTransit)
    thread = threading.Thread(target=service.serve_forever, args=(0.05,))
    thread.start()
    settings.KMS_URL = f"http://127.0.0.1:{service.server_port}/v1/transit/poly"
    settings.KMS_TOKEN = "s.right"
    fresh()
    yield FakeTransit
    service.shutdown()
    service.server_close()
    thread.join()


def test_a_key_service_is_asked_once_and_rotated(transit: type[FakeTransit], keys: Path) -> None:
    texts = {owner: sealing.seal(owner, PLACE, owner) for owner in (f"patient:{n}" for n in range(20))}
    assert not (keys / "master.json").exists()
    fresh()
    transit.asked.clear()
    assert all(sealing.open_(PLACE, text) == owner for owner, text in texts.items())
    assert transit.asked == ["decrypt/poly"]  # the root key alone, not one for each patient
    assert rotation.rotate_master(quiet) == 20
    assert transit.oldest == 2
    fresh()
    assert all(sealing.open_(PLACE, text) == owner for owner, text in texts.items())
    assert rotation.status().master == "v2"


def test_a_key_service_that_refuses_is_named(transit: type[FakeTransit], settings: Any) -> None:
    text = sealing.seal(ANN, PLACE, "x")
    settings.KMS_TOKEN = "s.wrong"
    fresh()
    with pytest.raises(MasterKeyUnusable, match="answered 403"):
        sealing.open_(PLACE, text)
    settings.KMS_URL = "http://127.0.0.1:9/v1/transit/poly"
    fresh()
    with pytest.raises(MasterKeyUnusable, match="does not answer"):
        sealing.open_(PLACE, text)


def test_rotation_leaves_shredded_keys_shredded(keys: Path) -> None:
    text = sealing.seal(ANN, PLACE, "x")
    ring.shred(ANN)
    rotation.rotate_master(quiet)
    assert rotation.status().shredded == 1
    ring.make([ANN], renewing=True)
    with pytest.raises(KeyErased):
        ring.current(ANN)
    with pytest.raises(KeyErased):
        sealing.open_(PLACE, text)


@pytest.mark.django_db
def test_texts_from_before_are_sealed_where_they_stand(keys: Path, house: House) -> None:
    """What the migrations do with an installation that kept clear text."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_patient SET phone = 'v1:tricky:+1 555' WHERE mrn = %s", [house.patient.mrn])
        cursor.execute("UPDATE people_patient SET phone = '555 0199' WHERE mrn = %s", [house.other_patient.mrn])
    assert sweep.seal_clear(Patient, "phone", owner="id") == 2
    assert "555" not in raw(house.other_patient)
    assert Patient.objects.get(pk=house.patient.pk).phone == "v1:tricky:+1 555"
    assert Patient.objects.get(pk=house.other_patient.pk).phone == "555 0199"
    assert vault().counts() == {"current": 2}
