"""Handing over: batches, parts, the invoice, the visit, who stands there, who else must look, and what comes back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from polyclinic.billing.models import Invoice, InvoiceLine
from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.pharmacy import actions, counter, identity, stock, witnessing
from polyclinic.pharmacy.actions import Handing
from polyclinic.pharmacy.identity import Said
from polyclinic.pharmacy.models import Batch, Dispense, DispenseLine, IdentityCheck, StockMove
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from tests.pharmacy.shop import Shop, in_days, medicine


def lines_charged() -> list[tuple[str, int]]:
    rows = InvoiceLine.objects.filter(source_kind="dispense_line", dropped_at__isnull=True).order_by("pk")
    return list(rows.values_list("code", "quantity"))


def test_all_of_it_at_once_moves_stock_prescription_invoice_and_visit(shop: Shop) -> None:
    shop.stock(quantity=100)
    row = shop.prescribe()
    made = shop.give(row)
    row.refresh_from_db()
    assert (row.state, shop.visit(row).state, made.state) == ("dispensed", "done", "given")
    assert shop.left() == {"A1": 79}
    move = StockMove.objects.get(kind="dispense")
    assert (move.hundredths, move.after, move.source_id) == (-2100, 7900, DispenseLine.objects.get().pk)
    assert lines_charged() == [("amox500", 21)]
    assert Invoice.objects.get().total_minor == 21 * 40
    assert OutboxEvent.objects.filter(type="pharmacy.handed_over").count() == 1
    entry = AuditEntry.objects.get(action="dispense.hand_over")
    assert entry.patient_id == shop.house.patient.pk
    assert stock.wrong() == []


def test_first_expired_first_out_and_one_line_from_several_batches(shop: Shop) -> None:
    shop.stock(quantity=50, lot="LATE", days=500)
    shop.stock(quantity=8, lot="SOON", days=20)
    shop.stock(quantity=10, lot="NEXT", days=40)
    shop.stock(quantity=90, lot="OLD", days=-1)
    row = shop.prescribe()
    shown = counter.counter(shop.pharmacist, row.pk).by_line[str(shop.lines(row)[0].pk)]
    assert [(part.lot, part.quantity) for part in shown.parts] == [("SOON", 8), ("NEXT", 10), ("LATE", 3)]
    assert shown.available == 68
    shop.give(row)
    assert shop.left() == {"LATE": 47, "SOON": 0, "NEXT": 0, "OLD": 90}


def test_a_pack_may_go_on_its_last_day_and_not_on_the_next(shop: Shop) -> None:
    shop.stock(quantity=21, lot="TODAY", days=0)
    row = shop.prescribe()
    day = stock.today(shop.place)
    Batch.objects.update(expires=day)
    assert [one.lot for one in stock.usable(shop.place, shop.amox.pk)] == ["TODAY"]
    Batch.objects.update(expires=day - timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        shop.give(row)
    assert (refused.value.code, refused.value.extra["available"]) == ("out_of_stock", "0")


def test_a_part_leaves_the_rest_open_and_the_rest_comes_later(shop: Shop) -> None:
    shop.stock(quantity=100)
    row = shop.prescribe()
    shop.give(row, 10)
    row.refresh_from_db()
    assert (row.state, shop.visit(row).state) == ("partly_dispensed", "diagnosed")
    actions.close(actor=shop.pharmacist, prescription_id=row.pk, version=row.version)
    assert shop.visit(row).state == "done"
    shop.give(row)
    row.refresh_from_db()
    assert (row.state, shop.visit(row).state) == ("dispensed", "done")
    assert shop.left() == {"A1": 79}
    assert lines_charged() == [("amox500", 10), ("amox500", 11)]


def test_nothing_given_is_declined_and_not_closed(shop: Shop) -> None:
    row = shop.prescribe()
    with pytest.raises(Conflict) as refused:
        actions.close(actor=shop.pharmacist, prescription_id=row.pk)
    assert refused.value.code == "nothing_given"
    assert shop.visit(row).state == "diagnosed"


def test_declining_takes_a_reason_and_ends_the_visit(shop: Shop) -> None:
    row = shop.prescribe()
    with pytest.raises(Invalid) as refused:
        actions.decline(actor=shop.pharmacist, prescription_id=row.pk, why="")
    assert refused.value.field == "why"
    actions.decline(actor=shop.pharmacist, prescription_id=row.pk, why="cost", note="Comes back on Friday")
    row.refresh_from_db()
    assert (row.state, shop.visit(row).state) == ("declined", "done")
    assert AuditEntry.objects.filter(action="visit.decline_medicine").count() == 1
    assert lines_charged() == []


def test_the_visit_goes_on_while_another_prescription_of_it_waits(shop: Shop) -> None:
    shop.stock()
    visit = shop.arrive()
    first = shop.prescribe(visit=visit)
    other = shop.prescribe(medicine("ibu400", generic="ibuprofen", atc="M01AE01"), visit=visit)
    shop.give(first)
    assert shop.visit(first).state == "diagnosed"
    actions.decline(actor=shop.pharmacist, prescription_id=other.pk, why="patient")
    assert shop.visit(first).state == "done"
    # Something was handed over in it, so it did not end with everything declined.
    assert AuditEntry.objects.filter(action="visit.dispense").count() == 1


def test_more_than_there_is_changes_nothing_at_all(shop: Shop) -> None:
    other = medicine("ibu400", generic="ibuprofen", atc="M01AE01")
    shop.stock(quantity=100)
    shop.stock(other, quantity=5)
    row = shop.prescribe(shop.amox, other)
    before = StockMove.objects.count()
    with pytest.raises(Conflict) as refused, transaction.atomic():
        shop.give(row)
    assert (refused.value.code, refused.value.field) == ("out_of_stock", f"q-{shop.lines(row)[1].pk}")
    row.refresh_from_db()
    assert (row.state, StockMove.objects.count(), Dispense.objects.count()) == ("signed", before, 0)
    assert shop.left() == {"A1": 100}
    assert lines_charged() == []


@pytest.mark.parametrize(
    ("quantity", "field"),
    [("0", "q"), ("-1", "q"), ("22", "q"), ("0.001", "q")],
)
def test_odd_quantities_are_refused_by_their_field(shop: Shop, quantity: str, field: str) -> None:
    shop.stock()
    row = shop.prescribe()
    line = shop.lines(row)[0]
    check = shop.identify(row)
    with pytest.raises(Invalid) as refused:
        actions.dispense(
            actor=shop.pharmacist, prescription_id=row.pk, items=[Handing(line.pk, Decimal(quantity))], check_id=check
        )
    assert refused.value.field == f"{field}-{line.pk}"
    assert shop.left() == {"A1": 100}


def test_no_line_or_a_foreign_line(shop: Shop) -> None:
    row, other = shop.prescribe(), shop.prescribe(visit=shop.arrive(shop.house.other_patient))
    with pytest.raises(Invalid):
        actions.dispense(actor=shop.pharmacist, prescription_id=row.pk, items=[])
    with pytest.raises(NotFound):
        actions.dispense(
            actor=shop.pharmacist, prescription_id=row.pk, items=[Handing(shop.lines(other)[0].pk, Decimal(1))]
        )


def test_only_the_pharmacy_hands_over(shop: Shop) -> None:
    shop.stock()
    row = shop.prescribe()
    item = [Handing(shop.lines(row)[0].pk, Decimal(1))]
    for actor, error in ((shop.nurse, Forbidden), (shop.main, Forbidden), (shop.boss, NotFound)):
        with pytest.raises(error):
            actions.dispense(actor=actor, prescription_id=row.pk, items=item)


def test_a_stale_page_and_a_second_pharmacist_change_nothing(shop: Shop) -> None:
    shop.stock()
    row = shop.prescribe()
    shop.give(row, 10, version=row.version)
    with pytest.raises(StaleEdit):
        shop.give(row, 10, version=row.version, actor=shop.second)
    assert shop.left() == {"A1": 90}
    shop.give(row, 11)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        shop.give(row, 1, actor=shop.second)
    assert refused.value.code == "too_much"
    assert shop.left() == {"A1": 79}


def test_a_prescription_that_has_run_out_is_not_dispensed(shop: Shop) -> None:
    shop.stock()
    row = shop.prescribe()
    Prescription.objects.update(valid_until=stock.today(shop.place) - timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        shop.give(row)
    assert refused.value.code == "expired"


def test_part_of_a_unit_is_charged_as_a_whole_one(shop: Shop) -> None:
    shop.stock()
    row = shop.prescribe()
    shop.give(row, "2.5")
    assert (lines_charged(), shop.left()) == ([("amox500", 3)], {"A1": Decimal("97.5")})


def test_what_has_no_price_is_handed_over_and_not_charged(shop: Shop) -> None:
    other = medicine("ibu400", generic="ibuprofen", atc="M01AE01")
    shop.stock(other)
    shop.give(shop.prescribe(other))
    assert (lines_charged(), shop.left(other)) == ([], {"A1": 79})


# Who stands there.


def test_two_identifiers_first(shop: Shop) -> None:
    shop.stock()
    row = shop.prescribe()
    item = [Handing(shop.lines(row)[0].pk, Decimal(21))]
    with pytest.raises(Conflict) as refused:
        actions.dispense(actor=shop.pharmacist, prescription_id=row.pk, items=item)
    assert refused.value.code == "identity_needed"
    # Another's check is not one's own, and neither is one that is a quarter of an hour old.
    check = shop.identify(row, shop.second)
    with pytest.raises(Conflict):
        actions.dispense(actor=shop.pharmacist, prescription_id=row.pk, items=item, check_id=check)
    mine = shop.identify(row)
    IdentityCheck.objects.filter(pk=mine).update(at=clock.now() - identity.HOLDS)
    with pytest.raises(Conflict):
        actions.dispense(actor=shop.pharmacist, prescription_id=row.pk, items=item, check_id=mine)
    assert shop.left() == {"A1": 100}


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Meera Pillai", "born": "1980-05-18"},
        {"name": "Meera Pillay", "born": "1980-05-17"},
        {"name": "Pillai", "born": "1980-05-17"},
        {"name": "Meera Pillai Santos", "born": "1980-05-17"},
        {"mrn": "MRN0000002", "born": "1980-05-17"},
        {"mrn": "MRN0000001", "name": "Bento Santos"},
    ],
)
def test_a_wrong_one_stops_with_words_and_stays_in_the_audit(shop: Shop, said: dict[str, Any]) -> None:
    shop.stock()
    row = shop.prescribe()
    shop.identify(row)
    with pytest.raises(Conflict) as refused:
        identity.confirm(actor=shop.pharmacist, prescription_id=row.pk, said=_said(said))
    assert refused.value.code == "wrong_patient"
    entry = AuditEntry.objects.get(action="prescription.misidentified")
    assert entry.patient_id == row.patient_id
    # An earlier right answer does not stand beside a later wrong one.
    assert identity.standing(shop.pharmacist, row.pk) is None
    with pytest.raises(Conflict):
        actions.dispense(
            actor=shop.pharmacist, prescription_id=row.pk, items=[Handing(shop.lines(row)[0].pk, Decimal(1))]
        )


@pytest.mark.parametrize(
    "said",
    [
        {"name": "PILLAI, Meera", "born": "1980-05-17"},
        {"name": "  méera   pillai ", "mrn": "mrn0000001"},
        {"mrn": " MRN 0000001", "born": "1980-05-17"},
    ],
)
def test_a_right_one_however_it_is_typed(shop: Shop, said: dict[str, Any]) -> None:
    row = shop.prescribe()
    made = identity.confirm(actor=shop.pharmacist, prescription_id=row.pk, said=_said(said))
    assert (made.matched, AuditEntry.objects.filter(action="prescription.identified").count()) == (True, 1)


@pytest.mark.parametrize("said", [{}, {"name": "Meera Pillai"}, {"born": "1980-05-17"}, {"mrn": "MRN0000001"}])
def test_one_identifier_is_not_enough(shop: Shop, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        identity.confirm(actor=shop.pharmacist, prescription_id=shop.prescribe().pk, said=_said(said))
    assert refused.value.code == "two_identifiers"
    assert IdentityCheck.objects.count() == 0


def _said(given: dict[str, Any]) -> Said:
    from datetime import date

    born = date.fromisoformat(given["born"]) if "born" in given else None
    return Said(name=given.get("name", ""), born=born, mrn=given.get("mrn", ""))


# Another product.


def test_another_product_of_the_same_substance_with_the_reason(shop: Shop) -> None:
    brand = medicine("amoxil500", brand="Amoxil", price_code="amox500")
    shop.stock(brand, quantity=30, lot="B1")
    row = shop.prescribe()
    line = shop.lines(row)[0]
    found = counter.counter(shop.pharmacist, row.pk).by_line[str(line.pk)]
    assert [(one.medicine.brand, one.available) for one in found.others] == [("Amoxil", 30)]
    check = shop.identify(row)
    swap = Handing(line.pk, Decimal(21), brand.pk)
    with pytest.raises(Invalid) as refused:
        actions.dispense(actor=shop.pharmacist, prescription_id=row.pk, items=[swap], check_id=check)
    assert refused.value.field == f"why-{line.pk}"
    swap = Handing(line.pk, Decimal(21), brand.pk, "none_left")
    made = actions.dispense(actor=shop.pharmacist, prescription_id=row.pk, items=[swap], check_id=check)
    given = counter.dispense(shop.pharmacist, made.pk).lines[0]
    assert (given.medicine.brand, given.why) == ("Amoxil", "none_left")
    assert given.prescribed == "amoxicillin 500 mg capsule"
    assert shop.left(brand) == {"B1": 9}


def test_not_where_the_prescriber_wants_this_very_product(shop: Shop) -> None:
    brand = medicine("amoxil500", brand="Amoxil")
    shop.stock(brand)
    row = shop.prescribe(allow=False)
    line = shop.lines(row)[0]
    with pytest.raises(Conflict) as refused:
        actions.dispense(
            actor=shop.pharmacist, prescription_id=row.pk, check_id=shop.identify(row),
            items=[Handing(line.pk, Decimal(1), brand.pk, "cost")],
        )  # fmt: skip
    assert (refused.value.code, refused.value.field) == ("no_substitution", f"product-{line.pk}")


@pytest.mark.parametrize(
    "more",
    [
        {"strength": "250 mg", "strength_value": Decimal(250)},
        {"form": "tablet", "unit": "tablet", "dose_unit": "tablet"},
        {"generic": "cefalexin"},
        {"active": False},
    ],
)
def test_nothing_but_the_same_stands_in(shop: Shop, more: dict[str, Any]) -> None:
    other = medicine("other", **more)
    shop.stock(other)
    row = shop.prescribe()
    line = shop.lines(row)[0]
    assert counter.counter(shop.pharmacist, row.pk).by_line[str(line.pk)].others == ()
    with pytest.raises(Invalid) as refused:
        actions.dispense(
            actor=shop.pharmacist, prescription_id=row.pk, check_id=shop.identify(row),
            items=[Handing(line.pk, Decimal(1), other.pk, "cost")],
        )  # fmt: skip
    assert refused.value.code == "not_the_same"


# Controlled medicines.


def test_controlled_medicines_need_a_second_person(shop: Shop) -> None:
    morphine = medicine("morph10", generic="morphine", atc="N02AA01", controlled=True)
    shop.stock(morphine, quantity=50)
    row = shop.prescribe(morphine)
    line = shop.lines(row)[0].pk
    with pytest.raises(Conflict) as refused, transaction.atomic():
        shop.give(row)
    assert refused.value.code == "witness_needed"
    # Oneself is no second person; another quantity is another count.
    witnessing.witness(actor=shop.pharmacist, prescription_id=row.pk, counts={line: Decimal(21)})
    with pytest.raises(Conflict), transaction.atomic():
        shop.give(row)
    witnessing.witness(actor=shop.nurse, prescription_id=row.pk, counts={line: Decimal(20)})
    with pytest.raises(Conflict) as refused, transaction.atomic():
        shop.give(row)
    assert refused.value.code == "witness_counted_other"
    witnessing.witness(actor=shop.nurse, prescription_id=row.pk, counts={line: Decimal(10)})
    made = shop.give(row, 10)
    assert made.witness_id == shop.nurse.account_id
    # What was counted for the first part does not count for the second.
    with pytest.raises(Conflict) as refused, transaction.atomic():
        shop.give(row, 10)
    assert refused.value.code == "witness_needed"
    assert shop.left(morphine) == {"A1": 40}


def test_a_witness_counts_controlled_lines_that_are_open(shop: Shop) -> None:
    morphine = medicine("morph10", generic="morphine", atc="N02AA01", controlled=True)
    row = shop.prescribe(morphine, shop.amox)
    controlled, plain = (one.pk for one in shop.lines(row))
    for counts in ({}, {plain: Decimal(1)}, {controlled: Decimal(22)}, {controlled: Decimal(0)}):
        with pytest.raises(Invalid):
            witnessing.witness(actor=shop.nurse, prescription_id=row.pk, counts=counts)
    with pytest.raises(StaleEdit):
        witnessing.witness(actor=shop.nurse, prescription_id=row.pk, counts={controlled: Decimal(1)}, version=9)
    with pytest.raises(NotFound):
        witnessing.witness(actor=shop.boss, prescription_id=row.pk, counts={controlled: Decimal(1)})


# What comes back.


def back(shop: Shop, made: Dispense, quantity: int, to_stock: bool = True) -> Dispense:
    line = made.lines.get()
    return actions.take_back(
        actor=shop.pharmacist, dispense_id=made.pk, line_id=line.pk, quantity=Decimal(quantity), to_stock=to_stock
    )


def test_what_comes_back_goes_to_its_batches_and_off_the_invoice(shop: Shop) -> None:
    shop.stock(quantity=8, lot="SOON", days=20)
    shop.stock(quantity=50, lot="LATE", days=500)
    made = shop.give(shop.prescribe())
    assert shop.left() == {"SOON": 0, "LATE": 37}
    assert back(shop, made, 15).state == "given"
    assert shop.left() == {"SOON": 2, "LATE": 50}
    assert lines_charged() == [("amox500", 6)]
    assert back(shop, made, 6).state == "returned"
    assert (shop.left(), lines_charged()) == ({"SOON": 8, "LATE": 50}, [])
    assert Invoice.objects.get().total_minor == 0
    assert stock.wrong() == []
    with pytest.raises(Invalid):
        back(shop, made, 1)


def test_what_is_destroyed_does_not_come_back_to_the_shelf(shop: Shop) -> None:
    shop.stock(quantity=50)
    made = shop.give(shop.prescribe())
    back(shop, made, 21, to_stock=False)
    assert (shop.left(), lines_charged()) == ({"A1": 29}, [])


def test_a_pack_past_its_date_can_only_be_destroyed(shop: Shop) -> None:
    batch = shop.stock(quantity=50)
    made = shop.give(shop.prescribe())
    Batch.objects.filter(pk=batch.pk).update(expires=in_days(-2))
    with pytest.raises(Conflict) as refused, transaction.atomic():
        back(shop, made, 21)
    assert refused.value.code == "past_date"
    assert DispenseLine.objects.get().returned_hundredths == 0


def test_what_is_paid_stays_charged_and_the_desk_gives_money_back(shop: Shop) -> None:
    from polyclinic.billing import actions as billing
    from tests.pharmacy.shop import DEMO

    shop.stock(quantity=50)
    made = shop.give(shop.prescribe())
    invoice = Invoice.objects.get()
    billing.take_payment(
        actor=DEMO, invoice_id=invoice.pk, method="cash", amount_minor=invoice.total_minor, key="k"
    )  # fmt: skip
    back(shop, made, 21)
    assert (shop.left(), lines_charged()) == ({"A1": 50}, [("amox500", 21)])


def test_lines_and_products_of_one_prescription_are_read_in_a_fixed_number_of_questions(
    shop: Shop, django_assert_max_num_queries: Any
) -> None:
    products = [medicine(f"m{n}", generic=f"substance {n}", atc="") for n in range(6)]
    for one in products:
        shop.stock(one)
    row = shop.prescribe(*products, quantity=3)
    assert PrescriptionLine.objects.count() == 6
    # Five of them ask what has come up since the signature: allergies, merged records, what is taken.
    with django_assert_max_num_queries(15):
        counter.counter(shop.pharmacist, row.pk)
    made = shop.give(row)
    with django_assert_max_num_queries(10):
        counter.dispense(shop.pharmacist, made.pk)
