"""The first check before real browsers: drafts that survive, two editors who are told, and the way to the results."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
MOST = 15_000
ARRIVE = """
import django
django.setup(set_prefix=False)
from polyclinic.core.actors import SystemActor
from polyclinic.records import actions
from polyclinic.visits import actions as visits
from tests.journeys.arriving import arrive
demo = SystemActor("demo")
made = arrive("{patient}", "{facility}", "{doctor}")
visits.paid(actor=demo, visit_id=made.pk)
for pulse, breaths in (("118", "22"), ("92", "17")):
    actions.record_vitals(actor=demo, visit_id=made.pk, oxygen=False, consciousness="A", values={{
        "pulse": pulse, "respiration": breaths, "spo2": "95", "systolic": "108", "diastolic": "70",
        "temperature": "38.2",
    }})
print(made.pk)
"""


def arrive(clinic: Server, who: str = "patient") -> str:
    people = {**clinic.people, "patient": clinic.people[who]}
    return clinic.python("-c", ARRIVE.format(**people)).strip().splitlines()[-1]


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def part(page: Page, name: str) -> Page:
    """One part of the note, opened."""
    found = page.locator(f"details#{name}")
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found  # type: ignore[return-value]


def test_a_draft_survives_a_lost_line_and_two_editors_are_told(clinic: Server, desk: Desk) -> None:
    visit = arrive(clinic)
    first, second = desk("checker_doctor@example.org"), desk("main_doctor@example.org")
    first.goto(f"/checker/visits/{visit}")
    plan = part(first, "plan")
    state = plan.locator("[data-autosave-state]")
    plan.get_by_label("Impression").fill("Pneumonia, likely bacterial")
    expect(state).to_contain_text("Draft kept at", timeout=MOST)

    # The line is cut while more is typed; it says so, and keeps it by itself once the line is back.
    first.context.set_offline(True)
    plan.get_by_label("What is to be done").fill("Amoxicillin, chest X-ray")
    expect(state).to_contain_text("no connection", timeout=MOST)
    first.context.set_offline(False)
    expect(state).to_contain_text("Draft kept at", timeout=MOST)
    first.close()

    # Another window of the same person, as after a crash: everything is there and nothing is saved yet.
    again = desk("checker_doctor@example.org")
    again.goto(f"/checker/visits/{visit}")
    plan = part(again, "plan")
    expect(plan.get_by_label("Impression")).to_have_value("Pneumonia, likely bacterial")
    expect(plan.get_by_label("What is to be done")).to_have_value("Amoxicillin, chest X-ray")
    expect(plan.locator("summary").first).to_contain_text("Draft of")

    # Drafts are their writer's alone. The other saves the same part meanwhile.
    second.goto(f"/checker/visits/{visit}")
    theirs = part(second, "plan")
    expect(theirs.get_by_label("Impression")).to_have_value("")
    theirs.get_by_label("Impression").fill("Bronchitis")
    theirs.get_by_role("button", name="Save").click()
    expect(second.get_by_text("Plan is saved.")).to_be_visible()

    # Who goes on typing is told at the next pause, with both wordings, and nothing of either is lost.
    plan.get_by_label("Advice to the patient").fill("Come back in two days")
    expect(plan.locator("[data-autosave-state]")).to_contain_text("Somebody else has saved this part", timeout=MOST)
    beside = plan.locator("[data-beside-here]")
    expect(beside).to_contain_text("Bronchitis")
    expect(beside).to_contain_text("Pneumonia, likely bacterial")
    plan.get_by_role("button", name="Save").click()
    # Saving is refused once, shown side by side, and then a decision.
    expect(again.get_by_text("Somebody else has saved this part meanwhile").first).to_be_visible()
    plan = again.locator("details#plan")
    expect(plan.get_by_label("Impression")).to_have_value("Pneumonia, likely bacterial")
    plan.get_by_role("button", name="Save").click()
    expect(again.get_by_text("Plan is saved.")).to_be_visible()
    second.goto(f"/checker/visits/{visit}")
    expect(part(second, "plan").get_by_label("Impression")).to_have_value("Pneumonia, likely bacterial")


def test_two_windows_of_one_person_do_not_overwrite_each_other(clinic: Server, desk: Desk) -> None:
    visit = arrive(clinic, "other_patient")
    one, other = desk("nurse@example.org"), desk("nurse@example.org")
    for page in (one, other):
        page.goto(f"/checker/visits/{visit}")
    left, right = part(one, "exam"), part(other, "exam")
    left.get_by_label("Lungs").fill("Crackles on the right")
    expect(left.locator("[data-autosave-state]")).to_contain_text("Draft kept at", timeout=MOST)
    right.get_by_label("Lungs").fill("Clear")
    expect(right.locator("[data-autosave-state]")).to_contain_text("open in another window of yours", timeout=MOST)
    fresh = desk("nurse@example.org")
    fresh.goto(f"/checker/visits/{visit}")
    expect(part(fresh, "exam").get_by_label("Lungs")).to_have_value("Crackles on the right")


def test_from_the_first_check_to_the_released_result_in_three_windows(clinic: Server, desk: Desk) -> None:
    visit = arrive(clinic, "stranger_patient")
    checker, bench, head = (desk(f"{role}@example.org") for role in ("checker_doctor", "lab_technician", "main_doctor"))
    for page, path in ((bench, "/lab?stage=collect"), (head, "/checker")):
        page.goto(path)
        live(page)
    checker.goto(f"/checker/visits/{visit}")
    checker.get_by_label("Pulse").fill("104")
    checker.get_by_role("button", name="Save the signs").click()
    expect(checker.get_by_text("The vital signs are written down.")).to_be_visible()
    checker.get_by_label("Electrolytes").check()
    checker.get_by_role("button", name="Order the tests").click()
    expect(checker.get_by_text("The tests are ordered")).to_be_visible()

    # The bench sees it by itself, and so does the head doctor's board: the visit is at the laboratory.
    row = bench.get_by_role("row", name="FARAWAY")
    row.get_by_role("link", name="Open").click(timeout=MOST)
    expect(head.locator(f"#later-{visit}")).to_contain_text("At the laboratory", timeout=MOST)
    bench.get_by_role("button", name="Collected").click()
    bench.get_by_role("button", name="Received").click()
    for test, value in (("Sodium", "140"), ("Potassium", "4.2"), ("Chloride", "104"), ("Bicarbonate", "24")):
        bench.get_by_role("row", name=test).get_by_role("textbox").first.fill(value)
    remark = bench.get_by_role("row", name="Potassium")
    remark.get_by_text("Comment").first.click()
    remark.get_by_label("Comment Potassium").fill("Not haemolysed")
    bench.get_by_role("button", name="Save results").click()
    expect(bench.get_by_role("row", name="Potassium")).to_contain_text("3.5–5.0")
    bench.get_by_role("button", name="Verify all").click()

    # Every test is verified: the visit moves on where others look, and the results are in the course.
    expect(head.locator(f"#later-{visit}")).not_to_contain_text("At the laboratory", timeout=MOST)
    bench.get_by_role("button", name="Release all to the patient").click()
    expect(bench.get_by_role("row", name="Sodium")).to_contain_text("Released to the patient")
    head.goto(f"/records/{clinic.people['stranger_patient']}/course")
    expect(head.get_by_text("4.2")).to_be_visible()
    expect(head.locator("svg.trend").first).to_be_visible()


def test_checker_and_laboratory_pages_in_both_themes_and_at_320_pixels(clinic: Server, desk: Desk) -> None:
    script = """
