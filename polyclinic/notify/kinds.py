"""What people can be told: one row for each kind of notice, its title and its sentence.

A sentence may name values of the notice's detail as %(name)s. No kind says anything about health: a notice names what
happened, and the page it leads to, behind the sign-in, says the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its title (the subject of the mail), its sentence, and the page of ours where one sees more.

    `alert`: it is about the safety of the account, and the mail says what to do when it was somebody else.
    """

    title: Sentence
    sentence: Sentence
    link: str = "/account/notices"
    alert: bool = False


KINDS: dict[str, Kind] = {
    "new_device": Kind(
        _("New sign-in to your account"),
        _("Your account was used to sign in with %(browser)s on a device we had not seen before."),
        "/account/sessions",
        alert=True,
    ),
    "password_changed": Kind(
        _("Your password was changed"),
        _("The password of your account was changed and every other device was signed out."),
        "/account/sessions",
        alert=True,
    ),
    "email_changed": Kind(
        _("Your email address was changed"),
        _("Your account now has another email address. We do not write to the old one any more."),
        "/account",
        alert=True,
    ),
    "factor_added": Kind(
        _("A second step was added to your sign-in"),
        _("From now on your account can also be confirmed with: %(factor)s."),
        "/account/security",
        alert=True,
    ),
    "factor_removed": Kind(
        _("A second step was removed from your sign-in"),
        _("Your account can no longer be confirmed with: %(factor)s."),
        "/account/security",
        alert=True,
    ),
    "sessions_ended": Kind(
        _("You were signed out on other devices"),
        _("Every other device that was signed in to your account was signed out."),
        "/account/sessions",
        alert=True,
    ),
    "critical_result": Kind(
        _("A result needs you now"),
        _("A laboratory result needs somebody to act at once, and you are asked to. Open it and say what you do."),
        "/lab/critical",
    ),
    "refill_asked": Kind(
        _("A patient asks for a repeat"),
        _("A prescription that you signed is to be given again, and a patient asks for it. Agree, or say why not."),
        "/consulting/refills",
    ),
    "refill_answered": Kind(
        _("There is an answer to your request"),
        _("You asked for something to be given again. The answer is with your prescriptions."),
        "/my/prescriptions",
    ),
    "stock_low": Kind(
        _("A medicine is running low"),
        _("The stock of a medicine has reached its reorder point. You are told once, until there is enough again."),
        "/pharmacy/stock?show=low",
    ),
    "invoice_ready": Kind(
        _("You have a new invoice"),
        _("An invoice was begun for you. You can see it and pay it after signing in."),
        "/my/invoices",
    ),
    "receipt_ready": Kind(
        _("A receipt is ready"),
        _("Your payment has arrived. The receipt is with your invoices."),
        "/my/invoices",
    ),
    "payment_refunded": Kind(
        _("Money was given back to you"),
        _("A payment of yours was given back, wholly or in part. The invoice says which."),
        "/my/invoices",
    ),
    "ambulance": Kind(
        _("An ambulance is bringing a patient"),
        _("An ambulance is on its way to the hospital with a patient. The ambulances’ board says when it may arrive."),
        "/ambulances",
    ),
    "sign_in_locked": Kind(
        _("Somebody tried to guess your password"),
        _("There were several sign-ins with a wrong password. We stopped answering them; your own devices still work."),
        "/account/sessions",
        alert=True,
    ),
}


def words(kind: str, detail: Mapping[str, str]) -> tuple[str, str]:
    """Title and sentence in the active language. A kind that no longer exists still says that something happened."""
    found = KINDS.get(kind)
    if found is None:
        return str(_("Notice")), str(_("Something happened in your account."))
    # A value that an older version did not give is left out, not an error years later.
    return str(found.title), str(found.sentence) % defaultdict(str, detail)
