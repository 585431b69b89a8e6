"""Callers of the API: everyone's token, and a way to see that a refusal has left nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from polyclinic.web import ratelimit
from tests.api.calling import Answer, bearer, call, counts
from tests.house import House

Ask = Callable[..., Answer]


@pytest.fixture
def patient(house: House) -> dict[str, str]:
    return bearer(house.patient)


@pytest.fixture
def doctor(house: House) -> dict[str, str]:
    return bearer(house.doctor)


@pytest.fixture
def booked(house: House) -> Appointment:
    """An appointment of `patient` with `doctor`, waiting for confirmation."""
    return actions.book(
        actor=house.person(house.patient),
        patient_id=house.patient.pk,
        schedule_id=house.schedule.pk,
        starts=house.slot(0),
        reason="Cough",
    )


@pytest.fixture
def booking(house: House) -> dict[str, Any]:
    """The body of a booking that works."""
    return {"scheduleId": str(house.schedule.pk), "starts": house.slot(1).isoformat()}


@pytest.fixture
def refused() -> Ask:
    """Make a call that must be refused and must leave every table as it was. Gives the answer."""

    def ask(method: str, address: str, **options: Any) -> Answer:
        before = counts()
        answer = call(method, address, **options)
        assert 400 <= answer.status < 500, answer
        assert counts() == before
        return answer

    return ask


@pytest.fixture
def limits(settings: Any) -> Iterator[None]:
    """Rate limits as in production, counted from nothing."""
    settings.RATE_LIMITS = True
    ratelimit.reset()
    yield
    ratelimit.reset()
