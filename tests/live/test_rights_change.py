"""When rights change, the rooms change with the event that says so, and not ten seconds later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from polyclinic.consent import actions
from polyclinic.core.outbox import rooms
from polyclinic.live.gateway import Gateway
from polyclinic.live.subscriber import Subscriber
from polyclinic.live.wire import Wired
from tests.house import House

# Shorter than the first round of role checks.
MOST = 1.5


class Ear(Subscriber):
    """A client in memory."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.heard: list[str] = []

    def write(self, event: Wired) -> None:
        self.heard.append(event.type)

    def let_go(self, why: str) -> None: ...


@pytest.mark.service
def test_a_carer_joins_and_leaves_the_patients_room_at_once(committed_house: House) -> None:
    house = committed_house
    patient, carer = house.person(house.patient), house.person(house.other_patient)
    room = rooms.patient(house.patient.pk)

    async def run() -> None:
        gateway = Gateway()
        await gateway.start()
        await gateway.ready()
        ear = Ear(carer)
        gateway.join(ear)
        try:
            assert room not in ear.rooms
            _made, code = await done(
                gateway,
                lambda: actions.propose(
                    actor=patient, patient_id=house.patient.pk, email="bento@example.org", kind="carer", rights="view"
                ),
            )
            made = await done(gateway, lambda: actions.accept(actor=carer, code=code))
            await until(lambda: room in ear.rooms)
            await done(gateway, lambda: actions.end(actor=patient, delegation_id=made.pk))
            await until(lambda: room not in ear.rooms)
            assert ear.heard[-1] in ("delegation.ended", "notice.created")
        finally:
            gateway.leave(ear)
            await gateway.stop()

    asyncio.run(run())


async def done(gateway: Gateway, action: Callable[[], Any]) -> Any:
    """Take a step, again while the tail is just reading the log: the tests' database in memory, unlike a file with its
    write-ahead log, locks a table for whoever reads it, and refuses a writer at once. Nothing is half done then."""
    for _time in range(100):
        try:
            return await gateway.in_thread(action)
        except OperationalError as refused:
            if "table is locked" not in str(refused):
                raise
            await asyncio.sleep(0.02)
    raise AssertionError("the log is read without end")


async def until(true: object) -> None:
    """Wait for it, less long than the next round of role checks may take."""
    async with asyncio.timeout(MOST):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.02)
