"""T3 and T5 for what a service takes besides: rivals who want different doctors and the only device, round after round.

Doctors and rooms are free for everybody: the device alone decides. The checker looks at the appointments, and T5 shows
that it can see: without the database's rule and without locks and look, the device is promised twice.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.promises.test_t03_one_winner import BOTH
from tests.server import Server

pytestmark = pytest.mark.service


class PromisedTwice(AssertionError):
    """The device was promised to two at once, or to nobody."""


def race(*, postgres: bool, rivals: int, rounds: int, database: bool = True, look: bool = True) -> dict[str, Any]:
    asked = {"rivals": rivals, "rounds": rounds, "database": database, "look": look, "device": True}
    with Server(postgres=postgres, serve=False) as server:
        house = {"schedule": server.people["schedule"]}
        return json.loads(server.python("-m", "tests.promises.rivals", json.dumps(asked), json.dumps(house)))


def check(came: dict[str, Any], rivals: int, rounds: int) -> None:
    """One winner a round; every loser was told that the time is taken and offered three others with their doctor."""
    assert came["broken"] == []
    if came["device_twice"] or came["appointments"] != rounds:
        raise PromisedTwice(f"{came['device_twice']} overlaps, {came['appointments']} appointments, {rounds} rounds")
    assert came["rounds"] == [{"booked": 1, "slot_taken": rivals - 1}] * rounds
    # All or none: doctor, room, patient and device of each winner, and nothing of anybody else.
    assert (came["devices"], came["reservations"], came["holds"]) == (rounds, 4 * rounds, 0)


@BOTH
def test_t03_one_device_has_one_winner_every_round(postgres: bool) -> None:
    check(race(postgres=postgres, rivals=8, rounds=50), 8, 50)


@BOTH
@pytest.mark.parametrize(("database", "look"), [(True, False), (False, True)], ids=["database-alone", "look-alone"])
def test_t05_each_guard_alone_keeps_the_device(postgres: bool, database: bool, look: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=6, database=database, look=look)
    check(came, 8, 6)


@BOTH
def test_t05_without_guards_the_checker_sees_the_device_promised_twice(postgres: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=4, database=False, look=False)
    assert came["device_twice"] > 0
    with pytest.raises(PromisedTwice):
        check(came, 8, 4)
