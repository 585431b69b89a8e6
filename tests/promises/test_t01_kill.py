"""T1: kill -9 of the server again and again during bookings loses no acknowledged booking, books no time twice, keeps
the audit chains whole, and every booking is heard by a listener, in order.

In full on SQLite: 200 kills during 10,000 requests to book. On PostgreSQL 20 during 1,000. A fifth of the requests want
a time that another wants at the same moment. All go over HTTP with an idempotency key and are repeated until answered.
"""

from __future__ import annotations

import copy
import json
import random
import secrets
import time
from typing import Any

import pytest

from tests.promises.kill_driver import Driver, Listener, plan
from tests.promises.kill_history import Intent, check
from tests.promises.kill_server import KilledOften
from tests.server import require_postgres

DEADLINE_SECONDS = 1200


@pytest.mark.service
@pytest.mark.parametrize(
    ("postgres", "bookings", "kills"),
    [pytest.param(False, 10_000, 200, id="sqlite"), pytest.param(True, 1_000, 20, id="postgres")],
)
def test_no_kill_loses_or_doubles_a_booking(postgres: bool, bookings: int, kills: int) -> None:
    if postgres:
        require_postgres()
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    with KilledOften(postgres=postgres, seed=False) as server:
        house = json.loads(server.python("-m", "tests.promises.kill_house", "fill"))
        intents = plan(rng, house, bookings)
        listener, driver = Listener(server.port, house["session"]), Driver(server.port, house["session"], intents)
        listener.start()
        assert listener.ready.wait(60)
        driver.start()
        done = _kill(server, driver, rng, bookings, kills)
        told = {key for intent in intents for key in intent.booked}
        until = time.monotonic() + 120
        while not told <= {key for key, _revision in listener.heard} and time.monotonic() < until:
            time.sleep(0.05)
        listener.enough.set()
        facts = json.loads(server.python("-m", "tests.promises.kill_house"))
    cut = sum(intent.unknown > 0 for intent in intents)
    print(f"{done} kills, {len(told)} booked, {cut} requests were cut off, {len(facts['events'])} events")
    assert done == kills
    assert check(intents, facts, listener.heard) == []
    assert listener.resyncs == 0
    assert len(told) > bookings * 0.7
    # The kills must have hurt: a driver that is never cut off proves nothing.
    assert cut >= kills


def _kill(server: KilledOften, driver: Driver, rng: random.Random, bookings: int, kills: int) -> int:
    """Kill at random counts of answered requests, a random blink later. Returns how often."""
    until, done = time.monotonic() + DEADLINE_SECONDS, 0
    moments = sorted(rng.sample(range(bookings // 100, bookings - bookings // 50), kills))
    while driver.working():
        assert time.monotonic() < until, f"only {driver.done} requests answered, {done} kills"
        if done < kills and driver.done >= moments[done]:
            time.sleep(rng.random() * 0.01)
            server.revive()
            done += 1
        time.sleep(0.001)
    return done


# What a whole history looks like, and each way to break it: the checker must find every one.

SLOT, NEXT = "2026-03-02T09:00:00+00:00", "2026-03-02T09:05:00+00:00"


def _whole() -> tuple[list[Intent], dict[str, Any], list[tuple[str, int]]]:
    history = [
        Intent("k1", "s", "p1", SLOT, booked=["a1", "a1"], unknown=1),
        Intent("k2", "s", "p2", SLOT, refused=1),
        Intent("k3", "s", "p2", NEXT, booked=["a2"]),
    ]
    facts = {
        "appointments": {"a1": ["s", "p1", SLOT, "booked"], "a2": ["s", "p2", NEXT, "booked"]},
        "reservations": [
            ["d", SLOT, NEXT], ["p1", SLOT, NEXT],
            ["d", NEXT, "2026-03-02T09:10:00+00:00"], ["p2", NEXT, "2026-03-02T09:10:00+00:00"],
        ],
        "events": [["appointment:a1", 1, "appointment.booked"], ["appointment:a2", 1, "appointment.booked"]],
        "audited": ["a1", "a2"],
        "broken": [],
    }  # fmt: skip
    return history, facts, [("a1", 1), ("a1", 1), ("a2", 1)]


def test_the_checker_accepts_a_whole_history() -> None:
    assert check(*_whole()) == []


@pytest.mark.parametrize(
    ("forgery", "named"),
    [
        ("del facts['appointments']['a2']", "acknowledged and lost"),
        ("history[0].booked.append('a2')", "one key booked twice"),
        ("history[2].booked.clear()", "never answered"),
        ("history[1].booked.append('a1')", "booked and refused"),
        ("history[1].faults.append('500')", "k2: 500"),
        ("facts['appointments']['a2'][1] = 'p1'", "not what was asked for"),
        ("facts['appointments']['a3'] = ['s', 'p2', NEXT, 'booked']", "without anyone being told"),
        ("facts['appointments']['a3'] = ['s', 'p2', SLOT, 'booked']", "s: double booking"),
        ("facts['reservations'].append(['d', SLOT, NEXT])", "d: double booking"),
        ("facts['reservations'].pop()", "do not match"),
        ("facts['events'].pop()", "no event"),
        ("facts['events'][1][1] = 2", "events [2]"),
        ("facts['events'].append(facts['events'][0])", "events [1, 1]"),
        ("facts['audited'].remove('a1')", "0 audit entries"),
        ("facts['audited'].append('a9')", "audited and not there"),
        ("facts['broken'].append('chain 0, entry 5: was altered')", "chain 0, entry 5"),
        ("del heard[2]", "never heard"),
        ("heard.extend([('a2', 2), ('a2', 1)])", "heard revision 1 after 2"),
    ],
)
def test_the_checker_finds_every_forgery(forgery: str, named: str) -> None:
    history, facts, heard = copy.deepcopy(_whole())
    exec(forgery, {"SLOT": SLOT, "NEXT": NEXT}, {"history": history, "facts": facts, "heard": heard})
    assert any(named in found for found in check(history, facts, heard))
