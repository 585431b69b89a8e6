"""What is written to people by mail: the notices of `kinds`, and letters that carry a link.

A letter is made when it is sent, in the reader's language; the link in it is made then, too, and stored nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from polyclinic.notify.kinds import KINDS, words
from polyclinic.notify.models import Delivery
from polyclinic.people import emails, joining
from polyclinic.people.models import Account, EmailCheck


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to leave."""

    subject: str
    body: str


def write(delivery: Delivery) -> Letter | None:
    """The mail for a delivery; None when there is nothing to write any more (no such account, a link replaced)."""
    with translation.override(delivery.language or settings.LANGUAGE_CODE):
        if delivery.kind in LETTERS:
            return LETTERS[delivery.kind](delivery)
        return _notice(delivery)


def _notice(delivery: Delivery) -> Letter:
    title, sentence = words(delivery.kind, delivery.detail)
    kind = KINDS.get(delivery.kind)
    lines = [sentence, "", _("See it after signing in: %(link)s") % {"link": _link(kind.link if kind else "/")}]
    if kind and kind.alert:
        advice = _("If it was not you, choose a new password at once: %(link)s")
        lines += ["", advice % {"link": _link("/password/reset")}]
    return Letter(title, "\n".join(lines) + "\n")


def _reset(delivery: Delivery) -> Letter | None:
    """Asked for under any address; only an account's own person gets a link."""
    account = Account.objects.filter(email__iexact=delivery.to, is_active=True).first()
    if account is None:
        return None
    name, token = urlsafe_base64_encode(force_bytes(account.pk)), default_token_generator.make_token(account)
    return Letter(
        _("Choose a new password"),
        _("Someone, probably you, asked for a new password. Choose it here:")
        + f"\n\n{_link(f'/password/reset/{name}/{token}')}\n\n"
        + _("The link works for %(minutes)s minutes and only once. If it was not you, do nothing: your password stays "
            "as it is.") % {"minutes": settings.PASSWORD_RESET_TIMEOUT // 60}
        + "\n",
    )  # fmt: skip


def _check(delivery: Delivery) -> Letter | None:
    check = EmailCheck.objects.filter(pk=delivery.detail.get("check"), used_at__isnull=True).first()
    if check is None:
        return None
    return Letter(
        _("Confirm your email address"),
        _("Please confirm that this address is yours, so that we can reach you about your account:")
        + f"\n\n{_link(f'/email/verify/{emails.token_of(str(check.pk))}')}\n\n"
        + _("The link works for 24 hours and only once. If you did not ask for it, do nothing.")
        + "\n",
    )


def _taken(_delivery: Delivery) -> Letter:
    return Letter(
        _("You have an account already"),
        _("Someone, probably you, wanted to use this address for another account. There is one under it already; "
          "sign in with it, or choose a new password: %(link)s") % {"link": _link("/password/reset")}
        + "\n",
    )  # fmt: skip


def _sign_up(delivery: Delivery) -> Letter | None:
    """Asked for under any address; whoever has an account there already is told so, and nobody else learns of it."""
    token = joining.letter_for(delivery.detail.get("signUp", ""))
    if token is None:
        return None
    if not token:
        return _taken(delivery)
    return Letter(
        _("Confirm your email address"),
        _("Welcome. Please confirm that this address is yours; then your account is ready and you can go on where you "
          "were:")
        + f"\n\n{_link(f'/sign-up/confirm/{token}')}\n\n"
        + _("The link works for 24 hours and only once. If you did not sign up, do nothing: no account is made.")
        + "\n",
    )  # fmt: skip


def _link(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


LETTERS: Final[dict[str, Callable[[Delivery], Letter | None]]] = {
    "password_reset": _reset,
    "email_check": _check,
    "email_taken": _taken,
    "sign_up": _sign_up,
}
