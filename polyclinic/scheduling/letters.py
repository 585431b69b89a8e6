"""What doctors and managers are told of invitations and leave."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.notify import kinds
from polyclinic.notify.kinds import Kind

_KINDS = {
    "doctor_invited": Kind(
        _("A hospital invites you"),
        _("%(facility)s asks you to see patients there. The hours they propose are on the page; accept or decline."),
        "/doctor/invitations",
    ),
    "doctor_reminded": Kind(
        _("A hospital waits for your answer"),
        _("%(facility)s asked you to see patients there and has no answer yet. Accept or decline."),
        "/doctor/invitations",
    ),
    "doctor_accepted": Kind(
        _("A doctor accepted your invitation"),
        _("%(doctor)s now has hours at %(facility)s and can be booked."),
        "/admin/doctors",
    ),
    "doctor_rejected": Kind(
        _("A doctor declined your invitation"), _("%(doctor)s does not come to %(facility)s."), "/admin/doctors"
    ),
    "leave_asked": Kind(
        _("A doctor asks for leave"), _("%(doctor)s asks for leave at %(facility)s. Decide about it."), "/admin/leave"
    ),
    "leave_approved": Kind(
        _("Your leave is approved"), _("%(facility)s approved your leave; it stands in your hours."), "/doctor/leave"
    ),
    "leave_declined": Kind(
        _("Your leave is declined"), _("%(facility)s did not approve your leave. See the answer."), "/doctor/leave"
    ),
}


def register() -> None:
    """Make these known to the service that tells and mails."""
    kinds.KINDS.update(_KINDS)
