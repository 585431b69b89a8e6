"""T3 and T5: of 64 rivals for one slot exactly one wins, 50 times over, on both databases; and what would happen else.

Half the rivals sit in another process. The checker looks at the appointments alone, and T5 shows that it can see:
without the database's rule and without locks and look, the same race books doubles. Each guard alone suffices.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server import Server

pytestmark = pytest.mark.service
BOTH = pytest.mark.parametrize(
    "postgres", [False, pytest.param(True, marks=pytest.mark.postgres)], ids=["sqlite", "pg"]
)


class Doubled(AssertionError):
    """A slot had more than one winner, or none."""


def race(*, postgres: bool, rivals: int, rounds: int, database: bool = True, look: bool = True) -> dict[str, Any]:
    asked = {"rivals": rivals, "rounds": rounds, "database": database, "look": look}
    with Server(postgres=postgres, serve=False) as server:
        house = {"schedule": server.people["schedule"]}
        return json.loads(server.python("-m", "tests.promises.rivals", json.dumps(asked), json.dumps(house)))


def check(came: dict[str, Any], rivals: int, rounds: int) -> None:
    """One winner a round; every loser was told that the time is taken and offered three others."""
    assert came["broken"] == []
    if came["doubles"] or came["appointments"] != rounds:
        raise Doubled(f"{came['doubles']} overlaps, {came['appointments']} appointments for {rounds} slots")
    assert came["rounds"] == [{"booked": 1, "slot_taken": rivals - 1}] * rounds
    assert came["events"] == rounds
    # Doctor, room and patient of each appointment; nothing is left of the losers' holds.
    assert (came["reservations"], came["holds"]) == (3 * rounds, 0)


@BOTH
def test_t03_one_of_64_wins_every_round(postgres: bool) -> None:
    check(race(postgres=postgres, rivals=64, rounds=50), 64, 50)


@BOTH
@pytest.mark.parametrize(("database", "look"), [(True, False), (False, True)], ids=["database-alone", "look-alone"])
def test_t05_each_guard_alone_suffices(postgres: bool, database: bool, look: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=8, database=database, look=look)
    check(came, 8, 8)


@BOTH
def test_t05_without_guards_the_checker_sees_doubles(postgres: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=4, database=False, look=False)
    assert came["doubles"] > 0
    with pytest.raises(Doubled):
        check(came, 8, 4)