import django
django.setup(set_prefix=False)
from polyclinic.core.actors import SystemActor
from polyclinic.laboratory import actions, entering
from polyclinic.laboratory.models import CriticalAlert, OrderedTest, Specimen
from polyclinic.visits.models import Visit
demo = SystemActor("demo")
visit = Visit.objects.filter(patient_id="{patient}").order_by("-opened_at")[0]
order = actions.order(actor=demo, visit_id=visit.pk, codes=["k", "crp"])
for one in Specimen.objects.filter(order=order):
    actions.collect(actor=demo, specimen_id=one.pk)
    actions.receive(actor=demo, specimen_id=one.pk)
tests = {{row.test: row.pk for row in OrderedTest.objects.filter(order=order)}}
entering.enter(actor=demo, order_id=order.pk, values={{tests["k"]: "7.2", tests["crp"]: "60"}})
entering.verify(actor=demo, test_id=tests["k"])
print(visit.pk, order.pk, CriticalAlert.objects.get(ordered_test__order=order).pk)
"""
    arrive_once = clinic.python("-c", LOOKED.format(**clinic.people)).strip()
    patient = arrive_once.splitlines()[-1]
    visit, order, alert = clinic.python("-c", script.format(patient=patient)).strip().splitlines()[-1].split()
    pages = {
        "main_doctor": (
            "/checker", f"/checker/visits/{visit}", f"/lab/critical/{alert}", "/lab/catalogue/k",
            f"/records/{patient}/course",
        ),
        "lab_technician": (
            "/lab?stage=enter", f"/lab/orders/{order}", f"/lab/orders/{order}/labels", "/lab/critical",
            "/lab/catalogue",
        ),
    }  # fmt: skip
    for who, paths in pages.items():
        page = desk(f"{who}@example.org", viewport={"width": 1280, "height": 800})
        for path in paths:
            assert page.goto(path).status == 200, path  # type: ignore[union-attr]
            for details in page.locator("details:not([data-menu]) > summary").all():
                details.evaluate("one => { one.parentElement.open = true }")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                found = Axe().run(page).response["violations"]
                assert [(path, scheme, one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []
            page.set_viewport_size({"width": 320, "height": 640})
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            page.set_viewport_size({"width": 1280, "height": 800})


LOOKED = """
import django
django.setup(set_prefix=False)
from datetime import date
from polyclinic.core.actors import SystemActor
from polyclinic.people.models import Patient
from polyclinic.records import actions
from polyclinic.visits import actions as visits
who = Patient.objects.create(
    mrn="MRN0000777", family_name="Looked", given_name="At", born=date(1970, 1, 2), sex="male"
)
demo = SystemActor("demo")
made = visits.register(actor=demo, facility_id="{facility}", patient_id=who.pk, doctor_id="{doctor}")
visits.paid(actor=demo, visit_id=made.pk)
for pulse in ("118", "92"):
    actions.record_vitals(actor=demo, visit_id=made.pk, oxygen=False, consciousness="A", values={{
        "pulse": pulse, "respiration": "22", "spo2": "95", "systolic": "108", "diastolic": "70",
        "temperature": "38.2", "weight": "80",
    }})
actions.note_condition(actor=demo, visit_id=made.pk, text="Pneumonia", code="J18.9")
actions.note_allergy(actor=demo, visit_id=made.pk, substance="Latex")
print(who.pk)
"""
