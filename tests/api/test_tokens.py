"""Which tokens open the door, and that only those do."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from polyclinic.api import tokens
from polyclinic.facilities import identity
from polyclinic.tokens import signing
from tests.house import House


def claims(house: House, **changed: Any) -> dict[str, Any]:
    """The claims of a good token for the patient, with some changed; None takes a claim out."""
    assert house.patient.account
    now = int(time.time())
    made = {
        "iss": settings.PUBLIC_URL, "aud": tokens.AUDIENCE, "sub": str(house.patient.account.pk),
        "sid": identity.open_api_session(house.patient.account), "iat": now, "exp": now + 900, **changed,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def signed(payload: dict[str, Any], key: Any = None, algorithm: str = "RS256", kid: str | None = None) -> str:
    pair = signing.current()
    return jwt.encode(payload, key or pair.private, algorithm=algorithm, headers={"kid": kid or pair.kid})


def test_a_token_speaks_for_its_account(house: House) -> None:
    assert house.patient.account
    issued = tokens.issue(house.patient.account)
    person = tokens.person_of_token(issued.token)
    assert person is not None
    assert person.patient_id == house.patient.pk
    assert person.via == "api"
    assert jwt.get_unverified_header(issued.token)["alg"] == "RS256"


def test_the_helper_makes_good_tokens(house: House) -> None:
    """Negative control of the table below: unchanged claims do open the door."""
    assert tokens.person_of_token(signed(claims(house))) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1}, {"aud": "another"}, {"aud": None}, {"iss": "https://elsewhere.example"}, {"sid": "unknown"},
        {"sid": None}, {"sid": 7}, {"sub": "someone-else"}, {"exp": None}, {"exp": "soon"},
    ],
)  # fmt: skip
def test_wrong_claims_are_refused(house: House, changed: dict[str, Any]) -> None:
    assert tokens.person_of_token(signed(claims(house, **changed))) is None


def test_another_key_is_refused(house: House) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert tokens.person_of_token(signed(claims(house), key=stranger)) is None


def test_another_key_name_is_refused(house: House) -> None:
    assert tokens.person_of_token(signed(claims(house), kid="other")) is None


def test_the_token_cannot_choose_its_algorithm(house: House) -> None:
    """`none`, and HS256 keyed with our public key, are the two classic confusions."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    import hashlib
    import hmac

    pair = signing.current()
    pem = pair.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    none = f"{part({'alg': 'none', 'kid': pair.kid})}.{part(claims(house))}."
    open_part = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': pair.kid})}.{part(claims(house))}"
    mac = base64.urlsafe_b64encode(hmac.new(pem, open_part.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    assert tokens.person_of_token(none) is None
    assert tokens.person_of_token(f"{open_part}.{mac}") is None


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "\udcff.\udcff.x", "." * 50, "a" * 5000, "eyJ.eyJ."])
def test_malformed_text_is_refused(house: House, text: str) -> None:
    assert tokens.person_of_token(text) is None


def test_a_remembered_token_still_expires(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    token = signed(claims(house))
    assert tokens.person_of_token(token) is not None
    later = time.time() + 901
    monkeypatch.setattr("polyclinic.api.tokens.time.time", lambda: later)
    assert tokens.person_of_token(token) is None


def test_ending_the_session_ends_the_token(house: House) -> None:
    assert house.patient.account
    token = tokens.issue(house.patient.account).token
    assert tokens.person_of_token(token) is not None
    identity.end_sessions(house.patient.account.pk)
    assert tokens.person_of_token(token) is None
