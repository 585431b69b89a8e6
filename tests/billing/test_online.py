"""Paying online: the bank's page, the way back and its notices, each as often as it likes, and money given back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from polyclinic.billing import actions, online, providers
from polyclinic.billing.models import Invoice, Payment, Refund
from polyclinic.billing.providers import BadSignature, ProviderSilent
from polyclinic.core import clock, outgoing
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Invalid, NotFound
from tests.billing.desk import FEE, balances, begun, in_order, paid, priced
from tests.billing.till_bank import SECRET, Bank
from tests.house import House


@pytest.fixture
def bank(settings: Any) -> Iterator[Bank]:
    made = Bank()
    settings.STRIPE_URL, settings.STRIPE_SECRET_KEY = f"http://{made.host}", "sk_test_x"
    settings.STRIPE_WEBHOOK_SECRET, settings.OUTGOING_ALLOW = SECRET, [made.host]
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def bill(house: House) -> Invoice:
    priced(house)
    return begun(house, "CONS")


@pytest.fixture
def patient(house: House) -> Person:
    return house.person(house.patient)


def begin(bill: Invoice, patient: Person, key: str = "a", amount: int = FEE) -> Payment:
    made, _url = online.pay(actor=patient, invoice_id=bill.pk, amount_minor=amount, key=key)
    return Payment.objects.get(pk=made)


def test_the_bank_is_told_how_much_and_nothing_else(bank: Bank, bill: Invoice, patient: Person) -> None:
    payment = begin(bill, patient)
    assert begin(bill, patient).pk == payment.pk
    (path, secret, form) = bank.asked[0]
    assert (path, len(bank.asked), len(bank.sessions)) == ("/v1/checkout/sessions", 1, 1)
    assert secret.startswith("Basic ")
    assert form["line_items[0][price_data][product_data][name]"] == "Invoice 1"
    assert not {"Pillai", "Meera", "Consultation"} & set(" ".join(form.values()).split())


def test_way_back_and_notices_pay_once(bank: Bank, bill: Invoice, patient: Person) -> None:
    payment = begin(bill, patient)
    assert online.refresh(actor=patient, payment_id=payment.pk) == "pending"
    bank.pay(payment.provider_ref)
    body, headers = bank.notice(payment.provider_ref)
    for _twice in range(2):
        online.heard("stripe", body, headers)
        assert online.refresh(actor=patient, payment_id=payment.pk) == "taken"
    bill.refresh_from_db()
    assert (bill.state, bill.paid_minor) == ("settled", FEE)
    in_order()


def test_a_notice_is_believed_by_its_signature_alone(bank: Bank, bill: Invoice, patient: Person, settings: Any) -> None:
    payment = begin(bill, patient)
    bank.pay(payment.provider_ref)
    body, headers = bank.notice(payment.provider_ref)
    old, other = time.time() - providers.TOLERANCE - 5, bank.notice(payment.provider_ref, secret="another")[1]
    for wrong_body, wrong in (
        (body + b" ", headers),
        (body, other),
        (body, {}),
        (body, {"Stripe-Signature": "t=x,v1=y"}),
        (body, bank.notice(payment.provider_ref, at=old)[1]),
    ):
        with pytest.raises(BadSignature):
            online.heard("stripe", wrong_body, wrong)
    settings.STRIPE_WEBHOOK_SECRET = ""
    with pytest.raises(BadSignature):
        online.heard("stripe", *bank.notice(payment.provider_ref, secret=""))
    payment.refresh_from_db()
    assert payment.state == "pending"
    with pytest.raises(NotFound):
        online.heard("nobody", body, headers)


def test_a_signed_notice_of_what_is_not_paid_pays_nothing(bank: Bank, bill: Invoice, patient: Person) -> None:
    payment = begin(bill, patient)
    online.heard("stripe", *bank.notice(payment.provider_ref))
    payment.refresh_from_db()
    assert payment.state == "pending"
    bank.pay(payment.provider_ref)
    bank.sessions[payment.provider_ref]["amount_total"] = 1
    with pytest.raises(ProviderSilent, match="contradicts"):
        online.heard("stripe", *bank.notice(payment.provider_ref))
    in_order()


def test_what_comes_late_is_owed_back_and_given_back(house: House, bank: Bank, bill: Invoice, patient: Person) -> None:
    desk = house.person(house.receptionist)
    payment = begin(bill, patient)
    # What a bank is just taking cannot be taken at the desk as well.
    with pytest.raises(Invalid):
        paid(bill, desk, FEE)
    assert online.give_up(actor=desk, payment_id=payment.pk) == "failed"
    paid(bill, desk, FEE)
    bank.pay(payment.provider_ref)
    online.heard("stripe", *bank.notice(payment.provider_ref))
    payment.refresh_from_db()
    # It was given up here; what the bank says then is asked for by `refresh` of a pending one only, or a notice.
    assert payment.state == "surplus"
    assert balances()["surplus"] == -FEE
    made = online.refund(actor=desk, payment_id=payment.pk, amount_minor=FEE, reason="paid twice", key="a")
    assert (made.state, made.provider_ref) == ("done", "re_1")
    assert balances()["surplus"] == 0
    bill.refresh_from_db()
    assert (bill.state, bill.paid_minor, bill.refunded_minor) == ("settled", FEE, 0)
    in_order()


def test_a_refund_waits_while_the_bank_is_silent(house: House, bank: Bank, bill: Invoice, patient: Person) -> None:
    desk, payment = house.person(house.receptionist), begin(bill, patient)
    bank.pay(payment.provider_ref)
    online.refresh(actor=patient, payment_id=payment.pk)
    bank.down = True
    given: dict[str, Any] = {"actor": desk, "payment_id": payment.pk, "reason": "not done"}
    made = online.refund(**given, amount_minor=20_00, key="a")
    assert made.state == "pending"
    # What is promised cannot be promised again.
    with pytest.raises(Invalid), transaction.atomic():
        online.refund(**given, amount_minor=30_01, key="b")
    in_order()
    bank.down = False
    assert online.sweep() == 1
    assert online.sweep() == 0
    made.refresh_from_db()
    assert (made.state, len(bank.refunds)) == ("done", 1)
    in_order()
    bank.refunds["re_1"]["amount"] = 50_00
    refused = online.refund(**given, amount_minor=30_00, key="c")
    refused.refresh_from_db()
    payment.refresh_from_db()
    assert (refused.state, payment.refunded_minor) == ("failed", 20_00)
    in_order()


def test_a_silent_bank_loses_nothing(bank: Bank, bill: Invoice, patient: Person) -> None:
    bank.down = True
    with pytest.raises(ProviderSilent):
        begin(bill, patient)
    assert Payment.objects.get().state == "pending"
    bank.down = False
    payment = begin(bill, patient)
    assert (Payment.objects.count(), payment.provider_ref) == (1, "cs_test_1")
    bank.pay(payment.provider_ref)
    Payment.objects.update(started_at=clock.now() - 2 * online._ASK_AFTER)
    assert online.sweep() == 1
    in_order()


@pytest.mark.parametrize("page", ["http://checkout.example/", "javascript:alert(1)//", "//checkout.example/", ""])
def test_nobody_is_sent_to_a_page_in_the_open(bank: Bank, bill: Invoice, patient: Person, page: str) -> None:
    """The address comes from outside: whoever could answer in the bank's place could send patients anywhere."""
    bank.page = page
    with pytest.raises(ProviderSilent, match="contradicts"):
        begin(bill, patient)
    # The same form sent again, once the bank is itself again, is one payment.
    bank.page = "https://checkout.example/"
    bank.sessions.clear()
    bank.keys.clear()
    begin(bill, patient)
    assert Payment.objects.count() == 1


