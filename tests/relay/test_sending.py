"""The relay against a broker of our own making: what it confirms, refuses and forgets is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.core import clock
from polyclinic.core.outbox import log
from polyclinic.relay import cursor, rabbit, sending, status
from polyclinic.relay.broker import Away, rounds
from polyclinic.relay.envelope import Message, message
from polyclinic.relay.models import RelayCursor
from polyclinic.relay.sending import LeaseLost, Relay
from tests.relay.facts import fact

pytestmark = pytest.mark.django_db


class Fake:
    """A broker that takes `takes` more messages and then goes away."""

    def __init__(self) -> None:
        self.kept: list[Message] = []
        self.takes: int | None = None
        self.closed = 0
        self.before_confirming: Any = None
        self.broken = False

    def connect(self) -> None:
        if self.takes == 0:
            raise Away("ConnectionRefusedError")

    def publish(self, messages: Sequence[Message]) -> None:
        many = len(messages) if self.takes is None else min(self.takes, len(messages))
        self.kept += messages[:many]
        if self.before_confirming:
            self.before_confirming()
        if self.takes is not None:
            self.takes -= many
        if many < len(messages):
            raise Away("DeliveryError", many)

    def alive(self) -> bool:
        return not self.broken

    def close(self) -> None:
        self.closed += 1

    def sequences(self) -> list[int]:
        return [msgspec.json.decode(one.body)["sequence"] for one in self.kept]


@pytest.fixture
def broker() -> Fake:
    return Fake()


@pytest.fixture
def relay(broker: Fake) -> Relay:
    cursor.make()
    return Relay(lambda: broker, source="https://clinic.example.org")


def tell(first: int, last: int) -> None:
    for seq in range(first, last + 1):
        log.append(fact(1, seq))
    log.assign_positions()


def place() -> int:
    return RelayCursor.objects.get().position


def test_everything_since_the_start_goes_in_order_and_nothing_before(broker: Fake) -> None:
    tell(1, 2)
    cursor.make()
    tell(3, 9)
    relay = Relay(lambda: broker)
    assert relay.pump() == 7
    assert relay.pump() == 0
    assert broker.sequences() == list(range(3, 10))
    assert place() == log.head()


def test_the_place_moves_when_the_broker_has_confirmed_and_not_before(relay: Relay, broker: Fake) -> None:
    began = place()
    tell(1, 3)
    seen: list[int] = []
    broker.before_confirming = lambda: seen.append(place())
    relay.pump()
    assert seen == [began]
    assert place() == log.head()


def test_what_was_not_confirmed_goes_again_with_the_same_id(relay: Relay, broker: Fake) -> None:
    tell(1, 6)
    broker.takes = 4
    with pytest.raises(Away):
        relay.pump()
    relay._hang_up()
    assert log.head() - place() == 2
    broker.takes = None
    relay.pump()
    assert broker.sequences() == [1, 2, 3, 4, 5, 6]
    cursor.rewind(place() - 2)
    with pytest.raises(LeaseLost):
        relay._advance(log.head(), 0)
    relay.pump()
    assert broker.sequences()[-2:] == [5, 6]
    assert [one.id for one in broker.kept[-2:]] == [one.id for one in broker.kept[4:6]]


def test_who_has_lost_the_lease_moves_nothing(relay: Relay, broker: Fake) -> None:
    """The first is stopped while the broker works; another takes over; the first must not note its end."""
    tell(1, 3)
    began = place()
    broker.before_confirming = lambda: RelayCursor.objects.update(holder="another", until=2**62)
    with pytest.raises(LeaseLost):
        relay.pump()
    assert place() == began


def test_one_sends_and_the_other_waits_until_the_lease_is_given_up_or_over(relay: Relay, broker: Fake) -> None:
    other_broker = Fake()
    other = Relay(lambda: other_broker)
    tell(1, 3)
    assert (relay.pump(), other.pump()) == (3, 0)
    tell(4, 5)
    assert other.pump() == 0
    RelayCursor.objects.update(until=0)
    assert other.pump() == 2
    tell(6, 6)
    with pytest.raises(LeaseLost):
        relay.pump()
    assert place() == log.head() - 1
    cursor.give_up(other.holder)
    assert relay.pump() == 1


def test_whoever_slept_past_their_lease_sends_nothing(relay: Relay, broker: Fake) -> None:
    tell(1, 1)
    relay._lease = 0.0
    with pytest.raises(LeaseLost):
        relay.pump()
    assert broker.kept == []


def test_a_broker_that_is_away_is_known_to_every_node_and_loses_nothing(
    relay: Relay, broker: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(relay._stopping, "wait", waits.append)
    monkeypatch.setattr(sending.random, "uniform", lambda _low, high: high)
    broker.takes = 0
    tell(1, 5)
    with override_settings(BROKER_URL="amqp://u:canary@broker.example.org"):
        for _round in range(8):
            assert relay._step() is False
        now = status.relay()
        assert (now.state, now.waiting, now.failure) == ("waiting", 5, "ConnectionRefusedError")
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (sending._FIRST_WAIT, sending._LONGEST_WAIT)
        first = now.failing_since
        relay._step()
        assert status.relay().failing_since == first
        broker.takes = None
        assert relay._step() is True
        now = status.relay()
        assert (now.state, now.waiting, now.failure, now.sent) == ("ok", 0, "", 5)
    assert broker.sequences() == [1, 2, 3, 4, 5]


def test_a_line_that_breaks_while_nothing_is_sent_is_noticed(relay: Relay, broker: Fake) -> None:
    tell(1, 1)
    relay.pump()
    broker.broken = True
    with pytest.raises(Away):
        relay.pump()


def test_no_broker_set_is_no_relay() -> None:
    sending.start()
    assert sending._relay is None
    assert status.relay().state == "off"
    assert not RelayCursor.objects.exists()


def test_the_envelope_is_a_cloud_event_around_the_logs_own_payload() -> None:
    log.append(fact(3, 7))
    log.assign_positions()
    row = log.read_after(0)[0]
    told = msgspec.json.decode(message(row, "https://clinic.example.org").body)
    assert told.pop("data") == msgspec.json.decode(row.payload)
    assert told == {
        "specversion": "1.0", "id": f"{row.position}-{int(row.at.timestamp() * 1_000_000)}",
        "source": "https://clinic.example.org", "type": "schedule.changed", "subject": row.stream, "sequence": 7,
        "time": row.at.isoformat().replace("+00:00", "Z"), "position": row.position, "eventversion": 1,
        "datacontenttype": "application/json",
    }  # fmt: skip


def test_a_position_given_twice_after_a_restore_is_another_id() -> None:
    log.append(fact(1, 1))
    log.assign_positions()
    row = log.read_after(0)[0]
    later = log.Logged(
        row.position, row.stream, 1, row.type, 1, clock.now().replace(year=2040), row.audience, row.payload
    )
    assert message(row, "x").id != message(later, "x").id
    assert message(row, "x").id == message(row, "x").id


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), max_size=60))
def test_no_two_of_a_stream_are_on_their_way_at_once(streams: list[int]) -> None:
    given = [Message(str(n), "t", str(stream), n, b"") for n, stream in enumerate(streams)]
    runs = list(rounds(given))
    assert [one for run in runs for one in run] == given
    for run in runs:
        assert run
        assert len({one.stream for one in run}) == len(run)


def test_a_failure_that_leads_back_to_itself_is_put_into_words() -> None:
    """The library raises such ones: a second try has the first as its context, and the first the second."""
    first, second = ConnectionError("amqp://house:canary@x"), TimeoutError()
    first.__context__, second.__context__ = second, first
    assert (rabbit._said(first), rabbit._said(second)) == ("ConnectionError", "TimeoutError")
