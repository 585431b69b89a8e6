"""A laboratory's own ranges: whom they are for, from when they count, and what they do not touch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from polyclinic.billing.models import Price
from polyclinic.core.errors import Forbidden, Invalid, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.laboratory import entering, house_ranges, ranges
from polyclinic.laboratory.models import HouseRange
from tests.laboratory.bench import Bench
from tests.portals.conftest import browser_of, send

__all__ = ["browser_of"]


def set_(bench: Bench, test: str = "k", low: str = "3.6", high: str = "5.4", **more: Any) -> HouseRange:
    given = {"actor": bench.main, "facility_id": bench.house.facility.pk, "source": "Leaflet of the method", **more}
    return house_ranges.set_range(test=test, low=low, high=high, **given)


def found(bench: Bench, years: float = 40, sex: str = "female", pregnancy: str = "", test: str = "k") -> Any:
    where = bench.house.facility.pk
    return house_ranges.find(where, test, sex=sex, age_days=round(years * ranges.YEAR), pregnancy=pregnancy)


def test_it_counts_for_results_from_now_on_and_for_no_other_laboratory(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="5.3")
    assert bench.report(order, "k").flag == "H"
    set_(bench)
    # What was judged keeps its limits until it is entered again.
    assert bench.report(order, "k").high == "5.0"
    bench.enter(order, k="5.2")
    report = bench.report(order, "k")
    assert (report.flag, report.low, report.high) == ("", "3.6", "5.4")
    assert report.source.startswith("house 20")
    elsewhere = house_ranges.find(bench.house.elsewhere.pk, "k", sex="female", age_days=15_000)
    assert elsewhere is not None
    assert elsewhere.high == Decimal("5.0")


def test_the_most_particular_one_counts(bench: Bench) -> None:
    set_(bench, "hb", "11.0", "17.0", from_years="18")
    # For women and men there are published ones, which are more particular than the house's for everybody.
    assert found(bench, test="hb").low == Decimal("12.0")
    assert found(bench, sex="other", test="hb").low == Decimal("11.0")
    set_(bench, "hb", "11.8", "15.8", from_years="18", sex="female")
    assert found(bench, test="hb").low == Decimal("11.8")
    assert found(bench, test="hb", pregnancy="second").low == Decimal("10.5")
    set_(bench, "hb", "10.2", "14.0", pregnancy="second")
    assert found(bench, test="hb", pregnancy="second").low == Decimal("10.2")


@pytest.mark.parametrize(("years", "high"), [(17.99, "5.0"), (18, "5.4"), (59.99, "5.4"), (60, "5.0")])
def test_the_ages_it_holds_for_begin_and_end_to_the_day(bench: Bench, years: float, high: str) -> None:
    set_(bench, from_years="18", to_years="60")
    assert found(bench, years).high == Decimal(high)


def test_set_again_it_ends_the_one_before_and_ended_the_published_counts(bench: Bench) -> None:
    first = set_(bench)
    second = set_(bench, high="5.2")
    first.refresh_from_db()
    assert first.valid_to is not None
    assert [row.id for row in house_ranges.in_force(bench.tech, "k")] == [second.pk]
    assert house_ranges.end_range(actor=bench.main, range_id=second.pk) == "k"
    with pytest.raises(NotFound):
        house_ranges.end_range(actor=bench.main, range_id=second.pk)
    assert found(bench).high == Decimal("5.0")
    assert list(AuditEntry.objects.filter(action__startswith="lab_range.").values_list("action", flat=True)) == [
        "lab_range.set", "lab_range.set", "lab_range.end"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("low", {"low": "", "high": ""}), ("high", {"low": "5", "high": "5"}), ("high", {"high": "5,4"}),
        ("high", {"high": "1e1"}), ("high", {"high": "NaN"}), ("high", {"high": "5.44"}), ("low", {"low": "-1"}),
        ("high", {"high": "99999"}), ("source", {"source": " x "}), ("source", {"source": "x" * 121}),
        ("sex", {"sex": "x"}), ("sex", {"sex": "female", "pregnancy": "first"}), ("pregnancy", {"pregnancy": "no"}),
        ("from_years", {"from_years": "-1"}), ("to_years", {"to_years": "151"}), ("to_years", {"to_years": "0"}),
        ("from_years", {"from_years": "1.5"}), ("test", {"test": "group"}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_field(bench: Bench, field: str, given: dict[str, str]) -> None:
    with pytest.raises(Invalid) as told:
        set_(bench, **given)
    assert told.value.field == field
    assert not HouseRange.objects.exists()


def test_two_of_one_group_do_not_overlap(bench: Bench) -> None:
    set_(bench, from_years="18", to_years="60")
    for ages in (("0", "19"), ("59", "150"), ("20", "30"), ("0", "150")):
        with pytest.raises(Invalid) as told:
            set_(bench, from_years=ages[0], to_years=ages[1])
        assert told.value.code == "overlaps"
    for ages in (("0", "18"), ("60", "150")):
        set_(bench, from_years=ages[0], to_years=ages[1])
    set_(bench, from_years="18", to_years="70", sex="male")


def test_a_doctor_of_the_house_sets_it_and_nobody_else(bench: Bench) -> None:
    house = bench.house
    for who in (bench.tech, bench.checker, house.person(house.manager), house.person(house.stranger_doctor)):
        with pytest.raises(Forbidden):
            set_(bench, actor=who)
    with pytest.raises(Forbidden):
        set_(bench, facility_id=house.elsewhere.pk)
    made = set_(bench)
    with pytest.raises(NotFound):
        house_ranges.end_range(actor=bench.tech, range_id=made.pk)
    assert house_ranges.in_force(house.person(house.stranger_receptionist), "k") == []


def test_the_page_shows_ranges_and_price_and_keeps_what_was_typed(bench: Bench, browser_of: Any) -> None:
    house = bench.house
    Price.objects.create(
        facility=house.facility, code="lab-k", name="Potassium", kind="lab", amount_minor=1250, currency="EUR"
    )
    client = browser_of(house.staff["main_doctor"])
    page = client.get("/lab/catalogue/k")
    text = page.content.decode()
    assert "3.5–5.0" in text
    assert "12.50" in text
    given = {"facility": str(house.facility.pk), "low": "3.6", "high": "3.0", "source": "Own study of May 2026"}
    refused = send(client, page, "/lab/catalogue/k/ranges", **given)
    assert refused.status_code == 422
    assert 'value="Own study of May 2026"' in refused.content.decode()
    assert send(client, page, "/lab/catalogue/k/ranges", **{**given, "high": "5.4"}).status_code == 303
    shown = client.get("/lab/catalogue/k")
    assert "3.6–5.4" in shown.content.decode()
    assert client.get("/lab/catalogue/nothing").status_code == 404
    technician = browser_of(house.staff["lab_technician"]).get("/lab/catalogue/k").content.decode()
    assert "3.6–5.4" in technician
    assert "Set the range" not in technician
    row = HouseRange.objects.get()
    assert send(client, shown, f"/lab/ranges/{row.pk}/end").status_code == 303


def test_a_stale_range_page_never_reaches_a_verified_result(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="5.3")
    bench.verify(order, "k")
    set_(bench)
    assert bench.report(order, "k").flag == "H"
    entering.amend(actor=bench.tech, test_id=bench.test(order, "k").pk, value="5.3", reason="New range")
    assert bench.report(order, "k").flag == ""
