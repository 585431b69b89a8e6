"""Backups by themselves: when one is due, who makes it, and how what went wrong is seen."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from polyclinic.backup import keeping, keys, making, schedule
from polyclinic.backup.problems import NoRoom
from polyclinic.backup.store import Kept, Repository
from polyclinic.commands import arguments, doctor
from polyclinic.core import clock
from polyclinic.core.crypto.vault import vault
from tests.api.calling import bearer, call
from tests.house import House
from tests.server import ROOT


class Maker:
    """Stands for making a backup: counts, and fails when told to."""

    def __init__(self) -> None:
        self.made, self.problem = 0, ""

    def __call__(self, kept: Repository, sealer: keys.Sealer, *, patience: float, **_rest: Any) -> None:
        with kept.held(patience=patience):
            if self.problem:
                raise NoRoom(self.problem)
            self.made += 1
            keeping.copy(kept, sealer)
            kept.complete(sealer, Kept(f"b{self.made}", clock.now(), "1", sealer.fingerprint, ()), b"")


@pytest.fixture
def maker(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    found = Maker()
    monkeypatch.setattr(making, "make", found)
    sealer = keys.make()[0]
    monkeypatch.setattr(keys, "sealer", lambda: sealer)
    settings.BACKUP_FOLDER = tmp_path / "backups"
    return found


def test_one_a_day_is_made(maker: Maker) -> None:
    assert schedule.standing().late
    assert [schedule.chore() for _time in range(3)] == [1, 0, 0]
    assert not schedule.standing().late
    with time_machine.travel(clock.now() + timedelta(hours=23)):
        assert schedule.chore() == 0
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        assert [schedule.chore() for _time in range(2)] == [1, 0]
    assert maker.made == 2
    with time_machine.travel(clock.now() + timedelta(hours=80)):
        assert schedule.standing().late


def test_whoever_comes_second_leaves_it_to_the_first(maker: Maker) -> None:
    kept = schedule.repository()
    kept.prepare()
    with kept.held():
        assert schedule.chore() == 0
    assert maker.made == 0
    assert schedule.standing().failed_at is None


def test_the_copied_keys_follow_a_destroyed_one(maker: Maker) -> None:
    assert schedule.chore() == 1
    before = schedule.repository().keys_header()
    vault().shred("patient:00000000-0000-0000-0000-00000000backup")
    assert [schedule.chore() for _time in range(2)] == [1, 0]
    assert schedule.repository().keys_header() != before
    assert maker.made == 1


def test_what_went_wrong_is_seen_and_tried_again(
    maker: Maker, house: House, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    admin = house.staff["admin"]
    maker.problem = "no room in the folder"
    # It is not tried again at once; the keys are copied all the same, since they have not been yet.
    assert [schedule.chore() for _time in range(3)] == [0, 1, 0]
    assert caplog.text.count("no backup could be made: no room in the folder") == 1
    assert "no room in the folder" in doctor.backups().what
    assert doctor.backups().remedy
    assert call("GET", "/api/admin/system-status", headers=bearer(admin)).json["backup"] == "none"
    maker.problem = ""
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert schedule.chore() == 1
        assert doctor.backups().remedy == ""
        assert call("GET", "/api/admin/system-status", headers=bearer(admin)).json["backup"] == "ok"
        maker.problem = "no room in the folder"
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        assert schedule.chore() == 0
        assert "the last did not work (no room in the folder)" in doctor.backups().what
    client.force_login(admin)
    assert "the last one did not work" in client.get("/admin/system").content.decode()


def test_none_are_made_unless_a_folder_is_named(db: None, settings: Any) -> None:
    assert schedule.chore() == 0
    assert "BACKUP_FOLDER" in doctor.backups().remedy
    settings.DEMO = True
    assert doctor.backups().remedy == ""


def test_every_command_in_the_guide_can_be_typed() -> None:
    typed = [
        shlex.split(line.partition(" >")[0])
        for block in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("```")[1::2]
        for line in block.strip().splitlines()
    ]
    assert len(typed) >= 10
    for words in typed:
        assert words[0] == "polyclinic"
        assert arguments.parser().parse_args(words[1:]).command
    named = {arguments.parser().parse_args(words[1:]).command for words in typed}
    assert named == {"backup", "verify", "restore", "upgrade", "db"}
