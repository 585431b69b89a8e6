"""A repeat from the patient's page to the doctor's answer and the counter, by the forms as they are sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from polyclinic.billing.models import InvoiceLine
from polyclinic.core.errors import Conflict
from polyclinic.facilities import identity
from polyclinic.pharmacy import stock
from polyclinic.prescribing import actions, drafts, refills
from polyclinic.prescribing.bodies import Diagnosis, Line
from polyclinic.prescribing.models import Prescription, RefillRequest
from polyclinic.prescribing.repeats import Repeats
from polyclinic.records import actions as records
from tests.house import House
from tests.pharmacy.shop import Shop
from tests.portals.conftest import form, send
from tests.portals.test_consulting import browser_of as fresh_browser_of  # noqa: F401 - a fixture


@pytest.fixture
def shop(house: House) -> Shop:
    found = Shop(house)
    found.stock(quantity=100)
    return found


def fetched(shop: Shop, number: int = 2) -> Prescription:
    """Amoxicillin that may be repeated, handed over at the end of its visit."""
    visit = shop.arrive()
    records.no_known_allergies(actor=shop.main, visit_id=visit)
    made = actions.sign(
        actor=shop.main, visit_id=visit, lines=[Line(shop.amox.pk, Decimal(1), "three", 7)],
        repeats=Repeats(number),
    )  # fmt: skip
    shop.give(made)
    return made


def words(answer: Any) -> str:
    return str(answer.content.decode())


def ask(client: Client, made: Prescription, note: str = "") -> Any:
    return send(client, client.get("/my/prescriptions"), f"/my/prescriptions/{made.pk}/refill", note=note)


def test_asked_for_agreed_to_and_handed_over_once(shop: Shop, browser_of: Any, fresh_browser_of: Any) -> None:  # noqa: F811
    made = fetched(shop)
    patient, counter = browser_of(shop.house.patient), browser_of(shop.house.staff["pharmacist"])
    doctor = fresh_browser_of(shop.house.staff["main_doctor"])
    assert "May be given again 2 times" in words(patient.get("/my/prescriptions"))
    assert ask(patient, made, "Two left").status_code == 303
    page = words(patient.get("/my/prescriptions"))
    assert "You asked for a repeat" in page
    assert "Ask for a repeat" not in page
    assert "1" in words(doctor.get("/consulting/refills/number"))
    refill = RefillRequest.objects.get()
    listed = words(doctor.get("/consulting/refills"))
    assert f"/consulting/refills/{refill.pk}" in listed
    assert "Two left" in listed
    answered = send(doctor, doctor.get(f"/consulting/refills/{refill.pk}"), f"/consulting/refills/{refill.pk}/approve")
    assert answered["Location"] == "/consulting/refills"
    assert "Nobody asks for a repeat" in words(doctor.get("/consulting/refills/list"))
    queue = words(counter.get("/pharmacy"))
    assert "Repeats to be picked up" in queue
    assert f"Repeat of {made.label}" in queue
    again = Prescription.objects.get(repeat_of=made)
    assert f"A repeat of {made.label}." in words(counter.get(f"/pharmacy/prescriptions/{again.pk}"))
    shop.give(again)
    with pytest.raises(Conflict):
        shop.give(again, 1)
    assert shop.left() == {"A1": 58}
    assert stock.wrong() == []
    charged = InvoiceLine.objects.filter(source_kind="dispense_line", dropped_at__isnull=True)
    assert [one.quantity for one in charged] == [21, 21]
    assert "May be given again once more" in words(patient.get("/my/prescriptions"))


def test_declined_with_words_that_the_patient_reads(shop: Shop, browser_of: Any, fresh_browser_of: Any) -> None:  # noqa: F811
    made = fetched(shop)
    patient, doctor = browser_of(shop.house.patient), fresh_browser_of(shop.house.staff["main_doctor"])
    ask(patient, made)
    refill = RefillRequest.objects.get()
    path = f"/consulting/refills/{refill.pk}"
    page = doctor.get(path)
    empty = send(doctor, page, f"{path}/decline", reason=" ")
    assert empty.status_code == 422
    assert "Say why: the patient reads it." in words(empty)
    assert send(doctor, page, f"{path}/decline", reason="<b>Come</b> in for a blood test").status_code == 303
    page_ = words(patient.get("/my/prescriptions"))
    assert "A repeat was declined" in page_
    assert "&lt;b&gt;Come&lt;/b&gt; in for a blood test" in page_
    # Whoever answers second is told, and changes nothing.
    late = doctor.post(f"{path}/approve", {**form(page, f"{path}/approve")["fields"]})
    assert late.status_code == 412
    assert "Somebody has answered it meanwhile." in words(late)
    assert not Prescription.objects.filter(repeat_of=made).exists()


def test_a_signature_asks_who_it_is_again_and_a_refusal_does_not(shop: Shop, browser_of: Any) -> None:
    made = fetched(shop)
    refill = refills.ask(actor=shop.house.person(shop.house.patient), prescription_id=made.pk)
    doctor = browser_of(shop.house.staff["main_doctor"])
    path = f"/consulting/refills/{refill.pk}"
    page = doctor.get(path)
    assert "Confirm that it is you" in words(page)
    answer = send(doctor, page, f"{path}/approve")
    assert answer["Location"].startswith("/step-up?next=")
    assert not Prescription.objects.filter(repeat_of=made).exists()
    assert send(doctor, page, f"{path}/decline", reason="Come in").status_code == 303


def test_a_warning_is_read_before_it_is_passed(shop: Shop, fresh_browser_of: Any) -> None:  # noqa: F811
    made = fetched(shop)
    refill = refills.ask(actor=shop.house.person(shop.house.patient), prescription_id=made.pk)
    doctor = fresh_browser_of(shop.house.staff["main_doctor"])
    path = f"/consulting/refills/{refill.pk}"
    before = doctor.get(path)
    records.note_allergy(actor=shop.main, visit_id=shop.arrive(), substance="Amoxicillin")
    stopped = send(doctor, before, f"{path}/approve")
    assert stopped.status_code == 409
    assert "Allergy: Amoxicillin" in words(stopped)
    reason = next(part for part in words(stopped).split('name="') if part.startswith("reason-allergy")).split('"')[0]
    assert send(doctor, stopped, f"{path}/approve", **{reason: "Given twice since without harm"}).status_code == 303
    assert Prescription.objects.filter(repeat_of=made).count() == 1


def test_a_medicine_that_is_not_in_use_any_more_can_only_be_declined(shop: Shop, fresh_browser_of: Any) -> None:  # noqa: F811
    made = fetched(shop)
    refill = refills.ask(actor=shop.house.person(shop.house.patient), prescription_id=made.pk)
    type(shop.amox).objects.filter(pk=shop.amox.pk).update(active=False)
    doctor = fresh_browser_of(shop.house.staff["main_doctor"])
    path = f"/consulting/refills/{refill.pk}"
    page = doctor.get(path)
    assert "not in use any more" in words(page)
    assert send(doctor, page, f"{path}/approve").status_code == 422
    assert send(doctor, page, f"{path}/decline", reason="We give another now: come in").status_code == 303


def test_the_patient_takes_it_back(shop: Shop, browser_of: Any) -> None:
    made = fetched(shop)
    patient = browser_of(shop.house.patient)
    ask(patient, made)
    refill = RefillRequest.objects.get()
    page = patient.get("/my/prescriptions")
    assert send(patient, page, f"/my/refills/{refill.pk}/withdraw").status_code == 303
    # The same button in another window: told, not broken.
    assert send(patient, page, f"/my/refills/{refill.pk}/withdraw").status_code == 303
    assert "Ask for a repeat" in words(patient.get("/my/prescriptions"))


def test_repeats_are_prescribed_with_the_signature(shop: Shop, fresh_browser_of: Any) -> None:  # noqa: F811
    house, visit = shop.house, shop.arrive()
    identity.forget()
    doctor = fresh_browser_of(house.staff["main_doctor"])
    base = f"/consulting/{visit}"
    version = drafts.add_line(
        actor=shop.main, visit_id=visit, line=Line(shop.amox.pk, Decimal(1), "three", 7), version=0
    )
    drafts.add_diagnosis(actor=shop.main, visit_id=visit, diagnosis=Diagnosis("Cough"), version=version)
    page = doctor.get(base)
    assert "To be repeated" in words(page)
    wrong = send(doctor, page, f"{base}/sign", repeats="12", repeat_months="6")
    assert wrong.status_code == 422
    assert "at most 11 times" in words(wrong)
    page = doctor.get(base)
    assert send(doctor, page, f"{base}/sign", repeats="3", repeat_months="12").status_code == 303
    made = Prescription.objects.get()
    assert (made.repeats, made.repeat_until is not None) == (3, True)
    assert "Repeats: 0 of 3" in words(doctor.get(base))
