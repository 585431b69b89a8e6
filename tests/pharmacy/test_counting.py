"""Stock-takes: only the difference is posted, and what moves meanwhile is counted once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.pharmacy import counting, selectors, stock
from polyclinic.pharmacy.counting import Count
from polyclinic.pharmacy.models import Batch, StockMove, StockTake
from tests.pharmacy.shop import DEMO, Shop, stocked


def begin(shop: Shop) -> StockTake:
    return counting.start(actor=shop.pharmacist, facility_id=shop.place)


def count(shop: Shop, take: StockTake, batch: Batch, there: int | str, seen: int | None = None) -> StockTake:
    return counting.count(
        actor=shop.pharmacist, take_id=take.pk, counts={batch.pk: Count(Decimal(there), seen)}
    )  # fmt: skip


def test_differences_are_posted_and_what_is_right_or_uncounted_stays(shop: Shop) -> None:
    less, more, right, never = (shop.stock(quantity=10, lot=lot) for lot in ("LESS", "MORE", "RIGHT", "NEVER"))
    take = begin(shop)
    for batch, there in ((less, 8), (more, "10.5"), (right, 10)):
        count(shop, take, batch, there)
    row, sheet = selectors.take(shop.pharmacist, take.pk)
    assert (row.counted, row.differing, len(sheet)) == (3, 2, 4)
    assert shop.left()["LESS"] == 10
    counting.post(actor=shop.pharmacist, take_id=take.pk, version=row.version)
    assert shop.left() == {"LESS": 8, "MORE": Decimal("10.5"), "RIGHT": 10, "NEVER": 10}
    assert sorted(StockMove.objects.filter(kind="count").values_list("hundredths", flat=True)) == [-200, 50]
    assert (stock.wrong(), never.pk is not None) == ([], True)
    with pytest.raises(IllegalTransition):
        counting.post(actor=shop.pharmacist, take_id=take.pk)


def test_what_is_handed_over_between_count_and_posting_is_kept(shop: Shop) -> None:
    batch = shop.stock(quantity=50)
    take = begin(shop)
    count(shop, take, batch, 48)
    shop.give(shop.prescribe(), 21)
    counting.post(actor=shop.pharmacist, take_id=take.pk)
    # 50 in the books, 48 there, 21 gone since: 27, neither 48 nor 29.
    assert (shop.left(), stock.wrong()) == ({"A1": 27}, [])


def test_a_batch_that_moved_under_the_counting_is_counted_again(shop: Shop) -> None:
    batch = shop.stock(quantity=50)
    take = begin(shop)
    _row, sheet = selectors.take(shop.pharmacist, take.pk)
    shop.give(shop.prescribe(), 1)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        count(shop, take, batch, 50, seen=sheet[0].batch.moves)
    assert (refused.value.code, refused.value.field) == ("moved", f"count-{batch.pk}")
    count(shop, take, batch, 49, seen=sheet[0].batch.moves + 1)
    counting.post(actor=shop.pharmacist, take_id=take.pk)
    assert shop.left() == {"A1": 49}


def test_more_missing_than_there_is_by_now_posts_nothing(shop: Shop) -> None:
    short, other = shop.stock(quantity=21), shop.stock(quantity=10, lot="B2", days=500)
    take = begin(shop)
    count(shop, take, short, 5)
    count(shop, take, other, 9)
    shop.give(shop.prescribe(), 21)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        counting.post(actor=shop.pharmacist, take_id=take.pk)
    assert (refused.value.code, refused.value.field) == ("out_of_stock", f"count-{short.pk}")
    assert (shop.left(), StockTake.objects.get().state) == ({"A1": 0, "B2": 10}, "open")


def test_one_at_a_time_and_counting_again_replaces(shop: Shop) -> None:
    batch = shop.stock(quantity=10)
    take = begin(shop)
    assert begin(shop).pk == take.pk
    count(shop, take, batch, 3)
    count(shop, take, batch, 9)
    counting.post(actor=shop.second, take_id=take.pk)
    assert shop.left() == {"A1": 9}
    assert begin(shop).pk != take.pk


def test_giving_up_changes_nothing(shop: Shop) -> None:
    batch = shop.stock(quantity=10)
    take = begin(shop)
    count(shop, take, batch, 3)
    counting.give_up(actor=shop.boss, take_id=take.pk)
    assert shop.left() == {"A1": 10}
    with pytest.raises(IllegalTransition):
        count(shop, take, batch, 3)


def test_who_counts_what_and_when_it_is_refused(shop: Shop) -> None:
    batch, foreign = shop.stock(quantity=10), stocked(shop.house.elsewhere.pk, shop.amox)
    with pytest.raises(Forbidden):
        counting.start(actor=shop.nurse, facility_id=shop.place)
    take = begin(shop)
    with pytest.raises(NotFound):
        counting.count(actor=shop.nurse, take_id=take.pk, counts={batch.pk: Count(Decimal(1))})
    with pytest.raises(NotFound):
        count(shop, take, foreign, 1)
    with pytest.raises(Invalid):
        counting.count(actor=shop.pharmacist, take_id=take.pk, counts={})
    with pytest.raises(Invalid):
        count(shop, take, batch, -1)
    with pytest.raises(Conflict):
        counting.post(actor=shop.pharmacist, take_id=begin(shop).pk)


def test_posting_what_one_has_not_seen_is_refused(shop: Shop) -> None:
    batch = shop.stock(quantity=10)
    take = begin(shop)
    seen = count(shop, take, batch, 9).version
    count(shop, take, batch, 8)
    with pytest.raises(StaleEdit):
        counting.post(actor=shop.pharmacist, take_id=take.pk, version=seen)
    assert shop.left() == {"A1": 10}
    stock.move(batch.pk, -100, "adjust", actor=DEMO)
