"""Accounts and patients: signing up, passwords, deactivation. Each call is one transaction with its audit entry."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Anonymous, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.people.models import Account, Patient, PatientNumber, Session, Sex

NAME_LENGTH: Final = 80
PASSWORD_LENGTH: Final = 128
EARLIEST_BIRTH: Final = date(1900, 1, 1)


class EmailTaken(Conflict):
    """Somebody has an account under this address already."""

    code = "email_taken"
    sentence = _("There is already an account with this email address. Sign in, or reset your password.")


def sign_up(
    *,
    actor: Actor | None = None,
    email: str,
    password: str,
    given_name: str,
    family_name: str,
    born: date,
    sex: str,
    phone: str = "",
    language: str = "",
) -> Patient:
    """A new patient with an account, made by someone not signed in (the one write that is open to everybody).

    Raises Invalid naming the field, or EmailTaken. Nothing is then written.
    """
    who = actor or Anonymous()
    if not isinstance(who, Anonymous):
        policy.require(who, "patient.register", Subject())
    fields = {
        "given_name": _name(given_name, "given_name"),
        "family_name": _name(family_name, "family_name"),
        "born": _birth_date(born),
        "sex": _sex(sex),
        "phone": _phone(phone),
    }
    # Hashing takes a fifth of a second on purpose; done before the transaction, so that no lock waits for it.
    account = _new_account(email, password, f"{fields['given_name']} {fields['family_name']}", language)
    return _store_patient(who, account, fields)


@transactional
def _store_patient(actor: Actor, account: Account, fields: dict[str, object]) -> Patient:
    _insert_account(actor, account)
    patient = Patient.objects.create(account=account, mrn=next_record_number(), **fields)
    ledger.record(
        actor=actor, action="patient.sign_up", row=patient, subject=Subject(patient_id=patient.pk), revision=1
    )
    return patient


def create_account(*, actor: Actor, email: str, password: str, name: str, language: str = "") -> Account:
    """An account with no role yet. Raises Forbidden, Invalid naming the field, or EmailTaken."""
    policy.require(actor, "account.create", Subject())
    account = _new_account(email, password, _name(name, "name", 2 * NAME_LENGTH), language)
    _store_account(actor, account)
    return account


@transactional
def _store_account(actor: Actor, account: Account) -> None:
    _insert_account(actor, account)


def _insert_account(actor: Actor, account: Account) -> None:
    lock_keys([f"email:{account.email.lower()}"])
    if Account.objects.filter(email__iexact=account.email).exists():
        raise EmailTaken(field="email")
    account.save(force_insert=True)
    ledger.record(actor=actor, action="account.create", row=account, subject=Subject(), revision=1)


def change_password(*, actor: Actor, account_id: UUID, password: str, current: str | None = None) -> None:
    """Set a new password and sign the account out everywhere but in the session that asked.

    Someone changing their own password gives the `current` one. Anonymous may act only after a reset link was
    checked by the caller. Raises Invalid naming the field, Forbidden, or NotFound.
    """
    account = _account(account_id)
    if isinstance(actor, Person):
        if actor.account_id != account_id:
            raise Forbidden()
        if not account.check_password(current or ""):
            raise Invalid(_("This is not your current password."), code="wrong_password", field="current")
    elif not isinstance(actor, Anonymous):
        policy.require(actor, "account.create", Subject())
    _check_password(password, account)
    account.set_password(password)
    _store_password(actor, account)


@transactional
def _store_password(actor: Actor, account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(password=account.password)
    kept = actor.session if isinstance(actor, Person) else ""
    _end_sessions(account.pk, keep=kept)
    ledger.record(actor=actor, action="account.password", row=account, subject=Subject())


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


def _new_account(email: str, password: str, name: str, language: str) -> Account:
    """An unsaved account with a hashed password."""
    account = Account(email=_email(email), name=name, language=_language(language))
    _check_password(password, account)
    account.set_password(password)
    return account


def _email(text: str) -> str:
    address = text.strip()
    try:
        if len(address) > 254:
            raise ValidationError("")
        validate_email(address)
    except ValidationError:
        raise Invalid(_("Enter an email address such as name@example.org."), field="email") from None
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


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


def _check_password(password: str, account: Account) -> None:
    if len(password) > PASSWORD_LENGTH:
        raise Invalid(_("The password is too long."), field="password", maxLength=PASSWORD_LENGTH)
    try:
        validate_password(password, account)
    except ValidationError as problem:
        raise Invalid(" ".join(problem.messages), field="password", code="weak_password") from None
