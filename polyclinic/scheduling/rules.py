"""Pure rules of booking: who may still change what, and when. Each is a guard in the state table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.facilities import ruling

# Row and actor are what the ledger hands to every guard.

# A doctor who does not answer is asked again at most thrice, and never twice in a day.
REMIND_AFTER: Final = timedelta(hours=24)
MAX_REMINDERS: Final = 3


def bookable_time(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Appointment
    """A booking lies in the future and within the facility's horizon."""
    now = clock.now()
    if row.starts <= now:
        raise Invalid(_("This time has passed. Choose a later one."), code="slot_in_past", field="starts")
    if row.starts > now + timedelta(days=ruling.value(row.facility, "horizon_days")):
        raise Invalid(_("This is further ahead than the clinic takes bookings."), code="beyond_horizon", field="starts")


def not_over(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Appointment
    """What is over can no longer be confirmed or declined."""
    if row.ends <= clock.now():
        raise Conflict(_("This appointment is already over."), code="appointment_over")


def with_notice(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Appointment
    """Cancelling and moving need the facility's notice, except for staff, who may do it until the start."""
    now = clock.now()
    if row.starts <= now:
        raise Conflict(_("This appointment has already begun."), code="appointment_begun")
    subject = Subject(row.patient_id, row.doctor_id, row.facility_id)
    hours = ruling.value(row.facility, "notice_hours", now)
    if row.starts - now < timedelta(hours=hours) and not policy.allowed(actor, "appointment.override_notice", subject):
        raise Conflict(
            _("It is too late to change this online. Please call the clinic."),
            code="notice_too_short",
            noticeHours=hours,
            phone=row.facility.phone,
        )


def on_the_day(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Appointment
    """A patient is checked in on the day of the appointment, by the facility's calendar."""
    zone = ZoneInfo(row.facility.time_zone)
    if row.starts.astimezone(zone).date() != clock.now().astimezone(zone).date():
        raise Conflict(_("This appointment is on another day."), code="another_day")


def begun(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Appointment
    """Completing, or marking as not come, makes sense only once the time has begun."""
    if row.starts > clock.now():
        raise Conflict(_("This appointment has not begun yet."), code="not_begun")


def invitation_in_time(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a DoctorInvitation
    """An invitation can be accepted until its time is over."""
    if row.expires_at <= clock.now():
        raise Conflict(_("This invitation has run out. Ask the hospital for a new one."), code="invitation_over")


def invitation_run_out(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a DoctorInvitation
    """It lapses when its time is over, and not before."""
    if row.expires_at > clock.now():
        raise Conflict(_("This invitation can still be answered."), code="invitation_open")


def may_remind(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a DoctorInvitation
    """Reminding is not pestering: once a day, three times in all, and only while it can be accepted."""
    invitation_in_time(row, actor)
    if row.reminders >= MAX_REMINDERS:
        raise Conflict(
            _("They were reminded three times. Take the invitation back, or call them."), code="reminded_enough"
        )
    if clock.now() - row.told_at < REMIND_AFTER:
        raise Conflict(
            _("They heard of it less than a day ago. Remind them tomorrow."),
            code="reminded_lately",
            again=(row.told_at + REMIND_AFTER).isoformat(),
        )


def leave_to_come(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a LeaveRequest
    """Leave that is over can be neither asked for nor granted."""
    if row.ends <= clock.now():
        raise Invalid(_("This time has passed. Choose a later one."), code="past", field="ends")
