"""Adding, naming and removing one's own second factors, and remembering devices.

Whether the person has just shown who they are (step-up) is asked by the page or the API before it calls these.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit
from polyclinic.factors import codes, passkeys, proofs, selectors, tickets, totp
from polyclinic.factors.models import (
    Passkey,
    RecoveryCode,
    RememberedDevice,
    SmsNumber,
    Ticket,
    Totp,
    WrongCodes,
)
from polyclinic.factors.problems import LastFactor, PasskeyRefused, WrongCode
from polyclinic.notify.actions import tell
from polyclinic.people.models import Account

RECOVERY_CODES: Final = 10
REMEMBERED: Final = timedelta(days=30)
NAME_LENGTH: Final = 60
# Enough for anyone's telephones and keys, too few to fill a table with.
MOST_OF_A_KIND: Final = 10
_KINDS: Final[dict[str, Any]] = {"totp": Totp, "sms": SmsNumber, "passkey": Passkey}


@transactional
def begin_totp(*, actor: Person) -> UUID:
    """A new authenticator app with a fresh secret, not confirmed yet. One that was begun before is forgotten."""
    _room(Totp, actor)
    Totp.objects.filter(account_id=actor.account_id, confirmed_at__isnull=True).delete()
    return Totp.objects.create(account_id=actor.account_id, name="", secret=totp.new_secret()).pk


def secret_of(actor: Person, factor_id: UUID) -> str:
    """The secret of an app that is being set up, to be shown until it is confirmed. Raises NotFound afterwards."""
    return _unconfirmed(actor, factor_id).secret


def confirm_totp(*, actor: Person, factor_id: UUID, code: str, name: str = "") -> list[str]:
    """Take the app into use once it has shown a code. Returns recovery codes when these are the account's first.

    Raises NotFound, or WrongCode.
    """
    row = _unconfirmed(actor, factor_id)
    typed = codes.digits(code)
    step = totp.matching_step(row.secret, typed, clock.now()) if typed else None
    if step is None:
        raise WrongCode(field="code")
    return _confirm_totp(actor, row, step, _name(name, _("Authenticator app")), _first_codes(actor))


@transactional
def _confirm_totp(actor: Person, row: Totp, step: int, name: str, made: list[codes.Recovery]) -> list[str]:
    confirmed = Totp.objects.filter(pk=row.pk, confirmed_at__isnull=True)
    if not confirmed.update(confirmed_at=clock.now(), last_step=step, name=name):
        raise NotFound()
    return _added(actor, "totp", row, name, made)


def _unconfirmed(actor: Person, factor_id: UUID) -> Totp:
    row = Totp.objects.filter(pk=factor_id, account_id=actor.account_id, confirmed_at__isnull=True).first()
    if row is None:
        raise NotFound()
    return row


@transactional
def begin_number(*, actor: Person, number: str, name: str = "") -> UUID:
    """A telephone that is to get codes, not confirmed yet. Raises Invalid naming `number`."""
    _room(SmsNumber, actor)
    SmsNumber.objects.filter(account_id=actor.account_id, verified_at__isnull=True).delete()
    made = SmsNumber(account_id=actor.account_id, name=_name(name, _("Telephone")), number=_number(number))
    made.save(force_insert=True)
    return made.pk


def hint_of(actor: Person, factor_id: UUID) -> str:
    """The end of the number of a telephone that is being set up. Raises NotFound afterwards."""
    row = SmsNumber.objects.filter(pk=factor_id, account_id=actor.account_id, verified_at__isnull=True).first()
    if row is None:
        raise NotFound()
    return selectors.masked(row.number)


def confirm_number(*, actor: Person, factor_id: UUID, code: str) -> list[str]:
    """Take the telephone into use once its code came back. Returns recovery codes as `confirm_totp` does."""
    row = SmsNumber.objects.filter(pk=factor_id, account_id=actor.account_id, verified_at__isnull=True).first()
    if row is None:
        raise NotFound()
    typed = codes.digits(code)
    if typed is None or not proofs.sms_code(actor.account_id, typed, number_id=row.pk):
        raise WrongCode(field="code")
    return _confirm_number(actor, row, _first_codes(actor))


@transactional
def _confirm_number(actor: Person, row: SmsNumber, made: list[codes.Recovery]) -> list[str]:
    if not SmsNumber.objects.filter(pk=row.pk, verified_at__isnull=True).update(verified_at=clock.now()):
        raise NotFound()
    return _added(actor, "sms", row, row.name, made)


def begin_passkey(*, actor: Person) -> dict[str, Any]:
    """The question that makes the browser create a passkey. Raises Conflict where browsers offer none."""
    if not passkeys.possible():
        raise Conflict(_("Passkeys need an address with a host name and HTTPS."), code="no_passkeys_here")
    _room(Passkey, actor)
    account = Account.objects.get(pk=actor.account_id)
    known = list(Passkey.objects.filter(account_id=actor.account_id).values_list("credential_id", flat=True))
    challenge = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
    tickets.begin(Ticket.Purpose.NEW_PASSKEY, actor.account_id, challenge.hex())
    return passkeys.to_register(challenge, account.pk, account.email, account.name, known)


def add_passkey(*, actor: Person, answer: object, name: str = "") -> list[str]:
    """Keep the passkey that the browser has made. Returns recovery codes as `confirm_totp` does.

    Raises PasskeyRefused for anything but a genuine answer to a question put to this account.
    """
    try:
        read = passkeys.read(answer)
        challenge = passkeys.challenge_of(read)
        if not tickets.spend(challenge.hex(), Ticket.Purpose.NEW_PASSKEY, actor.account_id):
            raise passkeys.Refused("challenge")
        made = passkeys.registered(read, challenge)
    except passkeys.Refused:
        raise PasskeyRefused() from None
    return _store_passkey(actor, made, _name(name, _("Passkey")), _first_codes(actor))


@transactional
def _store_passkey(actor: Person, made: passkeys.NewKey, name: str, fresh: list[codes.Recovery]) -> list[str]:
    lock_keys([f"passkey:{made.credential_id}"])
    if Passkey.objects.filter(credential_id=made.credential_id).exists():
        raise PasskeyRefused()
    row = Passkey.objects.create(
        account_id=actor.account_id,
        name=name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        transports=made.transports,
        backed_up=made.backed_up,
    )
    return _added(actor, "passkey", row, name, fresh)


def question(account_id: UUID | None) -> dict[str, Any]:
    """The question that a passkey answers: one of this account, or with None whichever the browser has for us."""
    challenge = secrets.token_bytes(passkeys.CHALLENGE_BYTES)
    tickets.begin(Ticket.Purpose.PASSKEY, account_id, challenge.hex())
    known: list[str] = []
    if account_id is not None:
        rows = Passkey.objects.filter(account_id=account_id, refused_at__isnull=True)
        known = list(rows.values_list("credential_id", flat=True))
    return passkeys.to_sign_in(challenge, known)


def _added(
    actor: Person, kind: str, row: Totp | SmsNumber | Passkey, name: str, made: list[codes.Recovery]
) -> list[str]:
    ledger.record(actor=actor, action="factor.add", row=row, subject=Subject(), detail={"kind": kind})
    tell(actor.account_id, "factor_added", detail={"factor": name})
    if made:
        _keep_codes(actor, made)
    return [one.text for one in made]


def new_recovery_codes(*, actor: Person) -> list[str]:
    """Ten new recovery codes; those before them no longer work. Raises Conflict without a factor to stand in for."""
    if not selectors.has_second_factor(actor.account_id):
        raise Conflict(_("Add an authenticator app, a telephone or a passkey first."), code="no_factor")
    made = _ten_codes()
    _replace_codes(actor, made)
    return [one.text for one in made]


def _first_codes(actor: Person) -> list[codes.Recovery]:
    """Recovery codes for someone who has none. Made outside the transaction: hashing takes long."""
    left = RecoveryCode.objects.filter(account_id=actor.account_id, used_at__isnull=True)
    return [] if left.exists() else _ten_codes()


def _ten_codes() -> list[codes.Recovery]:
    made: list[codes.Recovery] = []
    for _nth in range(RECOVERY_CODES):
        made.append(codes.new_recovery({one.selector for one in made}))
    return made


@transactional
def _replace_codes(actor: Person, made: list[codes.Recovery]) -> None:
    _keep_codes(actor, made)
    tell(actor.account_id, "recovery_codes_made")


def _keep_codes(actor: Person, made: list[codes.Recovery]) -> None:
    lock_keys([f"recovery:{actor.account_id}"])
    RecoveryCode.objects.filter(account_id=actor.account_id).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(account_id=actor.account_id, selector=one.selector, digest=one.digest) for one in made
    )
    ledger.record(actor=actor, action="recovery.make", row=Account(pk=actor.account_id), subject=Subject())


@transactional
def rename(*, actor: Person, kind: str, factor_id: UUID, name: str, version: int | None = None) -> None:
    """Call one's own factor something else. Raises NotFound, StaleEdit, or Invalid naming `name`."""
    row = _own(actor, kind, factor_id, version)
    called = _name(name, "")
    if not called:
        raise Invalid(_("Enter a name."), field="name")
    seen = _KINDS[kind].objects.filter(pk=row.pk, version=row.version)
    if not seen.update(name=called, version=row.version + 1):
        raise StaleEdit()
    ledger.record(actor=actor, action="factor.rename", row=row, subject=Subject(), detail={"kind": kind})