def test_nobody_waits_for_ever(bank: Bank, bill: Invoice, patient: Person) -> None:
    payment = begin(bill, patient)
    Payment.objects.update(started_at=clock.now() - online._FORGET_AFTER)
    Payment.objects.update(started_at=clock.now() - 2 * online._FORGET_AFTER)
    assert online.sweep() == 1
    payment.refresh_from_db()
    assert payment.state == "failed"


@pytest.mark.django_db(transaction=True)
def test_no_bank_is_asked_inside_a_transaction(
    committed_house: House, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, ask, seen = committed_house, outgoing.request, []

    def watched(*given: Any, **more: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return ask(*given, **more)

    monkeypatch.setattr(outgoing, "request", watched)
    priced(house)
    bill, patient, desk = begun(house, "CONS"), house.person(house.patient), house.person(house.receptionist)
    payment = begin(bill, patient)
    bank.pay(payment.provider_ref)
    online.heard("stripe", *bank.notice(payment.provider_ref))
    online.refund(actor=desk, payment_id=payment.pk, amount_minor=1_00, reason="not done", key="a")
    other = begin(begun(house, "CONS"), patient)
    online.give_up(actor=desk, payment_id=other.pk)
    assert seen
    assert not any(seen)
    in_order()


def test_the_demo_s_bank_is_the_demo_s_alone(house: House, bill: Invoice, patient: Person, settings: Any) -> None:
    settings.DEMO = True
    payment = begin(bill, patient)
    with pytest.raises(NotFound):
        online.local_answer(actor=house.person(house.other_patient), payment_id=payment.pk, approved=True)
    settings.DEMO = False
    with pytest.raises(NotFound):
        online.local_answer(actor=patient, payment_id=payment.pk, approved=True)
    settings.DEMO = True
    assert online.local_answer(actor=patient, payment_id=payment.pk, approved=True) == "taken"
    with pytest.raises(Conflict, match="nothing_owed"):
        actions.waive(actor=house.person(house.manager), invoice_id=bill.pk, reason="late")
    assert Refund.objects.count() == 0
    in_order()
