"""What people are told of their tokens and keys."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.notify.kinds import KINDS, Kind

KINDS["refresh_reused"] = Kind(
    _("An app was signed out for your safety"),
    _("A sign-in of an app was used twice, as if it had been copied. We ended it; sign in again in the app."),
    "/account/sessions",
    alert=True,
)
KINDS["key_made"] = Kind(
    _("A key to your account was made"),
    _("A program can now act for you with the key “%(name)s”. End it if you do not know of it."),
    "/account/keys",
    alert=True,
)
KINDS["key_revoked"] = Kind(
    _("A key was ended"),
    _("The key “%(name)s” does not open anything any more."),
    "/account/keys",
    alert=True,
)
KINDS["partner_key_made"] = Kind(
    _("A partner was given a key to your house"),
    _("Another system can now read or change what the key “%(name)s” names. See who made it, and why."),
    "/audit",
)
KINDS["key_ends_soon"] = Kind(
    _("A key of a program ends soon"),
    _("The key “%(name)s” works until %(day)s. Make a new one in time and give it to the program."),
    "/account/keys",
)
