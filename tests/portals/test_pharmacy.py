"""The pharmacy's pages, as a pharmacist without JavaScript uses them: forms, links and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity as signed_in
from polyclinic.facilities.models import Membership
from polyclinic.pharmacy.models import Batch, Delivery, Dispense, StockMove, StockTake, Transfer
from tests.house import House, account
from tests.pharmacy.shop import Shop, medicine, stocked

Browser = Callable[[Any], Client]


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


@pytest.fixture
def browser_of() -> Browser:
    """Signed in, and without the forgery token: what these tests send is typed by hand and not read from a form."""

    def make(who: Any) -> Client:
        client = Client()
        client.force_login(who)
        return client

    return make


@pytest.fixture
def counter(shop: Shop, browser_of: Browser) -> Client:
    return browser_of(shop.house.staff["pharmacist"])


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.content.decode())
    assert found, name
    return found[1]


WHO = {"name": "Meera Pillai", "born_day": "17", "born_month": "5", "born_year": "1980"}


def identified(counter: Client, shop: Shop, row: Any) -> Any:
    """The page after two identifiers that fit."""
    sent = counter.post(f"/pharmacy/prescriptions/{row.pk}/identify", WHO)
    assert sent.status_code == 303, text(sent)
    return counter.get(f"/pharmacy/prescriptions/{row.pk}")


def hand_over(counter: Client, page: Any, row: Any, **more: str) -> Any:
    given = {name: hidden(page, name) for name in ("key", "version", "check")}
    return counter.post(f"/pharmacy/prescriptions/{row.pk}/dispense", given | more)


def test_a_pharmacist_lands_in_the_queue_and_sees_who_waits(counter: Client, shop: Shop) -> None:
    assert counter.get("/home").headers["location"] == "/pharmacy"
    assert "Nobody is waiting" in text(counter.get("/pharmacy"))
    shop.stock(quantity=10)
    row = shop.prescribe(shop.amox, medicine("ibu400", generic="ibuprofen"))
    said = text(counter.get("/pharmacy"))
    assert "PILLAI, Meera" in said
    assert "Not enough" in said
    shop.stock(quantity=11, lot="B2")
    assert "1 of 2" in text(counter.get("/pharmacy/list"))
    assert counter.get(f"/pharmacy/scan?code={row.label}").headers["location"] == f"/pharmacy/prescriptions/{row.pk}"
    assert counter.get("/pharmacy/scan?code=R9").headers["location"] == "/pharmacy"


def test_from_the_queue_to_the_label(counter: Client, shop: Shop) -> None:
    shop.stock(quantity=8, lot="SOON", days=30)
    shop.stock(quantity=50, lot="LATE", days=400)
    row = shop.prescribe()
    page = counter.get(f"/pharmacy/prescriptions/{row.pk}")
    said = text(page)
    assert "Who stands here?" in said
    assert "8 × SOON" in said
    assert "13 × LATE" in said
    assert "Goes soon" in said
    assert "disabled" in page.content.decode()
    page = identified(counter, shop, row)
    assert "Identity checked" in text(page)
    line = shop.lines(row)[0].pk
    sent = hand_over(counter, page, row, **{f"q-{line}": "21"})
    made = Dispense.objects.get()
    assert (sent.status_code, sent.headers["location"]) == (303, f"/pharmacy/dispenses/{made.pk}")
    assert "The visit is over" in text(counter.get(sent.headers["location"]))
    label = text(counter.get(f"/pharmacy/dispenses/{made.pk}/labels"))
    for part in ("PILLAI, Meera", "17-May-1980", "MRN0000001", "amoxicillin 500 mg", "three times a day for 7 days",
                 "Lot SOON", "Riverside Clinic"):  # fmt: skip
        assert part in label
    assert shop.left() == {"SOON": 0, "LATE": 37}
    assert "Nobody is waiting" in text(counter.get("/pharmacy"))
    assert "PILLAI, Meera" in text(counter.get("/pharmacy/given"))


def test_a_double_click_and_a_second_tab_have_one_effect(counter: Client, shop: Shop, browser_of: Browser) -> None:
    shop.stock(quantity=50)
    row = shop.prescribe()
    page = identified(counter, shop, row)
    line = shop.lines(row)[0].pk
    first = hand_over(counter, page, row, **{f"q-{line}": "10"})
    again = hand_over(counter, page, row, **{f"q-{line}": "10"})
    assert first.headers["location"] == again.headers["location"]
    assert (Dispense.objects.count(), shop.left()) == (1, {"A1": 40})
    # The same old page, sent as if anew.
    given = {name: hidden(page, name) for name in ("version", "check")}
    other = counter.post(f"/pharmacy/prescriptions/{row.pk}/dispense", {**given, "key": "x", f"q-{line}": "10"})
    assert other.status_code == 412
    assert "A colleague was quicker" in text(other)
    assert (Dispense.objects.count(), shop.left()) == (1, {"A1": 40})


def test_a_wrong_person_is_stopped_with_words_and_what_was_typed_stays(counter: Client, shop: Shop) -> None:
    row = shop.prescribe()
    sent = counter.post(f"/pharmacy/prescriptions/{row.pk}/identify", {**WHO, "born_year": "1981"})
    assert sent.status_code == 409
    assert "Hand nothing over" in text(sent)
    assert 'value="1981"' in sent.content.decode()
    assert AuditEntry.objects.filter(action="prescription.misidentified").count() == 1
    assert "1 wrong answer before" in text(counter.get(f"/pharmacy/prescriptions/{row.pk}"))
    for odd in ({}, {"name": "Meera Pillai"}, {**WHO, "born_month": "13"}):
        assert counter.post(f"/pharmacy/prescriptions/{row.pk}/identify", odd).status_code == 422


def test_what_is_refused_names_its_field_and_nothing_moves(counter: Client, shop: Shop) -> None:
    shop.stock(quantity=5)
    row = shop.prescribe()
    page = identified(counter, shop, row)
    line = shop.lines(row)[0].pk
    for typed, status, words in (
 ("22", 422, "At most 21"), ("x", 422, "Write a number"),
        ("", 422, "at least one line"), ("0.005", 422, "Write a number"),
        # Last: here a refusal takes nothing back, for the test itself is one transaction.
        ("6", 409, "5 can be handed over"),
    ):  # fmt: skip
        page = counter.get(f"/pharmacy/prescriptions/{row.pk}")
        sent = hand_over(counter, page, row, **{f"q-{line}": typed})
        assert (sent.status_code, words in text(sent)) == (status, True), (typed, text(sent)[:600])
    assert shop.left() == {"A1": 5}


def test_another_product_with_its_reason(counter: Client, shop: Shop) -> None:
    brand = medicine("amoxil", brand="Amoxil", price_code="amox500")
    shop.stock(brand, quantity=30)
    row = shop.prescribe()
    page = identified(counter, shop, row)
    line = shop.lines(row)[0].pk
    swap = {f"q-{line}": "21", f"product-{line}": str(brand.pk)}
    refused = hand_over(counter, page, row, **swap)
    assert (refused.status_code, "Say why another product" in text(refused)) == (422, True)
    sent = hand_over(counter, refused, row, **swap, **{f"why-{line}": "none_left"})
    assert "instead of amoxicillin 500 mg capsule" in text(counter.get(sent.headers["location"]))


def test_a_part_now_the_visit_ends_the_rest_later(counter: Client, shop: Shop) -> None:
    shop.stock(quantity=10)
    row = shop.prescribe()
    page = identified(counter, shop, row)
    line = shop.lines(row)[0].pk
    # What there is is what is suggested.
    assert f'name="q-{line}" value="10"' in page.content.decode()
    made = hand_over(counter, page, row, **{f"q-{line}": "10"})
    assert "A part is still owed" in text(counter.get(made.headers["location"]))
    page = counter.get(f"/pharmacy/prescriptions/{row.pk}")
    sent = counter.post(f"/pharmacy/prescriptions/{row.pk}/close", {"version": hidden(page, "version")})
    assert sent.status_code == 303
    assert shop.visit(row).state == "done"
    assert "A part is still owed" in text(counter.get("/pharmacy"))


def test_declining_asks_why(counter: Client, shop: Shop) -> None:
    row = shop.prescribe()
    address = f"/pharmacy/prescriptions/{row.pk}/decline"
    assert "Nothing more of" in text(counter.get(address))
    assert counter.post(address, {"version": "1"}).status_code == 422
    assert counter.post(address, {"version": "1", "why": "cost", "note": "x" * 161}).status_code == 422
    assert counter.post(address, {"version": "1", "why": "cost"}).status_code == 303
    assert shop.visit(row).state == "done"
    assert counter.post(address, {"version": "1", "why": "cost"}).status_code == 412


def test_controlled_medicines_are_counted_by_two(counter: Client, shop: Shop, browser_of: Browser) -> None:
    morphine = medicine("morph10", generic="morphine", controlled=True)
    shop.stock(morphine)
    row = shop.prescribe(morphine)
    page = identified(counter, shop, row)
    line = shop.lines(row)[0].pk
    assert "A second person must count" in text(page)
    nurse = browser_of(shop.house.staff["nurse"])
    address = f"/pharmacy/prescriptions/{row.pk}/witness"
    assert "Write what you have counted" in text(nurse.get(address))
    assert nurse.post(address, {f"q-{line}": "22"}).status_code == 422
    assert nurse.post(address, {f"q-{line}": "21", "version": "1"}).status_code == 303
    page = counter.get(f"/pharmacy/prescriptions/{row.pk}")
    assert "Counted with Some nurse" in text(page)
    sent = hand_over(counter, page, row, **{f"q-{line}": "21"})
    assert "counted with Some nurse" in text(counter.get(sent.headers["location"]))


def test_controlled_medicines_are_not_handed_over_by_one(counter: Client, shop: Shop) -> None:
    morphine = medicine("morph10", generic="morphine", controlled=True)
    shop.stock(morphine)
    row = shop.prescribe(morphine)
    page = identified(counter, shop, row)
    refused = hand_over(counter, page, row, **{f"q-{shop.lines(row)[0].pk}": "21"})
    assert (refused.status_code, "A second person must count" in text(refused)) == (409, True)
    assert shop.left(morphine) == {"A1": 100}


def test_something_comes_back(counter: Client, shop: Shop) -> None:
    shop.stock(quantity=50)
    made = shop.give(shop.prescribe())
    address = f"/pharmacy/dispenses/{made.pk}/return"
    line = str(made.lines.get().pk)
    assert counter.get(address).status_code == 200
    for odd in ({}, {"line": line}, {"line": line, "to": "stock", "quantity": "22"}, {"line": "x", "to": "stock"}):
        assert counter.post(address, odd).status_code == 422
    assert counter.post(address, {"line": line, "to": "stock", "quantity": "21", "version": "1"}).status_code == 303
    assert shop.left() == {"A1": 50}
    assert "All came back" in text(counter.get(f"/pharmacy/dispenses/{made.pk}"))
    assert counter.post(address, {"line": line, "to": "stock", "quantity": "1", "version": "1"}).status_code in (
        412,
        422,
    )


def test_the_token_is_called_to_the_counter(counter: Client, shop: Shop) -> None:
    row = shop.prescribe()
    assert counter.post(f"/pharmacy/visits/{row.visit_id}/call").status_code == 303
    assert "Call again" in text(counter.get("/pharmacy"))
    shop.stock()
    shop.give(row)
    counter.post(f"/pharmacy/visits/{row.visit_id}/call")
    assert "Nobody waits at the pharmacy with this token" in text(counter.get("/pharmacy"))


# The shelves.


def test_a_delivery_from_the_form_to_the_board(counter: Client, shop: Shop) -> None:
    page = counter.get("/pharmacy/receive")
    line = {"medicine-0": "amoxicillin 500 mg capsule", "lot-0": "x1", "expires-0": "2028-02", "quantity-0": "100",
            "cost-0": "0,12"}  # fmt: skip
    given = {"key": hidden(page, "key"), "new_supplier": "Medi Wholesale", "reference": "N17", **line}
    assert counter.post("/pharmacy/receive", given).status_code == 303
    assert counter.post("/pharmacy/receive", given).status_code == 303
    batch = Batch.objects.get()
    assert (batch.lot, batch.expires.isoformat(), batch.hundredths) == ("X1", "2028-02-29", 10_000)
    again = counter.post("/pharmacy/receive", {**given, "key": "other"})
    assert (again.status_code, "entered already" in text(again), Delivery.objects.count()) == (409, True, 1)
    assert 'value="100"' in again.content.decode()
    said = text(counter.get("/pharmacy/stock?q=amox"))
    assert "100 capsules" in said
    assert "29-Feb-2028" in said


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"medicine-0": "nothing like it"}, "medicine-0"),
        ({"medicine-0": ""}, "medicine-0"),
        ({"lot-0": ""}, "lot-0"),
        ({"expires-0": "2028-13"}, "expires-0"),
        ({"expires-0": "2020-01"}, "expires-0"),
        ({"expires-0": "9999-12"}, "expires-0"),
        ({"quantity-0": "-5"}, "quantity-0"),
        ({"cost-0": "NaN"}, "cost-0"),
        ({"reference": ""}, "reference"),
        ({"new_supplier": ""}, "supplier"),
    ],
)
def test_a_delivery_that_cannot_be_names_its_field(
    counter: Client, shop: Shop, more: dict[str, str], field: str
) -> None:
    given = {"key": "k", "new_supplier": "Medi", "reference": "N1", "medicine-0": "amox500", "lot-0": "x1",
             "expires-0": "2028-02", "quantity-0": "1", **more}  # fmt: skip
    sent = counter.post("/pharmacy/receive", given)
    assert (sent.status_code, f'href="#{field}"' in sent.content.decode()) == (422, True)
    assert Batch.objects.count() == 0


def test_correcting_sending_and_the_reorder_point(counter: Client, shop: Shop) -> None:
    batch = shop.stock(quantity=50)
    page = counter.get(f"/pharmacy/stock/{shop.amox.pk}")
    assert "A1" in text(page)
    adjust = f"/pharmacy/batches/{batch.pk}/adjust"
    assert counter.get(adjust).status_code == 200
    good = {"direction": "less", "difference": "2", "why": "broken", "version": "1"}
    for odd in ({**good, "difference": "x"}, {**good, "why": ""}, {**good, "direction": ""}):
        assert counter.post(adjust, odd).status_code == 422
    assert counter.post(adjust, good).status_code == 303
    assert counter.post(adjust, good).status_code == 409
    assert shop.left() == {"A1": 48}
    reorder = f"/pharmacy/stock/{shop.amox.pk}/reorder"
    assert counter.post(reorder, {"point": "-1"}).status_code == 422
    assert counter.post(reorder, {"point": "60"}).status_code == 303
    assert counter.post(reorder, {"point": "70", "version": "1"}).status_code == 412
    assert "amoxicillin" in text(counter.get("/pharmacy/stock?show=low"))
    assert counter.get("/pharmacy/stock?show=everything").status_code == 422
    send = f"/pharmacy/batches/{batch.pk}/send"
    assert "Hilltop" in text(counter.get(send))
    assert counter.post(send, {"target": "x", "quantity": "1"}).status_code == 422
    assert counter.post(send, {"target": str(shop.house.elsewhere.pk), "quantity": "8"}).status_code == 303
    assert "On its way" in text(counter.get("/pharmacy/transfers"))


def test_a_transfer_is_received_by_the_other_hospital(counter: Client, shop: Shop, browser_of: Browser) -> None:
    batch = shop.stock(quantity=50)
    counter.post(f"/pharmacy/batches/{batch.pk}/send", {"target": str(shop.house.elsewhere.pk), "quantity": "8"})
    sent = Transfer.objects.get()
    far_account = account("far.pharmacist@example.org", "Far Pharmacist")
    Membership.objects.create(account=far_account, facility=shop.house.elsewhere, role="pharmacist")
    signed_in.forget()
    far = browser_of(far_account)
    assert "It is here" in text(far.get("/pharmacy/transfers"))
    assert counter.post(f"/pharmacy/transfers/{sent.pk}/receive", {"version": "1"}).status_code == 403
    assert far.post(f"/pharmacy/transfers/{sent.pk}/receive", {"version": "1"}).status_code == 303
    assert counter.post(f"/pharmacy/transfers/{sent.pk}/call-back", {"version": "1"}).status_code == 303
    assert Batch.objects.get(facility=shop.house.elsewhere).hundredths == 800
    assert shop.left()["A1"] == 42


def test_a_stock_take_from_the_sheet_to_the_books(counter: Client, shop: Shop) -> None:
    batch, other = shop.stock(quantity=50), shop.stock(quantity=10, lot="B2")
    sheet = counter.post("/pharmacy/counts").headers["location"]
    assert counter.post("/pharmacy/counts").headers["location"] == sheet
    page = counter.get(sheet)
    assert "Count sheet" in text(page)
    counts = {f"count-{batch.pk}": "48", f"seen-{batch.pk}": "1", f"count-{other.pk}": "x", f"seen-{other.pk}": "1"}
    refused = counter.post(sheet, counts)
    assert (refused.status_code, 'value="48"' in refused.content.decode()) == (422, True)
    assert counter.post(sheet, {**counts, f"count-{other.pk}": "10"}).status_code == 303
    assert "2 counted, 1 different" in text(counter.get(sheet))
    assert shop.left() == {"A1": 50, "B2": 10}
    version = StockTake.objects.get().version
    assert counter.post(f"{sheet}/post", {"version": "1"}).status_code == 303
    assert shop.left() == {"A1": 50, "B2": 10}
    assert counter.post(f"{sheet}/post", {"version": str(version)}).status_code == 303
    assert shop.left() == {"A1": 48, "B2": 10}
    assert StockMove.objects.filter(kind="count").count() == 1
    other_sheet = counter.post("/pharmacy/counts").headers["location"]
    assert counter.post(f"{other_sheet}/give-up").status_code == 303


def test_others_see_no_more_than_is_theirs(shop: Shop, browser_of: Browser) -> None:
    shop.stock()
    row = shop.prescribe()
    foreign = stocked(shop.house.elsewhere.pk, shop.amox)
    boss = browser_of(shop.house.manager)
    assert boss.get("/pharmacy/stock").status_code == 200
    assert boss.get("/pharmacy").status_code == 403
    assert boss.get(f"/pharmacy/prescriptions/{row.pk}").status_code == 403
    head = browser_of(shop.house.staff["main_doctor"])
    assert head.get("/pharmacy/stock").status_code == 200
    assert head.get("/pharmacy/receive").status_code == 403
    counter = browser_of(shop.house.staff["pharmacist"])
    assert counter.get(f"/pharmacy/batches/{foreign.pk}/adjust").status_code == 404
    assert counter.get(f"/pharmacy/stock?place={shop.house.elsewhere.pk}").status_code == 404
    assert counter.get("/pharmacy/prescriptions/x").status_code == 404


def test_the_queue_asks_the_database_as_often_for_three_as_for_one(counter: Client, shop: Shop) -> None:
    shop.stock(quantity=500)
    asked = []
    for patient in (shop.house.patient, shop.house.other_patient, shop.house.stranger_patient):
        shop.prescribe(visit=shop.arrive(patient))
        counter.get("/pharmacy/list")
        with CaptureQueriesContext(connection) as questions:
            shown = counter.get("/pharmacy/list")
        asked.append(len(questions))
    assert text(shown).count("Open") == 3
    # Whom a list of one shows is written down in fewer steps than of several.
    # On PostgreSQL each of the two notes of who was shown first takes a lane of the audit.
    lanes = 2 if connection.vendor == "postgresql" else 0
    assert asked[1] == asked[2] <= 20 + lanes
