"""The letter that reminds: when and where, and a link to answer with. With whom and why is nobody else's to read."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import dateformat

from polyclinic.core import clock
from polyclinic.core.ids import parse_id
from polyclinic.facilities.letters import written
from polyclinic.notify import letters
from polyclinic.notify.letters import Letter
from polyclinic.notify.models import Delivery
from polyclinic.reminders import links
from polyclinic.reminders.models import Reminder
from polyclinic.reminders.sending import KIND
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.states import EXPECTED

_BOOKED: Final = 0


def _reminder(delivery: Delivery) -> Letter | None:
    """Looked at when it is sent, hours of failed attempts later too: of what was moved, cancelled or has begun nobody
    is reminded."""
    key = parse_id(delivery.detail.get("reminder"))
    found = Reminder.objects.select_related("agreed__appointment__facility").filter(pk=key).first() if key else None
    if found is None:
        return None
    agreed, row = found.agreed, found.agreed.appointment
    if row.state not in EXPECTED or row.starts != agreed.starts or row.starts <= clock.now():
        return None
    values = {
        "day": dateformat.format(local(row), "l, j F Y"), "time": local(row).strftime("%H:%M"),
        "facility": row.facility.name, "address": place_line(row),
        "link": f"{settings.PUBLIC_URL}/r/{links.answer_token(agreed.pk)}",
        "choose": f"{settings.PUBLIC_URL}/account/reminders",
    }  # fmt: skip
    return written(row.facility, "booked" if found.offset == _BOOKED else "reminder", values)


def local(row: Appointment) -> datetime:
    """When it begins by the clock of its house."""
    return row.starts.astimezone(ZoneInfo(row.facility.time_zone))


def place_line(row: Appointment) -> str:
    return ", ".join(part for part in (row.facility.address, row.facility.city) if part)


def register() -> None:
    """Make it known to the service that mails."""
    letters.LETTERS[KIND] = _reminder
