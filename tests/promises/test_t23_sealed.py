"""T23: health data is nowhere in clear; keys are renewed under load; an erased patient stays unreadable in an old copy.

Canaries are said to a running server in every way there is to say something about somebody's health. Then every byte
that the installation keeps is searched: database, its log, keys, what was printed, and on PostgreSQL a dump.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests import schema
from tests.house import PASSWORD
from tests.server import CSRF, Server, require_postgres

pytestmark = pytest.mark.service

REASON, CANCELLED, NOTE = "zqxcough", "zqxbetter", "zqxhospice"
REFUSED, TYPED, PHONE = "zqxrefused", "zqxtyped", "+49 170 5550199"
# In four bytes a sign, as long as may be: sealed it is the longest that the audit has to take.
LONGEST = CANCELLED + "🩺" * 191
CANARIES = [REASON, CANCELLED, NOTE, REFUSED, TYPED, PHONE, "491705550199", "Zqxwaiting"]
KINDS = [pytest.param(False, id="sqlite"), pytest.param(True, id="postgres", marks=pytest.mark.postgres)]
READING = """
import django, json, sys
django.setup(set_prefix=False)
from polyclinic.scheduling.models import Appointment
from polyclinic.people.models import Patient
patient = sys.argv[1]
print(json.dumps({
    "reasons": sorted(row.reason for row in Appointment.objects.filter(patient_id=patient)),
    "stored": sorted(Appointment.objects.filter(patient_id=patient).values_list("reason", flat=True)),
    "phone": Patient.objects.get(pk=patient).phone, "mrn": Patient.objects.get(pk=patient).mrn,
}))
"""

JOINING = """
import django, sys
django.setup(set_prefix=False)
from polyclinic.people import joining
from polyclinic.people.models import SignUp
first = SignUp.objects.order_by("made_at")[0]
joining.confirm(joining.token_of(str(first.pk)), password=sys.argv[1])
"""


@pytest.fixture(scope="module", params=KINDS)
def spoken(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that has been told every canary, and has told them again to those who may know."""
    if request.param:
        require_postgres()
    with Server(postgres=request.param, env={"LOG_LEVEL": "DEBUG"}) as server:
        say_everything(server)
        yield server


def say_everything(server: Server) -> None:
    patient, doctor = server.cookies("patient"), server.cookies("doctor")
    booking = {"scheduleId": server.people["schedule"], "starts": server.slots[0], "reason": REASON}
    keyed = {"Idempotency-Key": "the-one-key"}
    status, _headers, body = server.request("POST", "/api/appointments", body=booking, cookies=patient, headers=keyed)
    assert (status, json.loads(body)["reason"]) == (201, REASON)
    made = json.loads(body)["id"]
    again = server.request("POST", "/api/appointments", body=booking, cookies=patient, headers=keyed)
    assert again[1]["idempotent-replayed"] == "true"
    assert again[2] == body  # the kept answer opens
    # The page that shows it, and errors with something of a patient's in what was sent.
    assert REASON.encode() in server.request("GET", f"/my/appointments/{made}", cookies=patient)[2]
    long = {**booking, "starts": server.slots[1], "reason": REFUSED * 40}
    assert server.request("POST", "/api/appointments", body=long, cookies=patient)[0] == 422
    broken = b'{"reason": "' + TYPED.encode()
    sent = {"Content-Type": "application/json"}
    assert server.request("POST", "/api/appointments", body=broken, cookies=patient, headers=sent)[0] in (400, 422)
    taken = {**booking, "reason": TYPED}
    assert server.request("POST", "/api/appointments", body=taken, cookies=server.cookies("other_patient"))[0] == 409
    step = {"status": "cancelled", "reason": LONGEST}
    assert server.request("PUT", f"/api/appointments/{made}/status", body=step, cookies=doctor)[0] == 200
    schedule = f"/api/doctors/{server.people['doctor']}/schedules/{server.people['schedule']}"
    starts = datetime.fromisoformat(server.slots[0]) + timedelta(days=30)
    leave = {
        "kind": "leave", "starts": starts.isoformat(), "ends": (starts + timedelta(hours=2)).isoformat(),
        "note": NOTE, "version": 1,
    }  # fmt: skip
    status, _headers, body = server.request("POST", f"{schedule}/exceptions", body=leave, cookies=doctor)
    assert status in (200, 201), body
    assert NOTE.encode() in server.request("GET", schedule, cookies=doctor)[2]
    person = {
        "given_name": "Zora", "family_name": "Zqxnamed", "born_day": "3", "born_month": "4", "born_year": "1980",
        "sex": "female", "phone": PHONE, "email": "zora@example.org", "password": PASSWORD,
    }  # fmt: skip
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    anonymous = {"polyclinic_csrf": CSRF}
    answer = server.request("POST", "/sign-up", body=urlencode(person).encode(), headers=form, cookies=anonymous)
    assert answer[0] in (302, 303), answer
    # One waits sealed for its link; another is a patient by now, whose phone is sealed with their own key.
    other = {**person, "family_name": "Zqxwaiting", "email": "zqxmail@example.org"}
    assert server.request("POST", "/sign-up", body=urlencode(other).encode(), headers=form, cookies=anonymous)[0] == 303
    server.python("-c", JOINING, PASSWORD)


