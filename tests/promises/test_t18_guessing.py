"""T18: guessing a password does not pay, tells nothing, and locks nobody out but the guesser."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.networks import network_of
from polyclinic.notify.models import Notice
from polyclinic.people import guesses, hashing, signing_in
from polyclinic.people.guesses import SignInLocked
from polyclinic.people.models import Account, Guesses
from polyclinic.people.signing_in import WrongPassword
from tests.api.calling import call
from tests.house import PASSWORD, House

EMAIL = "meera@example.org"
NOBODY = "nobody@example.org"
HOME = network_of("198.51.100.20")


class Clock:
    """A clock that only this test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def forward(self, **much: float) -> None:
        self.now += timedelta(**much)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    held = Clock()
    monkeypatch.setattr(clock, "_source", lambda: held.now)
    return held


def attempt(email: str = EMAIL, password: str = "wrong", network: str = "n", device: str = "") -> str:
    """How a try ends."""
    try:
        signing_in.check(email, password, network=network, device=device)
    except (WrongPassword, SignInLocked) as refused:
        return refused.code
    return "in"


def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that is really looked at from now on."""
    seen: list[str] = []
    real = Account.check_password

    def look(self: Account, raw: str) -> bool:
        seen.append(raw)
        return real(self, raw)

    monkeypatch.setattr(Account, "check_password", look)
    return seen


def test_t18_five_wrong_ones_lock_and_then_for_longer_each_time(house: House, at: Clock) -> None:
    assert [attempt() for _ in range(5)] == ["wrong_credentials"] * 5
    assert attempt(password=PASSWORD) == "sign_in_locked"
    at.forward(minutes=14, seconds=59)
    assert attempt(password=PASSWORD) == "sign_in_locked"
    at.forward(seconds=1)
    assert [attempt() for _ in range(6)] == ["wrong_credentials"] * 5 + ["sign_in_locked"]
    at.forward(minutes=29)
    assert attempt() == "sign_in_locked"
    at.forward(minutes=1)
    assert attempt(password=PASSWORD) == "in"
    # Signing in rightly forgets what was wrong before.
    assert [attempt() for _ in range(4)] == ["wrong_credentials"] * 4
    assert attempt(password=PASSWORD) == "in"


def test_t18_four_wrong_ones_spread_over_time_lock_nobody(house: House, at: Clock) -> None:
    for _round in range(5):
        assert [attempt() for _ in range(4)] == ["wrong_credentials"] * 4
        at.forward(minutes=61)
    assert attempt(password=PASSWORD) == "in"


@pytest.mark.service
def test_t18_ten_thousand_guesses_from_a_hundred_addresses(
    house: House, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A week of guessing from a hundred networks looks at no more than a hundred passwords of an account."""
    seen = tried(monkeypatch)
    for number in range(10_000):
        at.forward(seconds=60.48)
        attempt(password=f"guess {number}", network=network_of(f"203.0.{number % 100}.9"))
    assert 20 <= len(seen) <= 100
    # And no table has grown by the guesses.
    assert Guesses.objects.count() <= 2 * 100 + 1


