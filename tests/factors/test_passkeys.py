"""Passkeys: only a genuine, fresh answer to our own question opens anything, and a copy gives itself away."""

from __future__ import annotations

import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person
from polyclinic.core.models import AuditEntry
from polyclinic.factors import actions, passkeys, proofs, selectors
from polyclinic.factors.models import Passkey, WrongCodes
from polyclinic.factors.problems import PasskeyRefused
from polyclinic.notify.models import Notice
from polyclinic.people.models import Account
from tests.factors.authenticator import USER_PRESENT, Authenticator, b64
from tests.factors.conftest import add_passkey
from tests.house import House


def show(answer: object, account: Any = None) -> Any:
    return proofs.passkey(
        actor=Anonymous(), account_id=account, text=answer if isinstance(answer, str) else json.dumps(answer)
    )


def test_it_says_who_is_there_without_a_password(person: Person, passkey: Authenticator) -> None:
    for _time in range(2):
        assert show(passkey.answer(actions.question(None))) == person.account_id
    assert show(passkey.answer(actions.question(person.account_id)), person.account_id) == person.account_id
    assert Passkey.objects.get().sign_count == passkey.count


def test_the_question_names_the_keys_of_that_account_alone(person: Person, passkey: Authenticator) -> None:
    assert actions.question(None)["allowCredentials"] == []
    named = actions.question(person.account_id)
    assert [one["id"] for one in named["allowCredentials"]] == [b64(passkey.id)]
    assert named["userVerification"] == "required"
    asked = actions.begin_passkey(actor=person)
    assert [one["id"] for one in asked["excludeCredentials"]] == [b64(passkey.id)]
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["attestation"] == "none"


def test_an_answer_counts_once(passkey: Authenticator) -> None:
    answer = passkey.answer(actions.question(None))
    show(answer)
    with pytest.raises(PasskeyRefused):
        show(answer)


def test_a_question_lives_ten_minutes(passkey: Authenticator) -> None:
    answer = passkey.answer(actions.question(None))
    with clock.fixed(clock.now() + timedelta(minutes=10)), pytest.raises(PasskeyRefused):
        show(answer)


def test_a_question_is_for_whom_it_was_put_to(house: House, person: Person, passkey: Authenticator) -> None:
    other = house.person(house.other_doctor).account_id
    for asked, shown in (
        (other, person.account_id),
        (None, person.account_id),
        (person.account_id, None),
        (other, other),
    ):
        with pytest.raises(PasskeyRefused):
            show(passkey.answer(actions.question(asked)), shown)


