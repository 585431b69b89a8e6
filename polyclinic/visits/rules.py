"""Pure rules of visits: guards of the state tables, and how a token is written."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import fields
from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict
from polyclinic.visits.words import Priority


def an_emergency(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a Visit
    """Only an emergency is seen before its fee is settled."""
    if row.priority != Priority.EMERGENCY:
        raise Conflict(
            _("The fee is not settled yet. Take it or waive it first; only an emergency goes before."),
            code="fee_open",
        )


def token(letter: str, number: int) -> str:
    """How a number is called out: a letter and at least three digits, "B042"."""
    return f"{letter}{number:03d}"


def letter(priority: str, place: int) -> str:
    """The token's letter: E for an emergency, else by the department's place in the facility's list (A, B, …)."""
    if priority == Priority.EMERGENCY:
        return "E"
    # No E, which is taken; no I, O or Q, which look and sound like others across a hall.
    letters = "ABCDFGHJKLMNPRSTUVWXYZ"
    return letters[place % len(letters)]


# From this age on somebody waits less, without having to ask.
ELDERLY: Final = 75
# A booked patient comes in at the booked time within this; who comes later waits like everybody else.
ON_TIME: Final = timedelta(minutes=15)


def first_priority(born: date, booked: datetime | None) -> str:
    """The class that needs no asking: great age, or a booking that is kept. All others somebody chooses."""
    if fields.years(born) >= ELDERLY:
        return Priority.PRIORITY
    if booked is not None and clock.now() <= booked + ON_TIME:
        return Priority.APPOINTMENT
    return Priority.ROUTINE
