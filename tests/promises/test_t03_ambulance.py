"""T3 and T5, the one free ambulance: of 64 dispatchers who send it at once one does, round after round, on both
databases; each of the others is told that it has just been sent elsewhere. Each guard alone suffices.
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


def race(*, postgres: bool, rivals: int, rounds: int, database: bool = True, look: bool = True) -> dict[str, Any]:
    asked = {"rivals": rivals, "rounds": rounds, "database": database, "look": look}
    with Server(postgres=postgres, serve=False) as server:
        found: dict[str, Any] = json.loads(server.python("-m", "tests.promises.ambulance_rivals", json.dumps(asked)))
        return found


def check(came: dict[str, Any], rivals: int, rounds: int) -> None:
    assert came["broken"] == []
    assert came["rounds"] == [{"sent": 1, "ambulance_taken": rivals - 1, "doubled 0": 1}] * rounds
    assert came["events"] == came["entries"] == rounds


@BOTH
def test_t03_one_of_64_sends_it_every_round(postgres: bool) -> None:
    check(race(postgres=postgres, rivals=64, rounds=10), 64, 10)


@BOTH
@pytest.mark.parametrize(("database", "look"), [(True, False), (False, True)], ids=["database-alone", "look-alone"])
def test_t05_each_guard_alone_suffices(postgres: bool, database: bool, look: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=4, database=database, look=look)
    check(came, 8, 4)


@BOTH
def test_t05_without_guards_the_checker_sees_doubles(postgres: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=2, database=False, look=False)
    assert came["broken"] == []
    assert any(name.startswith("doubled") and name != "doubled 0" for one in came["rounds"] for name in one)
