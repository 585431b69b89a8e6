"""The counter asks once more: what was told since the signature, and what nobody has set a price for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from polyclinic.billing.models import InvoiceLine
from polyclinic.core.crypto import reasons
from polyclinic.core.models import AuditEntry
from polyclinic.medicines.models import Medicine
from polyclinic.pharmacy import counter as side
from polyclinic.pharmacy.models import Dispense, DispenseLine
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing import bodies, checking
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.models import Prescription
from polyclinic.records import actions as records
from tests.house import House
from tests.pharmacy.shop import Shop, medicine
from tests.portals.test_pharmacy import hand_over, hidden, identified, text


@pytest.fixture
def shop(house: House) -> Shop:
    made = Shop(house)
    made.stock()
    return made


@pytest.fixture
def counter(shop: Shop) -> Client:
    client = Client()
    client.force_login(shop.house.staff["pharmacist"])
    return client


def allergic(shop: Shop, row: Any, substance: str = "Penicillin") -> None:
    records.note_allergy(actor=shop.main, visit_id=row.visit_id, substance=substance)


def signed_all_the_same(shop: Shop, product: Medicine, visit: UUID, why: str) -> Prescription:
    """Signed past every warning that interrupts, with this reason."""
    line = Line(product.pk, Decimal(1), "three", 7)
    keys = [one.key for one in checking.of_lines(shop.main, visit, [line]) if one.interrupts]
    assert keys
    return prescribing.sign(actor=shop.main, visit_id=visit, lines=[line], overrides=dict.fromkeys(keys, why))


def field_of(page: Any) -> str:
    """The name of the field in which the answer to what has come up is written."""
    body = page.content.decode()
    start = body.index('name="settled-') + len('name="')
    return str(body[start : body.index('"', start)])


def test_an_allergy_told_after_the_signature_stops_until_the_prescriber_was_asked(counter: Client, shop: Shop) -> None:
    row = shop.prescribe()
    line = shop.lines(row)[0].pk
    before = identified(counter, shop, row)
    assert "New since the signature" not in text(before)
    allergic(shop, row)
    # The page from before knows nothing of it; what it sends is refused, and the answer shows why.
    refused = hand_over(counter, before, row, **{f"q-{line}": "21"})
    assert refused.status_code == 409
    said = text(refused)
    for part in (
        "Allergy: Penicillin",
        "Contraindicated",
        "Something has come up since the signature",
        "Some main_doctor",
    ):
        assert part in said
    assert not Dispense.objects.exists()
    name = field_of(refused)
    # With whom is asked for as well, and what was written stays.
    again = hand_over(counter, refused, row, **{f"q-{line}": "21", name: "Skin test was negative"})
    assert (again.status_code, "Write down with whom you have spoken" in text(again)) == (422, True)
    assert 'value="Skin test was negative"' in again.content.decode()
    sent = hand_over(
        counter, again, row, **{f"q-{line}": "21", name: "Skin test was negative", "spoken": "Dr Rao, telephone"}
    )
    assert sent.status_code == 303, text(sent)
    shown = text(counter.get(sent.headers["location"]))
    assert "Agreed with Dr Rao, telephone: Skin test was negative" in shown
    assert "Allergy: Penicillin" in shown
    kept = bodies.read_settled(DispenseLine.objects.get().settled)
    assert (kept.spoken_with, kept.said[0].tier) == ("Dr Rao, telephone", "contraindicated")
    entry = AuditEntry.objects.get(action="dispense.hand_over")
    why = reasons.open_(entry.reason, entry.patient_id, entry.subject_id, entry.action, entry.revision)
    assert why == "Skin test was negative (Dr Rao, telephone)"


def test_what_the_prescriber_went_past_is_not_asked_again(counter: Client, shop: Shop) -> None:
    visit = shop.arrive()
    records.note_allergy(actor=shop.main, visit_id=visit, substance="Penicillin")
    row = signed_all_the_same(shop, shop.amox, visit, "Tolerated last year")
    page = identified(counter, shop, row)
    assert "New since the signature" not in text(page)
    assert "Tolerated last year" in text(page)
    # Another allergy that speaks against it is new all the same.
    allergic(shop, row, "Amoxicillin")
    assert "Allergy: Amoxicillin" in text(counter.get(f"/pharmacy/prescriptions/{row.pk}"))
    assert "Allergy: Penicillin" not in text(counter.get(f"/pharmacy/prescriptions/{row.pk}"))


def test_a_medicine_prescribed_since_is_shown_with_the_reason_given_for_it(counter: Client, shop: Shop) -> None:
    warfarin = medicine("warf5", generic="warfarin", form="tablet", unit="tablet", dose_unit="tablet", atc="B01AA03")
    ibuprofen = medicine("ibu400", generic="ibuprofen", form="tablet", unit="tablet", dose_unit="tablet", atc="M01AE01")
    shop.stock(warfarin)
    row = shop.prescribe(warfarin)
    signed_all_the_same(shop, ibuprofen, row.visit_id, "Three days alone")
    page = text(identified(counter, shop, row))
    assert "warfarin + ibuprofen (taken at present)" in page
    assert "Reason given with the other prescription: Three days alone" in page


def test_the_line_may_wait_or_the_prescription_be_declined(counter: Client, shop: Shop) -> None:
    paracetamol = medicine("para500", generic="paracetamol", atc="N02BE01")
    shop.stock(paracetamol)
    row = shop.prescribe(shop.amox, paracetamol)
    allergic(shop, row)
    page = identified(counter, shop, row)
    other = shop.lines(row)[1].pk
    # The line that is not handed over needs no answer.
    assert hand_over(counter, page, row, **{f"q-{other}": "21"}).status_code == 303
    address = f"/pharmacy/prescriptions/{row.pk}/decline"
    version = hidden(counter.get(address), "version")
    assert counter.post(address, {"version": version, "why": "safety", "note": "Dr Rao knows"}).status_code == 303


def test_nobody_else_at_the_counter_reads_what_has_come_up(counter: Client, shop: Shop) -> None:
    row = shop.prescribe()
    allergic(shop, row)
    assert side.counter(shop.pharmacist, row.pk).lines[0].since
    assert not side.counter(shop.nurse, row.pk).lines[0].since


def test_what_has_no_price_says_so_before_and_after_and_where_prices_are_set(counter: Client, shop: Shop) -> None:
    free = medicine("para500", generic="paracetamol", atc="N02BE01")
    shop.stock(free)
    row = shop.prescribe(shop.amox, free)
    page = identified(counter, shop, row)
    assert text(page).count("No price: nothing is charged") == 1
    lines = shop.lines(row)
    sent = hand_over(counter, page, row, **{f"q-{one.pk}": "21" for one in lines})
    assert text(counter.get(sent.headers["location"])).count("No price: nothing was charged") == 1
    assert InvoiceLine.objects.filter(source_kind="dispense_line").count() == 1
    boss = Client()
    boss.force_login(shop.house.manager)
    listed = text(boss.get("/pharmacy/stock?show=unpriced"))
    assert "No price (1)" in listed
    assert "paracetamol" in listed
    assert "amoxicillin" not in listed
    one = boss.get(f"/pharmacy/stock/{free.pk}").content.decode()
    assert "“para500”" in one
    assert f"/cashier/prices?place={shop.place}" in one
    assert "No price" not in text(boss.get(f"/pharmacy/stock/{shop.amox.pk}"))


def test_who_it_is_stays_in_view(counter: Client, shop: Shop) -> None:
    body = counter.get(f"/pharmacy/prescriptions/{shop.prescribe().pk}").content.decode()
    # The banner is sticky as a child of the page itself; inside `main` it would scroll away with its card.
    assert body.index('class="patient-banner"') < body.index("<main")
