"""What the matrix needs of reminders: an answer, a choice, and a patient whose calendar has an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.reminders import actions
from tests.house import House


def parts(house: House) -> dict[str, str]:
    """No parts of addresses; the links of reminders and calendars are driven with one that is none."""
    actions.open_feed(actor=house.person(house.patient))
    return {}


def bodies() -> dict[str, Callable[[], dict[str, Any]]]:
    return {
        "POST /api/appointments/<appointmentId>/answer": lambda: {"answer": "coming"},
        "PUT /api/me/reminders": lambda: {"reminders": ["24h"]},
    }
