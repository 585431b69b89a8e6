"""The reports of money: each figure is held against the books and the rows it counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polyclinic.billing import actions, figures, prices
from polyclinic.billing.models import Invoice, InvoiceLine
from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.visits import actions as visiting
from polyclinic.visits import earnings
from polyclinic.visits.models import Visit
from tests.billing.desk import BLOOD, FEE, begun, charged, paid, priced
from tests.house import House

Browser = Callable[[Any], Client]


@pytest.fixture
def boss(house: House) -> Person:
    priced(house)
    return house.person(house.manager)


def today(house: House) -> date:
    return clock.now().astimezone(ZoneInfo(house.facility.time_zone)).date()


def told(rows: list[Any]) -> dict[str, tuple[int, int, int, int]]:
    return {row.key: (row.count, row.amount_minor, row.less_minor, row.tax_minor) for row in rows}


def test_by_service(house: House, boss: Person) -> None:
    prices.set_price(
        actor=boss, facility_id=house.facility.pk, code="CREAM", name="Cream", kind="medicine", amount_minor=11_90,
        tax_rate=1900,
    )  # fmt: skip
    desk, day = house.person(house.receptionist), today(house)
    bill = begun(house, "CONS", "CBC", "CREAM")
    charged(bill, desk, "CBC", quantity=2)
    off = charged(bill, desk, "CONS")
    actions.drop(actor=desk, line_id=off.pk)
    actions.discount(actor=boss, line_id=bill.lines.get(code="CONS", dropped_at=None).pk, amount_minor=5_00, reason="x")
    void = begun(house, "CONS")
    actions.void(actor=boss, invoice_id=void.pk, reason="error")
    found = told(figures.services(boss, house.facility.pk, day, day))
    assert found == {"CONS": (1, FEE, 5_00, 0), "CBC": (3, 3 * BLOOD, 0, 0), "CREAM": (1, 11_90, 0, 1_90)}
    assert figures.services(boss, house.facility.pk, day - timedelta(days=2), day - timedelta(days=1)) == []


def test_by_way_of_paying(house: House, boss: Person) -> None:
    desk, day = house.person(house.receptionist), today(house)
    bill = begun(house, "CONS")
    first = paid(bill, desk, 20_00)
    paid(bill, desk, 10_00)
    paid(bill, desk, 5_00, method="card")
    actions.refund(actor=desk, payment_id=first.pk, amount_minor=3_00, reason="x", key="k")
    # What the terminal has not answered yet has not come.
    assert told(figures.methods(boss, house.facility.pk, day, day)) == {"cash": (2, 30_00, 3_00, 0)}


def test_what_made_it_less(house: House, boss: Person) -> None:
    prices.set_price(
        actor=boss, facility_id=house.facility.pk, code="CREAM", name="Cream", kind="medicine", amount_minor=11_90,
        tax_rate=1900,
    )  # fmt: skip
    desk, day = house.person(house.receptionist), today(house)
    cheap, waived, lost = begun(house, "CREAM"), begun(house, "CONS"), begun(house, "CONS")
    actions.discount(actor=boss, line_id=cheap.lines.get().pk, amount_minor=5_95, reason="x")
    actions.waive(actor=boss, invoice_id=waived.pk, reason="x")
    actions.write_off(actor=boss, invoice_id=lost.pk, reason="x")
    payment = paid(cheap, desk, 5_95)
    actions.refund(actor=desk, payment_id=payment.pk, amount_minor=5_95, reason="x", key="k")
    assert told(figures.reductions(boss, house.facility.pk, day, day)) == {
        "discounts": (1, 5_95, 0, 95), "waived": (1, FEE, 0, 0), "credited": (1, 5_95, 0, 95),
        "written_off": (1, FEE, 0, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("days", "key"),
    [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, "91-")],
)
def test_debts_by_age(house: House, boss: Person, days: int, key: str) -> None:
    bill = begun(house, "CONS")
    paid(bill, house.person(house.receptionist), 20_00)
    settled = begun(house, "CBC")
    paid(settled, house.person(house.receptionist), BLOOD)
    Invoice.objects.filter(pk=bill.pk).update(opened_at=clock.now() - timedelta(days=days, minutes=1))
    found = told(figures.owed(boss, house.facility.pk))
    assert list(found) == ["0-30", "31-60", "61-90", "91-"]
    assert {name: row for name, row in found.items() if row[0]} == {key: (1, FEE - 20_00, 0, 0)}


def test_by_doctor(house: House, boss: Person) -> None:
    desk, day = house.person(house.receptionist), today(house)
    prices.set_price(
        actor=boss, facility_id=house.facility.pk, code="consultation", name="Consultation", kind="consultation",
        amount_minor=FEE,
    )  # fmt: skip
    made = visiting.register(actor=desk, facility_id=house.facility.pk, patient_id=house.patient.pk)
    Visit.objects.filter(pk=made.pk).update(main_doctor=house.doctor)
    begun(house, "CBC")
    found = told(earnings.by_doctor(boss, house.facility.pk, day, day))
    assert found == {str(house.doctor.pk): (1, FEE, 0, 0), "": (1, BLOOD, 0, 0)}


def test_who_may_not_see_revenue_sees_none_of_it(house: House, boss: Person) -> None:
    day = today(house)
    readers: list[Callable[..., object]] = [
        figures.services, figures.methods, figures.reductions, figures.subjects, earnings.by_doctor,
        lambda viewer, place, _first, _last: figures.owed(viewer, place),
    ]  # fmt: skip
    for viewer in (house.person(house.receptionist), house.person(house.patient)):
        for read in readers:
            with pytest.raises(NotFound):
                read(viewer, house.facility.pk, day, day)
    for read in readers:
        with pytest.raises(NotFound):
            read(boss, house.elsewhere.pk, day, day)
    for first in (day + timedelta(days=1), day - timedelta(days=401)):
        with pytest.raises(Invalid) as refusal:
            figures.services(boss, house.facility.pk, first, day)
        assert refusal.value.field == "last"


def test_questions_do_not_grow_with_the_rows(house: House, boss: Person) -> None:
    day = today(house)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            for read in (figures.services, figures.methods, figures.reductions, earnings.by_doctor):
                read(boss, house.facility.pk, day, day)
            figures.owed(boss, house.facility.pk)
        return len(seen)

    begun(house, "CONS", "CBC")
    few = asked()
    for _more in range(4):
        paid(begun(house, "CONS", "CBC"), house.person(house.receptionist), 10_00)
    assert asked() == few


def test_the_page_and_the_sheets(house: House, boss: Person, browser_of: Browser) -> None:
    prices.set_price(
        actor=boss, facility_id=house.facility.pk, code="CONS", name='=HYPERLINK("x")', kind="consultation",
        amount_minor=FEE,
    )  # fmt: skip
    paid(begun(house, "CONS"), house.person(house.receptionist), 20_00)
    client = browser_of(house.manager)
    page = str(client.get("/cashier/reports").content.decode())
    assert "EUR\u00a030.00" in page
    assert "Up to 30 days" in page
    sheet = client.get("/cashier/reports/services.csv")
    assert sheet["Content-Type"] == "text/csv; charset=utf-8"
    lines = str(sheet.content.decode()).splitlines()
    assert lines == [
        "key,name,kind,count,amount,less,tax,currency",
        'CONS,"\'=HYPERLINK(""x"")",consultation,1,50.00,0.00,0.00,EUR',
    ]
    assert client.get("/cashier/reports/nothing.csv").status_code == 404
    for bad in ("first=2026-13-40", "first=2020-01-01&last=2026-01-01", "last=x"):
        assert client.get(f"/cashier/reports?{bad}").status_code == 422
        assert client.get(f"/cashier/reports/services.csv?{bad}").status_code == 422
    assert InvoiceLine.objects.count() == 1
