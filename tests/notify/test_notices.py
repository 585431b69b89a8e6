"""Notices: written with what they tell of, counted, read by their own person, mailed afterwards, again if need be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import NotFound
from polyclinic.core.models import OutboxEvent
from polyclinic.facilities import identity
from polyclinic.notify import actions, kinds, selectors, worker
from polyclinic.notify.models import Delivery, Notice
from polyclinic.people.models import Account
from tests.house import House, missing

BROWSER = {"browser": "Firefox on Windows"}


@pytest.fixture
def account(house: House) -> Account:
    made = house.patient.account
    assert made is not None
    return made


def events() -> list[dict[str, Any]]:
    rows = OutboxEvent.objects.filter(type__startswith="notice.").order_by("pk")
    return [{"type": row.type, "audience": row.audience, "seq": row.stream_seq, **orjson.loads(row.payload)}
            for row in rows]  # fmt: skip


def test_a_notice_is_there_counted_told_and_mailed(house: House, account: Account) -> None:
    actions.tell(account.pk, "new_device", detail=BROWSER)
    person = house.person(house.patient)
    assert (selectors.unread(person), person.unread) == (1, 1)
    row = selectors.notices(person)[0]
    assert row.title == "New sign-in to your account"
    assert "Firefox on Windows" in row.sentence
    told = events()[0]
    assert (told["type"], told["audience"], told["unread"]) == ("notice.created", f"user:{account.pk}", 1)
    # Ids and a number go over the wire, and not what the notice says.
    assert "Firefox" not in str(told)
    assert mail.outbox == [], "nothing leaves before the worker comes"
    assert worker.deliver_due() == 1
    assert [(one.to, one.subject) for one in mail.outbox] == [([account.email], row.title)]
    assert worker.deliver_due() == 0


def test_a_change_that_is_rolled_back_tells_nothing(house: House, account: Account) -> None:
    with transaction.atomic():
        actions.tell(account.pk, "password_changed")
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert not Delivery.objects.exists()
    assert selectors.unread(house.person(house.patient)) == 0


def test_an_unknown_kind_is_an_error_at_once(account: Account) -> None:
    with pytest.raises(KeyError):
        actions.tell(account.pk, "misspelt")


def test_reading_one_and_reading_all(house: House, account: Account) -> None:
    for _time in range(3):
        actions.tell(account.pk, "password_changed", mail=False)
    me = house.person(house.patient)
    first = selectors.notices(me)[0].id
    assert actions.mark_read(actor=me, notice_id=first) == 1
    assert actions.mark_read(actor=me, notice_id=first) == 0
    assert selectors.unread(me) == 2
    assert actions.mark_read(actor=me) == 2
    assert selectors.unread(me) == 0
    told = events()
    assert [one["unread"] for one in told] == [1, 2, 3, 2, 0]
    assert [one["seq"] for one in told] == [1, 2, 3, 4, 5]


def test_notices_are_for_their_own_person(house: House, account: Account) -> None:
    actions.tell(account.pk, "password_changed", mail=False)
    foreign = Notice.objects.get().pk
    stranger = house.person(house.other_patient)
    assert selectors.notices(stranger) == []
    assert selectors.notices(Anonymous()) == []
    assert selectors.unread(Anonymous()) == 0
    for name in (foreign, missing()):
        with pytest.raises(NotFound):
            actions.mark_read(actor=stranger, notice_id=name)
    assert selectors.unread(house.person(house.patient)) == 1


def test_every_kind_reads_well_with_nothing_and_anything_in_its_detail() -> None:
    for kind in kinds.KINDS:
        for detail in ({}, {"browser": "a%sb%(x)s", "factor": "x"}):
            title, sentence = kinds.words(kind, detail)
            assert title
            assert sentence
    assert kinds.words("of-an-older-version", {})[0]


class Broken(EmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError("no such host mail.example; rcpt meera@example.org")


@pytest.fixture
def broken(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.notify.test_notices.Broken"


def test_a_mail_is_tried_again_later_and_later(
    account: Account, broken: None, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start = now = clock.now()
    monkeypatch.setattr(clock, "_source", lambda: now)
    actions.tell(account.pk, "password_changed")
    waits = []
    for attempt in range(1, 6):
        assert worker.deliver_due() == 1
        row = Delivery.objects.get()
        assert (row.state, row.attempts, row.error) == ("waiting", attempt, "ConnectionRefusedError")
        waits.append((row.next_at - now).total_seconds())
        assert worker.deliver_due() == 0, "not before its time"
        now = row.next_at
    assert all(0.8 * 30 * 2**n <= wait <= 1.2 * 30 * 2**n for n, wait in enumerate(waits))
    assert "example" not in caplog.text, "neither addresses nor servers are logged"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert worker.deliver_due() == 1
    row = Delivery.objects.get()
    assert (row.state, row.to, row.detail, len(mail.outbox)) == ("sent", "", {}, 1)
    assert now - start > timedelta(minutes=7)


def test_it_is_given_up_after_a_day_and_a_half(account: Account, broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    start = now = clock.now()
    monkeypatch.setattr(clock, "_source", lambda: now)
    actions.tell(account.pk, "password_changed")
    while Delivery.objects.filter(state="waiting").exists():
        now = Delivery.objects.get().next_at
        worker.deliver_due()
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.to) == ("failed", worker.MOST_ATTEMPTS, "")
    assert timedelta(hours=30) < now - start < timedelta(hours=47)
    now += timedelta(days=31)
    assert worker.forget_old() == 1


def test_what_another_node_has_claimed_is_left_alone(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.tell(account.pk, "password_changed")
    seen = Delivery.objects.get()
    assert worker._deal_with(seen, clock.now()) is True
    # The same row as another node read it before: its moment has moved, so it is not sent twice.
    Delivery.objects.update(state="waiting")
    assert worker._deal_with(seen, clock.now()) is False
    assert len(mail.outbox) == 1


def test_a_mail_to_a_closed_account_is_not_made(house: House, account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(is_active=False)
    actions.tell(account.pk, "password_changed")
    assert (Notice.objects.count(), Delivery.objects.count()) == (1, 0)
    identity.forget()


def test_a_mail_says_what_to_do_when_it_was_somebody_else(account: Account, settings: Any) -> None:
    settings.PUBLIC_URL = "https://clinic.example"
    actions.tell(account.pk, "new_device", detail=BROWSER)
    worker.deliver_due()
    body = mail.outbox[0].body
    assert "https://clinic.example/account/sessions" in body
    assert "https://clinic.example/password/reset" in body


def test_an_address_that_would_break_a_header_is_no_crash(account: Account) -> None:
    actions.post("email_taken", "a@example.org\nBcc: b@example.org")
    assert worker.deliver_due() == 1
    assert mail.outbox == []
    assert Delivery.objects.get().state == "waiting"
