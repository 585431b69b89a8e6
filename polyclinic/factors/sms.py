"""Codes by text message: how many may be sent, and the gateway that sends them.

A gateway is any object with `send`. The local one writes to the server's terminal; the other posts JSON to an address.
`web.texting` calls it after the transaction and beside the answer.
"""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit
from uuid import UUID

import orjson
from django.conf import settings

from polyclinic.core import clock, outgoing
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import NotFound
from polyclinic.factors import codes
from polyclinic.factors.models import SmsCode, SmsNumber
from polyclinic.factors.problems import SentJustNow

LIFETIME: Final = timedelta(minutes=5)
PAUSE: Final = timedelta(seconds=30)
MOST_AN_HOUR: Final = 6
SECONDS: Final = 8.0


class Gateway(Protocol):
    """Sends one text message. Raises OSError when it could not."""

    def send(self, number: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Console:
    """The local gateway: the message appears on the server's terminal, in demo mode with its code."""

    def send(self, number: str, text: str) -> None:
        shown = text if settings.DEMO else "(not shown outside demo mode; set SMS_URL to send messages)"
        print(f"Text message to •••{number[-3:]}: {shown}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Http:
    """Posts {"to", "text"} as JSON to an address, a name and password in it as Basic authorization.

    What stands after # in the address is "to_name,text_name" of a gateway that calls the two otherwise.
    """

    address: str

    def send(self, number: str, text: str) -> None:
        parts = urlsplit(self.address)
        to, _comma, body = parts.fragment.partition(",")
        bare = parts._replace(fragment="", netloc=parts.netloc.rpartition("@")[2])
        headers = {"Content-Type": "application/json"}
        if parts.username:
            known = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(known.encode()).decode('ascii')}"
        reply = outgoing.request(
            "POST",
            urlunsplit(bare),
            body=orjson.dumps({to or "to": number, body or "text": text}),
            headers=headers,
            seconds=SECONDS,
        )
        if not 200 <= reply.status < 300:
            raise OSError(f"the gateway answered {reply.status}")


def gateway() -> Gateway:
    """The gateway that the setting SMS_URL names."""
    address: str = settings.SMS_URL
    return Console() if urlsplit(address).scheme == "console" else Http(address)


@transactional
def new_code(account_id: UUID, number_id: UUID) -> tuple[str, str]:
    """A fresh code for one telephone of this account. Returns its number and the code, for the gateway alone.

    Raises NotFound, or SentJustNow with `retryAfter` seconds: messages cost money, and strangers can be pestered with
    them.
    """
    lock_keys([f"sms:{account_id}"])
    row = SmsNumber.objects.filter(pk=number_id, account_id=account_id).first()
    if row is None:
        raise NotFound()
    now = clock.now()
    _limit(account_id)
    code = codes.new_sms_code()
    made = SmsCode(number=row, created_at=now, expires_at=now + LIFETIME)
    made.digest = codes.sms_digest(made.pk, code)
    made.save(force_insert=True)
    return row.number, code


def _limit(account_id: UUID) -> None:
    now = clock.now()
    sent = list(
        SmsCode.objects.filter(number__account_id=account_id, created_at__gt=now - timedelta(hours=1))
        .order_by("-created_at")
        .values_list("created_at", flat=True)[:MOST_AN_HOUR]
    )
    wait = sent[0] + PAUSE - now if sent else timedelta(0)
    if len(sent) == MOST_AN_HOUR:
        wait = max(wait, sent[-1] + timedelta(hours=1) - now)
    if wait > timedelta(0):
        raise SentJustNow(retryAfter=int(wait.total_seconds()) + 1)
