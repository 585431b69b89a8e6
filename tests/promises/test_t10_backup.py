"""T10: backups made while people write, killed, bent and brought back elsewhere. Nothing acknowledged is missing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.places import CHANGED, Backups, Place, at, elsewhere
from tests.server import Server, require_postgres

pytestmark = pytest.mark.service
REASON = "zqxcough for a week"
_KILL = "import os, {module}\nleft = {after}\nreal = {what}\ndef bent(*a, **k):\n    global left\n    left -= 1\n"
_KILL += "    if left < 0: os.kill(os.getpid(), 9)\n    return real(*a, **k)\n{what} = bent"


def killed(module: str, what: str, after: int) -> str:
    """Kill the process without mercy at the so-manieth call of a function."""
    return _KILL.format(module=module, what=what, after=after)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def worked(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server somebody has worked at: bookings, reads, an audit with checkpoints. Stopped."""
    if request.param == "postgres":
        require_postgres()
    with Server(postgres=request.param == "postgres") as server:
        Bookings(server, "patient", 3).once()
        assert server.stop() == 0
        yield server


# What these look at are a backup's bytes, which are the same thing whatever the database.
on_one = pytest.mark.parametrize("worked", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def place(worked: Server) -> Iterator[Place]:
    with at(worked.env) as found:
        yield found


@pytest.fixture
def backups(place: Place, tmp_path: Path) -> Backups:
    return Backups(tmp_path, place)


class Bookings:
    """Books and cancels; what was acknowledged is remembered."""

    def __init__(self, server: Server, who: str, first: int) -> None:
        self.server, self.first = server, first
        self.cookies = server.cookies(who)
        self.acknowledged: list[str] = []
        self._enough = threading.Event()

    def once(self) -> None:
        wish = {
            "scheduleId": self.server.people["schedule"], "starts": self.server.slots[self.first], "reason": REASON,
        }  # fmt: skip
        status, _headers, body = self.server.request("POST", "/api/appointments", body=wish, cookies=self.cookies)
        assert status == 201, body
        made = json.loads(body)["id"]
        self.acknowledged.append(made)
        ending = {"status": "cancelled", "reason": REASON}
        self.server.request("PUT", f"/api/appointments/{made}/status", body=ending, cookies=self.cookies)

    def without_end(self) -> None:
        while not self._enough.is_set():
            self.once()

    def stop(self) -> None:
        self._enough.set()


def appointments(place: Place) -> set[str]:
    found = place.ask(
        "import json\nfrom polyclinic.scheduling.models import Appointment\n"
        "print(json.dumps([str(pk) for pk in Appointment.objects.values_list('pk', flat=True)]))"
    )
    return set(found)


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
def test_nothing_acknowledged_before_it_is_missing(postgres: bool, tmp_path: Path) -> None:
    if postgres:
        require_postgres()
    with Server(postgres=postgres) as server, at(server.env) as here, elsewhere(server) as there:
        kept = Backups(tmp_path, here)
        hands = [Bookings(server, who, nth) for nth, who in enumerate(("patient", "other_patient"))]
        threads = [threading.Thread(target=hand.without_end) for hand in hands]
        for hand in hands:
            hand.once()
        for thread in threads:
            thread.start()
        before = {one for hand in hands for one in hand.acknowledged}
        code, said = here("backup", *kept.to)
        after = sum(len(hand.acknowledged) for hand in hands)
        for hand in hands:
            hand.stop()
        for thread in threads:
            thread.join()
        assert code == 0, said
        assert after > len(before)  # they went on while it was made
        # A server that runs is not restored over.
        code, said = here("restore", *kept.back, "--replace")
        assert (code, "stop" in said) == (1, True)
        code, said = there("restore", *kept.back, "--check")
        assert code == 0, said
        assert "The audit holds." in said
        assert before <= appointments(there)
        assert (
            there.ask("import json\nfrom polyclinic.people.models import Session\nprint(Session.objects.count())") == 0
        )


def test_elsewhere_every_table_is_the_same_and_the_second_backup_small(
    place: Place, worked: Server, backups: Backups
) -> None:
    assert place("backup", *backups.to)[0] == 0
    chunks = len(backups.files("chunks"))
    code, said = place("backup", *backups.to)
    assert code == 0, said
    assert len(backups.files("chunks")) - chunks <= 2
    assert all(REASON.encode() not in path.read_bytes() for path in backups.files(""))
    with elsewhere(worked) as there:
        code, said = there("restore", *backups.back, "--check")
        assert code == 0, said
        old, new = place.sums(), there.sums()
        assert old.keys() == new.keys()
        assert {name for name in old if old[name] != new[name]} <= CHANGED
        assert new["core_auditentry"][0] == old["core_auditentry"][0] + 1
        # The texts open, so the keys came along; and its own backups are sealed for the same key.
        assert REASON in there.ask(
            "import json\nfrom polyclinic.scheduling.models import Appointment\n"
            "print(json.dumps([one.reason for one in Appointment.objects.all()]))"
        )
        code, said = there("restore", *backups.back)
        assert (code, "--replace" in said) == (1, True)
        assert there("backup", *backups.to)[0] == 0
        code, said = there("verify", *backups.back)
        assert code == 0, said
        assert "every byte is as it was written" in said


def test_killed_in_the_middle_of_a_backup(place: Place, backups: Backups) -> None:
    assert place("backup", *backups.to)[0] == 0
    (place.data / "files").mkdir(exist_ok=True)
    fresh = place.data / "files" / "new"
    fresh.write_bytes(b"x" * 1_000_000)
    whole = backups.files("")
    for what, after in (
        ("polyclinic.backup.store.Repository.put", 3),
        ("polyclinic.backup.store.Repository.complete", 0),
    ):
        code, _said = place("backup", *backups.to, before=killed("polyclinic.backup.store", what, after))
        assert code == -9
        assert set(whole) <= set(backups.files(""))
        assert len(place("backup", "list", *backups.to)[1].splitlines()) == 1
        code, said = place("verify", "--from", str(backups.folder))
        assert code == 0, said
    assert place("backup", *backups.to)[0] == 0
    fresh.unlink()
    assert len(place("backup", "list", *backups.to)[1].splitlines()) == 2


def test_killed_in_the_middle_of_a_restore(place: Place, worked: Server, backups: Backups) -> None:
    assert place("backup", *backups.to)[0] == 0
    with elsewhere(worked) as there:
        moments = [
            killed("polyclinic.backup.restoring", "polyclinic.backup.restoring._written", 1),
            killed("polyclinic.backup.settling", "polyclinic.backup.settling._erase_again", 0),
        ]
        if not worked.env["DATABASE_URL"]:
            moments.append(killed("shutil", "shutil.move", 1))
        for moment in moments:
            assert there("restore", *backups.back, "--replace", before=moment)[0] == -9
        code, said = there("serve", "--port", "0")
        assert (code, "a restore was broken off here" in said) == (1, True)
        code, said = there("restore", *backups.back, "--check")
        assert code == 0, said
        old, new = place.sums(), there.sums()
        assert {name for name in old if old[name] != new[name]} <= CHANGED


@on_one
def test_a_flipped_bit_is_found_before_anything_is_written(place: Place, worked: Server, backups: Backups) -> None:
    assert place("backup", *backups.to)[0] == 0
    chunk = max(backups.files("chunks"), key=lambda path: path.stat().st_size)
    raw = bytearray(chunk.read_bytes())
    raw[len(raw) // 2] ^= 4
    chunk.write_bytes(raw)
    code, said = place("verify", "--from", str(backups.folder))
    assert (code, chunk.name[:16] in said) == (1, True)
    with elsewhere(worked) as there:
        code, said = there("restore", *backups.back)
        assert (code, chunk.name[:16] in said) == (1, True)
        assert not (there.data / "restoring.json").exists()
        # The next backup finds it broken and writes it anew, which heals the one before as well.
        first = place("backup", "list", *backups.to)[1].split()[0]
        assert place("backup", *backups.to)[0] == 0
        code, said = there("restore", first, *backups.back)
        assert code == 0, said


@on_one
def test_a_wrong_key_is_refused_clearly(place: Place, worked: Server, backups: Backups, tmp_path: Path) -> None:
    assert place("backup", *backups.to)[0] == 0
    other = tmp_path / "other"
    other.mkdir()
    wrong = Backups(other, place)
    code, said = place("verify", "--from", str(backups.folder), "--key", str(wrong.key))
    assert (code, "sealed for the key" in said) == (1, True)
    wrong.key.write_text("POLYCLINIC-BACKUP-KEY-1:abc", encoding="ascii")
    code, said = place("verify", "--from", str(backups.folder), "--key", str(wrong.key))
    assert (code, "no backup key" in said) == (1, True)


def test_who_was_erased_stays_erased_by_an_older_backup(place: Place, worked: Server, backups: Backups) -> None:
    with elsewhere(worked) as first, elsewhere(worked) as second:
        assert place("backup", *backups.to)[0] == 0
        assert first("restore", *backups.back)[0] == 0
        name = worked.people["patient"]
        seen = (
            "import json\nfrom polyclinic.people.models import Patient\n"
            "from polyclinic.core.crypto.vault import vault\n"
            f"row = Patient.objects.get(pk='{name}')\n"
            "print(json.dumps([row.mrn, row.family_name, row.phone, "
            f"[key.wrapped for key in vault().of_owner('patient:{name}')]]))"
        )
        mrn, family, _phone, keys = first.ask(seen)
        assert family != "[erased]"
        assert any(keys)
        code, said = first("keys", "shred", mrn, "--reason", "request 17", "--yes")
        assert code == 0, said
        # What the server does within a minute: the copied keys are those without the destroyed one.
        code, said = first("doctor", before=chore(backups))
        (old,) = backups.files("backups")
        code, said = second("restore", old.stem, *backups.back, "--check")
        assert code == 0, said
        assert "1 patients who were erased since then are erased again" in said
        assert second.ask(seen) == [mrn, "[erased]", "", [""] * len(keys)]


def chore(backups: Backups) -> str:
    return (
        "from django.conf import settings\nfrom pathlib import Path\nfrom polyclinic.backup import schedule\n"
        f"settings.BACKUP_FOLDER = Path({str(backups.folder)!r})\nassert schedule.chore() == 1\n"
        "assert schedule.chore() == 0"
    )
