"""Renewing the keys that sign access tokens: announced first, and no token dies of it."""

from __future__ import annotations

import threading
from datetime import timedelta

import jwt
import pytest
from django.db import connection

from polyclinic.api import tokens
from polyclinic.core import clock
from polyclinic.tokens import signing
from polyclinic.tokens.models import SigningKey
from tests.api.calling import bearer, call
from tests.house import House


def test_the_private_key_is_sealed_at_rest(house: House) -> None:
    bearer(house.patient)
    with connection.cursor() as cursor:
        cursor.execute("SELECT private FROM tokens_signingkey")
        stored = cursor.fetchone()[0]
    assert stored
    assert "PRIVATE" not in stored


def test_a_new_key_is_announced_before_it_signs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    signing.forget()
    before = signing.current().kid
    new = signing.make()
    assert new != before
    assert {key["kid"] for key in call("GET", "/.well-known/jwks.json").json["keys"]} == {before, new}
    assert signing.current().kid == before
    later = clock.now() + signing.ANNOUNCED
    monkeypatch.setattr("polyclinic.core.clock.now", lambda: later)
    assert signing.current().kid == new


def test_old_tokens_are_believed_until_they_expire(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    signing.forget()
    assert house.patient.account
    token = tokens.issue(house.patient.account).token
    signing.make()
    tokens.forget()
    assert tokens.person_of_token(token) is not None
    ended = clock.now() + signing.ANNOUNCED * 2 + signing.TOKEN_LIFETIME + timedelta(seconds=1)
    old = jwt.get_unverified_header(token)["kid"]
    assert signing.believed(old) is not None
    monkeypatch.setattr("polyclinic.core.clock.now", lambda: ended)
    assert signing.believed(old) is None


def test_the_published_keys_verify_a_token(house: House) -> None:
    assert house.patient.account
    token = tokens.issue(house.patient.account).token
    answer = call("GET", "/.well-known/jwks.json")
    assert answer.headers["cache-control"].startswith("public")
    found = jwt.PyJWKSet.from_dict(answer.json)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, found.key, algorithms=["RS256"], audience=tokens.AUDIENCE)
    assert claims["sub"] == str(house.patient.account.pk)
    assert "d" not in answer.json["keys"][0]


def test_keys_are_renewed_by_themselves_after_ninety_days(house: House) -> None:
    signing.current()
    assert signing.renew_when_old() == 0
    SigningKey.objects.update(active_from=clock.now() - timedelta(days=91))
    SigningKey.objects.update(kid="old")
    assert signing.renew_when_old() == 1
    assert SigningKey.objects.filter(ends_at__isnull=True).count() == 1


def test_an_unknown_name_is_not_looked_up_each_time(house: House, django_assert_num_queries: object) -> None:
    signing.current()
    signing.believed("nobody")
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert all(signing.believed(f"nobody-{n}") is None for n in range(50))


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_together_agree_on_one_key() -> None:
    threads = [threading.Thread(target=_make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SigningKey.objects.count() == 1


def _make() -> None:
    signing.make(at_once=True)
    connection.close()


def test_keys_are_of_128_bits_of_strength_and_shorter_ones_are_renewed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation from before gets its longer key at the next chore, and no token dies of it."""
    assert house.patient.account
    monkeypatch.undo()
    monkeypatch.setattr(signing, "_BITS", 2048)
    token = tokens.issue(house.patient.account).token
    assert signing.renew_when_old() == 0
    monkeypatch.undo()
    assert signing.current().public.key_size == 2048
    assert signing.renew_when_old() == 1
    assert signing.renew_when_old() == 0
    tokens.forget()
    assert tokens.person_of_token(token) is not None
    later = clock.now() + signing.ANNOUNCED
    monkeypatch.setattr("polyclinic.core.clock.now", lambda: later)
    assert signing.current().public.key_size >= 3072
