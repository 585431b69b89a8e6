"""Reminders: at booking and four times before, each once, never a stale one, late after a pause, quiet at night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from polyclinic.core import clock
from polyclinic.facilities import setting
from polyclinic.notify import worker
from polyclinic.notify.models import Delivery
from polyclinic.people.models import Account, Patient
from polyclinic.reminders import actions, following, sending
from polyclinic.reminders.models import AgreedTime, Reminder
from polyclinic.scheduling import actions as scheduling
from tests.house import House
from tests.reminders.conftest import at, book, sent

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BOOKED, REMINDED = "Your appointment", "Reminder of your appointment"


def rule(house: House, key: str, value: str) -> None:
    seen = setting.newest(house.facility.pk, key)
    setting.change(
        actor=house.person(house.manager), facility_id=house.facility.pk, key=key, value=value,
        seen=seen.number if seen else 0,
    )  # fmt: skip


def test_five_reminders_each_once(reminded: House, time_machine: Any) -> None:
    row = book(reminded, 12)
    assert sent() == [BOOKED]
    assert sent() == [], "and not a second time"
    for before in (7 * DAY, 48 * HOUR, 24 * HOUR, 2 * HOUR):
        at(time_machine, row.starts, before + MINUTE)
        assert sent() == [], before
        at(time_machine, row.starts, before)
        assert sent() == [REMINDED], before
        assert sent() == [], before
    at(time_machine, row.starts)
    assert sent() == []
    assert Reminder.objects.filter(state="sent").count() == 5


def test_the_letter_says_when_and_where_and_nothing_of_health(reminded: House, time_machine: Any) -> None:
    row = book(reminded, 12, reason="Chest pain at night")
    sent()
    at(time_machine, row.starts, DAY)
    sent()
    for letter in mail.outbox:
        assert letter.to == [reminded.patient.account.email]  # type: ignore[union-attr]
        text = f"{letter.subject}\n{letter.body}"
        assert "09:00" in letter.body
        assert "Riverside Clinic" in letter.body
        assert "http://localhost:8000/r/" in letter.body
        for secret in ("Chest", "Rao", "general", "Pillai", "Meera", "MRN", str(row.pk), str(row.patient_id)):
            assert secret not in text, secret
        assert "09:00" not in letter.subject


def test_booked_later_than_its_moment_there_is_no_reminder(reminded: House, time_machine: Any) -> None:
    row = book(reminded, 3)
    assert sent() == [BOOKED], "seven days before was over when it was booked"
    at(time_machine, row.starts, 48 * HOUR - MINUTE)
    assert sent() == [REMINDED]
    assert list(Reminder.objects.filter(state="left_out").values_list("offset", flat=True)) == [7 * 24 * 60]


def test_a_moved_appointment_is_reminded_of_at_its_new_time_only(reminded: House, time_machine: Any) -> None:
    row = book(reminded, 10)
    sent()
    old = row.starts
    moved = scheduling.reschedule(
        actor=reminded.person(reminded.patient), appointment_id=row.pk, starts=reminded.slot(2, 14)
    )
    assert sent() == [BOOKED], "the new time is said at once"
    at(time_machine, old, DAY)
    # A week before the new time may be over by now; nothing is said about the old one.
    assert all(str(one.agreed.starts) != str(old) for one in Reminder.objects.exclude(offset=0))
    sent()
    at(time_machine, moved.starts, DAY)
    assert sent() == [REMINDED]
    assert not Reminder.objects.exclude(offset=0).filter(agreed__starts=old).exists()


def test_moved_there_and_back_it_is_said_and_reminded_of_again(reminded: House, time_machine: Any) -> None:
    row, person = book(reminded, 10), reminded.person(reminded.patient)
    first = row.starts
    sent()
    actions.come(actor=person, appointment_id=row.pk)
    at(time_machine, clock.now() + MINUTE)
    scheduling.reschedule(actor=person, appointment_id=row.pk, starts=reminded.slot(2, 10))
    assert sent() == [BOOKED]
    at(time_machine, clock.now() + MINUTE)
    scheduling.reschedule(actor=person, appointment_id=row.pk, starts=first)
    assert sent() == [BOOKED]
    back = AgreedTime.objects.get(appointment=row, starts=first)
    assert back.coming_at is None, "what was said the first time is over"


def test_a_cancelled_appointment_sends_nothing_not_even_what_was_waiting(reminded: House, time_machine: Any) -> None:
    row = book(reminded, 10)
    sent()
    at(time_machine, row.starts, 48 * HOUR)
    assert sending.send_due() == 1
    assert Delivery.objects.filter(state="waiting").count() == 1
    scheduling.take(actor=reminded.person(reminded.patient), appointment_id=row.pk, action="cancel")
    assert sent() == []
    assert Delivery.objects.filter(state="dropped").count() == 1
    at(time_machine, row.starts, DAY)
    assert sent() == []


def test_after_a_pause_only_the_nearest_leaves_and_never_after_the_start(reminded: House, time_machine: Any) -> None:
    row, other = book(reminded, 10), book(reminded, 10, nth=6)
    sent()
    # Nobody was there for nine days: seven and two days before have passed.
    at(time_machine, row.starts, 21 * HOUR)
    assert sent() == [REMINDED, REMINDED]
    assert set(Reminder.objects.exclude(offset=0).values_list("offset", flat=True)) == {24 * 60}
    at(time_machine, row.starts, -MINUTE)
    assert sent() == [REMINDED], "two hours before, of the one that has not begun"
    assert Reminder.objects.get(offset=120).agreed.appointment_id == other.pk


def test_a_letter_that_could_not_leave_is_not_sent_after_the_start(
    reminded: House, time_machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = book(reminded, 10)
    sent()
    at(time_machine, row.starts, 2 * HOUR)
    sending.send_due()
    with monkeypatch.context() as broken:
        broken.setattr("polyclinic.notify.worker.EmailMessage.send", _no_server)
        worker.deliver_due()
    assert Delivery.objects.filter(state="waiting").count() == 1
    at(time_machine, row.starts)
    worker.deliver_due()
    assert len(mail.outbox) == 1, "the letter of the booking alone"
    assert Delivery.objects.filter(state="dropped").count() == 1


def _no_server(_letter: object) -> None:
    raise OSError


def test_quiet_hours_hold_it_back_until_the_morning(reminded: House, time_machine: Any) -> None:
    rule(reminded, "quiet_hours", "20:00-08:30")
    row = book(reminded, 10)
    sent()
    # 09:00 in Berlin, so 07:00 two hours before.
    at(time_machine, row.starts, 2 * HOUR)
    assert sent() == []
    at(time_machine, row.starts, 31 * MINUTE)
    assert sent() == []
    at(time_machine, row.starts, 30 * MINUTE)
    assert sent() == [REMINDED]


def test_what_is_booked_at_night_is_confirmed_at_once(reminded: House, time_machine: Any) -> None:
    rule(reminded, "quiet_hours", "00:00-23:59")
    book(reminded, 10)
    assert sent() == [BOOKED], "somebody has just done it"


def test_the_house_chooses_which(reminded: House, time_machine: Any) -> None:
    rule(reminded, "reminders", "24h")
    row = book(reminded, 10)
    assert sent() == []
    at(time_machine, row.starts, 48 * HOUR)
    assert sent() == []
    at(time_machine, row.starts, 24 * HOUR)
    assert sent() == [REMINDED]
    rule(reminded, "quiet_hours", "")
    rule(reminded, "reminders", "")
    book(reminded, 12, nth=3)
    at(time_machine, row.starts, HOUR)
    assert sent() == []


def test_a_patient_chooses_fewer_or_none(reminded: House, time_machine: Any) -> None:
    person = reminded.person(reminded.patient)
    actions.choose(actor=person, wanted=["2h"])
    row = book(reminded, 10)
    assert sent() == []
    at(time_machine, row.starts, DAY)
    assert sent() == []
    at(time_machine, row.starts, 2 * HOUR)
    assert sent() == [REMINDED]
    actions.choose(actor=person, wanted=[])
    book(reminded, 10, nth=5)
    assert sent() == []


def test_nobody_is_written_to_whose_address_is_not_confirmed(reminded: House) -> None:
    Account.objects.update(email_verified_at=None)
    book(reminded, 10)
    assert sent() == []
    assert Reminder.objects.get().state == "left_out"


def test_a_child_without_an_account_is_reminded_through_who_books_for_them(reminded: House) -> None:
    from polyclinic.consent.models import Delegation

    child = Patient.objects.create(mrn="MRN9", family_name="Pillai", given_name="Ana", born="2020-01-01")
    Delegation.objects.create(
        patient=child, carer=reminded.patient.account, kind="parent", rights="book", state="active",
        email="meera@example.org", starts_at=clock.now(),
    )  # fmt: skip
    scheduling.book(
        actor=reminded.person(reminded.receptionist), patient_id=child.pk, schedule_id=reminded.schedule.pk,
        starts=reminded.slot(0, 10),
    )  # fmt: skip
    assert sent() == [BOOKED]
    assert mail.outbox[-1].to == [reminded.patient.account.email]  # type: ignore[union-attr]


def test_what_was_booked_before_the_service_began_is_not_announced(house: House, time_machine: Any) -> None:
    Account.objects.update(email_verified_at=clock.now())
    soon, later = book(house, 3), book(house, 12)
    assert sent() == [], "nobody is flooded with what they have known for long"
    assert AgreedTime.objects.count() == 2
    at(time_machine, soon.starts, 2 * HOUR)
    assert sent() == [REMINDED]
    at(time_machine, later.starts, 7 * DAY)
    assert sent() == [REMINDED]


def test_two_servers_cannot_both_send(reminded: House, time_machine: Any) -> None:
    """The constraint has the last word: without it the second would post as well."""
    row = book(reminded, 10)
    sent()
    at(time_machine, row.starts, DAY)
    agreed = list(AgreedTime.objects.select_related("appointment__patient"))
    # Both looked before either wrote.
    with transaction.atomic():
        sending.hand_on(agreed, "24h")
    with pytest.raises(IntegrityError), transaction.atomic():
        sending.hand_on(agreed, "24h")
    assert Delivery.objects.filter(kind=sending.KIND, state="waiting").count() == 1


def test_events_read_twice_announce_once(reminded: House) -> None:
    from polyclinic.reminders.models import Follower

    book(reminded, 10)
    before = Follower.objects.get().position
    assert sent() == [BOOKED]
    Follower.objects.update(position=before)
    assert sent() == []


def test_eight_bookings_cost_as_many_questions_as_one(reminded: House, django_assert_max_num_queries: Any) -> None:
    for nth in range(8):
        book(reminded, 10, nth=nth)
    with django_assert_max_num_queries(24):
        following.catch_up()
    assert Reminder.objects.filter(offset=0).count() == 8


def test_no_quiet_hours_is_none_and_not_the_usual_ones(reminded: House, time_machine: Any) -> None:
    rule(reminded, "quiet_hours", "")
    row = book(reminded, 10)
    sent()
    # 09:00 in Berlin, so 05:00 four hours before: night, and somebody may write.
    rule(reminded, "reminders", "24h")
    at(time_machine, row.starts, 27 * HOUR)
    assert sent() == []
    assert setting.newest(reminded.facility.pk, "quiet_hours") is not None
    reminded.facility.refresh_from_db()
    from polyclinic.facilities import ruling

    assert ruling.value(reminded.facility, "quiet_hours") == ()
