"""What happens by itself: an abandoned hold is free again on every screen without anyone asking."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError

from polyclinic.core import clock
from polyclinic.core.models import OutboxEvent
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Hold, Reservation
from polyclinic.web.housekeeping import CHORES, Chore, Housekeeper
from tests.house import House


def _chore(name: str) -> Chore:
    return next(chore for chore in CHORES if chore.name == name)


def test_an_abandoned_hold_is_freed_and_told(house: House) -> None:
    actions.hold(actor=house.person(house.patient), schedule_id=house.schedule.pk, starts=house.slot())
    chore = _chore("free expired holds")
    assert chore.run() == 0, "a hold still running is nobody's to free"
    Hold.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    told = OutboxEvent.objects.filter(type="availability.changed").count()
    assert chore.run() == 1
    assert not Reservation.objects.exists()
    assert OutboxEvent.objects.filter(type="availability.changed").count() == told + 1


def test_a_chore_that_fails_once_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []
    again = threading.Event()

    def flaky() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise DatabaseError("away")
        again.set()
        return 0

    keeper = Housekeeper((Chore("be flaky", 0.05, flaky),))
    keeper.start()
    try:
        assert again.wait(5)
    finally:
        keeper.stop()
    assert "could not be flaky" in caplog.text


def test_every_chore_runs_on_an_empty_house(db: None) -> None:
    assert [chore.run() for chore in CHORES] == [0] * len(CHORES)
