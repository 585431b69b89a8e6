"""A passkey in software: makes a key and answers questions as a browser with a platform authenticator would."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One key. What it says can be bent by its attributes, to see that each lie is noticed."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(16)
        self.count = 0
        self.step = 1
        self.flags = USER_PRESENT | USER_VERIFIED
        self.origin = settings.PUBLIC_URL
        self.host = urlsplit(settings.PUBLIC_URL).hostname or ""
        self.user = b""

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _head(self, more: int = 0) -> bytes:
        self.count += self.step
        return hashlib.sha256(self.host.encode()).digest() + bytes([self.flags | more]) + self.count.to_bytes(4)

    def create(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question that makes a key."""
        self.user = unb64(question["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        data = self._head(ATTESTED) + bytes(16) + len(self.id).to_bytes(2) + self.id + cose
        made = {
            "clientDataJSON": b64(self._client("webauthn.create", question["challenge"])),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal"],
        }
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": made}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question that asks for the key."""
        client, data = self._client("webauthn.get", question["challenge"]), self._head()
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {
            "clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signed),
            "userHandle": b64(self.user),
        }  # fmt: skip
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": said}
