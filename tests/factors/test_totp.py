"""Our one-time passwords are those of RFC 6238, each works once, and clocks may differ by one step."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person
from polyclinic.factors import proofs, totp
from polyclinic.factors.problems import WrongCode
from tests.factors.conftest import App

# RFC 6238, appendix B: seconds, SHA-1, SHA-256, SHA-512. The secrets are as long as the hash's output.
VECTORS = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: str(row[0]))
def test_the_vectors_of_the_standard(row: tuple[int, str, str, str]) -> None:
    seconds, *codes = row
    for digest, length, expected in zip(("sha1", "sha256", "sha512"), (20, 32, 64), codes, strict=True):
        key = (b"1234567890" * 7)[:length]
        secret = base64.b32encode(key).decode()
        step = totp.step_of(datetime.fromtimestamp(seconds, UTC))
        assert totp.code_at(secret, step, digits=8, digest=digest) == expected


def test_another_implementation_agrees() -> None:
    for _round in range(50):
        secret = totp.new_secret()
        theirs = pyotp.TOTP(secret)
        moment = datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(seconds=17 * _round)
        assert totp.code_at(secret, totp.step_of(moment)) == theirs.at(moment)
    address = totp.address(secret, "Polyclinic", "dr.anil@example.org")
    read = pyotp.parse_uri(address)
    assert (read.secret, read.issuer, read.name) == (secret, "Polyclinic", "dr.anil@example.org")  # type: ignore[attr-defined]


def test_a_code_works_once(person: Person, app: App) -> None:
    assert proofs.code(actor=person, account_id=person.account_id, text=app.code()) == "totp"
    with pytest.raises(WrongCode):
        proofs.code(actor=person, account_id=person.account_id, text=app.code())


def test_an_older_code_does_not_work_after_a_newer(person: Person, app: App) -> None:
    proofs.code(actor=person, account_id=person.account_id, text=app.code())
    with pytest.raises(WrongCode):
        proofs.code(actor=person, account_id=person.account_id, text=app.code(-1))


@pytest.mark.parametrize(("steps", "fine"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(person: Person, app: App, steps: int, fine: bool) -> None:
    try:
        with clock.fixed(clock.now()):
            proofs.code(actor=Anonymous(), account_id=person.account_id, text=app.code(steps))
        assert fine
    except WrongCode:
        assert not fine


def test_spaces_are_no_mistake(person: Person, app: App) -> None:
    code = app.code()
    assert proofs.code(actor=person, account_id=person.account_id, text=f" {code[:3]} {code[3:]} ") == "totp"
