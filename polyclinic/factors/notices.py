"""What people are told about their second factors."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.notify.kinds import KINDS, Kind

PAGE = "/account/security"

KINDS.update(
    {
        "recovery_codes_made": Kind(
            _("New recovery codes were made"),
            _("Ten new recovery codes were made for your account. The ones before them no longer work."),
            PAGE,
            alert=True,
        ),
        "recovery_code_used": Kind(
            _("A recovery code was used"),
            _("One of your recovery codes was used. Unused codes left: %(left)s."),
            PAGE,
            alert=True,
        ),
        "codes_guessed": Kind(
            _("Somebody entered several wrong codes"),
            _("The second step of your sign-in was wrong several times. If it was not you, change your password."),
            PAGE,
            alert=True,
        ),
        "passkey_copied": Kind(
            _("A passkey was refused"),
            _("The passkey %(factor)s answered as a copy would. It is not accepted any more: remove it, add another."),
            PAGE,
            alert=True,
        ),
        "device_remembered": Kind(
            _("A device is remembered"),
            _("For 30 days one of your devices is not asked for the second step of the sign-in."),
            PAGE,
        ),
    }
)
