"""The patient hears that an invoice, a receipt, money given back is there: once each, and no mail names an amount."""

from __future__ import annotations

from collections import Counter
from datetime import date
from uuid import UUID

import pytest

from polyclinic.billing import actions
from polyclinic.consent import actions as consenting
from polyclinic.core.actors import Person
from polyclinic.notify import letters
from polyclinic.notify.models import Delivery, Notice
from polyclinic.people.models import Patient
from tests.billing.desk import FEE, begun, charged, paid, priced
from tests.house import House

KINDS = ("invoice_ready", "receipt_ready", "payment_refunded")


@pytest.fixture
def desk(house: House) -> Person:
    priced(house)
    return house.person(house.receptionist)


def told(account_id: UUID | None) -> Counter[str]:
    return Counter(Notice.objects.filter(account_id=account_id, kind__in=KINDS).values_list("kind", flat=True))


def test_each_thing_is_told_once(house: House, desk: Person) -> None:
    account = house.patient.account_id
    bill = begun(house, "CONS", "CBC")
    assert told(account) == {"invoice_ready": 1}
    payment = paid(bill, desk, FEE, "one-form")
    paid(bill, desk, FEE, "one-form")
    assert told(account) == {"invoice_ready": 1, "receipt_ready": 1}
    for _twice in range(2):
        actions.refund(actor=desk, payment_id=payment.pk, amount_minor=10_00, reason="not done", key="back")
    charged(bill, desk, "CONS")
    assert told(account) == dict.fromkeys(KINDS, 1)


def test_a_mail_says_no_amount_and_no_reason(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    payment = paid(bill, desk, FEE)
    actions.refund(actor=desk, payment_id=payment.pk, amount_minor=FEE, reason="hardship", key="back")
    sent = [letters.write(one) for one in Delivery.objects.filter(kind__in=KINDS)]
    assert len(sent) == 3
    for letter in sent:
        assert letter is not None
        text = letter.subject + letter.body
        for secret in ("50", "EUR", "Consultation", "hardship", "Pillai", "Meera", str(bill.pk), f" {bill.number} "):
            assert secret not in text
        assert "/my/invoices" in text


def test_a_refused_charge_tells_nobody(house: House, desk: Person) -> None:
    bill = begun(house)
    with pytest.raises(Exception, match="no_price"):
        charged(bill, desk, "NOTHING")
    assert told(house.patient.account_id) == {}


def test_a_childs_parents_are_told_in_its_stead(house: House, desk: Person) -> None:
    parent = house.other_patient
    assert parent.account is not None
    child = Patient.objects.create(
        mrn="MRN0009001", family_name="Santos", given_name="Lia", born=date(2019, 3, 1), sex="female"
    )
    consenting.appoint(
        actor=desk, facility_id=house.facility.pk, mrn=child.mrn, born=date(2019, 3, 1), email=parent.account.email,
        kind="parent", rights="book",
    )  # fmt: skip
    made = actions.open_invoice(
        actor=desk, facility_id=house.facility.pk, patient_id=child.pk, subject_kind="thing", subject_id=child.pk
    )
    charged(made, desk)
    assert told(parent.account_id) == {"invoice_ready": 1}
    assert told(house.patient.account_id) == {}
