"""A house whose patients have confirmed their addresses, and the service that sends, started before anybody books."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from polyclinic.core import clock
from polyclinic.notify import worker
from polyclinic.people.models import Account
from polyclinic.reminders import following, sending
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from tests.house import House


@pytest.fixture
def reminded(house: House) -> House:
    """The clock stands at 09:00 UTC: no quiet hours anywhere in Europe."""
    Account.objects.update(email_verified_at=clock.now())
    following.catch_up()
    return house


def book(house: House, ahead: int = 10, nth: int = 0, **more: Any) -> Appointment:
    """The patient books for so many days ahead."""
    given = {"patient_id": house.patient.pk, "schedule_id": house.schedule.pk, **more}
    return actions.book(actor=house.person(house.patient), starts=house.slot(nth, ahead), **given)


def sent() -> list[str]:
    """Let everything happen that happens by itself. Returns the subjects of the mails that left meanwhile."""
    before = len(mail.outbox)
    following.catch_up()
    while sending.send_due():
        pass
    while worker.deliver_due():
        pass
    return [one.subject for one in mail.outbox[before:]]


def at(clock_of: Any, moment: datetime, before: timedelta = timedelta(0)) -> None:
    """Let it be so long before a moment."""
    clock_of.move_to(moment - before, tick=False)
