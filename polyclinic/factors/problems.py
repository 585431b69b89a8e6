"""What can go wrong with a second factor. A malformed code and a wrong one are answered in the same words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Conflict, Invalid, TooMany, Unauthenticated


class SecondFactorNeeded(Unauthenticated):
    """The password was right. `ticket` is to be sent on with a code within ten minutes."""

    code = "second_factor_needed"
    sentence = _("Your password is right. Now send a code of your second step.")


class StartAgain(Unauthenticated):
    """The halfway sign-in is over: too old, tried too often, or never begun here."""

    code = "sign_in_again"
    sentence = _("This sign-in is over. Please start again with your password.")


class WrongCode(Invalid):
    code = "wrong_code"
    sentence = _("This code is not right. Codes work once and for a short time; enter the newest one.")


class WrongPassword(Invalid):
    code = "wrong_password"
    sentence = _("This is not your password.")


class PasskeyRefused(Invalid):
    code = "passkey_refused"
    sentence = _("This passkey was not accepted. Try again or use another way.")


class TooManyCodes(TooMany):
    code = "too_many_codes"
    sentence = _("There were too many wrong codes. Wait before you enter the next one, or use a passkey.")


class SentJustNow(TooMany):
    code = "sent_just_now"
    sentence = _("A code was sent a moment ago. Wait for it before you ask for another.")


class LastFactor(Conflict):
    code = "last_factor"
    sentence = _("Your work here needs a second step. Add another one before you remove the last.")
