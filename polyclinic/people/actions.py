"""Accounts and patients: making them, passwords, language. Each call is one transaction with its audit entry."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Anonymous, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.people import alerts, emails, guesses, passwords, programs, revisions
from polyclinic.people.emails import EmailTaken, read_email
from polyclinic.people.erasing import shred_patient
from polyclinic.people.models import Account, PatientNumber, Session, Sex

__all__ = [
    "EmailTaken", "change_password", "choose_language", "create_account", "insert_account", "new_account",
    "next_record_number", "particulars", "shred_patient",
]  # fmt: skip

NAME_LENGTH: Final = 80
EARLIEST_BIRTH: Final = date(1900, 1, 1)


def particulars(*, given_name: str, family_name: str, born: object, sex: str, phone: str = "") -> dict[str, Any]:
    """Who somebody says they are, as it is stored. Raises Invalid naming the field."""
    return {
        "given_name": _name(given_name, "given_name"),
        "family_name": _name(family_name, "family_name"),
        "born": _birth_date(born),
        "sex": _sex(sex),
        "phone": _phone(phone),
    }


def create_account(*, actor: Actor, email: str, password: str, name: str, language: str = "") -> Account:
    """An account with no role yet. Raises Forbidden, Invalid naming the field, or EmailTaken."""
    policy.require(actor, "account.create", Subject())
    account = new_account(email, password, _name(name, "name", 2 * NAME_LENGTH), language)
    _store_account(actor, account)
    return account


@transactional
def _store_account(actor: Actor, account: Account) -> None:
    insert_account(actor, account)


def insert_account(actor: Actor, account: Account) -> None:
    """Store a new account in the running transaction. Raises EmailTaken."""
    lock_keys([f"email:{account.email.lower()}"])
    if Account.objects.filter(email__iexact=account.email).exists():
        raise EmailTaken(field="email")
    account.save(force_insert=True)
    ledger.record(actor=actor, action="account.create", row=account, subject=Subject(), revision=1)


def change_password(
    *,
    actor: Actor,
    account_id: UUID,
    password: str,
    current: str | None = None,
    before: str | None = None,
    keep_keys: bool = False,
) -> None:
    """Set a new password and sign the account out everywhere but in the session that asked.

    The keys of programs that act for the person end too: whoever knew the old password may have made one. With
    `keep_keys` a person who changes their own password keeps them; a reset never does.

    Someone changing their own password gives the `current` one, unless an administrator made it and asked for another.
    Anonymous may act only after a reset link was checked by the caller; whoever has the link also has the mailbox, so
    the address counts as confirmed; `before` is the stored password that the link was checked against. Raises Invalid
    naming the field, SignInLocked, StaleEdit when the password is no longer that one, Forbidden, or NotFound.
    """
    account = _account(account_id)
    if isinstance(actor, Person):
        if actor.account_id != account_id or actor.seen_by is not None:
            raise Forbidden()
        if not account.must_change_password and not guesses.confirmed(account, current or ""):
            raise Invalid(_("This is not your current password."), code="wrong_password", field="current")
        if account.must_change_password and account.check_password(password):
            raise Invalid(_("Choose another password than the one you were given."), field="password")
    elif not isinstance(actor, Anonymous):
        policy.require(actor, "account.create", Subject())
    passwords.check(password, account)
    account.set_password(password)
    _store_password(actor, account, before, keep_keys=keep_keys and isinstance(actor, Person))


@transactional
def _store_password(actor: Actor, account: Account, before: str | None, *, keep_keys: bool) -> None:
    now = clock.now()
    fields: dict[str, object] = {"password": account.password, "password_changed_at": now}
    if isinstance(actor, Person | Anonymous):
        fields["must_change_password"] = False
    if isinstance(actor, Anonymous) and account.email_verified_at is None:
        fields["email_verified_at"] = now
    rows = Account.objects.filter(pk=account.pk)
    # Of two who come with one link at once, one is too late.
    if not (rows if before is None else rows.filter(password=before)).update(**fields):
        raise StaleEdit(_("This link was used already. Ask for a new one."))
    emails.forget_changes(account.pk)
    kept = actor.session if isinstance(actor, Person) else ""
    _end_sessions(account.pk, keep=kept)
    if not keep_keys:
        programs.end(account.pk)
    guesses.forgive(account.pk)
    ledger.record(actor=actor, action="account.password", row=account, subject=Subject())
    alerts.tell(account.pk, "password_changed")


@transactional
def choose_language(*, actor: Person, language: str, version: int | None = None) -> None:
    """The language of this person's pages and mails; empty follows the browser. Raises Invalid, StaleEdit."""
    if actor.seen_by is not None:
        raise Forbidden()
    account = _account(actor.account_id)
    revisions.hold(account.pk, version)
    Account.objects.filter(pk=account.pk).update(language=_language(language))
    revisions.step(account.pk)
    ledger.record(actor=actor, action="account.language", row=account, subject=Subject())


