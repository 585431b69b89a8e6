"""The shelves: never below nothing, every movement written down, deliveries, corrections, transfers, reorder points."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Membership
from polyclinic.notify.models import Notice
from polyclinic.pharmacy import amounts, keeping, levels, selectors, stock
from polyclinic.pharmacy.keeping import Came
from polyclinic.pharmacy.models import Batch, StockLevel, StockMove
from tests.house import account, missing
from tests.pharmacy.shop import DEMO, Shop, in_days, medicine, stocked

# Never below nothing: three guards, each alone.


def test_more_than_there_is_is_refused_and_nothing_moves(shop: Shop) -> None:
    batch = shop.stock(quantity=5)
    with pytest.raises(Conflict) as refused:
        stock.move(batch.pk, -501, "adjust", actor=DEMO)
    assert (refused.value.code, refused.value.extra["available"]) == ("out_of_stock", "5")
    assert (shop.left(), StockMove.objects.count()) == ({"A1": 5}, 1)
    stock.move(batch.pk, -500, "adjust", actor=DEMO)
    assert shop.left() == {"A1": 0}


def test_the_database_itself_refuses_less_than_nothing(shop: Shop) -> None:
    """Negative control of the CHECK: an UPDATE without our WHERE, as a mistake would write it."""
    batch = shop.stock(quantity=5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(hundredths=F("hundredths") - 501)


def test_the_where_refuses_alone_when_the_check_is_gone(shop: Shop) -> None:
    """Negative control of the guarded UPDATE: with the CHECK away it is the WHERE that stops it."""
    batch = shop.stock(quantity=5)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints=ON")
        try:
            Batch.objects.filter(pk=batch.pk).update(hundredths=F("hundredths") - 501)
            assert Batch.objects.get().hundredths == -1  # the CHECK really is away
            Batch.objects.update(hundredths=500)
            with pytest.raises(Conflict):
                stock.move(batch.pk, -501, "adjust", actor=DEMO)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA ignore_check_constraints=OFF")
        assert Batch.objects.get().hundredths == 500


@pytest.mark.parametrize("verb", ["UPDATE pharmacy_stockmove SET hundredths = 1", "DELETE FROM pharmacy_stockmove"])
def test_a_movement_cannot_be_changed_or_removed(shop: Shop, verb: str) -> None:
    shop.stock()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb)
    assert StockMove.objects.get().hundredths == 10_000


def test_the_books_show_a_quantity_changed_behind_their_back(shop: Shop) -> None:
    """Negative control of the check that `polyclinic doctor` runs."""
    batch, other = shop.stock(quantity=5), shop.stock(quantity=7, lot="B2")
    assert stock.wrong() == []
    Batch.objects.filter(pk=batch.pk).update(hundredths=F("hundredths") + 100)
    assert [str(batch.pk) in one for one in stock.wrong()] == [True]
    Batch.objects.filter(pk=batch.pk).update(hundredths=500)
    assert stock.wrong() == []
    # A movement that is counted and not there.
    Batch.objects.filter(pk=other.pk).update(moves=F("moves") + 1)
    assert [str(other.pk) in one for one in stock.wrong()] == [True]


def test_tenths_add_up_exactly(shop: Shop) -> None:
    """As floating point, 0.3 - 0.1 - 0.1 - 0.1 is a little below 0 and would be refused."""
    batch = shop.stock(quantity="0.3")
    for _turn in range(3):
        stock.move(batch.pk, -10, "adjust", actor=DEMO)
    assert shop.left() == {"A1": 0}


@pytest.mark.parametrize(
    ("text", "found"), [("12", "12"), ("0.5", "0.5"), ("0,25", "0.25"), (" 1 000 ", "1000"), ("1000000", "1000000")]
)
def test_quantities_as_people_type_them(text: str, found: str) -> None:
    assert amounts.read(text, "q") == Decimal(found)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.234", "1e5", "NaN", "Infinity", "1000000.01", "٣", "1.2.3", "x"])
def test_what_is_no_quantity_names_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        amounts.read(text, "q")
    assert refused.value.field == "q"


@pytest.mark.parametrize(("kept", "shown"), [(500, "5"), (50, "0.5"), (1000, "10"), (0, "0"), (12345, "123.45")])
def test_quantities_are_written_without_zeros_that_say_nothing(kept: int, shown: str) -> None:
    assert str(amounts.quantity(kept)) == shown


# Deliveries.


def came(shop: Shop, **more: Any) -> Came:
    given = {"medicine_id": shop.amox.pk, "lot": "a 77", "expires": in_days(300), "quantity": Decimal(60), **more}
    return Came(**given)


def test_a_delivery_is_on_the_shelf_and_its_lot_is_one_batch(shop: Shop) -> None:
    shop.receive(came(shop, unit_cost=Decimal("0.12")))
    shop.receive(came(shop, lot="A  77", unit_cost=Decimal("0.13")))
    assert shop.left() == {"A 77": 120}
    assert Batch.objects.get().unit_cost == Decimal("0.13")
    assert AuditEntry.objects.filter(action="stock.receive").count() == 2
    assert [row.lines for row in selectors.deliveries(shop.pharmacist, shop.place)] == [1, 1]


def test_one_delivery_note_is_taken_once(shop: Shop) -> None:
    shop.receive(came(shop), reference="N 1")
    with pytest.raises(Conflict) as refused:
        shop.receive(came(shop), reference=" N  1 ")
    assert (refused.value.code, refused.value.field, shop.left()) == ("known_note", "reference", {"A 77": 60})


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"lot": "  "}, "lot-1"),
        ({"lot": "x" * 41}, "lot-1"),
        ({"expires": in_days(-2)}, "expires-1"),
        ({"expires": in_days(30_000)}, "expires-1"),
        ({"quantity": Decimal(0)}, "quantity-1"),
        ({"quantity": Decimal(1_000_001)}, "quantity-1"),
        ({"unit_cost": Decimal(-1)}, "cost-1"),
    ],
)
def test_a_line_that_cannot_be_names_its_field_and_nothing_comes(shop: Shop, more: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        shop.receive(came(shop), came(shop, **more))
    assert (refused.value.field, Batch.objects.count()) == (field, 0)


def test_only_who_may_receives_and_only_from_their_own_suppliers(shop: Shop) -> None:
    mine = shop.supplier()
    theirs = keeping.add_supplier(actor=DEMO, facility_id=shop.house.elsewhere.pk, name="Far Wholesale").pk
    for actor, place, supplier, error in (
        (shop.nurse, shop.place, mine, Forbidden),
        (shop.pharmacist, shop.house.elsewhere.pk, theirs, Forbidden),
        (shop.pharmacist, shop.place, theirs, NotFound),
    ):
        with pytest.raises(error):
            keeping.receive(
                actor=actor, facility_id=place, supplier_id=supplier, reference="1", lines=[came(shop)]
            )  # fmt: skip
    assert Batch.objects.count() == 0


# Corrections.


def test_a_correction_takes_a_reason_and_is_in_the_audit(shop: Shop) -> None:
    batch = shop.stock(quantity=10)
    keeping.adjust(actor=shop.pharmacist, batch_id=batch.pk, difference=Decimal(-2), why="broken", note="fell")
    keeping.adjust(actor=shop.boss, batch_id=batch.pk, difference=Decimal(1), why="found")
    rows = StockMove.objects.order_by("pk").values_list("kind", "why", "hundredths", "after")
    assert list(rows)[1:] == [("write_off", "broken", -200, 800), ("adjust", "found", 100, 900)]
    assert AuditEntry.objects.filter(action="stock.adjust").count() == 2


@pytest.mark.parametrize(
    ("difference", "why", "field"),
    [("0", "lost", "difference"), ("1", "broken", "difference"), ("-1", "", "why"), ("-1", "moths", "why"),
     ("-10.5", "lost", "difference"), ("-0.001", "lost", "difference")],
)  # fmt: skip
def test_odd_corrections_name_their_field(shop: Shop, difference: str, why: str, field: str) -> None:
    batch = shop.stock(quantity=10)
    with pytest.raises((Invalid, Conflict)) as refused:
        keeping.adjust(actor=shop.pharmacist, batch_id=batch.pk, difference=Decimal(difference), why=why)
    assert (refused.value.field, shop.left()) == (field, {"A1": 10})


def test_a_correction_of_what_has_moved_since_is_refused(shop: Shop) -> None:
    batch = shop.stock(quantity=10)
    stock.move(batch.pk, -100, "dispense", actor=DEMO)
    with pytest.raises(Conflict) as refused:
        keeping.adjust(actor=shop.pharmacist, batch_id=batch.pk, difference=Decimal(-1), why="lost", seen=1)
    assert (refused.value.code, shop.left()) == ("moved", {"A1": 9})


def test_a_foreign_batch_is_a_missing_one(shop: Shop) -> None:
    batch = stocked(shop.house.elsewhere.pk, shop.amox)
    with pytest.raises(NotFound):
        keeping.adjust(actor=shop.pharmacist, batch_id=batch.pk, difference=Decimal(-1), why="lost")
    with pytest.raises(NotFound):
        selectors.batch(shop.pharmacist, batch.pk)
    with pytest.raises(NotFound):
        selectors.available(shop.pharmacist, shop.house.elsewhere.pk, [shop.amox.pk])


# To another hospital.


@pytest.fixture
def far(shop: Shop) -> Any:
    """A pharmacist of the other hospital."""
    one = account("far.pharmacist@example.org", "Far Pharmacist")
    Membership.objects.create(account=one, facility=shop.house.elsewhere, role="pharmacist")
    return shop.house.person(one)


def test_a_transfer_leaves_here_and_arrives_there(shop: Shop, far: Any) -> None:
    batch = shop.stock(quantity=10)
    sent = keeping.send(
        actor=shop.pharmacist, batch_id=batch.pk, target_id=shop.house.elsewhere.pk, quantity=Decimal(4)
    )
    assert shop.left() == {"A1": 6}
    assert selectors.available(far, shop.house.elsewhere.pk, [shop.amox.pk]) == {shop.amox.pk: 0}
    with pytest.raises(Forbidden):
        keeping.arrive(actor=shop.pharmacist, transfer_id=sent.pk)
    keeping.arrive(actor=far, transfer_id=sent.pk, version=1)
    there = Batch.objects.get(facility=shop.house.elsewhere)
    assert (there.lot, there.expires, there.hundredths) == ("A1", batch.expires, 400)
    for again in (keeping.arrive, keeping.call_back):
        with pytest.raises((IllegalTransition, Forbidden)):
            again(actor=far, transfer_id=sent.pk)
    assert stock.wrong() == []
    assert [row.ours for row in selectors.transfers(far, shop.house.elsewhere.pk)] == ["target"]


def test_what_was_sent_can_be_called_back_by_who_sent_it(shop: Shop, far: Any) -> None:
    batch = shop.stock(quantity=10)
    sent = keeping.send(
        actor=shop.pharmacist, batch_id=batch.pk, target_id=shop.house.elsewhere.pk, quantity=Decimal(10)
    )
    with pytest.raises(Forbidden):
        keeping.call_back(actor=far, transfer_id=sent.pk)
    keeping.call_back(actor=shop.pharmacist, transfer_id=sent.pk)
    assert (shop.left(), stock.wrong()) == ({"A1": 10}, [])


@pytest.mark.parametrize(
    ("to", "quantity", "field"),
    [("here", 1, "target"), ("there", 0, "quantity"), ("there", 11, "quantity"), ("nowhere", 1, "target")],
)
def test_odd_transfers_name_their_field(shop: Shop, to: str, quantity: int, field: str) -> None:
    batch = shop.stock(quantity=10)
    target = {"here": shop.place, "there": shop.house.elsewhere.pk, "nowhere": missing()}[to]
    with pytest.raises((Invalid, Conflict)) as refused, transaction.atomic():
        keeping.send(actor=shop.pharmacist, batch_id=batch.pk, target_id=target, quantity=Decimal(quantity))
    assert (refused.value.field, shop.left()) == (field, {"A1": 10})


# Reorder points.


def told() -> int:
    return Notice.objects.filter(kind="stock_low").count()


def test_buyers_are_told_once_until_there_is_enough_again(shop: Shop) -> None:
    batch = shop.stock(quantity=30)
    levels.set_point(actor=shop.pharmacist, facility_id=shop.place, medicine_id=shop.amox.pk, point=Decimal(20))
    assert told() == 0
    row = shop.prescribe()
    shop.give(row, 9)
    assert told() == 0
    shop.give(row, 1)
    # Two pharmacists and the manager, at 20 and not before.
    assert told() == 3
    shop.give(row, 5)
    assert told() == 3
    assert OutboxEvent.objects.filter(type="stock.low").count() == 1
    assert [one.low for one in selectors.board(shop.pharmacist, shop.place, show="low")] == [True]
    keeping.adjust(actor=shop.pharmacist, batch_id=batch.pk, difference=Decimal(50), why="found")
    assert OutboxEvent.objects.filter(type="stock.enough").count() == 1
    keeping.adjust(actor=shop.pharmacist, batch_id=batch.pk, difference=Decimal(-50), why="lost")
    assert told() == 6


def test_packs_that_grow_too_old_make_it_low_without_a_movement(shop: Shop) -> None:
    batch = shop.stock(quantity=30)
    levels.set_point(actor=shop.boss, facility_id=shop.place, medicine_id=shop.amox.pk, point=Decimal(20))
    Batch.objects.filter(pk=batch.pk).update(expires=stock.today(shop.place) - timedelta(days=1))
    assert levels.sweep() == 1
    assert told() == 3
    levels.sweep()
    assert told() == 3


def test_two_who_set_the_point_at_once(shop: Shop) -> None:
    given = {"actor": shop.pharmacist, "facility_id": shop.place, "medicine_id": shop.amox.pk}
    levels.set_point(**given, point=Decimal(20))
    levels.set_point(**given, point=Decimal(10), version=2)
    with pytest.raises(StaleEdit):
        levels.set_point(**given, point=Decimal(5), version=2)
    assert StockLevel.objects.get().reorder_hundredths == 1000
    with pytest.raises(Forbidden):
        levels.set_point(**{**given, "actor": shop.nurse}, point=Decimal(1))


# What is shown.


def test_the_board_adds_up_and_filters(shop: Shop) -> None:
    other = medicine("ibu400", generic="ibuprofen", atc="M01AE01")
    medicine("never", generic="neverused")
    shop.stock(quantity=5, lot="OLD", days=-3)
    shop.stock(quantity=7, lot="SOON", days=30)
    shop.stock(quantity=9, lot="LATE", days=300)
    shop.stock(other, quantity=3)
    rows = selectors.board(shop.pharmacist, shop.place)
    assert [(one.medicine.generic, one.available, one.expired, one.short) for one in rows] == [
        ("amoxicillin", 16, 5, 7), ("ibuprofen", 3, 0, 0),
    ]  # fmt: skip
    for show, names in (("expiring", ["amoxicillin"]), ("expired", ["amoxicillin"]), ("low", [])):
        found = selectors.board(shop.pharmacist, shop.place, show=show)
        assert [one.medicine.generic for one in found] == names
    assert [one.available for one in selectors.board(shop.pharmacist, shop.place, text="never")] == [0]
    assert selectors.figures(shop.boss, shop.place) == {"low": 0, "expiring": 1, "expired": 1, "unpriced": 1}
    with pytest.raises(Invalid):
        selectors.board(shop.pharmacist, shop.place, show="everything")
    with pytest.raises(NotFound):
        selectors.board(shop.nurse, shop.place)


def test_the_board_asks_the_database_a_fixed_number_of_times(shop: Shop, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        shop.stock(medicine(f"m{number}", generic=f"substance {number}"))
    with django_assert_max_num_queries(5):
        assert len(selectors.board(shop.pharmacist, shop.place)) == 12
