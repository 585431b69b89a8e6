"""Showing a factor: a code, a passkey or, without a second factor, the password once more.

Every try is counted before it is looked at, so that guesses sent side by side cannot pass the counter. A wrong code
changes nothing else; a right one is used up in one statement, so that of two who send it at once one gets in.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Q

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.factors import codes, passkeys, tickets, totp
from polyclinic.factors.models import Passkey, RecoveryCode, SmsCode, Ticket, Totp, WrongCodes
from polyclinic.factors.problems import PasskeyRefused, TooManyCodes, WrongCode, WrongPassword
from polyclinic.notify.actions import tell
from polyclinic.people.models import Account

# NIST SP 800-63B-4, 3.2.2 allows 100 wrong codes in a row; with these the hundredth comes after three months.
FREE_TRIES: Final = 10
FIRST_WAIT: Final = timedelta(minutes=15)
LONGEST_WAIT: Final = timedelta(hours=24)
_TOLD_AT: Final = frozenset({5, FREE_TRIES})
SMS_TRIES: Final = 5


def code(*, actor: Actor, account_id: UUID, text: object) -> str:
    """Check a code of an app, of a text message or from the list of recovery codes. Returns which kind it was.

    Raises WrongCode for anything else, whatever it is, or TooManyCodes with `retryAfter` seconds.
    """
    count = _count(account_id)
    typed = text if isinstance(text, str) else ""
    number, parts = codes.digits(typed), codes.recovery_parts(typed)
    kind = ""
    if number is not None:
        kind = ("totp" if _totp(account_id, number) else "") or ("sms" if sms_code(account_id, number) else "")
    elif parts is not None:
        kind = "recovery" if _recovery(account_id, *parts) else ""
    if not kind:
        _refused(actor, account_id, count, "code")
        raise WrongCode(field="code")
    _accepted(actor, account_id, kind)
    return kind


def password(*, actor: Actor, account_id: UUID, text: str) -> None:
    """Check the password of an account that has nothing else to show. Raises WrongPassword or TooManyCodes."""
    count = _count(account_id)
    account = Account.objects.filter(pk=account_id, is_active=True).first()
    if account is None or not account.check_password(text):
        _refused(actor, account_id, count, "password")
        raise WrongPassword(field="password")
    _accepted(actor, account_id, "password")


def passkey(*, actor: Actor, account_id: UUID | None, text: object) -> UUID:
    """Check a passkey's answer; with an `account_id` only a passkey of that account. Returns whose it is.

    Raises PasskeyRefused for anything but a genuine, fresh answer. A counter that went backwards means that there are
    two of the key: it is not accepted any more, and its owner is told.
    """
    try:
        answer = passkeys.read(text)
        challenge = passkeys.challenge_of(answer)
        if not tickets.spend(challenge.hex(), Ticket.Purpose.PASSKEY, account_id):
            raise passkeys.Refused("challenge")
        row = _passkey(answer, account_id)
        said = passkeys.asserted(answer, challenge, row.public_key)
    except passkeys.Refused:
        raise PasskeyRefused() from None
    if not _counted(row, said):
        _copied(actor, row)
        raise PasskeyRefused()
    _accepted(actor, row.account_id, "passkey")
    return row.account_id


def _passkey(answer: dict[str, Any], account_id: UUID | None) -> Passkey:
    """The row of the key that answers: of the account asked for, and of the one that the key itself names."""
    row = Passkey.objects.filter(credential_id=answer["id"], refused_at__isnull=True, account__is_active=True).first()
    if row is None or (account_id is not None and row.account_id != account_id):
        raise passkeys.Refused("unknown")
    said = answer["response"].get("userHandle")
    if said and said != passkeys.handle(row.account_id):
        raise passkeys.Refused("handle")
    return row


def _counted(row: Passkey, said: passkeys.Assertion) -> bool:
    """Move the counter on. Keys that move between devices count nothing and always say 0."""
    if (said.sign_count or row.sign_count) and said.sign_count <= row.sign_count:
        return False
    return bool(
        Passkey.objects.filter(pk=row.pk, sign_count=row.sign_count).update(
            sign_count=said.sign_count, last_used_at=clock.now(), backed_up=said.backed_up
        )
    )


@transactional
def _copied(actor: Actor, row: Passkey) -> None:
    Passkey.objects.filter(pk=row.pk).update(refused_at=clock.now())
    ledger.record(actor=actor, action="factor.copied", row=row, subject=Subject(), detail={"kind": "passkey"})
    tell(row.account_id, "passkey_copied", detail={"factor": row.name})


def _totp(account_id: UUID, number: str) -> bool:
    now = clock.now()
    for row in Totp.objects.filter(account_id=account_id, confirmed_at__isnull=False):
        step = totp.matching_step(row.secret, number, now)
        if step is not None and accept_step(row, step):
            return True
    return False


def accept_step(row: Totp, step: int) -> bool:
    """Use up the code of this time step. False when it, or a later one, was used before (RFC 6238, 5.2)."""
    fresh = Totp.objects.filter(pk=row.pk, last_step__lt=step)
    return bool(fresh.update(last_step=step, last_used_at=clock.now()))


def sms_code(account_id: UUID, number: str, *, number_id: UUID | None = None) -> bool:
    """Use up the newest text message's code of this account, or of the one telephone that is being set up."""
    now = clock.now()
    whose = Q(number_id=number_id) if number_id else Q(number__verified_at__isnull=False)
    newest = SmsCode.objects.filter(whose, number__account_id=account_id).order_by("-created_at", "-pk").first()
    if newest is None:
        return False
    live = SmsCode.objects.filter(pk=newest.pk, used_at__isnull=True, expires_at__gt=now)
    if not live.filter(tries__lt=SMS_TRIES).update(tries=F("tries") + 1):
        return False
    if not codes.same(newest.digest, codes.sms_digest(newest.pk, number)) or not live.update(used_at=now):
        return False
    type(newest.number).objects.filter(pk=newest.number_id).update(last_used_at=now)
    return True