@transactional
def remove(*, actor: Person, kind: str, factor_id: UUID, version: int | None = None) -> None:
    """Remove one's own factor. With the last one go the recovery codes and the remembered devices.

    Raises NotFound, StaleEdit, or LastFactor where this person's work needs one.
    """
    lock_keys([f"factors:{actor.account_id}"])
    row = _own(actor, kind, factor_id, version)
    last = not selectors.has_second_factor(actor.account_id, but=row.pk)
    if last and selectors.must_have(actor):
        raise LastFactor()
    ledger.record(actor=actor, action="factor.remove", row=row, subject=Subject(), detail={"kind": kind})
    tell(actor.account_id, "factor_removed", detail={"factor": row.name})
    row.delete()
    if last:
        _forget_what_stands_in(actor.account_id)
        # With a second factor a shorter password was enough; alone it may not be.
        chosen_with_it = Account.objects.filter(pk=actor.account_id, password_changed_at__gte=row.created_at)
        chosen_with_it.update(must_change_password=True)


def _forget_what_stands_in(account_id: UUID) -> None:
    RecoveryCode.objects.filter(account_id=account_id).delete()
    RememberedDevice.objects.filter(account_id=account_id).delete()


def _own(actor: Person, kind: str, factor_id: UUID, version: int | None) -> Any:  # noqa: ANN401 - one of three kinds
    model = _KINDS.get(kind)
    row = model.objects.filter(pk=factor_id, account_id=actor.account_id).first() if model else None
    if row is None:
        raise NotFound()
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    return row


