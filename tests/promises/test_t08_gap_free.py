"""T8: clients cut at random miss nothing, hear nothing twice, and keep the order; a resync is said aloud.

The small size: 10 clients of server-sent events and 10 of Socket.IO, cut and reconnecting with their cursor while
events are written. The checker sits in the client and knows only what it heard. Both databases: on PostgreSQL the order
is made by numbering what is committed, which is another mechanism.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests import schema
from tests.live.driving import Listener, Live, running
from tests.live.test_sockets import Ear
from tests.server import require_postgres

pytestmark = [
    pytest.mark.service,
    # The lines are cut on purpose; what is left of a connection is then collected instead of closed.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

EVENTS = 300
EACH = 10
# Seconds without a word after which an event counts as lost: not a promise, only longer than any machine stands still.
PATIENCE = 20


class Gap(AssertionError):
    """A client missed an event, heard one twice, or out of order."""


def check(stream: str, revisions: list[int]) -> None:
    if revisions != list(range(1, EVENTS + 1)):
        raise Gap(f"stream {stream}: {len(revisions)} of {EVENTS}, first heard {revisions[:5]}")


async def by_stream(live: Live, stream: str, chance: random.Random) -> None:
    """Listen, cut off after a random number of events, come back with the last id."""
    heard: list[int] = []
    headers = live.cookie("doctor")
    async with aiohttp.ClientSession() as http:
        listener = Listener(http, live.url + "/live", headers)
        listener.last_id = str(live.people["start"])
        while len(heard) < EVENTS:
            await listener.open()
            for _ in range(chance.randint(1, 120)):
                if len(heard) >= EVENTS:
                    break
                try:
                    event = await listener.next(PATIENCE)
                except TimeoutError:
                    raise Gap(f"silence after {len(heard)} of {EVENTS}") from None
                if event is None:
                    break
                if event.name == "resync":
                    raise Gap("told to start afresh within the kept log")
                if event.name == "message" and event.data["appointmentId"] == stream:
                    heard.append(event.data["revision"])
            listener.cut()
            await asyncio.sleep(chance.random() * 0.2)
    check(stream, heard)


async def by_socket(live: Live, stream: str, chance: random.Random) -> None:
    """The same over Socket.IO with `auth.cursor`."""
    heard: list[int] = []
    cursor = live.people["start"]
    while len(heard) < EVENTS:
        ear = Ear(live, "doctor")
        transports = chance.choice([("websocket",), ("polling", "websocket"), ("polling",)])
        enough = min(chance.randint(1, 120), EVENTS - len(heard))
        try:
            await ear.connect(transports, aliases=False, cursor=cursor)
            await ear.until(lambda ear=ear, enough=enough: len(ear.of("appointment.booked")) >= enough, PATIENCE)
        except TimeoutError:
            raise Gap(f"silence after {len(heard)} of {EVENTS}") from None
        finally:
            await ear.close()
        for event in ear.of("appointment.booked"):
            cursor = event["id"]
            if event["appointmentId"] == stream:
                heard.append(event["revision"])
        await asyncio.sleep(chance.random() * 0.2)
    check(stream, heard)


def story(live: Live, seed: int, kinds: tuple[str, ...] = ("stream", "socket")) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    stream = str(uuid4())
    live.people["start"] = live.call("metrics")["position"]

    async def run() -> None:
        listeners = [
            (by_stream if kind == "stream" else by_socket)(live, stream, random.Random(chance.random()))
            for kind in kinds
            for _ in range(EACH)
        ]

        async def write() -> None:
            for first in range(1, EVENTS + 1, 20):
                await asyncio.to_thread(live.append, first, 20, stream=stream)
                await asyncio.sleep(chance.random() * 0.1)

        async with asyncio.timeout(60):
            await asyncio.gather(write(), *listeners)

    try:
        asyncio.run(run())
    finally:
        gc.collect()  # here, and not in whichever test comes next


@contextlib.contextmanager
def database(*, postgres: bool) -> Iterator[str]:
    """The address of a fresh PostgreSQL database, or nothing for SQLite in the data folder."""
    if not postgres:
        yield ""
        return
    require_postgres()
    name = f"polyclinic_test_{secrets.token_hex(6)}"
    try:
        yield schema.create_database(name)
    finally:
        schema.administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.mark.parametrize(
    ("postgres", "ring"),
    [
        pytest.param(False, 20_000, id="sqlite-memory"),
        pytest.param(False, 50, id="sqlite-log"),
        pytest.param(True, 50, id="postgres-log", marks=pytest.mark.postgres),
    ],
)
def test_cuts_leave_no_gap(tmp_path: Path, postgres: bool, ring: int) -> None:
    """With a large memory clients are caught up from there; with a tiny one, from the log."""
    with database(postgres=postgres) as address, running(tmp_path, LIVE_RING=str(ring), DATABASE_URL=address) as live:
        story(live, random.randrange(10**9))


def test_without_replay_the_checker_notices(tmp_path: Path) -> None:
    """The negative control: with replay switched off the same story must fail."""
    with running(tmp_path, LIVE_NO_REPLAY="1") as live, pytest.raises(Gap):
        story(live, 7, ("stream",))
