"""An appointment as a calendar file (RFC 5545). Calendars are shared and synced, so nothing of health is in it."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from polyclinic.core import clock

_GONE = ("cancelled", "declined")
_AGREED = ("confirmed", "checked_in", "completed")


def calendar(row: Any, place: Any, public_url: str) -> bytes:  # noqa: ANN401 - an AppointmentRow and a facility row
    """The calendar file. UID is the appointment's for good; SEQUENCE is its version, so a newer file replaces an older.

    Once it is cancelled or declined the file says so with METHOD:CANCEL, and the calendar takes the entry out.
    """
    gone = row.status in _GONE
    event = Event()
    event.add("uid", f"{row.id}@polyclinic")
    event.add("sequence", row.version)
    event.add("dtstamp", clock.now().astimezone(UTC))
    event.add("dtstart", row.starts.astimezone(UTC))
    event.add("dtend", row.ends.astimezone(UTC))
    event.add("summary", _("Appointment, %(facility)s") % {"facility": row.facility_name})
    where = ", ".join(
        part for part in (row.facility_name, getattr(place, "address", ""), getattr(place, "city", "")) if part
    )
    event.add("location", where)
    event.add("url", f"{public_url}/my/appointments/{row.id}")
    event.add("status", "CANCELLED" if gone else "CONFIRMED" if row.status in _AGREED else "TENTATIVE")
    event.add("class", "PRIVATE")
    whole = Calendar()
    whole.add("prodid", "-//Polyclinic//Appointments//EN")
    whole.add("version", "2.0")
    whole.add("method", "CANCEL" if gone else "PUBLISH")
    whole.add_component(event)
    return bytes(whole.to_ical())