LIES: dict[str, Callable[[Authenticator], None]] = {
    "another origin": lambda key: setattr(key, "origin", "https://polyclinic.example.evil"),
    "another host": lambda key: setattr(key, "host", "evil.example"),
    "nobody verified": lambda key: setattr(key, "flags", USER_PRESENT),
    "nobody present": lambda key: setattr(key, "flags", 0),
    "another key": lambda key: setattr(key, "key", Authenticator().key),
    "another's handle": lambda key: setattr(key, "user", b"0123456789abcdef"),
    "an unknown key": lambda key: setattr(key, "id", b"unknown"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_noticed(passkey: Authenticator, lie: str) -> None:
    question = actions.question(None)
    LIES[lie](passkey)
    with pytest.raises(PasskeyRefused):
        show(passkey.answer(question))
    assert Passkey.objects.get().refused_at is None


@pytest.mark.parametrize("lie", ["another origin", "another host", "nobody verified"])
def test_a_lie_makes_no_key(person: Person, lie: str) -> None:
    key = Authenticator()
    LIES[lie](key)
    with pytest.raises(PasskeyRefused):
        actions.add_passkey(actor=person, answer=json.dumps(key.create(actions.begin_passkey(actor=person))))
    assert not Passkey.objects.exists()


def test_a_counter_that_goes_back_ends_the_key_and_tells(person: Person, passkey: Authenticator) -> None:
    show(passkey.answer(actions.question(None)))
    passkey.count -= 1
    with pytest.raises(PasskeyRefused):
        show(passkey.answer(actions.question(None)))
    assert selectors.factors(person)[0].refused
    assert not selectors.has_second_factor(person.account_id)
    assert Notice.objects.filter(account_id=person.account_id, kind="passkey_copied").count() == 1
    assert AuditEntry.objects.filter(action="factor.copied").count() == 1
    # Neither the copy nor the original opens anything any more.
    passkey.count += 50
    with pytest.raises(PasskeyRefused):
        show(passkey.answer(actions.question(None)))


def test_a_key_that_never_counts_is_fine(person: Person) -> None:
    """Keys that move between devices always say 0."""
    key = Authenticator()
    key.step = 0
    actions.add_passkey(actor=person, answer=json.dumps(key.create(actions.begin_passkey(actor=person))))
    for _time in range(3):
        assert show(key.answer(actions.question(None))) == person.account_id


def test_one_key_is_one_account_s(house: House, person: Person, passkey: Authenticator) -> None:
    other = house.person(house.other_doctor)
    with pytest.raises(PasskeyRefused):
        actions.add_passkey(actor=other, answer=json.dumps(passkey.create(actions.begin_passkey(actor=other))))
    assert Passkey.objects.get().account_id == person.account_id


def test_a_closed_account_stays_closed(person: Person, passkey: Authenticator) -> None:
    Account.objects.filter(pk=person.account_id).update(is_active=False)
    with pytest.raises(PasskeyRefused):
        show(passkey.answer(actions.question(None)))


@pytest.mark.parametrize(
    ("address", "fine"),
    [("http://localhost:8000", True), ("https://clinic.example", True), ("http://clinic.example", False),
     ("https://192.0.2.7", False), ("http://127.0.0.1:8000", False), ("https://[2001:db8::1]", False)],
)  # fmt: skip
def test_where_passkeys_are_possible(settings: Any, address: str, fine: bool) -> None:
    settings.PUBLIC_URL = address
    assert passkeys.possible() is fine


def bent(answer: dict[str, Any], chance: random.Random) -> object:
    """The answer with something in it spoilt."""
    spoilt: Any = json.loads(json.dumps(answer))
    inside: Any = chance.choice([spoilt, spoilt["response"]])
    name = chance.choice(sorted(name for name in inside if name != "userHandle"))
    junk: list[Any] = [None, 7, [], {}, "", "é", "A", "====", "x" * 40_000, True, b64(bytes(40)), "\udcff", "\0"]
    return spoilt if inside.update({name: chance.choice(junk)}) is None else None


def test_two_hundred_malformed_answers_are_refused_alike(person: Person, passkey: Authenticator) -> None:
    chance = random.Random(20)
    texts: list[object] = ["", "{", "[]", "null", "7", '{"id": 7}', '{"id": "x"}', "x" * 50_000, None, 7, b"x"]
    texts += [json.dumps(bent(passkey.answer(actions.question(None)), chance)) for _nth in range(189)]
    refused = []
    for text in texts:
        with pytest.raises(PasskeyRefused) as caught:
            proofs.passkey(actor=Anonymous(), account_id=None, text=text)
        refused.append((caught.value.status, caught.value.code, caught.value.field, str(caught.value.sentence)))
    assert len(refused) == 200
    assert len(set(refused)) == 1
    assert show(passkey.answer(actions.question(None))) == person.account_id
    assert not WrongCodes.objects.exists()


def test_a_challenge_of_our_own_making_opens_nothing(passkey: Authenticator) -> None:
    """A key that signs for anyone is of no use with a question that we have not put."""
    made = {"challenge": urlsafe_b64encode(bytes(32)).decode().rstrip("=")}
    with pytest.raises(PasskeyRefused):
        show(passkey.answer(made))


def test_making_a_key_and_showing_one_are_two_questions(person: Person) -> None:
    key = add_passkey(person)
    with pytest.raises(PasskeyRefused):
        show(key.answer(actions.begin_passkey(actor=person)), person.account_id)
    fresh = Authenticator()
    question = {**actions.begin_passkey(actor=person), "challenge": actions.question(person.account_id)["challenge"]}
    with pytest.raises(PasskeyRefused):
        actions.add_passkey(actor=person, answer=json.dumps(fresh.create(question)))