def kept(server: Server) -> dict[str, bytes]:
    """Every byte the installation keeps: all its files, and of PostgreSQL a dump in plain SQL."""
    found = {str(path.relative_to(server.data)): path.read_bytes() for path in server.data.rglob("*") if path.is_file()}
    if address := server.env["DATABASE_URL"]:
        dump = shutil.which("pg_dump")
        assert dump, "pg_dump is needed to look into PostgreSQL"
        found["dump.sql"] = subprocess.run([dump, "--dbname", address], capture_output=True, check=True).stdout
    return {name: content for name, content in found.items() if not name.startswith("static/")}


def where(contents: dict[str, bytes], words: list[str]) -> list[tuple[str, str]]:
    """Which file holds which word, in any case and in the usual encodings."""
    return [
        (name, word)
        for name, content in contents.items()
        for word in words
        for form in (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode())
        if form.lower() in content.lower()
    ]


def test_no_canary_is_kept_in_clear(spoken: Server) -> None:
    contents = kept(spoken)
    names = set(contents)
    if spoken.env["DATABASE_URL"]:
        assert {"dump.sql", "server.log", "keys/vault.sqlite3"} <= names
    else:
        assert {"polyclinic.sqlite3", "polyclinic.sqlite3-wal", "polyclinic.sqlite3-shm", "server.log"} <= names
    # The search finds what is known to be kept in clear, so it would find a canary.
    assert where(contents, ["Zqxnamed"])
    assert where(contents, CANARIES) == []


def test_no_canary_is_in_an_event_or_the_log(spoken: Server) -> None:
    said = spoken.python(
        "-c",
        "import django; django.setup(set_prefix=False)\n"
        "from polyclinic.core.models import OutboxEvent\n"
        "rows = list(OutboxEvent.objects.values_list('payload', 'audience'))\n"
        "assert len(rows) > 3\nprint(rows)",
    )
    assert where({"events": said.encode(), "log": spoken.log().encode()}, CANARIES) == []
    assert len(spoken.log()) > 100


def read(server: Server, patient: str, **env: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", READING, patient], env={**server.env, **env}, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Load:
    """People who book, read and cancel without a pause, until they are told to stop."""

    def __init__(self, server: Server, hands: int = 3) -> None:
        self._server, self._stop = server, threading.Event()
        self.done, self.failures = 0, list[str]()
        self._cookies = server.cookies("other_patient")  # the other one may have been erased by then
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(hands)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_rest: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, hand: int) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            words = f"zqxload {hand} {turn}"
            wish = {
                "scheduleId": self._server.people["schedule"], "starts": self._server.slots[2 + hand], "reason": words,
            }  # fmt: skip
            made = self._ask("POST", "/api/appointments", 201, wish)
            if made is None:
                continue
            seen = self._ask("GET", f"/api/appointments/{made['id']}", 200)
            if seen is None or seen["reason"] != words:
                self.failures.append(f"read {seen}")
            self._ask("PUT", f"/api/appointments/{made['id']}/status", 200, {"status": "cancelled", "reason": words})
            listed = self._ask("GET", "/api/appointments?limit=200", 200)
            if listed is None or not all(row["reason"].startswith("zqx") for row in listed["data"]):
                self.failures.append("list")
            self.done += 1

    def _ask(self, method: str, path: str, expected: int, body: object = None) -> Any:
        status, _headers, answer = self._server.request(method, path, body=body, cookies=self._cookies)
        if status != expected:
            self.failures.append(f"{method} {status} {answer[:300]!r}")
            return None
        return json.loads(answer)


