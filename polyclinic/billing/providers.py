"""Who holds money that is paid online: a bank's service behind one small interface, asked outside transactions.

`Local` is the one of the demo: a page of our own on which the patient says yes or no. `Stripe` speaks Checkout Sessions
and Refunds over HTTP. Where neither is set up, nothing can be paid online and no button says so.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import orjson
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, outgoing
from polyclinic.core.errors import Problem

# A notice older than this may be one that somebody recorded and sends again.
TOLERANCE: Final = 300
Outcome = Literal["pending", "taken", "failed"]


class ProviderSilent(Problem):
    """The bank's service could not be asked. Nothing was taken twice: the same form can be sent again."""

    status = 503
    code = "provider_silent"
    sentence = _("The payment service does not answer. Nothing is lost; please try again in a minute.")


class BadSignature(Problem):
    """A notice that the bank did not sign, or signed long ago."""

    status = 400
    code = "bad_signature"
    sentence = _("This notice is not signed by the payment service.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be paid: our id of it, how much, and where the patient comes back to. No name and no reason."""

    payment_id: UUID
    amount_minor: int
    currency: str
    invoice_number: int
    back: str


@dataclass(frozen=True, slots=True)
class Started:
    """The provider's name for a payment, and the page on which it is paid."""

    ref: str
    url: str


class Provider(Protocol):
    """A service that takes payments. Every call may be repeated: the same payment or refund is done once.

    Raises ProviderSilent when it cannot be asked.
    """

    name: str

    def start(self, wanted: Wanted) -> Started: ...

    def outcome(self, ref: str, amount_minor: int, currency: str) -> Outcome: ...

    def cancel(self, ref: str) -> None: ...

    def refund(self, ref: str, refund_id: UUID, amount_minor: int) -> tuple[str, bool]: ...

    def notice(self, body: bytes, headers: Mapping[str, str]) -> str | None: ...


class Local:
    """The demo's bank: the patient says yes on a page of ours, and that page says so to `billing.online`."""

    name = "local"

    def start(self, wanted: Wanted) -> Started:
        return Started(f"local-{wanted.payment_id}", f"/my/invoices/pay/{wanted.payment_id}")

    def outcome(self, ref: str, amount_minor: int, currency: str) -> Outcome:
        # Nothing but that page knows.
        return "pending"

    def cancel(self, ref: str) -> None:
        """There is nobody to tell."""

    def refund(self, ref: str, refund_id: UUID, amount_minor: int) -> tuple[str, bool]:
        return f"local-{refund_id}", True

    def notice(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        raise BadSignature()


class Stripe:
    """Stripe's Checkout: the patient pays on Stripe's page, so that no card number ever comes near this server."""

    name = "stripe"

    def start(self, wanted: Wanted) -> Started:
        line = "line_items[0]"
        answer = self._ask(
            "POST",
            "/v1/checkout/sessions",
            {
                "mode": "payment",
                "client_reference_id": str(wanted.payment_id),
                "success_url": wanted.back,
                "cancel_url": wanted.back,
                f"{line}[quantity]": "1",
                f"{line}[price_data][currency]": wanted.currency.lower(),
                f"{line}[price_data][unit_amount]": str(wanted.amount_minor),
                # What is paid for is nobody's business but the patient's and the hospital's.
                f"{line}[price_data][product_data][name]": f"Invoice {wanted.invoice_number}",
            },
            key=f"payment-{wanted.payment_id}",
        )
        ref, page = answer.get("id"), answer.get("url")
        # A browser is sent there: nothing but a page over TLS, whatever stands between us and the bank has answered.
        if not (isinstance(ref, str) and ref and isinstance(page, str) and urlsplit(page).scheme == "https"):
            raise ProviderSilent(code="provider_contradicts")
        return Started(ref, page)

    def outcome(self, ref: str, amount_minor: int, currency: str) -> Outcome:
        answer = self._ask("GET", f"/v1/checkout/sessions/{quote(ref, safe='')}")
        if answer.get("payment_status") == "paid":
            same = answer.get("amount_total") == amount_minor and answer.get("currency") == currency.lower()
            if not same:
                raise ProviderSilent(code="provider_contradicts")
            return "taken"
        return "failed" if answer.get("status") == "expired" else "pending"

    def cancel(self, ref: str) -> None:
        self._ask("POST", f"/v1/checkout/sessions/{quote(ref, safe='')}/expire", {}, refusable=True)

    def refund(self, ref: str, refund_id: UUID, amount_minor: int) -> tuple[str, bool]:
        session = self._ask("GET", f"/v1/checkout/sessions/{quote(ref, safe='')}")
        answer = self._ask(
            "POST",
            "/v1/refunds",
            {"payment_intent": str(session.get("payment_intent") or ""), "amount": str(amount_minor)},
            key=f"refund-{refund_id}",
            refusable=True,
        )
        done = answer.get("status") in ("succeeded", "pending", "requires_action")
        return str(answer.get("id", "")), done

    def notice(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """The name of the payment that a signed notice is about, or None when it is about something else.

        The notice itself is not believed: whoever gets a name asks for the outcome. Raises BadSignature.
        """
        check_signature(body, headers.get("Stripe-Signature", ""), settings.STRIPE_WEBHOOK_SECRET)
        try:
            told = orjson.loads(body)
            kind, thing = str(told["type"]), told["data"]["object"]
            return str(thing["id"]) if kind.startswith("checkout.session.") else None
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BadSignature() from None

    def _ask(
        self, method: str, path: str, form: Mapping[str, str] | None = None, *, key: str = "", refusable: bool = False
    ) -> dict[str, Any]:
        """One call. `refusable`: a refusal (4xx) is an answer too."""
        token = base64.b64encode(f"{settings.STRIPE_SECRET_KEY}:".encode()).decode()
        headers = {"Authorization": f"Basic {token}"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if key:
            headers["Idempotency-Key"] = key
        body = None if form is None else urlencode(form).encode()
        try:
            reply = outgoing.request(method, settings.STRIPE_URL + path, body=body, headers=headers)
            answer = orjson.loads(reply.body)
        except (outgoing.NoAnswer, outgoing.NotAllowed, orjson.JSONDecodeError):
            raise ProviderSilent() from None
        if reply.status >= 500 or reply.status == 429 or (reply.status >= 400 and not refusable):
            raise ProviderSilent()
        return answer if isinstance(answer, dict) else {}


def check_signature(body: bytes, header: str, secret: str) -> None:
    """Stripe's scheme v1: HMAC-SHA256 over time and body. Raises BadSignature; without a secret nothing is believed."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    at = next((value for name, _sign, value in parts if name == "t"), "")
    given = [value for name, _sign, value in parts if name == "v1"]
    if not secret or not (at.isascii() and at.isdigit() and len(at) < 13):
        raise BadSignature()
    if abs(clock.now().timestamp() - int(at)) > TOLERANCE:
        raise BadSignature()
    expected = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise BadSignature()


def online() -> Provider | None:
    """The service for online payments of this installation, or None."""
    if settings.STRIPE_SECRET_KEY:
        return Stripe()
    return Local() if settings.DEMO else None


def named(name: str) -> Provider | None:
    """The service that a payment was begun with, whatever is set up now."""
    known: dict[str, Provider] = {"stripe": Stripe(), "local": Local()}
    return known.get(name)
