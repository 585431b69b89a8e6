"""Passkeys (W3C WebAuthn): what the browser is asked, and whether its answer is genuine. Knows no database."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from django.conf import settings

CHALLENGE_BYTES: Final = 32
TIMEOUT_MS: Final = 120_000
LONGEST_ANSWER: Final = 32_768
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,1400}")
_TRANSPORTS: Final = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})


class Refused(Exception):
    """The browser's answer is malformed, forged, or not to our question. Why is nobody's business but the log's."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A passkey that has just been made."""

    credential_id: str
    public_key: str
    sign_count: int
    transports: str
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """A genuine answer of a passkey: its counter, and whether the key moves between devices."""

    sign_count: int
    backed_up: bool


def host() -> str:
    """The name passkeys are bound to (the relying party id)."""
    return urlsplit(settings.PUBLIC_URL).hostname or ""


def origin() -> str:
    """The origin of our pages, which the browser signs into every answer: a look-alike's answers are worth nothing."""
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


def possible() -> bool:
    """Whether browsers offer passkeys at our public address: they want a name and HTTPS, or localhost."""
    try:
        ipaddress.ip_address(host())
    except ValueError:
        return urlsplit(settings.PUBLIC_URL).scheme == "https" or host() == "localhost"
    return False


def handle(account_id: UUID) -> str:
    """How a key names the account it was made for: a number that says nothing about the person."""
    return base64.urlsafe_b64encode(account_id.bytes).decode("ascii").rstrip("=")


def to_register(challenge: bytes, account_id: UUID, email: str, name: str, known: list[str]) -> dict[str, Any]:
    """The question that makes a passkey: kept on the device, opened by its owner's finger, face or PIN."""
    import webauthn  # a tenth of a second, and most people who sign in never need it
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=host(),
        rp_name="Polyclinic",
        user_id=account_id.bytes,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_described(known),
    )
    return _plain(webauthn.options_to_json(options))


def to_sign_in(challenge: bytes, known: list[str]) -> dict[str, Any]:
    """The question that a passkey answers. With no key named, the browser offers every key it has for us."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=host(),
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=_described(known),
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return _plain(webauthn.options_to_json(options))


def _plain(text: str) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(text)
    return read


def _described(known: list[str]) -> list[Any]:
    from webauthn.helpers import base64url_to_bytes, structs

    return [structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]


def read(text: object) -> dict[str, Any]:
    """The answer as sent by the browser. Raises Refused for anything that is not an object of a sane size."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_ANSWER:
        raise Refused("size")
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused("not JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not _ID.fullmatch(answer["id"]):
        raise Refused("shape")
    return answer


def registered(answer: dict[str, Any], challenge: bytes) -> NewKey:
    """The passkey in a genuine answer to `to_register`. Raises Refused."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url

    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=host(),
            expected_origin=origin(),
            require_user_verification=True,
        )
    except Exception as problem:
        raise _genuine(problem) from None
    response = answer.get("response")
    named = response.get("transports") if isinstance(response, dict) else None
    said = {one for one in named if isinstance(one, str)} if isinstance(named, list) else set()
    return NewKey(
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        transports=" ".join(sorted(said & _TRANSPORTS)),
        backed_up=made.credential_backed_up,
    )


def asserted(answer: dict[str, Any], challenge: bytes, public_key: str) -> Assertion:
    """A genuine answer to `to_sign_in`. Raises Refused. The counter is signed by now; the caller compares it."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes

    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=host(),
            expected_origin=origin(),
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as problem:
        raise _genuine(problem) from None
    return Assertion(found.new_sign_count, found.credential_backed_up)


def _genuine(problem: Exception) -> Refused:
    """The library reads hostile bytes with several parsers, each with errors of its own; all mean the same to us."""
    return Refused(type(problem).__name__)


def challenge_of(answer: dict[str, Any]) -> bytes:
    """The challenge that the answer claims to be for. Believed only once the signature over it has been checked."""
    from webauthn.helpers import base64url_to_bytes

    try:
        said = orjson.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))["challenge"]
        return bytes(base64url_to_bytes(said))
    except Exception:
        raise Refused("challenge") from None
