"""The mails of facilities: an invitation to work there, and the link after an administrator took a password away."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from polyclinic.core import clock
from polyclinic.facilities import invitations, lettering, ruling
from polyclinic.facilities.declared import SETTINGS
from polyclinic.facilities.models import Facility, StaffInvitation
from polyclinic.facilities.states import SENT
from polyclinic.notify import kinds, letters
from polyclinic.notify.kinds import Kind
from polyclinic.notify.letters import Letter
from polyclinic.notify.models import Delivery
from polyclinic.people.models import Account


def _invitation(delivery: Delivery) -> Letter | None:
    row = StaffInvitation.objects.select_related("facility").filter(pk=delivery.detail.get("invitation")).first()
    if row is None or row.state != SENT or row.expires_at <= clock.now():
        return None
    link = f"{settings.PUBLIC_URL}/invitation/{invitations.token_of(row)}"
    return written(row.facility, "invitation", {"name": row.name, "facility": row.facility.name, "link": link})


def written(place: Facility, kind: str, values: Mapping[str, str]) -> Letter:
    """A letter of a house in its own words of the active language, else in the usual ones."""
    key = lettering.key_of(kind, get_language() or settings.LANGUAGE_CODE)
    own: lettering.Words = ruling.value(place, key) if key in SETTINGS else lettering.Words()
    filled = lettering.fill(own if own.subject else lettering.usual(lettering.KINDS[kind]), values)
    return Letter(filled.subject, filled.body)


def _reset(delivery: Delivery) -> Letter | None:
    account = Account.objects.filter(email__iexact=delivery.to, is_active=True).first()
    if account is None:
        return None
    name, token = urlsafe_base64_encode(force_bytes(account.pk)), default_token_generator.make_token(account)
    return Letter(
        _("Choose a new password"),
        _("An administrator has reset your password; the old one no longer works. Choose a new one here:")
        + f"\n\n{settings.PUBLIC_URL}/password/reset/{name}/{token}\n\n"
        + _("The link works for %(minutes)s minutes and only once. Later, ask for a new one on the sign-in page.")
        % {"minutes": settings.PASSWORD_RESET_TIMEOUT // 60}
        + "\n",
    )


_KINDS = {
    "role_given": Kind(
        gettext_lazy("You have a new role"), gettext_lazy("You are now %(role)s at %(facility)s."), "/home"
    ),
    "role_ended": Kind(
        gettext_lazy("A role of yours has ended"), gettext_lazy("You are no longer %(role)s at %(facility)s."), "/home"
    ),
    "role_changed": Kind(
        gettext_lazy("What your role may do has changed"),
        gettext_lazy("The rights of the role %(role)s were changed."),
        "/home",
    ),
    "signed_out_by_admin": Kind(
        gettext_lazy("You were signed out everywhere"),
        gettext_lazy("An administrator ended all sessions of your account."),
        "/account/sessions",
        alert=True,
    ),
    "viewed_as": Kind(
        gettext_lazy("An administrator looks at your view"),
        gettext_lazy("%(admin)s looks through your eyes for at most 30 minutes, reading only. Reason: %(reason)s"),
    ),
}


def register() -> None:
    """Make these known to the service that tells and mails."""
    kinds.KINDS.update(_KINDS)
    letters.LETTERS.update({"staff_invitation": _invitation, "password_reset_by_admin": _reset})
