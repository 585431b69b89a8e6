"""Messages arrive in order, signed, at least once and known again by their id, whatever the other side does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.core.outbox import log
from polyclinic.notify.models import Notice
from polyclinic.scheduling import actions as scheduling
from polyclinic.scheduling import availability
from polyclinic.scheduling.models import Appointment
from polyclinic.webhooks import actions, ending, selectors, sending
from polyclinic.webhooks.actions import Made
from polyclinic.webhooks.models import Attempt, Message, Webhook
from tests.house import House
from tests.webhooks.receiver import Got, Receiver, receiving

Work = Callable[[], int]


def book(house: House, nth: int = 0) -> Appointment:
    return scheduling.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(nth),
    )  # fmt: skip


def move(house: House, row: Appointment, action: str) -> None:
    scheduling.take(actor=house.person(house.receptionist), appointment_id=row.pk, action=action)


def row_of(made: Made) -> Webhook:
    return Webhook.objects.get(pk=made.row.pk)


def tries_over(work: Work, start: Any, waits: Any) -> None:
    """Let the clock go through all the waits, a little late each time."""
    now = start
    for wait in waits:
        now += wait * 1.25 + timedelta(minutes=6)
        with clock.fixed(now):
            work()


def test_what_happens_is_told_in_order_signed_and_without_the_patient(
    house: House, hook: Made, receiver: Receiver, work: Work
) -> None:
    made = book(house)
    move(house, made, "confirm")
    move(house, made, "cancel")
    work()
    told = [got.told for got in receiver.taken]
    assert [one["type"] for one in told] == ["appointment.booked", "appointment.confirmed", "appointment.cancelled"]
    assert told[0]["data"] == {
        "appointmentId": str(made.pk), "doctorId": str(house.doctor.pk), "facilityId": str(house.facility.pk),
        "starts": told[0]["data"]["starts"], "ends": told[0]["data"]["ends"], "revision": 1,
        "url": told[0]["data"]["url"],
    }  # fmt: skip
    assert told[0]["data"]["url"].endswith(f"/api/appointments/{made.pk}")
    everything = b"".join(got.body for got in receiver.got).decode()
    for secret in (house.patient.pk, house.patient.family_name, house.patient.mrn):
        assert str(secret) not in everything
    for got in receiver.got:
        assert got.signed_with(hook.secret)
        assert not got.signed_with("whsec_" + "A" * 43 + "=")
        assert abs(got.moment - clock.now().timestamp()) < 60
    assert len(set(receiver.names())) == 3
    assert work() == 0
    assert set(Message.objects.values_list("progress", flat=True)) == {"sent"}


def test_only_the_events_and_the_facility_that_were_chosen(
    house: House, hook: Made, receiver: Receiver, work: Work
) -> None:
    made = book(house)
    move(house, made, "confirm")
    scheduling.take(actor=house.person(house.doctor), appointment_id=made.pk, action="decline")  # not chosen
    stranger = house.person(house.stranger_patient)
    scheduling.book(
        actor=stranger, patient_id=house.stranger_patient.pk, schedule_id=house.stranger_schedule.pk,
        starts=availability.first_free(Anonymous(), schedule_id=house.stranger_schedule.pk, limit=1)[0].starts,
    )  # fmt: skip
    assert OutboxEvent.objects.filter(type="appointment.booked").count() == 2
    work()
    told = [(got.told["type"], got.told["data"]["appointmentId"]) for got in receiver.taken]
    assert told == [("appointment.booked", str(made.pk)), ("appointment.confirmed", str(made.pk))]


def test_a_failure_is_tried_again_under_the_same_id_and_later_ones_of_its_stream_wait(
    house: House, hook: Made, receiver: Receiver, work: Work
) -> None:
    made = book(house)
    move(house, made, "confirm")
    receiver.answer = lambda _got: 503
    work()
    assert [got.told["type"] for got in receiver.got] == ["appointment.booked"]
    receiver.answer = lambda _got: 204
    with clock.fixed(clock.now() + timedelta(seconds=30)):
        work()
    assert [got.told["type"] for got in receiver.taken] == ["appointment.booked", "appointment.confirmed"]
    first, again = [got.name for got in receiver.got if got.told["type"] == "appointment.booked"]
    assert first == again
    assert list(Attempt.objects.order_by("pk").values_list("status", "error")) == [
        (503, "refused"),
        (204, ""),
        (204, ""),
    ]
    assert row_of(hook).failures == 0


@pytest.mark.parametrize(("status", "error"), [(302, "redirect"), (404, "refused"), (0, "no_answer")])
def test_redirects_refusals_and_cut_lines_are_failures_and_nothing_is_followed(
    house: House, hook: Made, receiver: Receiver, work: Work, status: int, error: str
) -> None:
    receiver.answer = lambda _got: status
    book(house)
    work()
    assert len(receiver.got) == 1
    assert Attempt.objects.values_list("status", "error").get() == (status, error)
    assert Message.objects.get().progress == "waiting"


def test_one_that_hangs_is_given_up_in_time_and_delays_no_other(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 1.0)
    receiver.answer = lambda _got: 204 + int(not receiver.release.wait(20))
    with receiving() as other:
        settings.OUTGOING_ALLOW = [*settings.OUTGOING_ALLOW, f"127.0.0.1:{other.port}"]
        actions.register(
            actor=admin, facility_id=house.facility.pk, name="Other", url=other.url, events=["appointment.booked"]
        )
        # The first is let go by the second alone: it hangs until the other has got its message, and longer.
        waits: list[bool] = []
        other.answer = lambda _got: 204 + int(waits.append(receiver.arrived.acquire(timeout=5)) or 0)  # type: ignore[func-returns-value]
        book(house)
        work()
        assert len(other.taken) == 1
        assert waits == [True]
    assert Attempt.objects.filter(message__webhook=hook.row).values_list("status", "error").get() == (0, "no_answer")
    assert Message.objects.get(webhook=hook.row).progress == "waiting"


def test_a_receiver_that_is_killed_gets_everything_when_it_is_back(
    house: House, admin: Person, work: Work, settings: Any
) -> None:
    with receiving() as receiver:
        port, url = receiver.port, receiver.url
        settings.OUTGOING_ALLOW = [f"127.0.0.1:{port}"]
        actions.register(actor=admin, facility_id=house.facility.pk, name="P", url=url, events=["appointment.booked"])
        book(house, 0)
        work()
    now = clock.now()
    for nth in (1, 2, 3):
        book(house, nth)
    work()
    with clock.fixed(now + timedelta(minutes=2)):
        work()
    assert Message.objects.filter(progress="waiting").count() == 3
    with receiving(port) as back:
        for minutes in (10, 20, 60):
            with clock.fixed(now + timedelta(minutes=minutes)):
                work()
        taken = receiver.names() + back.names()
    assert len(taken) == len(set(taken)) == 4
    assert set(Message.objects.values_list("progress", flat=True)) == {"sent"}


def test_a_server_that_dies_after_sending_sends_again_under_the_same_id(
    house: House, hook: Made, receiver: Receiver, monkeypatch: Any
) -> None:
    class Killed(BaseException):
        pass

    def die(*_given: Any) -> None:
        raise Killed

    book(house)
    sending.follow()
    with monkeypatch.context() as broken:
        broken.setattr(sending, "_note", die)
        with pytest.raises(Killed):
            sending.Courier().turn(30)
    assert len(receiver.taken) == 1
    assert Message.objects.get().progress == "waiting"
    other = sending.Courier()
    assert other.turn(30) == 0  # still the dead one's
    with clock.fixed(clock.now() + timedelta(minutes=2)):
        assert other.turn(30) == 1
    assert len(set(receiver.names())) == 1
    assert len(receiver.taken) == 2
    assert Message.objects.get().progress == "sent"


def test_a_server_that_dies_while_reading_the_log_loses_and_doubles_nothing(
    house: House, hook: Made, receiver: Receiver, work: Work, monkeypatch: Any
) -> None:
    class Killed(BaseException):
        pass

    def die(*_given: Any, **_more: Any) -> Any:
        raise Killed

    book(house, 0), book(house, 1)
    log.assign_positions()
    with monkeypatch.context() as broken:
        broken.setattr(Message.objects, "bulk_create", die)
        with pytest.raises(Killed), transaction.atomic():
            sending.follow()
    assert row_of(hook).position < log.head()
    assert not Message.objects.exists()
    work()
    # As after a restore of the webhook's row from a moment before: the same messages are not written twice.
    Webhook.objects.filter(pk=hook.row.pk).update(position=hook.row.position)
    work()
    assert len(receiver.taken) == len(set(receiver.names())) == 2


def test_two_servers_claim_each_message_once(house: House, hook: Made, receiver: Receiver) -> None:
    book(house)
    sending.follow()
    row, now = row_of(hook), clock.now()
    assert len(sending._claim(row, now, 8)) == 1
    assert sending._claim(row, now, 8) == []


def test_410_gives_up_at_once_and_switches_the_webhook_off(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    receiver.answer = lambda _got: 410
    made = book(house)
    move(house, made, "confirm")
    work()
    assert len(receiver.got) == 1
    assert row_of(hook).state == "disabled"
    assert Notice.objects.filter(kind="webhook_disabled", account_id=admin.account_id).count() == 1
    assert AuditEntry.objects.filter(action="webhook.disable", actor="system:webhooks").exists()
    # What happens meanwhile waits, and comes when somebody switches it on again.
    move(house, made, "cancel")
    assert work() == 0
    receiver.answer = lambda _got: 204
    actions.step(actor=admin, webhook_id=hook.row.pk, action="resume")
    work()
    assert [got.told["type"] for got in receiver.taken] == ["appointment.confirmed", "appointment.cancelled"]
    dead = Message.objects.get(progress="dead")
    actions.replay(actor=admin, message_id=dead.pk)
    work()
    assert receiver.taken[-1].name == receiver.got[0].name
    assert AuditEntry.objects.filter(action="webhook.replay_message", subject_id=str(hook.row.pk)).count() == 1


def test_ten_tries_over_seventy_five_hours_then_a_dead_letter_and_the_webhook_off(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    receiver.answer = lambda _got: 500
    start = clock.now()
    book(house)
    work()
    assert sum(sending.WAITS, timedelta()) > timedelta(hours=75)
    tries_over(work, start, sending.WAITS[:-1])
    assert Message.objects.get().progress == "waiting"
    assert row_of(hook).state == "active"
    assert len(receiver.got) == 9
    with clock.fixed(start + timedelta(hours=120)):
        work()
    assert len(receiver.got) == 10 == sending.MOST_ATTEMPTS
    assert len({got.name for got in receiver.got}) == 1
    assert Message.objects.get().progress == "dead"
    assert row_of(hook).state == "disabled"
    assert set(Notice.objects.filter(account_id=admin.account_id).values_list("kind", flat=True)) == {
        "webhook_disabled"
    }


def test_one_poisonous_message_is_set_aside_and_the_rest_goes_on(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    bad = book(house, 0)
    receiver.answer = lambda got: 500 if got.told["data"]["appointmentId"] == str(bad.pk) else 204
    now = clock.now()
    work()
    book(house, 1)
    for wait in sending.WAITS:
        for pause in (timedelta(minutes=6), wait * 1.25):
            now += pause
            with clock.fixed(now):
                work()
    assert len(receiver.taken) == 1
    assert row_of(hook).state == "active"
    assert Message.objects.get(progress="dead").type == "appointment.booked"
    assert Notice.objects.filter(kind="webhook_dead").count() == 1
    actions.discard(actor=admin, message_id=Message.objects.get(progress="dead").pk)
    assert not Message.objects.filter(progress="dead").exists()


def test_a_dead_receiver_is_asked_now_and_then_and_not_once_for_each_message(
    house: House, hook: Made, receiver: Receiver, work: Work
) -> None:
    receiver.answer = lambda _got: 503
    for nth in range(6):
        book(house, nth)
    work()
    first = len(receiver.got)
    start = clock.now()
    for minute in range(1, 31):
        with clock.fixed(start + timedelta(minutes=minute)):
            work()
    assert first <= 8
    assert len(receiver.got) - first < 30


def test_a_log_that_grows_while_nothing_is_taken_waits_in_the_log(
    house: House, hook: Made, receiver: Receiver, work: Work, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sending, "MOST_WAITING", 2)
    monkeypatch.setattr(sending, "_READ", 2)
    receiver.answer = lambda _got: 503
    for nth in range(6):
        book(house, nth)
    for _turn in range(20):
        sending.follow()
    assert Message.objects.count() < 6
    receiver.answer = lambda _got: 204
    with clock.fixed(clock.now() + timedelta(hours=1)):
        for _turn in range(30):
            work()
    assert len(receiver.taken) == 6


def test_replay_from_a_moment_on_sends_the_same_ids_in_order_even_what_was_forgotten(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    made = book(house)
    move(house, made, "confirm")
    work()
    before = receiver.names()
    # The week's messages were forgotten; the log still has the events.
    with clock.fixed(clock.now() + timedelta(days=8)):
        assert ending.forget_old() > 0
    assert not Message.objects.exists()
    actions.replay_since(actor=admin, webhook_id=hook.row.pk, since=clock.now() - timedelta(hours=1))
    work()
    assert receiver.names() == before + before
    actions.replay_since(actor=admin, webhook_id=hook.row.pk, since=clock.now() - timedelta(hours=1))
    work()
    assert receiver.names() == before * 3


def test_what_was_given_up_is_kept_for_a_month(house: House, hook: Made, receiver: Receiver, work: Work) -> None:
    receiver.answer = lambda _got: 410
    book(house)
    work()
    now = clock.now()
    with clock.fixed(now + timedelta(days=29)):
        assert ending.forget_old() == 0
    with clock.fixed(now + timedelta(days=31)):
        assert ending.forget_old() > 0


def test_a_new_secret_and_the_former_one_are_both_valid_for_a_day(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    fresh = actions.rotate(actor=admin, webhook_id=hook.row.pk)
    book(house)
    work()
    assert receiver.taken[0].signed_with(hook.secret)
    assert receiver.taken[0].signed_with(fresh.secret)
    with clock.fixed(clock.now() + timedelta(hours=25)):
        Message.objects.update(progress="waiting", next_at=clock.now())
        work()
    assert not receiver.taken[1].signed_with(hook.secret)
    assert receiver.taken[1].signed_with(fresh.secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, old_secret, url FROM webhooks_webhook")
        assert not any(hook.secret[6:] in text or "customer" in text for text in cursor.fetchone())


def test_a_name_that_leads_inside_since_it_was_registered_is_not_asked(
    house: House, hook: Made, receiver: Receiver, work: Work, settings: Any
) -> None:
    settings.OUTGOING_ALLOW, settings.DEMO = [], False
    book(house)
    work()
    assert receiver.got == []
    assert Attempt.objects.get().error == "not_allowed"


def test_a_test_message_is_sent_even_while_paused_and_its_failure_is_no_dead_letter(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    actions.step(actor=admin, webhook_id=hook.row.pk, action="pause")
    book(house)
    actions.test(actor=admin, webhook_id=hook.row.pk)
    work()
    assert [got.told["type"] for got in receiver.taken] == ["webhook.test"]
    receiver.answer = lambda _got: 500
    actions.test(actor=admin, webhook_id=hook.row.pk)
    work()
    page = selectors.deliveries(admin, hook.row.pk)
    assert sorted((row.status, row.progress) for row in page.rows) == [(204, "sent"), (500, "discarded")]
    assert row_of(hook).failures == 0
    assert selectors.one(admin, hook.row.pk).dead == 0
    assert OutboxEvent.objects.filter(type="webhook.delivery").count() == 2


def test_an_ended_webhook_forgets_its_secrets_and_sends_nothing(
    house: House, admin: Person, hook: Made, receiver: Receiver, work: Work
) -> None:
    book(house)
    sending.follow()
    actions.step(actor=admin, webhook_id=hook.row.pk, action="end")
    work()
    assert receiver.got == []
    assert Webhook.objects.values_list("secret", "old_secret", "url").get() == ("", "", "")
    assert Message.objects.get().progress == "discarded"


def test_nothing_is_asked_of_the_log_when_there_is_nothing_new(
    house: House, hook: Made, work: Work, django_assert_max_num_queries: Any
) -> None:
    work()
    with django_assert_max_num_queries(5):
        work()


def test_what_a_message_says_is_the_same_each_time(house: House, hook: Made, receiver: Receiver, work: Work) -> None:
    seen: list[Got] = receiver.got
    receiver.answer = lambda _got: 500
    book(house)
    work()
    with clock.fixed(clock.now() + timedelta(minutes=10)):
        work()
    assert seen[0].body == seen[1].body
    assert seen[0].name == seen[1].name
    assert UUID(seen[0].name.removeprefix("msg_")) == Message.objects.get().pk
    assert replace(seen[0]).told["type"] == "appointment.booked"
