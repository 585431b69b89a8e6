"""A list from the upload to the report: what is checked, what is written and when, and that no row comes in twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from polyclinic.billing.models import Price
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Problem
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Membership, StaffInvitation
from polyclinic.files.problems import FileRefused
from polyclinic.files.storage import storage
from polyclinic.imports import actions, keeping, kinds, selectors, working
from polyclinic.imports.models import Import, ImportedRow, ImportProblem
from polyclinic.medicines.models import Medicine
from polyclinic.people import search
from polyclinic.people.models import Patient
from polyclinic.pharmacy.models import Batch
from polyclinic.scheduling import actions as booking
from polyclinic.scheduling.models import WeeklyHours
from tests.house import House
from tests.imports.lists import PATIENTS, Desk


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


def test_a_list_of_patients_comes_in_but_for_its_wrong_rows(desk: Desk) -> None:
    before = Patient.objects.count()
    row = desk.check(PATIENTS)
    assert (row.state, row.rows, row.seen, row.bad) == ("checked", 4, 4, 2)
    assert desk.said(row) == [(3, "born", "date"), (4, "given_name", "required")]
    assert Patient.objects.count() == before
    with pytest.raises(Conflict) as refused:
        actions.apply(actor=desk.boss, import_id=row.pk)
    assert refused.value.code == "bad_rows"
    actions.apply(actor=desk.boss, import_id=row.pk, skip_bad=True)
    assert Patient.objects.count() == before
    working.work()
    row = desk.again(row.pk)
    assert (row.state, row.taken, row.refused, row.seen) == ("done", 2, 0, 4)
    made = Patient.objects.get(family_name="Novak")
    assert (made.born, made.sex, made.phone) == (date(1984, 2, 29), "female", "+49 30 1234")
    assert set(ImportedRow.objects.filter(batch=row).values_list("number", flat=True)) == {2, 5}
    entry = AuditEntry.objects.get(action="patient.take_over", patient_id=made.pk)
    assert (entry.actor, entry.via) == (desk.boss.label, "import")
    # Found at the desk at once.
    found = search.search(desk.house.person(desk.house.receptionist), "lindqvist")
    assert [hit.name for hit in found] == ["LINDQVIST, Elsa"]
    kinds_told = list(OutboxEvent.objects.filter(type__startswith="import.").values_list("type", flat=True))
    assert kinds_told[0] == "import.uploaded"
    assert kinds_told[-1] == "import.done"
    assert all(b"Novak" not in str(one.payload).encode() for one in OutboxEvent.objects.all())


def test_somebody_on_file_is_found_by_the_desks_own_search(desk: Desk) -> None:
    known = desk.take(PATIENTS)
    row = desk.check(PATIENTS)
    assert (known.taken, row.bad) == (2, 4)
    assert [code for _number, _field, code in desk.said(row)] == ["maybe_known", "date", "required", "maybe_known"]
    with pytest.raises(Conflict) as refused:
        actions.apply(actor=desk.boss, import_id=row.pk, skip_bad=True)
    assert refused.value.code == "no_good_rows"
    told = b"family_name,given_name,born,sex,new_because\nNovak,Jana,1984-02-29,female,Her cousin of the same name\n"
    assert desk.take(told).taken == 1


def test_the_same_twice_in_one_file_is_refused_once(desk: Desk) -> None:
    row = desk.check(b"family_name,given_name,born,sex\n" + b"Novak,Jana,1984-02-29,f\n" * 2)
    assert desk.said(row) == [(3, "family_name", "twice")]


def test_cut_off_between_rows_it_goes_on_and_takes_none_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"Family{n * 7919},Given{n * 104729},19{50 + n}-01-0{n % 9 + 1},f\n" for n in range(9))
    row = desk.check(b"family_name,given_name,born,sex\n" + lines.encode())
    assert row.bad == 0
    actions.apply(actor=desk.boss, import_id=row.pk)
    before, real, calls = Patient.objects.count(), kinds.SORTS["patients"].apply, []

    def dies(work: Any, cells: Any, number: int) -> Any:
        calls.append(number)
        made = real(work, cells, number)
        if len(calls) in (3, 5):
            # After the row was written and before it is said to be in.
            raise KeyboardInterrupt
        return made

    monkeypatch.setitem(kinds.SORTS, "patients", replace(kinds.SORTS["patients"], apply=dies))
    for _cut in range(2):
        with pytest.raises(KeyboardInterrupt):
            working.work()
    working.work()
    row = desk.again(row.pk)
    assert (row.state, row.taken, row.refused) == ("done", 9, 0)
    assert Patient.objects.count() == before + 9
    assert ImportedRow.objects.filter(batch=row).count() == 9
    assert len(calls) == 11


def test_two_servers_do_not_work_on_one_import(desk: Desk) -> None:
    row = desk.check(b"family_name,given_name,born,sex\nNovak,Jana,1984-02-29,f\n")
    actions.apply(actor=desk.boss, import_id=row.pk)
    Import.objects.update(claimed_until=clock.now() + timedelta(seconds=30))
    assert working.work() == 0
    # Behind the lease too: a place that has moved is not moved again.
    stale = desk.again(row.pk)
    Import.objects.update(claimed_until=None, last=2)
    with pytest.raises(working._Lost):
        working._step(stale, 2, "taken")


def test_what_came_in_between_is_in_the_report(desk: Desk) -> None:
    row = desk.check(b'code,name,kind,amount\nA1,First,lab,10\nA2,Second,Laboratory test,"1,50"\n', "prices")
    assert row.bad == 0
    list_ = b"family_name,given_name,born,sex\nNovak,Jana,1984-02-29,f\n"
    first, second = desk.check(list_), desk.check(list_)
    for one in (first, second):
        actions.apply(actor=desk.boss, import_id=one.pk)
    working.work()
    assert (desk.again(first.pk).taken, desk.again(second.pk).taken, desk.again(second.pk).refused) == (1, 0, 1)
    assert [one.late for one in selectors.problems(desk.boss, second.pk).rows] == [True]


def test_a_thousand_wrong_rows_are_all_shown_by_page(desk: Desk) -> None:
    before = Patient.objects.count()
    row = desk.check(b"family_name,given_name,born,sex\n" + b"Novak,Jana,yesterday,f\n" * 1000)
    assert (row.bad, Patient.objects.count()) == (1000, before)
    pages = [selectors.problems(desk.boss, row.pk, page) for page in (1, 20)]
    assert [(page.total, page.pages, len(page.rows)) for page in pages] == [(1000, 20, 50)] * 2
    assert pages[1].rows[-1].number == 1001


def test_wrong_rows_are_taken_out_as_a_table_that_nothing_runs(desk: Desk) -> None:
    row = desk.check(b"family_name,given_name,born,sex\n=cmd|'/C calc'!A0,Jana,never,f\n")
    from polyclinic.imports.cells import table

    text = b"".join(table(selectors.errors(desk.boss, row.pk))).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("2,Date of birth,")
    assert "'=cmd|'/C calc'!A0" in text
    selectors.begin_errors(desk.boss, row.pk)
    assert AuditEntry.objects.filter(action="import.errors", subject_id=str(row.pk)).exists()


def test_staff_are_invited_in_roles_that_one_may_give(desk: Desk) -> None:
    row = desk.take(
        b"email,name,role\nnia@example.org,Nia New,Nurse\nbad,Bad,nurse\nup@example.org,Up,auditor\n"
        b"front@example.org,Asha Front,receptionist\n", "staff",
    )  # fmt: skip
    assert row.taken == 1
    assert [code for _n, _f, code in desk.said(row)] == ["invalid", "role", "already_here"]
    assert StaffInvitation.objects.get().email == "nia@example.org"


def test_hours_come_in_unless_they_leave_patients_outside(desk: Desk) -> None:
    house = desk.house
    booking.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0),
    )  # fmt: skip
    days = b"monday,tuesday,wednesday,thursday,friday"
    row = desk.take(
        b"doctor," + days + b",slot_minutes\n"
        b"dr.anil@example.org,14:00-15:00,,,,,20\n"
        b"dr.grace@example.org,08:00-16:00 (12:00-12:30),,,9:00-11:00 13:00-15:00,,15\n"
        b"nobody@example.org,08:00-16:00,,,,,\n"
        b"dr.sam@example.org,08:00-16:00,,,,,\n", "schedules",
    )  # fmt: skip
    assert row.taken == 1
    assert desk.said(row) == [(2, "doctor", "patients_stranded"), (4, "doctor", "doctor"), (5, "doctor", "doctor")]
    rows = WeeklyHours.objects.filter(schedule=house.other_schedule).order_by("pk")
    assert [(one.weekday, one.kind, one.starts, one.ends) for one in rows] == [
        (0, "hours", time(8), time(16)), (0, "break", time(12), time(12, 30)),
        (3, "hours", time(9), time(11)), (3, "hours", time(13), time(15)),
    ]  # fmt: skip
    wrong = desk.check(b"doctor,monday\ndr.grace@example.org,09:00-08:00\n", "schedules")
    assert desk.said(wrong) == [(2, "monday", "order")]
    assert desk.said(desk.check(b"doctor,tuesday\ndr.grace@example.org,nine\n", "schedules")) == [
        (2, "tuesday", "hours")
    ]


def test_prices_and_stock_come_in(desk: Desk) -> None:
    row = desk.take(b'code,name,kind,amount,tax\nXR,X-ray,procedure,"1.200,50",19 %\nXR 2,Bad,lab,1,0\n', "prices")
    assert (row.taken, desk.said(row)) == (1, [(3, "code", "invalid")])
    made = Price.objects.get(code="XR")
    assert (made.amount_minor, made.tax_rate) == (120050, 1900)
    medicine = Medicine.objects.create(
        code="AMX", generic="amoxicillin", form="capsule", strength="500 mg", unit="capsule", dose_unit="capsule",
        route="oral", price_code="MED",
    )  # fmt: skip
    soon = clock.now().date() + timedelta(days=300)
    text = f'code,batch,expiry,qty,cost,supplier\namx,l1,{soon:%d.%m.%Y},"10,5","0,12",House\n'
    text += f"AMX,L2,{soon:%d.%m.%Y},0,0,House\nnone,L3,{soon:%d.%m.%Y},1,0,House\n"
    row = desk.take(text.encode(), "stock", dates="dmy")
    assert (row.taken, desk.said(row)) == (1, [(3, "quantity", "invalid"), (4, "medicine", "medicine")])
    batch = Batch.objects.get()
    assert (batch.medicine_id, batch.lot, batch.hundredths, batch.unit_cost) == (
        medicine.pk, "L1", 1050, Decimal("0.12"),
    )  # fmt: skip


def test_columns_are_guessed_corrected_and_remembered(desk: Desk) -> None:
    made = desk.upload(b"Who,Vorname,Geburtsdatum,sex\nNovak,Jana,1984-02-29,f\n")
    assert made.columns == {"given_name": 1, "born": 2, "sex": 3}
    for columns, field in (
        (made.columns, "family_name"), ({**made.columns, "family_name": 1}, "given_name"),
        ({**made.columns, "family_name": 200}, "family_name"), ({**made.columns, "mood": 0}, "columns"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            actions.check(actor=desk.boss, import_id=made.pk, columns=columns)
        assert refused.value.field == field
    headings, rows = selectors.sample(desk.boss, made.pk)
    assert (headings[0], rows[0][0]) == ("Who", "Novak")
    actions.check(
        actor=desk.boss, import_id=made.pk, columns={**made.columns, "family_name": 0}, headings=headings
    )  # fmt: skip
    again = desk.upload(b"sex,WHO ,Vorname,Geburtsdatum\nf,Novak,Jana,1984-02-29\n")
    assert again.columns == {"sex": 0, "family_name": 1, "given_name": 2, "born": 3}


def test_it_is_cancelled_at_any_time_and_what_is_in_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_TURN", 0.0)
    row = desk.check(b"code,name,kind,amount\nA1,First,lab,10\nA2,Second,lab,11\n", "prices")
    actions.apply(actor=desk.boss, import_id=row.pk)
    working.work()
    assert desk.again(row.pk).state == "applying"
    actions.cancel(actor=desk.boss, import_id=row.pk)
    assert working.work() == 0
    row = desk.again(row.pk)
    assert (row.state, row.taken, Price.objects.count()) == ("cancelled", 1, 1)
    with pytest.raises(IllegalTransition):
        actions.cancel(actor=desk.boss, import_id=row.pk)


def test_rights_lost_meanwhile_end_it(desk: Desk) -> None:
    row = desk.check(b"code,name,kind,amount\nA1,First,lab,10\n", "prices")
    actions.apply(actor=desk.boss, import_id=row.pk)
    Membership.objects.filter(account=desk.house.manager).update(ended_at=clock.now())
    working.work()
    assert (desk.again(row.pk).state, Price.objects.count()) == ("cancelled", 0)


def test_nobody_else_sees_or_touches_it(desk: Desk) -> None:
    row, house = desk.check(PATIENTS), desk.house
    for who in (house.stranger_receptionist, house.receptionist, house.doctor):
        for read in (selectors.one, selectors.problems, selectors.sample, selectors.begin_errors):
            with pytest.raises(NotFound):
                read(house.person(who), row.pk)
        with pytest.raises(NotFound):
            actions.cancel(actor=house.person(who), import_id=row.pk)
    with pytest.raises(Problem):
        actions.upload(actor=SystemActor("demo"), facility_id=house.facility.pk, kind="patients", data=PATIENTS)
    with pytest.raises(NotFound):
        actions.upload(actor=desk.boss, facility_id=house.elsewhere.pk, kind="patients", data=PATIENTS)
    with pytest.raises(Forbidden):
        actions.cancel(actor=replace(desk.boss, seen_by=house.manager.pk), import_id=row.pk)


def test_the_file_is_sealed_and_gone_after_its_days(desk: Desk) -> None:
    row = desk.check(PATIENTS)
    kept = b"".join(storage().read(row.pk))
    assert b"Novak" not in kept
    assert b"Lindqvist" in b"".join(keeping.chunks(row))
    with clock.fixed(clock.now() + timedelta(days=31)):
        assert keeping.shred_old() == 1
        assert keeping.shred_old() == 0
    row = desk.again(row.pk)
    assert (row.state, row.secret, row.name) == ("cancelled", "", "")
    with pytest.raises(Conflict):
        selectors.begin_errors(desk.boss, row.pk)
    assert ImportProblem.objects.filter(batch=row).count() == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04rest", "workbook"), (b"\x00\x01\x02", "no_text"), (b"", "no_headings"), (b"a,b\n", "no_rows"),
        (b"a,b\n" + b"1,2\n" * 6, "too_many_rows"), (b",".join([b"x"] * 101) + b"\n1\n", "too_many_columns"),
        (b'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*', "infected"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(desk: Desk, settings: Any, data: bytes, code: str) -> None:
    settings.IMPORT_MAX_ROWS = 5
    with pytest.raises(FileRefused) as refused:
        desk.upload(data)
    assert refused.value.code == code
    assert not Import.objects.exists()


def test_a_row_that_cannot_be_read_is_a_wrong_row(desk: Desk) -> None:
    row = desk.check(b'family_name,given_name,born,sex\nNovak,"Jana" x,1984-02-29,f\nLind,Elsa,1975-06-01,f\n')
    assert desk.said(row) == [(2, "", "torn")]


def test_what_the_database_refuses_and_a_fault_of_ours_stop_nobody_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(error: type[Exception]) -> Any:
        def apply(_work: Any, _cells: Any, number: int) -> Any:
            if number == 2:
                raise error("canary")
            return desk.house.facility.pk

        return apply

    data = b"code,name,kind,amount\nA1,First,lab,10\nA2,Second,lab,11\n"
    for error, state, taken in ((IntegrityError, "done", 1), (ZeroDivisionError, "cancelled", 0)):
        monkeypatch.setitem(kinds.SORTS, "prices", replace(kinds.SORTS["prices"], apply=fails(error)))
        row = desk.take(data, "prices")
        assert (row.state, row.taken, row.claimed_until) == (state, taken, None)
