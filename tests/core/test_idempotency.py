"""Do it once: the same key gives the same answer, whatever happens in between."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.core.ledger import Answer, idempotency, once
from polyclinic.core.models import IdempotencyRecord
from polyclinic.facilities.models import Service

PRINT = idempotency.fingerprint(b"POST", b"/api/appointments", b"{}")


class Effect:
    """Makes one service each time it runs, so that running twice shows."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False

    def __call__(self) -> Answer:
        self.runs += 1
        Service.objects.create(slug=f"made-{self.runs}", name="Made", specialty="x")
        if self.fails:
            raise Conflict(code="slot_taken")
        return Answer(201, f'{{"run":{self.runs}}}')


@pytest.mark.django_db
def test_the_second_time_the_first_answer_is_given_again() -> None:
    effect = Effect()
    first = once("account:1", "key", PRINT, effect)
    second = once("account:1", "key", PRINT, effect)
    assert (first.status, first.body, first.replayed) == (201, '{"run":1}', False)
    assert (second.status, second.body, second.replayed) == (201, '{"run":1}', True)
    assert (effect.runs, Service.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_another_key_or_another_caller_is_another_request() -> None:
    effect = Effect()
    for caller, key in (("a", "1"), ("a", "2"), ("b", "1")):
        assert not once(caller, key, PRINT, effect).replayed
    assert effect.runs == 3


@pytest.mark.django_db
def test_the_same_key_for_something_else_is_a_mistake() -> None:
    effect = Effect()
    once("a", "key", PRINT, effect)
    with pytest.raises(Invalid) as refused:
        once("a", "key", idempotency.fingerprint(b"POST", b"/api/appointments", b'{"x":1}'), effect)
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert refused.value.field == "Idempotency-Key"
    assert effect.runs == 1


@pytest.mark.django_db(transaction=True)
def test_a_failed_effect_stores_nothing_and_may_be_tried_again() -> None:
    effect = Effect()
    effect.fails = True
    with pytest.raises(Conflict):
        once("a", "key", PRINT, effect)
    assert not IdempotencyRecord.objects.exists()
    assert not Service.objects.exists()
    effect.fails = False
    assert once("a", "key", PRINT, effect).status == 201
    assert Service.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_must_have_a_sensible_length(key: str) -> None:
    effect = Effect()
    with pytest.raises(Invalid) as refused:
        once("a", key, PRINT, effect)
    assert refused.value.field == "Idempotency-Key"
    assert effect.runs == 0


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x", "x" * 255, "🦋 עברית", "'; DROP TABLE core_idempotencyrecord; --"])
def test_any_other_key_is_taken_as_it_is(key: str) -> None:
    effect = Effect()
    once("a", key, PRINT, effect)
    assert once("a", key, PRINT, effect).replayed


@pytest.mark.django_db(transaction=True)
def test_many_at_once_have_one_effect_and_one_answer() -> None:
    effect, answers, failures = Effect(), [], []
    gate = threading.Barrier(8)

    def send() -> None:
        try:
            gate.wait(10)
            answers.append(once("a", "key", PRINT, effect))
        except BaseException as problem:
            failures.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert {(answer.status, answer.body) for answer in answers} == {(201, '{"run":1}')}
    assert [answer.replayed for answer in answers].count(False) == 1
    assert Service.objects.count() == 1


def test_a_fingerprint_keeps_its_parts_apart() -> None:
    assert idempotency.fingerprint(b"ab", b"c") != idempotency.fingerprint(b"a", b"bc")


@pytest.mark.django_db
def test_old_answers_are_forgotten_and_young_ones_kept() -> None:
    effect = Effect()
    with clock.fixed(clock.now() - timedelta(days=3)):
        once("a", "old", PRINT, effect)
    once("a", "young", PRINT, effect)
    assert idempotency.forget_before(days=2) == 1
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["young"]
