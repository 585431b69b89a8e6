"""One's appointments as a calendar that others fetch by its address (RFC 5545): times and places, nobody's name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from icalendar import Calendar, Event

from polyclinic.core import clock
from polyclinic.reminders import selectors
from polyclinic.scheduling.rows import AppointmentRow
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

_GONE: Final = ("cancelled", "declined")
_TENTATIVE: Final = "booked"


@declare("public")
@require_GET
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """Asked for by programs, so refused like any address that does not exist, without a word about whose it was."""
    ratelimit.check("watch", ip=ratelimit.address(request))
    person, mine, seen = selectors.feed_rows(token)
    with translation.override(person.language or settings.LANGUAGE_CODE):
        whole = Calendar()
        whole.add("prodid", "-//Polyclinic//Calendar//EN")
        whole.add("version", "2.0")
        whole.add("method", "PUBLISH")
        whole.add("x-wr-calname", _("Appointments"))
        # How often programs should ask again (RFC 7986, and the older name of the same).
        whole.add("refresh-interval;value=duration", "PT1H")
        whole.add("x-published-ttl", "PT1H")
        now = clock.now()
        for row in mine:
            whole.add_component(_event(row, now, _("Appointment, %(facility)s") % {"facility": row.facility_name},
                                       f"/my/appointments/{row.id}"))  # fmt: skip
        for row in seen:
            # The doctor's own: whom they see is not for a calendar that is kept elsewhere.
            whole.add_component(_event(row, now, _("Patient, %(facility)s") % {"facility": row.facility_name},
                                       f"/doctor?day={row.starts.date()}"))  # fmt: skip
    answer = HttpResponse(bytes(whole.to_ical()), content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = 'inline; filename="appointments.ics"'
    return answer


def _event(row: AppointmentRow, now: datetime, summary: str, path: str) -> Event:
    event = Event()
    # The same for good, as in the file of one appointment: a calendar that has both shows one.
    event.add("uid", f"{row.id}@polyclinic")
    event.add("sequence", row.version)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", row.starts.astimezone(UTC))
    event.add("dtend", row.ends.astimezone(UTC))
    event.add("summary", summary)
    event.add("location", ", ".join(part for part in (row.facility_name, row.room_name) if part))
    event.add("url", f"{settings.PUBLIC_URL}{path}")
    gone = row.status in _GONE
    event.add("status", "CANCELLED" if gone else "TENTATIVE" if row.status == _TENTATIVE else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event
