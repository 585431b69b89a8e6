"""The patient's side of a day: today's visit step by step, what was done in each, medicines to pick up, for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polyclinic.billing.models import Invoice
from polyclinic.consent import actions as consenting
from polyclinic.core import clock
from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.errors import NotFound
from polyclinic.laboratory import actions as lab
from polyclinic.laboratory import entering
from polyclinic.laboratory.models import OrderedTest, Specimen
from polyclinic.people.models import Account
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing.bodies import Diagnosis
from polyclinic.visits import actions as visits
from polyclinic.visits import arranging, following, queues
from polyclinic.visits.models import QueueEntry, Visit
from tests.billing.desk import FEE, in_order, paid
from tests.house import House, account
from tests.prescribing.ward import Ward

Browser = Callable[[Any], Client]
DEMO = SystemActor("demo")


@pytest.fixture
def ward(house: House) -> Ward:
    return Ward(house)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def arrived(house: House, patient: Any = None, **more: Any) -> Visit:
    return visits.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk,
        patient_id=(patient or house.patient).pk, **more,
    )  # fmt: skip


def states(viewer: Person, visit: Visit) -> list[tuple[str, str]]:
    return [(step.stage, step.state) for step in following.journey(viewer, visit.pk).steps]


def test_the_steps_are_those_that_came_and_those_that_usually_come(house: House) -> None:
    person, visit = house.person(house.patient), arrived(house)
    assert states(person, visit) == [
        ("registered", "now"), ("paid", "ahead"), ("checked", "ahead"), ("diagnosed", "ahead"),
    ]  # fmt: skip
    visits.paid(actor=DEMO, visit_id=visit.pk)
    lab.order(actor=DEMO, visit_id=visit.pk, codes=["k"])
    # A laboratory is in the list once there is one, and the doctor comes after it.
    assert states(person, visit) == [
        ("registered", "done"), ("paid", "done"), ("lab_pending", "now"), ("lab_done", "ahead"),
        ("diagnosed", "ahead"),
    ]  # fmt: skip
    visits.leave(actor=DEMO, visit_id=visit.pk, reason="had to go")
    assert states(person, visit) == [("registered", "done"), ("paid", "done"), ("lab_pending", "missed")]


def test_a_finished_visit_shows_for_some_hours_and_a_mistake_never(house: House) -> None:
    person = house.person(house.patient)
    mistake = arrived(house)
    visits.cancel(actor=DEMO, visit_id=mistake.pk, reason="wrong person")
    assert following.now(person, house.patient.pk) == []
    visit = arrived(house)
    visits.paid(actor=DEMO, visit_id=visit.pk)
    visits.check(actor=DEMO, visit_id=visit.pk)
    visits.diagnose(actor=DEMO, visit_id=visit.pk)
    visits.finish(actor=DEMO, visit_id=visit.pk, how="no_medicine")
    [shown] = following.now(person, house.patient.pk)
    assert (shown.going_on, shown.steps[-1].state) == (False, "done")
    with time_machine.travel(clock.now() + timedelta(hours=6, minutes=1), tick=False):
        assert following.now(person, house.patient.pk) == []
        assert following.journey(person, visit.pk).code == ""


def test_an_open_visit_that_was_forgotten_is_no_news(house: House) -> None:
    person = house.person(house.patient)
    arrived(house)
    with time_machine.travel(clock.now() + timedelta(hours=30), tick=False):
        assert len(following.now(person, house.patient.pk)) == 1
    with time_machine.travel(clock.now() + timedelta(hours=49), tick=False):
        assert following.now(person, house.patient.pk) == []


def test_home_says_where_one_stands_and_where_to_go(house: House, browser_of: Browser) -> None:
    mine, desk = browser_of(house.patient), house.person(house.receptionist)
    assert "data-ticket" not in text(mine.get("/my"))
    other, visit = arrived(house, house.other_patient), arrived(house)
    for one in (other, visit):
        visits.paid(actor=desk, visit_id=one.pk)
    home = text(mine.get("/my"))
    assert visit.token in home
    assert "You wait for: First check" in home
    assert "1 person is before you" in home
    assert f'href="/my/visits/{visit.pk}"' in home
    assert home.count('aria-current="step"') == 1
    # Nothing of whoever is before.
    assert other.token not in home
    counter = arranging.add_counter(actor=desk, facility_id=house.facility.pk, name="Room 7", line="check")
    entry = QueueEntry.objects.get(visit=visit, ended_at=None)
    queues.take(actor=house.person(house.staff["nurse"]), entry_id=entry.pk, action="call", counter_id=counter.pk)
    partial = text(mine.get("/my/today"))
    assert "It is your turn: Room 7" in partial
    assert "Please go there now." in partial
    assert 'data-turn="called"' in partial


def test_who_has_to_pay_first_is_led_to_the_invoice(house: House, browser_of: Browser) -> None:
    from polyclinic.billing import prices

    prices.set_price(
        actor=house.person(house.manager), facility_id=house.facility.pk, code="consultation", name="Consultation",
        kind="consultation", amount_minor=FEE,
    )  # fmt: skip
    visit = arrived(house)
    bill, mine = Invoice.objects.get(subject_id=visit.pk), browser_of(house.patient)
    page = text(mine.get("/my"))
    assert "Pay EUR\u00a050.00" in page
    assert f'href="/my/invoices/{bill.pk}"' in page
    paid(bill, house.person(house.receptionist), FEE)
    after = text(mine.get("/my/today"))
    assert "Pay EUR" not in after
    assert "You wait for: First check" in after
    in_order()


def released(visit: Visit, value: str = "7.0") -> OrderedTest:
    """A potassium that is measured, verified and released."""
    order = lab.order(actor=DEMO, visit_id=visit.pk, codes=["k"])
    specimen = Specimen.objects.get(order=order)
    lab.collect(actor=DEMO, specimen_id=specimen.pk)
    lab.receive(actor=DEMO, specimen_id=specimen.pk)
    test = OrderedTest.objects.get(order=order)
    entering.enter(actor=DEMO, order_id=order.pk, values={test.pk: value})
    entering.verify(actor=DEMO, test_id=test.pk)
    return test


def test_a_visit_shows_what_was_found_once_it_is_said(ward: Ward, house: House, browser_of: Browser) -> None:
    mine, visit = browser_of(house.patient), Visit.objects.get(pk=ward.visit)
    test = released(visit)
    page = f"/my/visits/{visit.pk}"
    before = text(mine.get(page))
    assert "Potassium" not in before
    assert "Pneumonia" not in before
    entering.release(actor=DEMO, test_id=test.pk)
    shown = text(mine.get(f"{page}/state"))
    assert "Potassium" in shown
    assert "Far outside the usual range" in shown
    assert '<svg class="line"' in shown
    ward.no_allergies()
    made = ward.sign(diagnoses=[Diagnosis("Pneumonia", "J18.9", "provisional")])
    shown = text(mine.get(page))
    assert "Pneumonia" in shown
    assert "Code J18.9 (ICD-10)" in shown
    assert "not certain yet" in shown
    assert made.label in shown
    assert "three times a day for 7 days" in shown
    listed = text(mine.get("/my/visits"))
    assert f'href="{page}"' in listed
    assert "Pneumonia" not in listed


def test_a_diagnosis_that_is_only_being_thought_of_is_not_shown(ward: Ward, house: House, browser_of: Browser) -> None:
    from polyclinic.records import actions as records

    records.note_condition(actor=ward.main, visit_id=ward.visit, text="Tuberculosis", certainty="provisional")
    assert "Tuberculosis" not in text(browser_of(house.patient).get(f"/my/visits/{ward.visit}"))
    visits.diagnose(actor=ward.main, visit_id=ward.visit)
    assert "Tuberculosis" in text(browser_of(house.patient).get(f"/my/visits/{ward.visit}"))


def test_prescriptions_say_whether_they_wait(ward: Ward, house: House, browser_of: Browser) -> None:
    mine = browser_of(house.patient)
    assert "No prescriptions" in text(mine.get("/my/prescriptions"))
    ward.no_allergies()
    made = ward.sign()
    shown = text(mine.get("/my/prescriptions"))
    assert "At the pharmacy" in shown
    assert "<b>amoxicillin</b>" in shown
    assert f'href="/papers/prescription/{made.pk}.pdf"' in shown
    line = made.lines.get()
    made = prescribing.dispensed(
        actor=ward.pharmacist, prescription_id=made.pk, quantities={line.pk: Decimal(7)}, version=made.version
    )
    shown = text(mine.get("/my/prescriptions/list"))
    assert "Partly picked up" in shown
    assert "14 of 21\u00a0capsules still to pick up" in shown
    made = prescribing.dispensed(
        actor=ward.pharmacist, prescription_id=made.pk, quantities={line.pk: Decimal(14)}, version=made.version
    )
    shown = text(mine.get("/my/prescriptions/list"))
    assert "Picked up" in shown
    assert "still to pick up" not in shown


def carer(house: House, kind: str) -> Account:
    made = account(f"{kind}@example.org", f"Kind {kind}")
    consenting.appoint(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, mrn=house.patient.mrn,
        born=date(1980, 5, 17), email=made.email, kind=kind, rights="book",
    )  # fmt: skip
    return made


def test_a_parent_sees_all_of_it_and_a_carer_what_a_carer_may(ward: Ward, house: House, browser_of: Browser) -> None:
    ward.no_allergies()
    made = ward.sign(diagnoses=[Diagnosis("Pneumonia", "J18.9", "confirmed")])
    page = f"/my/visits/{ward.visit}"
    guardian, helper = browser_of(carer(house, "guardian")), browser_of(carer(house, "carer"))
    assert "Pneumonia" in text(guardian.get(page))
    assert made.label in text(guardian.get("/my/prescriptions"))
    shown = text(helper.get(page))
    assert "PILLAI" in shown
    assert "Pneumonia" not in shown
    assert made.label not in shown
    assert helper.get("/my/prescriptions").status_code in (403, 404)
    for client in (guardian, helper):
        assert "PILLAI" in text(client.get("/my/visits"))


def test_strangers_and_staff_find_no_such_page(ward: Ward, house: House, browser_of: Browser) -> None:
    page = f"/my/visits/{ward.visit}"
    stranger = browser_of(house.other_patient)
    for address in (page, f"{page}/state", "/my/visits/x", "/my/visits/00000000-0000-0000-0000-000000000000"):
        assert stranger.get(address).status_code == 404
    assert ward.house.patient.family_name.upper() not in text(stranger.get("/my/visits"))
    for who in (house.receptionist, house.doctor):
        client = browser_of(who)
        for address in (page, "/my/today", "/my/visits", "/my/prescriptions"):
            assert client.get(address).status_code in (403, 404)
    with pytest.raises(NotFound):
        following.now(house.person(house.other_patient), house.patient.pk)
    with pytest.raises(NotFound):
        following.journey(house.person(house.stranger_patient), ward.visit)


def test_home_asks_no_more_when_more_wait(house: House, browser_of: Browser) -> None:
    mine = browser_of(house.patient)
    visit = arrived(house)
    visits.paid(actor=DEMO, visit_id=visit.pk)

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert mine.get("/my/today").status_code == 200
        return len(seen)

    asked()
    few = asked()
    for who in (house.other_patient, house.stranger_patient):
        visits.paid(actor=DEMO, visit_id=arrived(house, who).pk)
    assert asked() == few
    assert few <= 16