def next_record_number() -> str:
    """A record number (MRN) no one has: `MRN` and at least seven digits. Call inside the patient's transaction."""
    # One statement reads and moves the counter, and holds its row to commit: no two patients can get one number. A
    # rolled-back sign-up takes its step back with it.
    lock_keys(["patient-number"])
    row, _made = PatientNumber.objects.get_or_create(pk=1)
    PatientNumber.objects.filter(pk=row.pk).update(last=F("last") + 1)
    number = PatientNumber.objects.values_list("last", flat=True).get(pk=row.pk)
    return f"MRN{number:07d}"


def _account(account_id: UUID) -> Account:
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound()
    return account


def _end_sessions(account_id: UUID, keep: str = "") -> None:
    # Other layers believe a session for two seconds at most, then look here again.
    Session.objects.filter(account_id=account_id).exclude(session_key=keep).delete()


def new_account(email: str, password: str, name: str, language: str) -> Account:
    """An unsaved account with a hashed password."""
    account = Account(email=read_email(email), name=name, language=_language(language))
    passwords.check(password, account)
    account.set_password(password)
    return account


def _name(text: str, field: str, longest: int = NAME_LENGTH) -> str:
    """A person's name as they write it: any script, combining marks and emoji; only control characters are refused."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name:
        raise Invalid(_("Enter a name."), field=field)
    if len(name) > longest:
        raise Invalid(_("This name is longer than can be stored."), field=field, maxLength=longest)
    # Cc: control; Cs: half of a surrogate pair. Bidi overrides could make a name display as another one.
    if any(unicodedata.category(sign) in {"Cc", "Cs"} or sign in "\u202a\u202b\u202d\u202e" for sign in name):
        raise Invalid(_("This name contains characters that cannot be shown."), field=field)
    return name


def _birth_date(born: object) -> date:
    if not isinstance(born, date):
        raise Invalid(_("Enter a date of birth that exists."), field="born")
    # Where the sun rises first it is already tomorrow by UTC's calendar; a child born there today is no mistake.
    if born > (clock.now() + timedelta(hours=14)).date():
        raise Invalid(_("The date of birth cannot be in the future."), field="born")
    if born < EARLIEST_BIRTH:
        raise Invalid(_("The date of birth cannot be before 1900."), field="born")
    return born


def _sex(text: str) -> str:
    if text not in Sex.values:
        raise Invalid(_("Choose one of the listed values."), field="sex", possible=list(Sex.values))
    return text


def _phone(text: str) -> str:
    phone = " ".join(text.split())
    if len(phone) > 32 or any(sign not in "+0123456789 ()-./x" for sign in phone):
        raise Invalid(_("Enter a phone number with digits, spaces and + only."), field="phone")
    return phone


def _language(code: str) -> str:
    if code and code not in dict(settings.LANGUAGES):
        raise Invalid(_("This language is not available."), field="language")
    return code
