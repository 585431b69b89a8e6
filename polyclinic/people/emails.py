"""Showing that an email address is one's own: a link that works once, for a day, and only the newest one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Anonymous, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, Problem
from polyclinic.core.ids import parse_id
from polyclinic.people import alerts, guesses
from polyclinic.people.models import Account, EmailCheck

LIVES: Final = timedelta(hours=24)
_SALT: Final = "polyclinic.email-check"


class EmailTaken(Conflict):
    """Somebody has an account under this address already."""

    code = "email_taken"
    sentence = _("There is already an account with this email address. Sign in, or reset your password.")


class LinkGone(Problem):
    """The link was used, replaced by a newer one, or is too old."""

    status = 410
    code = "link_gone"
    sentence = _("This link is no longer valid. It was used already, or it is too old.")


def token_of(check_id: str) -> str:
    """What stands in the link. Made when the mail is sent: nothing that opens an account is ever stored."""
    return signing.Signer(salt=_SALT).sign(check_id)


@transactional
def begin(account: Account, email: str) -> None:
    """Have a link mailed to `email`; earlier links of this account stop working."""
    EmailCheck.objects.filter(account=account, used_at__isnull=True).delete()
    check = EmailCheck.objects.create(account=account, email=email)
    alerts.post("email_check", email, language=account.language, detail={"check": str(check.pk)})


def read_email(text: str) -> str:
    """An email address as it is stored. Raises Invalid."""
    address = text.strip()
    try:
        if len(address) > 254:
            raise ValidationError("")
        validate_email(address)
    except ValidationError:
        raise Invalid(_("Enter an email address such as name@example.org."), field="email") from None
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def ask_change(*, actor: Person, email: str, password: str) -> None:
    """Ask for another address. It counts once the link mailed there was opened; until then nothing changes.

    Whether the address is somebody else's already is not told here: that would name who has an account. Raises
    Invalid naming `email` or `password`, SignInLocked, or Forbidden for someone looking through another's eyes.
    """
    account = _own(actor)
    if not guesses.confirmed(account, password):
        raise Invalid(_("This is not your current password."), code="wrong_password", field="password")
    address = read_email(email)
    if address.lower() == account.email.lower():
        raise Invalid(_("This is your present address."), field="email")
    _store_change(actor, account, address)


@transactional
def _store_change(actor: Person, account: Account, address: str) -> None:
    if Account.objects.filter(email__iexact=address).exists():
        alerts.post("email_taken", address, language=account.language)
        EmailCheck.objects.filter(account=account, used_at__isnull=True).delete()
    else:
        begin(account, address)
    ledger.record(actor=actor, action="account.email_asked", row=account, subject=Subject())


@transactional
def ask_again(*, actor: Person) -> None:
    """Mail the link for the account's present address once more; nothing happens when it is confirmed already."""
    account = _own(actor)
    if account.email_verified_at is None:
        begin(account, account.email)


def waiting(token: str) -> EmailCheck:
    """The check a link stands for. Raises LinkGone."""
    try:
        found = parse_id(signing.Signer(salt=_SALT).unsign(token))
    except signing.BadSignature:
        raise LinkGone() from None
    if found is None:
        raise LinkGone()
    since = clock.now() - LIVES
    check = EmailCheck.objects.select_related("account").filter(
        pk=found, used_at__isnull=True, made_at__gt=since, account__is_active=True
    ).first()  # fmt: skip
    if check is None:
        raise LinkGone()
    return check


@transactional
def confirm(token: str) -> None:
    """The link was opened and the button pressed: from now on this is the account's address, and it is confirmed.

    Whoever has the link has the mailbox; being signed in is not asked for. Raises LinkGone, or EmailTaken when
    somebody else took the address in the meantime.
    """
    check = waiting(token)
    account, now = check.account, clock.now()
    if not EmailCheck.objects.filter(pk=check.pk, used_at__isnull=True).update(used_at=now):
        raise LinkGone()
    before = account.email
    changed = before.lower() != check.email.lower()
    if changed:
        lock_keys([f"email:{check.email.lower()}"])
        if Account.objects.filter(email__iexact=check.email).exclude(pk=account.pk).exists():
            raise EmailTaken(field="email")
    Account.objects.filter(pk=account.pk).update(email=check.email, email_verified_at=now)
    ledger.record(
        actor=Anonymous(), action="account.email_changed" if changed else "account.email_confirmed", row=account,
        subject=Subject(),
    )  # fmt: skip
    if changed:
        alerts.tell(account.pk, "email_changed", to=before)


def forget_changes(account_id: UUID) -> None:
    """Make links to another address worthless: whoever knew the password until now may have asked for them."""
    present = Account.objects.filter(pk=account_id).values("email")
    EmailCheck.objects.filter(account_id=account_id, used_at__isnull=True).exclude(email__in=present).delete()


def _own(actor: Actor) -> Account:
    if not isinstance(actor, Person) or actor.seen_by is not None:
        raise Forbidden()
    return Account.objects.get(pk=actor.account_id)


def forget_old() -> int:
    """Drop links that have run out. Returns how many."""
    gone, _kinds = EmailCheck.objects.filter(made_at__lt=clock.now() - 2 * LIVES).delete()
    return gone
