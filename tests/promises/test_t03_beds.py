"""T3 and T5 for beds: of 64 who want one bed exactly one gets it, on both databases; and what would happen else.

Half the rivals sit in another process. The checker looks at the stays alone, and T5 shows that it can see: without the
database's constraint and without lock and look the same race puts two patients into one bed. Each guard alone suffices.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection

from polyclinic.core.errors import Problem
from polyclinic.inpatient import actions
from polyclinic.inpatient.models import Bed, BedStay
from polyclinic.inpatient.states import HOLDING
from tests.house import House
from tests.inpatient.wing import DEMO, Wing
from tests.server import Server

BOTH = pytest.mark.parametrize(
    "postgres", [False, pytest.param(True, marks=pytest.mark.postgres)], ids=["sqlite", "pg"]
)
SERVICE = pytest.mark.service


class Doubled(AssertionError):
    """A bed had more than one winner, or none."""


def race(*, postgres: bool, rivals: int, rounds: int, database: bool = True, look: bool = True) -> dict[str, Any]:
    asked = {"rivals": rivals, "rounds": rounds, "database": database, "look": look}
    with Server(postgres=postgres, serve=False) as server:
        return json.loads(server.python("-m", "tests.promises.bed_rivals", json.dumps(asked)))


def check(came: dict[str, Any], rivals: int, rounds: int) -> None:
    """One winner a round; every loser was told that the bed is taken, and has left nothing behind."""
    assert came["broken"] == []
    if came["doubles"] or came["held"] != rounds:
        raise Doubled(f"{came['doubles']} doubles, {came['held']} of {rounds} beds have a patient")
    assert came["rounds"] == [{"got it": 1, "bed_taken": rivals - 1}] * rounds
    assert (came["events"], came["broken_chain"]) == (rounds, 0)


@SERVICE
@BOTH
def test_t03_one_of_64_gets_the_bed(postgres: bool) -> None:
    came = race(postgres=postgres, rivals=64, rounds=5)
    check(came, 64, 5)
    assert came["beds"].get("available", 0) == 0


@SERVICE
@BOTH
@pytest.mark.parametrize(("database", "look"), [(True, False), (False, True)], ids=["database-alone", "look-alone"])
def test_t05_each_guard_of_a_bed_alone_suffices(postgres: bool, database: bool, look: bool) -> None:
    check(race(postgres=postgres, rivals=8, rounds=4, database=database, look=look), 8, 4)


@SERVICE
@BOTH
def test_t05_without_guards_two_lie_in_one_bed(postgres: bool) -> None:
    came = race(postgres=postgres, rivals=8, rounds=4, database=False, look=False)
    assert came["doubles"] > 0
    with pytest.raises(Doubled):
        check(came, 8, 4)


def test_t03_of_two_who_want_one_bed_one_gets_it(committed_house: House) -> None:
    """The small form: two threads, really committed."""
    wing = Wing(committed_house)
    stays = [wing.ask(who).pk for who in (committed_house.patient, committed_house.other_patient)]
    bed, barrier, told = wing.beds["I1"].pk, threading.Barrier(2), []

    def rival(stay: Any) -> None:
        barrier.wait(60)
        try:
            actions.reserve(actor=DEMO, stay_id=stay, bed_id=bed)
        except Problem as refused:
            told.append(refused.code)
        else:
            told.append("got it")
        finally:
            connection.close()

    threads = [threading.Thread(target=rival, args=[stay]) for stay in stays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["bed_taken", "got it"]
    assert BedStay.objects.filter(state__in=HOLDING).count() == 1
    assert Bed.objects.get(pk=bed).state == "reserved"
