"""What a partner's system can be told of: the closed list of events, what of each is sent, and where the rest is read.

An event that is not here is told to nobody outside, whatever the log holds. Of those that are, only the fields named
leave the house: ids, the numbers that order them, and the times of an appointment; never who the patient is. Whoever
may know more reads it at the link, with a key and its scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEST: Final = "webhook.test"


@dataclass(frozen=True, slots=True)
class Topic:
    """Some events of one kind of thing: their types, the fields sent, and the address of our API that says more."""

    title: Promise
    types: tuple[tuple[str, Promise], ...]
    fields: tuple[str, ...]
    link: str = ""


TOPICS: Final = (
    Topic(
        _("Appointments"),
        (
            ("appointment.booked", _("Booked")),
            ("appointment.confirmed", _("Confirmed")),
            ("appointment.declined", _("Declined")),
            ("appointment.cancelled", _("Cancelled")),
            ("appointment.rescheduled", _("Moved")),
            ("appointment.checked_in", _("Checked in")),
            ("appointment.completed", _("Completed")),
            ("appointment.no_show", _("Did not come")),
        ),
        ("appointmentId", "doctorId", "facilityId", "starts", "ends", "revision"),
        "/api/appointments/{appointmentId}",
    ),
    Topic(
        _("Free times"),
        (("availability.changed", _("A doctor’s free times changed")),),
        ("doctorId", "facilityId", "day"),
        "/api/doctors/{doctorId}/availability?date={day}",
    ),
    Topic(
        _("Schedules"),
        (("schedule.changed", _("A doctor’s hours changed")),),
        ("scheduleId", "doctorId", "facilityId", "revision"),
        "/api/doctors/{doctorId}/schedules/{scheduleId}",
    ),
    Topic(
        _("Visits"),
        (
            ("visit.registered", _("Somebody has arrived")),
            ("visit.done", _("A visit is over")),
            ("visit.left", _("Somebody left before the end")),
            ("visit.cancelled", _("A visit was cancelled")),
        ),
        ("visitId", "facilityId", "revision"),
        "/api/visits/{visitId}",
    ),
    Topic(
        _("Beds"),
        (
            ("bed.occupied", _("Occupied")),
            ("bed.vacated", _("Left")),
            ("bed.cleaned", _("Clean and free")),
            ("bed.blocked", _("Blocked")),
            ("bed.unblocked", _("No longer blocked")),
        ),
        ("bedId", "wardId", "facilityId", "revision"),
        "/api/beds/{bedId}",
    ),
    Topic(
        _("Invoices"),
        (
            ("invoice.opened", _("Begun")),
            ("invoice.settled", _("Settled")),
            ("invoice.voided", _("Voided")),
        ),
        ("invoiceId", "facilityId", "revision"),
        "/api/invoices/{invoiceId}",
    ),
    Topic(
        _("Payments"),
        (
            ("payment.taken", _("Taken")),
            ("payment.failed", _("Failed")),
            ("payment.refunded", _("Given back")),
        ),
        ("paymentId", "refundId", "invoiceId", "facilityId", "revision"),
        "/api/invoices/{invoiceId}",
    ),
    Topic(
        _("Stock"),
        (
            ("stock.low", _("A medicine is running low")),
            ("stock.enough", _("There is enough again")),
        ),
        ("medicineId", "facilityId"),
    ),
)
_BY_TYPE: Final[dict[str, Topic]] = {kind: topic for topic in TOPICS for kind, _words in topic.types}
TYPES: Final = tuple(_BY_TYPE)


def known(kind: str) -> bool:
    """Whether a partner can be told of events of this type."""
    return kind in _BY_TYPE


def data(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Of an event's fields those that are sent, and the link under `url`."""
    topic = _BY_TYPE[kind]
    sent = {name: told[name] for name in topic.fields if told.get(name) is not None}
    if topic.link:
        sent["url"] = str(settings.PUBLIC_URL) + topic.link.format_map(sent)
    return sent