def command(server: Server, *words: str) -> str:
    return server.python("-m", "polyclinic", "keys", *words)


def test_keys_are_renewed_under_load_without_a_failure(spoken: Server) -> None:
    patient = spoken.people["other_patient"]
    with Load(spoken) as load:
        command(spoken, "rotate")
        command(spoken, "rotate", "--data-keys")
        command(spoken, "rotate")
        turns = load.done
    assert load.failures == []
    assert turns > 10
    assert "0 keys wait" not in command(spoken, "status")
    found = read(spoken, patient)
    assert all(reason.startswith("zqxload") for reason in found["reasons"])
    # One key for all of a patient's rows: nothing was left under an older one.
    assert len({text.split(":")[1] for text in found["stored"] if text}) == 1
    assert where(kept(spoken), [*CANARIES, "zqxload"]) == []


@contextlib.contextmanager
def older_copy(server: Server) -> Iterator[dict[str, str]]:
    """A copy of the database as it is now, as settings under which it is read beside the present keys."""
    keys = {"KEYS_FOLDER": str(server.data / "keys")}
    with tempfile.TemporaryDirectory() as folder:
        if address := server.env["DATABASE_URL"]:
            copied = address + "_copy"
            dump = subprocess.run(["pg_dump", "--dbname", address], capture_output=True, check=True).stdout
            schema.administer(f'CREATE DATABASE "{urlsplit(copied).path[1:]}"')
            try:
                subprocess.run(["psql", "--quiet", "--dbname", copied], input=dump, capture_output=True, check=True)
                yield {"POLYCLINIC_DATA": folder, "DATABASE_URL": copied, **keys}
            finally:
                schema.administer(f'DROP DATABASE "{urlsplit(copied).path[1:]}" WITH (FORCE)')
            return
        here, there = server.data / "polyclinic.sqlite3", Path(folder) / "polyclinic.sqlite3"
        with contextlib.closing(sqlite3.connect(here)) as source, contextlib.closing(sqlite3.connect(there)) as copy:
            source.backup(copy)
        yield {"POLYCLINIC_DATA": folder, **keys}


def reasons_seen(server: Server, cookies: dict[str, str], patient: str) -> set[str]:
    status, _headers, body = server.request("GET", "/api/appointments?limit=200", cookies=cookies)
    assert status == 200
    return {row.get("reason", "") for row in json.loads(body)["data"] if row["patientId"] == patient}


def test_an_erased_patient_is_unreadable_in_an_older_copy_too(spoken: Server) -> None:
    patient = spoken.people["patient"]
    with older_copy(spoken) as older:
        before = read(spoken, patient, **older)
        assert REASON in before["reasons"]  # the copy is whole and opens
        assert "is erased" in command(spoken, "shred", before["mrn"], "--reason", "request 17", "--yes")
        for env in ({}, older):
            found = read(spoken, patient, **env)
            assert set(found["reasons"]) == {""}
            assert any(found["stored"])  # the sealed texts are still there, and closed for good
            assert found["phone"] == ""
        # The running server hears of it within five seconds: who treats the patient sees times and no reason.
        doctor, until = spoken.cookies("doctor"), time.monotonic() + 7
        asked = time.monotonic()
        while (seen := reasons_seen(spoken, doctor, patient)) != {""}:
            assert seen == {REASON}
            assert asked < until
            time.sleep(0.2)
            asked = time.monotonic()
