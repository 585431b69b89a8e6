"""T26: passwords as NIST SP 800-63B-4 asks: length and a blocklist, no rules of composition, no expiry, argon2id."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.core.errors import Invalid
from polyclinic.people import hashing, passwords, signing_in
from polyclinic.people.models import Account
from tests.house import House

ME = Account(email="meera.pillai@example.org", name="Meera Pillai")
GOOD = "violet lantern harbour"


def accepted(password: str, account: Account = ME) -> bool:
    try:
        passwords.check(password, account)
    except Invalid as refused:
        return (refused.field, refused.code) != ("password", "weak_password")
    return True


@pytest.fixture
def factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone has a second factor."""
    monkeypatch.setattr(passwords, "_second_factor", lambda _account: True)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_second_factor", lambda _account: False)
    monkeypatch.setattr(passwords, "_context", lambda: ("Riverside Clinic", "Hilltop Hospital"))


def test_t26_fifteen_alone_eight_beside_a_second_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    fourteen, fifteen = "vjkqwplmzbxtsr", "vjkqwplmzbxtsrn"
    assert (accepted(fourteen), accepted(fifteen)) == (False, True)
    monkeypatch.setattr(passwords, "_second_factor", lambda _account: True)
    assert (accepted("vjkqwpl"), accepted("vjkqwplm")) == (False, True)


def test_t26_up_to_128_characters() -> None:
    long = "vjkqwplm zbxtsrn " * 8
    assert (accepted(long[:64]), accepted(long[:128]), accepted(long[:129])) == (True, True, False)


@pytest.mark.parametrize(
    "password",
    [
        "onlylowercaseletters", "ONLY UPPER CASE LETTERS", "7294018362957401",
        "четыре спокойных слова", "四つの静かな言葉をここに並べて覚える",
        "🦋🌧️🚲🎻🍋🪁🐚🧭🎈🛶🌵🧊🍇🪵🐝", "  leading and trailing  ",
    ],
)  # fmt: skip
def test_t26_no_rules_of_composition_and_every_script(password: str) -> None:
    assert accepted(password)


@pytest.mark.parametrize(
    "password",
    [
        # Common, alone or repeated or dressed up.
        "passwordpassword", "1q2w3e4r5t6y7u8i9o0p", "iloveyouiloveyou", "P@ssw0rdP@ssw0rd", "qwertyqwertyqwerty",
        "password123456789", "!!!!!sunshine!!!!!",
        # Patterns.
        "aaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "123456789987654321", "abcdefghijklmnop", "qwertyuiopasdfghjkl",
        # Words around this account and this place.
        "meera.pillai@example.org", "MeeraPillai1980!", "polyclinicpolyclinic", "Riverside Clinic 2026",
        "Hilltop-Hospital-1", "M33r4P1ll4i-polyclinic", "ｍｅｅｒａ ｐｉｌｌａｉ １２３４",
    ],
)  # fmt: skip
def test_t26_what_guessers_try_first_is_refused(password: str) -> None:
    assert len(password) >= passwords.ALONE
    assert not accepted(password)


def test_t26_without_the_blocklist_they_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(passwords, "_expected", lambda _text, _account: False)
    assert accepted("passwordpassword")
    assert accepted("meera.pillai@example.org")


def test_t26_common_short_ones_are_refused_beside_a_second_factor(factor: None) -> None:
    for password in ("password", "12345678", "iloveyou", "sunshine1", "Passw0rd!", "aaaaaaaa"):
        assert not accepted(password), password
    assert accepted("lantern-h")


def test_t26_a_context_word_inside_other_words_is_no_fault() -> None:
    """The whole password is compared, not its parts (800-63B-4, 3.1.1.2)."""
    for password in ("my clinic has purple doors", "pillai eats seven mangoes", "password is not this one"):
        assert accepted(password), password


@given(st.text(alphabet="abcdefgh åéîøü ﬁ①Ａ", min_size=15, max_size=30))
def test_t26_every_keyboards_way_of_writing_is_the_same_password(text: str) -> None:
    account = Account()
    account.set_password(unicodedata.normalize("NFD", text))
    assert account.check_password(unicodedata.normalize("NFC", text))
    assert account.check_password(unicodedata.normalize("NFKC", text))
    assert not account.check_password(text + "x")


def test_t26_half_a_character_is_no_crash() -> None:
    account = Account()
    account.set_password(GOOD)
    assert not account.check_password("\ud800" * 16)


def test_t26_hashes_are_argon2id_with_owasps_parameters(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["polyclinic.people.hashing.Argon2id"]
    assert make_password(GOOD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    from polyclinic.settings import base

    assert base.PASSWORD_HASHERS == ["polyclinic.people.hashing.Argon2id"]


def test_t26_a_hash_with_other_parameters_is_renewed_when_its_owner_signs_in(house: House, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["polyclinic.people.hashing.Argon2id"]
    account = house.patient.account

    class Weaker(hashing.Argon2id):
        time_cost = 1
        memory_cost = 8_192

    account.password = Weaker().encode(GOOD, Weaker().salt())
    account.save()
    signing_in.check(account.email, GOOD, network="n")
    account.refresh_from_db()
    assert "m=19456,t=2,p=1" in account.password
    assert account.check_password(GOOD)


def test_t26_no_more_hashes_at_once_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    inside: list[int] = []
    most: list[int] = []

    def slow(_self: object, _password: str, _encoded: str) -> bool:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return True

    monkeypatch.setattr(hashing.Argon2PasswordHasher, "verify", slow)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _n: hashing.Argon2id().verify("x", "y"), range(32)))
    assert max(most) <= hashing.AT_ONCE
    # Negative control: without the turns there are more.
    most.clear()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _n: slow(None, "x", "y"), range(32)))
    assert max(most) > hashing.AT_ONCE
