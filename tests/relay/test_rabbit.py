"""A real broker behind a line that breaks: nothing is lost, and every stream stays in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import orjson
import pytest

from tests.relay.rabbit import Wire, check_history, drain, eventually, exchange, require_rabbit
from tests.server import ROOT, Server, require_postgres

pytestmark = pytest.mark.service

STREAMS = 7
_HELD = "from polyclinic.relay.models import RelayCursor as R; r = R.objects.first(); print(r.holder if r else '')"
_STATUS = (
    "from polyclinic.relay import status; import msgspec; print(msgspec.json.encode(status.relay()).decode(), end='')"
)


@pytest.fixture
def name() -> Iterator[str]:
    require_rabbit()
    with exchange() as made:
        yield made


def writing(server: Server, first: int, last: int) -> Callable[[], None]:
    """Start to write in a process of its own; call what is returned to wait for its end."""
    command = [sys.executable, "-m", "tests.relay.facts", str(first), str(last)]
    process = subprocess.Popen(command, cwd=ROOT, env=server.env)

    def done() -> None:
        assert process.wait(120) == 0

    return done


def relay_of(server: Server) -> dict[str, object]:
    told: dict[str, object] = orjson.loads(server.python("-c", _STATUS))
    return told


def test_a_broker_that_is_away_and_a_line_that_breaks_lose_nothing(name: str) -> None:
    with Wire(opened=False) as wire:
        settings = {"BROKER_URL": wire.url, "BROKER_EXCHANGE": name, "WORKER_THREADS": "1"}
        with Server(env=settings) as server:
            # The server is ready though its broker is not, and says so where it is asked.
            writing(server, 1, 15)()
            eventually(lambda: relay_of(server)["state"] == "waiting")
            assert relay_of(server)["waiting"] == 15 * STREAMS
            code = subprocess.run(
                [sys.executable, "-m", "polyclinic", "relay", "status"], cwd=ROOT, env=server.env, capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            assert (code.returncode, "Events wait; none is lost" in code.stdout) == (1, True)
            assert "guest:" not in code.stdout
            wire.opened = True
            wait = writing(server, 16, 60)
            cuts = 0
            ending = threading.Event()
            while cuts < 5:
                eventually(wire.lines, what=server.log)
                ending.wait(0.25)
                cuts += wire.cut() > 0
            wait()
            got = drain(name, lambda seen: len({one["id"] for one in seen}) == 60 * STREAMS)
            check_history(got, STREAMS, 60)
            eventually(lambda: relay_of(server)["waiting"] == 0)
            assert relay_of(server)["state"] == "ok"
            assert server.stop() == 0
            assert "guest:" not in server.log()


def test_of_two_senders_one_sends_and_when_it_is_killed_the_other_goes_on(name: str) -> None:
    require_postgres()
    with Wire() as wire:
        settings = {"BROKER_URL": wire.url, "BROKER_EXCHANGE": name}
        with Server(env=settings, postgres=True, serve=False) as house:
            command = [sys.executable, "-m", "tests.relay.sender"]
            both = [subprocess.Popen(command, cwd=ROOT, env=house.env) for _one in range(2)]
            try:
                pids = {process.pid for process in both}
                holder = eventually(lambda: house.python("-c", _HELD).strip())
                wait = writing(house, 1, 40)
                drained = drain(name, lambda seen: len(seen) >= 20)
                # One line is open, not two: the other sender stands by.
                eventually(lambda: len(wire.lines()) == 1)
                leader = int(holder.split("-")[0])
                assert leader in pids
                os.kill(leader, signal.SIGKILL)
                wait()
                drained += drain(
                    name, lambda seen: len({one["id"] for one in [*drained, *seen]}) == 40 * STREAMS
                )  # fmt: skip
                check_history(drained, STREAMS, 40)
                other = eventually(lambda: house.python("-c", _HELD).strip())
                assert {int(other.split("-")[0]), leader} == pids
            finally:
                for process in both:
                    process.kill()
                    process.wait(10)
