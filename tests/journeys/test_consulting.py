"""The doctor's page before real browsers: results come by themselves, searches answer, a second window is told."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
# Long, for a machine on which much else runs: nothing here is about how quick it is.
MOST = 30_000
ARRIVE = """
import django
django.setup(set_prefix=False)
from polyclinic.core.actors import SystemActor
from polyclinic.laboratory import actions as laboratory
from polyclinic.laboratory.models import OrderedTest, Specimen
from polyclinic.medicines import seed
from polyclinic.records import actions as records
from polyclinic.visits import actions
from tests.journeys.arriving import arrive
seed.load()
demo = SystemActor("demo")
made = arrive("{patient}", "{facility}", "{doctor}")
actions.paid(actor=demo, visit_id=made.pk)
records.note_allergy(actor=demo, visit_id=made.pk, substance="Penicillin")
order = laboratory.order(actor=demo, visit_id=made.pk, codes=["hb"])
specimen = Specimen.objects.get(order=order)
laboratory.collect(actor=demo, specimen_id=specimen.pk)
laboratory.receive(actor=demo, specimen_id=specimen.pk)
test = OrderedTest.objects.get(order=order)
print(made.pk, test.pk)
"""
VERIFY = """
import django
django.setup(set_prefix=False)
from polyclinic.core.actors import SystemActor
from polyclinic.laboratory import entering
from polyclinic.laboratory.models import OrderedTest
demo, row = SystemActor("demo"), OrderedTest.objects.get(pk="{test}")
entering.enter(actor=demo, order_id=row.order_id, values={{row.pk: "13.7"}})
entering.verify(actor=demo, test_id=row.pk)
"""


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def test_from_the_result_to_the_signature_and_what_the_other_window_says(clinic: Server, desk: Desk) -> None:
    visit, test = clinic.python("-c", ARRIVE.format(**clinic.people)).split()
    head, doctor = desk("main_doctor@example.org"), desk("doctor")
    for page in (head, doctor):
        page.set_default_timeout(MOST)
        page.goto(f"/consulting/{visit}")
        live(page)
    # The result comes without anybody reloading.
    expect(head.get_by_role("row", name="Haemoglobin")).not_to_contain_text("13.7")
    clinic.python("-c", VERIFY.format(test=test))
    expect(head.get_by_role("row", name="Haemoglobin")).to_contain_text("13.7", timeout=MOST)
    # The visit has moved with it, and the page says so before anybody signs.
    expect(head.get_by_text("moved on while the page was open")).to_be_visible(timeout=MOST)
    head.get_by_role("link", name="Load again").click()

    head.get_by_label("Search by words or code").fill("pneumonia unsp")
    head.locator("#codes li", has_text="J18.9").get_by_role("button").click(timeout=MOST)
    head.get_by_label("Search the formulary").fill("amoxicillin 500")
    head.locator("#medicines li").first.get_by_role("button").click(timeout=MOST)
    assert "amox" not in head.url
    head.locator("label.chip-choice", has_text="2 × a day").click()
    preview = head.locator("[data-preview-here]")
    expect(preview).to_contain_text("twice a day for 7 days", timeout=MOST)
    expect(preview).to_contain_text("1 capsule × 2 × 7 days = 14 capsules", timeout=MOST)
    expect(preview).to_contain_text("Allergy: Penicillin", timeout=MOST)
    head.get_by_role("button", name="Put on the list").click()
    head.get_by_label("Why you prescribe it all the same").fill("Tolerated it last year")
    live(doctor)
    # Nobody has said yet that the result was looked at: that is asked before a signature rests on it.
    head.get_by_role("button", name="Sign the prescription").click()
    expect(head.get_by_role("alert").first).to_contain_text("not yet seen", timeout=MOST)
    head.get_by_role("checkbox", name="I have seen this result").check()
    head.get_by_role("button", name="Sign the prescription").click()
    expect(head.get_by_text("Signed. The pharmacy sees it now.")).to_be_visible(timeout=MOST)
    expect(doctor.get_by_text("moved on while the page was open")).to_be_visible(timeout=MOST)
    expect(doctor.locator("#signed")).to_contain_text("amoxicillin", timeout=MOST)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_and_fit_a_small_screen(clinic: Server, desk: Desk, scheme: str) -> None:
    visit = clinic.python("-c", OPEN).strip()
    page = desk("main_doctor@example.org", color_scheme=scheme, viewport={"width": 320, "height": 800})
    page.set_default_timeout(MOST)
    for path in ("/consulting", f"/consulting/{visit}"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


OPEN = """
import django
django.setup(set_prefix=False)
from polyclinic.visits.models import Visit
from polyclinic.core.actors import SystemActor
from polyclinic.visits import actions
row = Visit.objects.filter(closed_at__isnull=True).first()
if row is None:
    from polyclinic.facilities.models import Facility
    from polyclinic.people.models import Patient
    row = actions.register(actor=SystemActor("demo"), facility_id=Facility.objects.get(slug="riverside").pk,
                           patient_id=Patient.objects.order_by("mrn")[0].pk)
print(row.pk)
"""
