"""A receiver that runs, an administrator who has just shown a factor, and a webhook between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.webhooks import actions, sending
from polyclinic.webhooks.actions import Made
from tests.house import House
from tests.webhooks.receiver import Receiver, receiving

EVENTS = ("appointment.booked", "appointment.confirmed", "appointment.cancelled")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receiving() as made:
        settings.OUTGOING_ALLOW = [f"127.0.0.1:{made.port}"]
        yield made


@pytest.fixture
def admin(house: House) -> Person:
    return replace(house.person(house.staff["admin"]), stepped_up_at=clock.now())


@pytest.fixture
def hook(house: House, admin: Person, receiver: Receiver) -> Made:
    return actions.register(actor=admin, facility_id=house.facility.pk, name="Partner", url=receiver.url, events=EVENTS)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """One turn of a server of its own, until nothing is due or on its way."""
    courier = sending.Courier()
    monkeypatch.setattr(sending, "courier", courier)

    def turn() -> int:
        return sending.follow() + courier.turn(30)

    return turn
