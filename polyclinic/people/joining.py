"""Signing up: what somebody says of themselves waits, sealed, until the link mailed to their address is opened.

Whether an address has an account is never told to whoever types it (OWASP ASVS 5.0, 6.3.8): a known and an unknown one
cost the same queries and the same hash and are answered the same. What the mail says is decided when it is written.

The link alone opens nothing. In the browser that asked, a press of the button is enough; anywhere else the password
chosen before is asked for. So nobody can make an account under another's address and have that person confirm it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import orjson
from django.core import signing
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Anonymous
from polyclinic.core.crypto import ring
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid
from polyclinic.core.ids import parse_id
from polyclinic.people import actions, alerts
from polyclinic.people.emails import EmailTaken, LinkGone
from polyclinic.people.models import Account, Patient, SignUp

LIVES: Final = timedelta(hours=24)
MOST_TRIES: Final = 10
_SALT: Final = "polyclinic.sign-up"
_LONGEST_WAY: Final = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-up that waits. `back`: where its person was going; `known`: whether this is the browser that asked."""

    email: str
    back: str
    known: bool


def token_of(sign_up_id: str) -> str:
    """What stands in the link. Made when the mail is sent, and stored nowhere."""
    return signing.Signer(salt=_SALT).sign(sign_up_id)


def ask(
    *,
    email: str,
    password: str,
    given_name: str,
    family_name: str,
    born: date,
    sex: str,
    phone: str = "",
    language: str = "",
    back: str = "",
    browser: str = "",
) -> None:
    """Keep what is said until the address is shown to be one's own, and have a mail sent there.

    `browser`: a secret of the browser that asks; `back`: the page to go on to. Raises Invalid naming the field, for a
    known address as for any other. Nothing is told about whether it is known.
    """
    fields = actions.particulars(given_name=given_name, family_name=family_name, born=born, sex=sex, phone=phone)
    # Hashing takes a while on purpose; done before the transaction, so that no lock waits for it.
    account = actions.new_account(email, password, f"{fields['given_name']} {fields['family_name']}", language)
    said = {**fields, "password": account.password, "email": account.email}
    row = SignUp(
        language=account.language, back=back if len(back) <= _LONGEST_WAY else "",
        browser=_digest(browser) if browser else "", said=orjson.dumps(said).decode(),
    )  # fmt: skip
    _keep(row, account.email)


@transactional
def _keep(row: SignUp, email: str) -> None:
    row.save(force_insert=True)
    alerts.post("sign_up", email, language=row.language, detail={"signUp": str(row.pk)})


def waiting(token: str, browser: str = "") -> Waiting:
    """The sign-up that a link stands for, as seen from this browser. Raises LinkGone."""
    row = _row(token)
    return Waiting(_said(row)["email"], row.back, _same(row, browser))


def confirm(token: str, *, browser: str = "", password: str = "") -> tuple[Patient, str]:
    """Make the account and its patient, the address confirmed. Returns the patient, and where they were going.

    Needs the browser that asked or the password chosen then. Raises LinkGone (used, too old, tried too often, or the
    address has an account by now) and Invalid naming `password`.
    """
    row = _row(token)
    said = _said(row)
    account = Account(
        email=said["email"], name=f"{said['given_name']} {said['family_name']}", password=said["password"],
        language=row.language, email_verified_at=clock.now(),
    )  # fmt: skip
    if not _same(row, browser):
        if not SignUp.objects.filter(pk=row.pk, tries__lt=MOST_TRIES).update(tries=F("tries") + 1):
            raise LinkGone()
        if not account.check_password(password):
            raise Invalid(
                _("This is not the password you chose when you signed up."), field="password", code="wrong_password"
            )
    fields = {name: said[name] for name in ("given_name", "family_name", "sex", "phone")}
    try:
        return _join(row, account, {**fields, "born": date.fromisoformat(said["born"])}), row.back
    except EmailTaken:
        raise LinkGone() from None


@transactional
def _join(row: SignUp, account: Account, fields: dict[str, object]) -> Patient:
    gone, _kinds = SignUp.objects.filter(pk=row.pk).delete()
    if not gone:
        # A double click: the other one made the account.
        raise LinkGone()
    actions.insert_account(Anonymous(), account)
    patient = Patient(account=account, mrn=actions.next_record_number(), **fields)
    # The key is made here and not at the first booking, which then does not wait for the vault's disk.
    ring.ring.current(ring.patient(patient.pk))
    patient.save(force_insert=True)
    ledger.record(
        actor=Anonymous(), action="patient.sign_up", row=patient, subject=Subject(patient_id=patient.pk), revision=1
    )
    return patient


def letter_for(sign_up_id: str) -> str | None:
    """The token for the mail of this sign-up; empty when the address has an account already, None when it is gone."""
    found = parse_id(sign_up_id)
    row = SignUp.objects.filter(pk=found).first() if found else None
    if row is None:
        return None
    known = Account.objects.filter(email__iexact=_said(row)["email"]).exists()
    return "" if known else token_of(str(row.pk))


def newest_of(browser: str) -> str | None:
    """The id of the sign-up this browser asked for last: what a demo, which sends no mail, shows instead of it."""
    rows = SignUp.objects.filter(browser=_digest(browser)) if browser else SignUp.objects.none()
    found = rows.order_by("-made_at").values_list("pk", flat=True).first()
    return str(found) if found else None


def forget_old() -> int:
    """Drop what nobody confirmed. Returns how many."""
    gone, _kinds = SignUp.objects.filter(made_at__lt=clock.now() - LIVES).delete()
    return gone


def _row(token: str) -> SignUp:
    try:
        found = parse_id(signing.Signer(salt=_SALT).unsign(token))
    except signing.BadSignature:
        raise LinkGone() from None
    row = SignUp.objects.filter(pk=found, made_at__gt=clock.now() - LIVES).first() if found else None
    if row is None:
        raise LinkGone()
    return row


def _said(row: SignUp) -> dict[str, Any]:
    said: dict[str, Any] = orjson.loads(row.said)
    return said


def _same(row: SignUp, browser: str) -> bool:
    return bool(browser and row.browser) and hmac.compare_digest(row.browser, _digest(browser))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