@pytest.mark.wide
def test_t18_without_the_strangers_counter_it_would_be_many_more(
    house: House, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    monkeypatch.setattr(guesses, "STRANGERS", guesses.Limit(10**6, timedelta(1), timedelta(1), most=10**6))
    seen = tried(monkeypatch)
    for number in range(1_000):
        at.forward(seconds=60)
        attempt(password=f"guess {number}", network=network_of(f"203.0.{number % 100}.9"))
    assert len(seen) > 100


def test_t18_the_attacked_person_signs_in_from_their_own_browser_and_network(house: House, at: Clock) -> None:
    account = house.patient.account
    mine = signing_in.entered(account.pk, device="", user_agent="Firefox", network=HOME).cookie
    for number in range(300):
        at.forward(minutes=10)
        attempt(network=network_of(f"203.0.{number % 100}.9"))
    elsewhere = network_of("192.0.2.1")
    assert attempt(password=PASSWORD, network=elsewhere) == "sign_in_locked"
    assert attempt(password=PASSWORD, network=elsewhere, device="x" * 43) == "sign_in_locked"
    assert attempt(password=PASSWORD, network=elsewhere, device=mine) == "in"
    assert attempt(password=PASSWORD, network=HOME) == "in"
    # A device cookie counts for its own account only, and one that was made up for none.
    assert attempt("bento@example.org", network=elsewhere, device=mine) == "wrong_credentials"


def test_t18_a_stolen_device_cookie_has_five_tries_of_its_own(house: House, at: Clock) -> None:
    mine = signing_in.entered(house.patient.account.pk, device="", user_agent="", network=HOME).cookie
    assert [attempt(network="x", device=mine) for _ in range(6)] == ["wrong_credentials"] * 5 + ["sign_in_locked"]


def test_t18_known_and_unknown_names_are_told_the_same(house: House, at: Clock) -> None:
    """Status, words, headers and queries alike: before the lock, when it falls, and after it."""
    # The network's own counter is there from now on, and each name finds the same.
    call("POST", "/api/auth/login", body={"email": "third@example.org", "password": "wrong"})
    for _try in range(8):
        answers, queries = [], []
        for email in (EMAIL, NOBODY):
            with CaptureQueriesContext(connection) as captured:
                answer = call("POST", "/api/auth/login", body={"email": email, "password": "wrong"})
            answers.append((answer.status, answer.body, answer.headers))
            queries.append([entry["sql"][:28] for entry in captured])
        assert answers[0] == answers[1]
        assert queries[0] == queries[1]
    assert answers[0][0] == 429


@pytest.mark.wide
def test_t18_known_and_unknown_names_take_the_same_time(house: House, settings: Any) -> None:
    """With the real hash; tries alternate, and only this thread's own work counts."""
    settings.PASSWORD_HASHERS = ["polyclinic.people.hashing.Argon2id"]
    account = house.patient.account
    account.set_password(PASSWORD)
    account.save()
    took: dict[str, list[float]] = {EMAIL: [], NOBODY: []}
    for number in range(12):
        for email, times in took.items():
            began = time.thread_time()
            assert attempt(email, network=f"n{number}") == "wrong_credentials"
            times.append(time.thread_time() - began)
    known, unknown = (min(times) for times in took.values())
    assert known == pytest.approx(unknown, rel=0.25)
    assert statistics.median(took[NOBODY]) > 0.01, "a hash was really made"


def test_t18_guesses_at_once_do_not_pass_under_one_count(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try is counted before the password is looked at: forty that are all at that point find no fifth place twice."""
    real = Account.check_password
    ends: list[str] = []

    def look(self: Account, raw: str) -> bool:
        if len(ends) < 40:
            ends.append(attempt())
        return real(self, raw)

    monkeypatch.setattr(Account, "check_password", look)
    ends.append(attempt())
    assert ends.count("wrong_credentials") == 5
    assert max(Guesses.objects.values_list("failures", flat=True)) == 5


def test_t18_the_person_is_told_once_and_a_name_of_nobody_tells_nobody(house: House, at: Clock) -> None:
    for email in (EMAIL, NOBODY):
        for _try in range(7):
            attempt(email)
    assert guesses.tell_of_locks() == 1
    assert guesses.tell_of_locks() == 0
    assert list(Notice.objects.values_list("kind", "account_id")) == [("sign_in_locked", house.patient.account.pk)]
    assert not Guesses.objects.filter(key__contains="example").exists(), "no typed name is kept"


def test_t18_spraying_one_password_over_many_names_ends_too(house: House, at: Clock) -> None:
    ends = [attempt(f"someone{number}@example.org", "Summer2026!") for number in range(110)]
    assert ends.count("wrong_credentials") == 100
    assert attempt("bento@example.org", PASSWORD) == "sign_in_locked"
    assert attempt("bento@example.org", PASSWORD, network="elsewhere") == "in"


def test_t18_choosing_a_new_password_by_mail_opens_the_door_again(house: House, at: Clock) -> None:
    from polyclinic.core.actors import Anonymous
    from polyclinic.people import actions

    for _try in range(6):
        attempt()
    new = "violet lantern harbour"
    actions.change_password(actor=Anonymous(), account_id=house.patient.account.pk, password=new)
    assert attempt(password=new) == "in"


def test_t18_counters_are_forgotten_after_a_quiet_month(house: House, at: Clock) -> None:
    attempt()
    at.forward(days=29)
    assert guesses.forget_old() == 0
    at.forward(days=2)
    assert guesses.forget_old() == 3
    assert Guesses.objects.count() == 0


def test_t18_a_rush_is_told_to_come_back_and_never_waits_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "PATIENCE_SECONDS", 0.05)
    held = [hashing._turns.acquire() for _ in range(hashing.AT_ONCE)]
    try:
        with pytest.raises(hashing.Busy) as refused, hashing.turn():
            pass
        assert (refused.value.status, refused.value.extra["retryAfter"]) == (503, 10)
    finally:
        for _one in held:
            hashing._turns.release()
    with hashing.turn():
        pass


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b'{"email": 1, "password": 2}', b'{"email": "a"}', b"\xff\xfe",
        b'{"email": "a\\u0000@b.c", "password": "x"}', b'{"email": "a@b.c", "password": "\\ud800"}',
        b'{"email": "' + b"a" * 300 + b'", "password": "x"}', b'{"email": "a@b.c", "password": "' + b"x" * 300 + b'"}',
        '{"email": "é@b.c", "password": "ﷺ"}'.encode(),
    ],
)  # fmt: skip
def test_t18_malformed_credentials_are_refused_in_one_shape(house: House, body: bytes) -> None:
    answer = call("POST", "/api/auth/login", body=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status < 500
    assert {"type", "title", "status", "code", "detail"} <= answer.json.keys()


@pytest.mark.parametrize(
    "cookie",
    ["polyclinic_device=", "polyclinic_device=\xff", 'polyclinic_device="\\000"', "polyclinic_device=" + "y" * 5000],
)
def test_t18_a_malformed_device_cookie_is_no_cookie(house: House, cookie: str) -> None:
    headers = {"Cookie": f"polyclinic_csrf=polyclinictestspolyclinictests32; {cookie}",
               "X-CSRFToken": "polyclinictestspolyclinictests32",
               "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
    answer = call("POST", "/sign-in", body=b"email=meera%40example.org&password=wrong", headers=headers)
    assert answer.status in (400, 422)
