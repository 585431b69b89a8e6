"""The state tables of appointments, of invitations to doctors and of requests for leave.

Nothing else decides which step may follow which.
"""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.scheduling import events, rules


def subject_of(row: Any) -> Subject:  # noqa: ANN401 - an Appointment
    """Whom an appointment is about and where it belongs."""
    return Subject(patient_id=row.patient_id, doctor_id=row.doctor_id, facility_id=row.facility_id)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - an Appointment
    return cast("type[events.AppointmentEvent]", kind).of(row)


BOOKED, CONFIRMED, CHECKED_IN = "booked", "confirmed", "checked_in"
COMPLETED, CANCELLED, DECLINED, NO_SHOW = "completed", "cancelled", "declined", "no_show"

# States in which the patient is still expected; a cancelled, declined or past one is not.
EXPECTED: Final = (BOOKED, CONFIRMED)
# States that keep their reservation: the time is, or was, really used.
HOLDING: Final = (BOOKED, CONFIRMED, CHECKED_IN, COMPLETED, NO_SHOW)

_R = Transition
APPOINTMENT: Final = Machine(
    name="appointment",
    model="scheduling.Appointment",
    subject=subject_of,
    tell=_tell,
    transitions=(
        _R(None, "book", BOOKED, "appointment.book", events.AppointmentBooked, rules.bookable_time),
        _R(None, "overbook", BOOKED, "appointment.overbook", events.AppointmentBooked, rules.bookable_time),
        _R(BOOKED, "confirm", CONFIRMED, "appointment.confirm", events.AppointmentConfirmed, rules.not_over),
        _R(BOOKED, "decline", DECLINED, "appointment.decline", events.AppointmentDeclined, rules.not_over),
        _R(CONFIRMED, "decline", DECLINED, "appointment.decline", events.AppointmentDeclined, rules.not_over),
        _R(BOOKED, "cancel", CANCELLED, "appointment.cancel", events.AppointmentCancelled, rules.with_notice),
        _R(CONFIRMED, "cancel", CANCELLED, "appointment.cancel", events.AppointmentCancelled, rules.with_notice),
        # A moved appointment waits for confirmation again: the doctor agreed to another time.
        _R(BOOKED, "reschedule", BOOKED, "appointment.reschedule", events.AppointmentRescheduled, rules.with_notice),
        _R(CONFIRMED, "reschedule", BOOKED, "appointment.reschedule", events.AppointmentRescheduled, rules.with_notice),
        _R(BOOKED, "check_in", CHECKED_IN, "appointment.check_in", events.AppointmentCheckedIn, rules.on_the_day),
        _R(CONFIRMED, "check_in", CHECKED_IN, "appointment.check_in", events.AppointmentCheckedIn, rules.on_the_day),
        _R(BOOKED, "complete", COMPLETED, "appointment.complete", events.AppointmentCompleted, rules.begun),
        _R(CONFIRMED, "complete", COMPLETED, "appointment.complete", events.AppointmentCompleted, rules.begun),
        _R(CHECKED_IN, "complete", COMPLETED, "appointment.complete", events.AppointmentCompleted),
        _R(BOOKED, "no_show", NO_SHOW, "appointment.no_show", events.AppointmentNoShow, rules.begun),
        _R(CONFIRMED, "no_show", NO_SHOW, "appointment.no_show", events.AppointmentNoShow, rules.begun),
        # Wrongly marked, and the patient stands at the desk after all.
        _R(NO_SHOW, "check_in", CHECKED_IN, "appointment.check_in", events.AppointmentCheckedIn, rules.on_the_day),
    ),
)

# The state somebody asks for, and the step that leads there. Booking and moving need a time as well.
STEP_TO: Final = {
    row.target: row.action
    for row in APPOINTMENT.transitions
    if row.source is not None and row.target not in (BOOKED, row.source)
}
# Other words for these states that clients already speak.
STATE_WORDS: Final = {
    **{state: state for state in STEP_TO},
    "accepted": CONFIRMED,
    "rejected": DECLINED,
    "canceled": CANCELLED,
    "arrived": CHECKED_IN,
    "checked-in": CHECKED_IN,
    "no-show": NO_SHOW,
}

# An invitation to a doctor, and a request for leave.
SENT, ACCEPTED, REJECTED, REVOKED, EXPIRED = "sent", "accepted", "rejected", "revoked", "expired"
ASKED, APPROVED, REFUSED, WITHDRAWN = "asked", "approved", "declined", "withdrawn"


def _of_doctor(row: Any) -> Subject:  # noqa: ANN401 - a DoctorInvitation or a LeaveRequest
    return Subject(doctor_id=row.doctor_id, facility_id=row.facility_id)


def _tell_of(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a DoctorInvitation or a LeaveRequest
    return cast("type[events.DoctorInvitationEvent | events.LeaveEvent]", kind).of(row)


DOCTOR_INVITATION: Final = Machine(
    name="doctor_invitation",
    model="scheduling.DoctorInvitation",
    subject=_of_doctor,
    tell=_tell_of,
    transitions=(
        _R(None, "invite", SENT, "staff.invite", events.DoctorInvitationSent),
        _R(SENT, "remind", SENT, "staff.invite", events.DoctorInvitationSent, rules.may_remind),
        _R(SENT, "accept", ACCEPTED, "invitation.answer", events.DoctorInvitationAccepted, rules.invitation_in_time),
        _R(SENT, "reject", REJECTED, "invitation.answer", events.DoctorInvitationRejected),
        _R(SENT, "revoke", REVOKED, "staff.invite", events.DoctorInvitationRevoked),
        _R(SENT, "expire", EXPIRED, "staff.invite", events.DoctorInvitationExpired, rules.invitation_run_out),
    ),
)

LEAVE: Final = Machine(
    name="leave",
    model="scheduling.LeaveRequest",
    subject=_of_doctor,
    tell=_tell_of,
    transitions=(
        _R(None, "ask", ASKED, "leave.ask", events.LeaveAsked, rules.leave_to_come),
        _R(ASKED, "withdraw", WITHDRAWN, "leave.ask", events.LeaveWithdrawn),
        _R(ASKED, "approve", APPROVED, "leave.decide", events.LeaveApproved, rules.leave_to_come),
        _R(ASKED, "decline", REFUSED, "leave.decide", events.LeaveDeclined),
    ),
)
