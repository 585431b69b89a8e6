"""The example of the documentation, run as a reader would run it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from polyclinic.relay.envelope import Message
from polyclinic.relay.rabbit import Rabbit
from tests.relay.rabbit import RABBIT, drain, eventually, exchange, require_rabbit
from tests.server import ROOT

pytestmark = pytest.mark.service


def told(number: int) -> Message:
    stream = f"visit:{number % 3}"
    event = {"id": f"e{number}", "subject": stream, "sequence": number, "type": "visit.called", "data": {"n": number}}
    return Message(f"e{number}", "visit.called", stream, number, msgspec.json.encode(event))


def history(path: Path) -> list[int]:
    try:
        with sqlite3.connect(path) as database:
            return [row[0] for row in database.execute("SELECT sequence FROM history ORDER BY number")]
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


def publish(name: str, messages: Sequence[Message]) -> None:
    line = Rabbit(RABBIT, name)
    line.connect()
    line.publish(messages)
    line.close()


def test_the_example_does_each_once_though_killed_and_buries_what_it_cannot_read(tmp_path: Path) -> None:
    require_rabbit()
    seen = tmp_path / "seen.db"
    with exchange() as name:
        publish(name, [told(number) for number in range(30)])
        poison = Message("bad", "visit.called", "visit:9", 99, b"no JSON")
        command = [sys.executable, str(ROOT / "docs" / "examples" / "consumer.py"), RABBIT, name, str(seen)]
        first = subprocess.Popen(command)
        try:
            eventually(lambda: len(history(seen)) >= 5)
        finally:
            first.kill()
            first.wait(10)
        # Sent again, as a relay does that died before it could note the end; and something nobody can read.
        publish(name, [poison, *(told(number) for number in range(10, 40))])
        second = subprocess.Popen(command)
        try:
            eventually(lambda: len(history(seen)) >= 40)
            assert history(seen) == list(range(40))
            # One of the dead, after five tries; it held nothing up.
            bodies = drain(f"{name}.dead", lambda got: bool(got), 20, read=bytes)
            assert bodies == [b"no JSON"]
        finally:
            second.kill()
            second.wait(10)
