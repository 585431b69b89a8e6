"""The log on PostgreSQL: a slow transaction neither hides its event nor holds up others; other processes wake us."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests import schema
from tests.live.driving import ROOT, Listener, Live, running
from tests.server import require_postgres

pytestmark = [pytest.mark.service, pytest.mark.postgres]

# Another process of the same installation, as a command or a worker is: it commits, and tells when.
ELSEWHERE = """
import json, sys, time, django
django.setup()
from uuid import UUID
from django.db import transaction
from polyclinic.core import clock
from polyclinic.core.outbox import log
from polyclinic.scheduling.events import AppointmentBooked
ask = json.loads(sys.argv[1])
now = clock.now()
for n in range(ask["count"]):
    time.sleep(ask["pause"])
    with transaction.atomic():
        transaction.on_commit(lambda: print(time.monotonic(), flush=True))
        ids = [UUID(ask[name]) for name in ("stream", "doctor", "patient", "facility")]
        log.append(AppointmentBooked(*ids, now, now, "booked", n))
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    require_postgres()
    name = f"polyclinic_test_{secrets.token_hex(6)}"
    try:
        yield schema.create_database(name)
    finally:
        schema.administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def live(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live-postgres"), DATABASE_URL=address) as gateway:
        yield gateway


def test_an_open_transaction_is_neither_skipped_nor_waited_for(live: Live) -> None:
    slow, quick = str(uuid4()), str(uuid4())
    ids = live.people["ids"]

    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + "/live", live.cookie("doctor"))
            await listener.open()
            await listener.next()
            ask = {"doctor": ids["doctor"], "patient": ids["patient"], "facility": live.people["facility"]}
            held = await asyncio.to_thread(live.call, "hold-open", first=1, stream=slow, **ask)
            assert held["written"]
            try:
                await asyncio.to_thread(live.append, 1, 5, stream=quick)
                heard = [await listener.next(2) for _ in range(5)]
                assert {event.data["appointmentId"] for event in heard} == {quick}
            finally:
                await asyncio.to_thread(live.call, "commit")
            late = await listener.next(2)
            assert late.data["appointmentId"] == slow
            assert late.data["id"] > heard[-1].data["id"]
            # Whoever resumes from before hears all six, in the same order.
            listener.cut()
            listener.last_id = str(heard[0].data["id"] - 1)
            await listener.open()
            await listener.next()
            again = [(await listener.next(2)).data["id"] for _ in range(6)]
            assert again == [event.data["id"] for event in [*heard, late]]
            listener.cut()

    asyncio.run(run())


def test_a_commit_elsewhere_is_heard_long_before_the_next_poll(live: Live, address: str, tmp_path: Path) -> None:
    ids, count = live.people["ids"], 12
    # Never in step with a poll of half a second.
    ask = {"stream": str(uuid4()), "count": count, "pause": 0.17, "facility": live.people["facility"], **ids}
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "polyclinic.settings.test",
        "DATABASE_URL": address,
        "POLYCLINIC_DATA": str(tmp_path),
    }

    async def run() -> list[float]:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + "/live", live.cookie("doctor"))
            await listener.open()
            await listener.next()
            command = [sys.executable, "-c", ELSEWHERE, json.dumps(ask)]
            writer = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environ, stdout=subprocess.PIPE)
            arrived = []
            for _ in range(count):
                await listener.next(20)
                arrived.append(asyncio.get_running_loop().time())
            told, _errors = await writer.communicate()
            listener.cut()
            return [at - float(line) for at, line in zip(arrived, told.split(), strict=True)]

    waits = sorted(asyncio.run(run()))
    print("waited, ms:", [round(wait * 1000, 1) for wait in waits])
    assert waits[count // 2] < 0.1