@transactional
def reset(*, actor: Actor, account_id: UUID, facility_id: UUID | None = None, reason: str = "") -> None:
    """Take every second factor off an account whose owner has lost them all, recovery codes too; they are told.

    `facility_id`: a facility at which the account works; the caller has made sure of it. Raises Forbidden.
    """
    subject = Subject(facility_id=facility_id)
    policy.require(actor, "staff.reset_password", subject)
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound()
    for model in (Totp, SmsNumber, Passkey):
        model._default_manager.filter(account_id=account_id).delete()
    _forget_what_stands_in(account_id)
    WrongCodes.objects.filter(pk=account_id).delete()
    ledger.record(actor=actor, action="factor.reset", row=account, subject=subject, reason=reason)
    tell(account_id, "factor_removed", detail={"factor": str(_("all of them"))})


@transactional
def remember(*, actor: Person, user_agent: str) -> str:
    """Remember this browser for 30 days. Returns the token for its cookie."""
    token = codes.new_token()
    row = RememberedDevice.objects.create(
        account_id=actor.account_id,
        digest=codes.token_digest(token),
        user_agent=user_agent[:160],
        expires_at=clock.now() + REMEMBERED,
    )
    ledger.record(actor=actor, action="device.remember", row=row, subject=Subject())
    tell(actor.account_id, "device_remembered", mail=False)
    return token


@transactional
def note_use(device_id: UUID) -> None:
    """Write down that a remembered device has just spared its owner the second step."""
    RememberedDevice.objects.filter(pk=device_id).update(last_used_at=clock.now())


@transactional
def forget_devices(*, actor: Person, device_id: UUID | None = None) -> int:
    """Forget one of one's own remembered devices, or all. Returns how many. Raises NotFound for one that is not."""
    rows = RememberedDevice.objects.filter(account_id=actor.account_id)
    if device_id is not None:
        rows = rows.filter(pk=device_id)
        if not rows.exists():
            raise NotFound()
    gone, _kinds = rows.delete()
    if gone:
        ledger.record(actor=actor, action="device.forget", row=Account(pk=actor.account_id), subject=Subject())
    return gone


def _room(model: Any, actor: Person) -> None:  # noqa: ANN401 - one of the three kinds
    if model.objects.filter(account_id=actor.account_id).count() >= MOST_OF_A_KIND:
        raise Conflict(_("You have many of these already. Remove one first."), code="too_many_factors")


def _name(text: str, usual: Any) -> str:  # noqa: ANN401 - a lazy translation or text
    """What the owner calls it; control characters and the rest of a long text are left out."""
    said = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(sign for sign in said if unicodedata.category(sign) not in {"Cc", "Cs"})[:NAME_LENGTH] or str(usual)


def _number(text: str) -> str:
    """A telephone number as the networks write it (E.164)."""
    signs = "".join(sign for sign in text if sign not in " ()-./\u00a0")
    signs = f"+{signs[2:]}" if signs.startswith("00") else signs
    known = signs.startswith("+") and signs[1:].isascii() and signs[1:].isdigit()
    if not known or signs[1] == "0" or not 8 <= len(signs) <= 16:
        raise Invalid(_("Write the number with its country code, for example +49 151 2345678."), field="number")
    return signs
