"""The state table of invitations to work at a facility."""

from __future__ import annotations

from typing import Any, Final, cast

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.facilities import events

SENT, ACCEPTED, REVOKED, EXPIRED = "sent", "accepted", "revoked", "expired"


def in_time(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a StaffInvitation
    """An invitation can be taken up for seven days."""
    if row.expires_at <= clock.now():
        raise Conflict(_("This invitation has run out. Ask for a new one."), code="invitation_over")


def run_out(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a StaffInvitation
    """It lapses when its time is over, and not before."""
    if row.expires_at > clock.now():
        raise Conflict(_("This invitation can still be taken up."), code="invitation_open")


def _subject(row: Any) -> Subject:  # noqa: ANN401 - a StaffInvitation
    return Subject(facility_id=row.facility_id)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a StaffInvitation
    return cast("type[events.InvitationEvent]", kind).of(row)


_R = Transition
INVITATION: Final = Machine(
    name="invitation",
    model="facilities.StaffInvitation",
    subject=_subject,
    tell=_tell,
    transitions=(
        _R(None, "invite", SENT, "staff.invite", events.InvitationSent),
        # The old link stops working: a new one is made.
        _R(SENT, "resend", SENT, "staff.invite", events.InvitationSent),
        _R(SENT, "accept", ACCEPTED, "staff.invite", events.InvitationAccepted, in_time),
        _R(SENT, "revoke", REVOKED, "staff.invite", events.InvitationRevoked),
        _R(SENT, "expire", EXPIRED, "staff.invite", events.InvitationExpired, run_out),
    ),
)
