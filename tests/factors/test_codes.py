"""Recovery codes and text messages: kept as digests, used once, counted, told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.factors import actions, codes, proofs, selectors, sms
from polyclinic.factors.models import RecoveryCode, SmsCode, SmsNumber, Ticket, Totp, WrongCodes
from polyclinic.factors.problems import SentJustNow, TooManyCodes, WrongCode
from polyclinic.factors.tickets import begin_second, sweep
from polyclinic.notify.models import Notice
from polyclinic.web import texting
from tests.factors.conftest import App, Phone, add_app, add_number
from tests.house import House


def show(person: Person, text: object) -> str:
    return proofs.code(actor=person, account_id=person.account_id, text=text)


def test_ten_codes_each_works_once_however_it_is_typed(person: Person) -> None:
    _app, made = add_app(person)
    assert len(set(made)) == 10
    assert show(person, made[0]) == "recovery"
    assert show(person, made[1].lower().replace("-", " ")) == "recovery"
    with pytest.raises(WrongCode):
        show(person, made[0])
    assert selectors.recovery_left(person) == 8
    assert Notice.objects.filter(account_id=person.account_id, kind="recovery_code_used").count() == 2


def test_what_is_kept_gives_no_code_away(person: Person) -> None:
    _app, made = add_app(person)
    rows = RecoveryCode.objects.filter(account_id=person.account_id)
    kept = " ".join(f"{row.selector} {row.digest}" for row in rows)
    for text in made:
        assert text.replace("-", "")[3:] not in kept


def test_a_letter_that_looks_like_a_digit_is_read_as_it() -> None:
    assert codes.recovery_parts("o1il-0000-0000") == ("011", "100000000")
    assert codes.recovery_parts("u000-0000-0000") is None


def test_new_codes_end_the_old(person: Person) -> None:
    _app, old = add_app(person)
    new = actions.new_recovery_codes(actor=person)
    with pytest.raises(WrongCode):
        show(person, old[0])
    assert show(person, new[0]) == "recovery"


def test_recovery_codes_alone_are_no_factor(person: Person, app: App) -> None:
    actions.remove(actor=person, kind="totp", factor_id=app.factor)
    assert selectors.recovery_left(person) == 0
    assert not selectors.has_second_factor(person.account_id)
    with pytest.raises(Conflict):
        actions.new_recovery_codes(actor=person)


def test_a_text_message_s_code_lives_five_minutes_and_five_tries(person: Person, phone: Phone) -> None:
    number = add_number(person, phone)
    assert phone.got[0][0] == "+491512345678"
    assert phone.code not in SmsCode.objects.get().digest
    with clock.fixed(clock.now() + timedelta(minutes=2)):
        texting.send_code(person.account_id, number)
        right = phone.code
        wrong = str((int(right) + 1) % 10**6).zfill(6)
        for _try in range(5):
            with pytest.raises(WrongCode):
                show(person, wrong)
        with pytest.raises(WrongCode):
            show(person, right)
    WrongCodes.objects.all().delete()
    later = clock.now() + timedelta(minutes=10)
    with clock.fixed(later):
        texting.send_code(person.account_id, number)
    with clock.fixed(later + timedelta(minutes=5)), pytest.raises(WrongCode):
        show(person, phone.code)
    with clock.fixed(later + timedelta(minutes=4, seconds=59)):
        assert show(person, phone.code) == "sms"
        with pytest.raises(WrongCode):
            show(person, phone.code)


def test_only_the_newest_message_counts(person: Person, phone: Phone) -> None:
    number = add_number(person, phone)
    first_at = clock.now() + timedelta(minutes=1)
    with clock.fixed(first_at):
        texting.send_code(person.account_id, number)
        first = phone.code
    with clock.fixed(first_at + timedelta(minutes=1)):
        texting.send_code(person.account_id, number)
        if first != phone.code:
            with pytest.raises(WrongCode):
                show(person, first)
        assert show(person, phone.code) == "sms"


def test_messages_are_rationed(person: Person, phone: Phone) -> None:
    number, start = add_number(person, phone), clock.now()
    with pytest.raises(SentJustNow) as too_soon:
        texting.send_code(person.account_id, number)
    assert 0 < too_soon.value.extra["retryAfter"] <= 30
    for nth in range(1, sms.MOST_AN_HOUR):
        with clock.fixed(start + timedelta(minutes=nth)):
            texting.send_code(person.account_id, number)
    with clock.fixed(start + timedelta(minutes=20)), pytest.raises(SentJustNow) as too_many:
        texting.send_code(person.account_id, number)
    assert too_many.value.extra["retryAfter"] > 30 * 60


def test_the_message_is_bound_to_our_page(person: Person, phone: Phone) -> None:
    """The last line lets telephones offer the code to our host alone."""
    add_number(person, phone)
    assert phone.got[0][1].splitlines()[-1] == f"@localhost #{phone.code}"


@pytest.mark.parametrize("text", ["", "151 2345678", "+0151234567", "+49", "+49 151 abc", "+1" * 20, "٠٠٤٩١٥١٢٣٤٥"])
def test_a_number_that_is_none_is_refused(person: Person, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.begin_number(actor=person, number=text)
    assert refused.value.field == "number"
    assert not SmsNumber.objects.exists()


def test_numbers_and_secrets_are_sealed(person: Person, app: App, phone: Phone) -> None:
    from django.db import connection

    add_number(person, phone)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM factors_totp")
        secret = cursor.fetchone()[0]
        cursor.execute("SELECT number FROM factors_smsnumber")
        number = cursor.fetchone()[0]
    assert app.totp.secret not in secret
    assert "2345678" not in number
    assert Totp.objects.get().secret == app.totp.secret


def test_wrong_codes_make_one_wait_longer_and_longer(person: Person, app: App) -> None:
    moment = clock.now()
    with clock.fixed(moment):
        for _try in range(proofs.FREE_TRIES):
            with pytest.raises(WrongCode):
                show(person, "000000" if app.code() != "000000" else "111111")
        with pytest.raises(TooManyCodes) as wait:
            show(person, app.code())
    assert wait.value.extra["retryAfter"] <= 15 * 60 + 1
    assert Notice.objects.filter(account_id=person.account_id, kind="codes_guessed").count() == 2
    tried, until = proofs.FREE_TRIES, moment + timedelta(days=60)
    while moment < until:
        moment = WrongCodes.objects.get().blocked_until or until
        with clock.fixed(moment), pytest.raises(WrongCode):
            show(person, "")
        tried += 1
    assert tried < 100, "NIST SP 800-63B-4, 3.2.2"
    with clock.fixed(WrongCodes.objects.get().blocked_until or moment):
        assert show(person, app.code()) == "totp"
    assert WrongCodes.objects.get().count == 0


def test_each_try_leaves_an_audit_entry_without_the_code(person: Person, app: App) -> None:
    with pytest.raises(WrongCode):
        show(person, "999999 and more")
    show(person, app.code())
    entries = AuditEntry.objects.filter(subject_id=str(person.account_id), action__startswith="factor.")
    assert [entry.action for entry in entries.order_by("seq")][-2:] == ["factor.wrong", "factor.shown"]
    assert not any("9999" in entry.detail + entry.reason for entry in entries)


def test_what_is_over_is_swept(person: Person, app: App, phone: Phone) -> None:
    add_number(person, phone)
    actions.begin_totp(actor=person)
    actions.remember(actor=person, user_agent="")
    begin_second(person.account_id)
    assert sweep() == 0
    with clock.fixed(clock.now() + timedelta(days=31)):
        assert sweep() == 4
    assert (Ticket.objects.count(), SmsCode.objects.count(), Totp.objects.count()) == (0, 0, 1)


def test_another_s_factor_does_not_exist(house: House, person: Person, app: App, phone: Phone) -> None:
    other = house.person(house.other_doctor)
    number = add_number(person, phone)
    begun = actions.begin_totp(actor=person)
    foreign: list[Any] = [
        lambda: actions.secret_of(other, begun),
        lambda: actions.confirm_totp(actor=other, factor_id=begun, code="123456"),
        lambda: actions.rename(actor=other, kind="sms", factor_id=number, name="Mine"),
        lambda: actions.remove(actor=other, kind="totp", factor_id=app.factor),
        lambda: actions.remove(actor=other, kind="nothing", factor_id=app.factor),
        lambda: texting.send_code(other.account_id, number),
        lambda: actions.forget_devices(actor=other, device_id=number),
    ]
    for call in foreign:
        with pytest.raises(NotFound):
            call()
    assert selectors.factors(other) == []
    assert len(selectors.factors(person)) == 2
