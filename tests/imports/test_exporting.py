"""Lists go out as they would come in: no cell runs, nothing is lost, and it is on record before it leaves."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from polyclinic.billing.models import Price
from polyclinic.core import clock
from polyclinic.core.audit import reads
from polyclinic.core.errors import Forbidden, Invalid, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.imports import exporting, kinds, reading, working
from polyclinic.imports.cells import inert, meant, table
from polyclinic.medicines.models import Medicine
from polyclinic.people import registering
from polyclinic.people.models import Patient
from polyclinic.scheduling import actions as booking
from polyclinic.scheduling.models import WeeklyHours
from tests.house import House
from tests.imports.lists import Desk

TEXTS = some.text(some.characters(exclude_categories=["Cc", "Cs"]), max_size=30).map(str.strip)


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def out(desk: Desk, kind: str) -> bytes:
    return b"".join(table(exporting.rows(desk.boss, desk.house.facility.pk, kind)))


@settings(max_examples=200, deadline=None)
@given(some.lists(some.lists(TEXTS, min_size=2, max_size=2).filter(any), min_size=1, max_size=5))
def test_what_goes_out_comes_in_as_it_was(rows: list[list[str]]) -> None:
    data = b"".join(table([["a", "b"], *rows]))
    found = list(reading.records([data[at : at + 7] for at in range(0, len(data), 7)], "utf-8-sig", ","))
    assert [[meant(cell) for cell in record.cells or []] for record in found[1:]] == rows
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-1", "@x", "'=1", "''@", "'plain", "plain", ""])
def test_a_quote_is_added_once_and_taken_away_once(text: str) -> None:
    assert meant(inert(text)) == text


def test_patients_go_out_and_come_in_elsewhere(desk: Desk) -> None:
    registering.take_over(
        actor=desk.boss, facility_id=desk.house.facility.pk,
        given={"family_name": "=O'Neil, \"Jr\"", "given_name": "Zoë\u0301", "born": date(1950, 2, 3), "sex": "other",
               "phone": "+49 30 1"},
    )  # fmt: skip
    rows = list(csv.reader(io.StringIO(out(desk, "patients").decode("utf-8-sig"))))
    assert rows[0] == ["family_name", "given_name", "born", "sex", "phone", "mrn"]
    job = kinds.Work(desk.boss, desk.house.elsewhere.pk, "iso")
    for cells in rows[1:]:
        said = {name: meant(cell) for name, cell in zip(rows[0], cells, strict=True)}
        found = Patient.objects.get(mrn=said["mrn"])
        fields, _why = registering.check(desk.house.elsewhere.pk, kinds._patient(job, said))
        assert fields == {name: getattr(found, name) for name in fields}
    assert any(cell.startswith("'=O'Neil") for row in rows for cell in row)
    # The other hospital's are not among them.
    assert desk.house.stranger_patient.mrn not in str(rows)


def test_prices_hours_and_stock_come_back_unchanged(desk: Desk) -> None:
    desk.take(b"code,name,kind,amount,tax\nXR,=X-ray,procedure,1200.5,5.5\nLAB,Lab,lab,0,0\n", "prices")
    Medicine.objects.create(
        code="AMX", generic="amoxicillin", form="capsule", strength="500 mg", unit="capsule", dose_unit="capsule",
        route="oral", price_code="MED",
    )  # fmt: skip
    soon = clock.now().date() + timedelta(days=300)
    desk.take(f"medicine,lot,expires,quantity,unit_cost,supplier\nAMX,-L1,{soon},10.5,0.12,House\n".encode(), "stock")
    prices = list(Price.objects.values_list("pk", flat=True).order_by("pk"))
    hours = list(
        WeeklyHours.objects.order_by("schedule", "weekday", "starts").values_list("schedule", "starts", "ends")
    )
    row = desk.take(out(desk, "prices"), "prices")
    assert (row.taken, list(Price.objects.values_list("pk", flat=True).order_by("pk"))) == (2, prices)
    row = desk.take(out(desk, "schedules"), "schedules")
    assert (row.taken, desk.said(row)) == (2, [])
    assert hours == list(
        WeeklyHours.objects.order_by("schedule", "weekday", "starts").values_list("schedule", "starts", "ends")
    )
    row = desk.check(out(desk, "stock"), "stock")
    assert (row.rows, desk.said(row)) == (1, [])
    cells = working._cells(row, list(reading.records([out(desk, "stock")], "utf-8-sig", ","))[1])
    assert cells == {"medicine": "AMX", "lot": "-L1", "expires": soon.isoformat(), "quantity": "10.5",
                     "unit_cost": "0.12", "supplier": "House"}  # fmt: skip
    # Whoever has the role already is a wrong row, and says so.
    row = desk.check(out(desk, "staff"), "staff")
    assert {code for _n, _f, code in desk.said(row)} <= {"already_here", "role"}


def test_it_is_on_record_with_the_reason_and_whom_it_names(desk: Desk) -> None:
    house, place = desk.house, desk.house.facility.pk
    booking.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0), reason="A reason of theirs",
    )  # fmt: skip
    with reads.gathering() as found:
        exporting.begin(desk.boss, place, "appointments", "  Moving   house ")
    assert [one.patients for one in found.told(200)] == [{house.patient.pk}]
    entry = AuditEntry.objects.get(action="list.export")
    assert (entry.facility_id, entry.actor) == (place, desk.boss.label)
    text = out(desk, "appointments").decode()
    assert house.patient.mrn in text
    assert "A reason of theirs" not in text
    for reason, kind, field in (("", "patients", "reason"), ("x" * 201, "patients", "reason"), ("x", "moods", "kind")):
        with pytest.raises(Invalid) as refused:
            exporting.begin(desk.boss, place, kind, reason)
        assert refused.value.field == field


def test_only_who_may_takes_a_list_out(desk: Desk) -> None:
    house = desk.house
    for who in (house.receptionist, house.doctor, house.stranger_receptionist):
        with pytest.raises(NotFound):
            exporting.begin(house.person(who), house.facility.pk, "patients", "Moving")
        with pytest.raises(NotFound):
            exporting.rows(house.person(who), house.facility.pk, "patients")
    with pytest.raises(Forbidden):
        exporting.begin(replace(desk.boss, seen_by=house.manager.pk), house.facility.pk, "patients", "Moving")


def test_parts_are_joined_without_loss(desk: Desk, monkeypatch: Any) -> None:
    whole = out(desk, "staff")
    monkeypatch.setattr(exporting, "_AT_A_TIME", 2)
    assert out(desk, "staff") == whole