def _recovery(account_id: UUID, selector: str, secret: str) -> bool:
    row = RecoveryCode.objects.filter(account_id=account_id, selector=selector, used_at__isnull=True).first()
    if row is None or not codes.recovery_fits(secret, row.digest):
        return False
    return bool(RecoveryCode.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=clock.now()))


@transactional
def _count(account_id: UUID) -> int:
    """Count a try. Returns which one in a row it is, or raises TooManyCodes while the account has to wait."""
    now = clock.now()
    lock_keys([f"wrong-codes:{account_id}"])
    row, _made = WrongCodes.objects.get_or_create(pk=account_id)
    if row.blocked_until is not None and row.blocked_until > now:
        raise TooManyCodes(retryAfter=int((row.blocked_until - now).total_seconds()) + 1)
    count = row.count + 1
    over = count - FREE_TRIES
    # 2^7 quarters of an hour are more than a day; a larger power would not fit into a date.
    wait = min(FIRST_WAIT * 2 ** min(over, 7), LONGEST_WAIT) if over >= 0 else None
    WrongCodes.objects.filter(pk=account_id).update(count=count, blocked_until=now + wait if wait else None)
    return count


@transactional
def _refused(actor: Actor, account_id: UUID, count: int, kind: str) -> None:
    subject = Account(pk=account_id)
    ledger.record(actor=actor, action="factor.wrong", row=subject, subject=Subject(), detail={"kind": kind})
    if count in _TOLD_AT:
        tell(account_id, "codes_guessed")


@transactional
def _accepted(actor: Actor, account_id: UUID, kind: str) -> None:
    if kind != "passkey":
        # A passkey says nothing about who was guessing codes; their count goes on.
        WrongCodes.objects.filter(pk=account_id).update(count=0, blocked_until=None)
    row = Account(pk=account_id)
    ledger.record(actor=actor, action="factor.shown", row=row, subject=Subject(), detail={"kind": kind})
    if kind == "recovery":
        left = RecoveryCode.objects.filter(account_id=account_id, used_at__isnull=True).count()
        tell(account_id, "recovery_code_used", detail={"left": str(left)})
