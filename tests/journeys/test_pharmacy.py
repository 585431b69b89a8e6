"""From the doctor's signature to the hand of the patient, before real browsers: the others see it at once."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
MOST = 10_000
SHELVES = """
import django
django.setup(set_prefix=False)
import json
from decimal import Decimal
from polyclinic.facilities.models import Facility
from tests.pharmacy.shop import medicine, stocked
place = Facility.objects.get(slug="riverside").pk
amox = medicine()
brand = medicine("amoxil500", brand="Amoxil", price_code="amox500")
morphine = medicine("morph10", generic="morphine", strength="10 mg", strength_value=Decimal(10), form="tablet",
                    unit="tablet", dose_unit="tablet", controlled=True, atc="N02AA01")
stocked(place, amox, 12, lot="SOON7", days=25)
stocked(place, amox, 60, lot="LATE9", days=500)
stocked(place, brand, 30, lot="BR1")
stocked(place, morphine, 50, lot="M1")
print(json.dumps([str(one.pk) for one in (amox, brand, morphine)]))
"""
SIGN = """
import django
django.setup(set_prefix=False)
from decimal import Decimal
from polyclinic.core.actors import SystemActor
from polyclinic.prescribing import actions
from polyclinic.prescribing.bodies import Line
from polyclinic.visits import actions as visits
from tests.journeys.arriving import arrive
demo = SystemActor("demo")
made = arrive("{patient}", "{facility}", "{doctor}")
visits.paid(actor=demo, visit_id=made.pk)
visits.check(actor=demo, visit_id=made.pk)
lines = [Line(medicine_id=one, dose=Decimal(1), frequency="three", days=7) for one in {medicines}]
print(actions.sign(actor=demo, visit_id=made.pk, lines=lines).pk)
"""


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def sign(clinic: Server, *medicines: str) -> str:
    """A prescription of `patient`, signed now; its id."""
    from uuid import UUID

    ids = [UUID(one) for one in medicines]
    head = "from uuid import UUID\n"
    return clinic.python("-c", head + SIGN.format(**clinic.people, medicines=ids)).strip()


def fair(page: Page) -> None:
    """No violation of the accessibility rules in either theme, and nothing wider than the smallest screen."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} {scheme}\n{found.generate_report()}"
    page.emulate_media(color_scheme="light")
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    if before:
        page.set_viewport_size(before)


def test_from_the_signature_to_the_hand(clinic: Server, desk: Desk) -> None:
    amox, _brand, morphine = json.loads(clinic.python("-c", SHELVES))
    counter, colleague, nurse = (
        desk("pharmacist@example.org"),
        desk("pharmacist@example.org"),
        desk("nurse@example.org"),
    )
    counter.goto("/pharmacy")
    live(counter)
    expect(counter.get_by_text("Nobody is waiting")).to_be_visible()
    rx = sign(clinic, amox, morphine)

    # It appears by itself, with a toast.
    row = counter.get_by_role("row", name="PILLAI, Meera")
    expect(row).to_contain_text("All there", timeout=MOST)
    expect(counter.locator(".toast")).to_contain_text("A new prescription")
    fair(counter)
    row.get_by_role("link", name="Open").click()
    live(counter)
    expect(counter.get_by_role("button", name="Hand over")).to_be_disabled()

    # A wrong date of birth stops it with words.
    counter.get_by_label("Full name").fill("Meera Pillai")
    for box, value in (("Day", "17"), ("Month", "5"), ("Year", "1981")):
        counter.get_by_label(box, exact=True).fill(value)
    counter.get_by_role("button", name="Compare").click()
    expect(counter.get_by_role("alert").first).to_contain_text("Hand nothing over")
    fair(counter)
    counter.get_by_label("Year", exact=True).fill("1980")
    counter.get_by_role("button", name="Compare").click()
    expect(counter.get_by_text("Identity checked")).to_be_visible()

    # Two lots, the one that runs out first before the other.
    expect(counter.get_by_text("12 × SOON7")).to_be_visible()
    expect(counter.get_by_text("9 × LATE9")).to_be_visible()
    live(counter)
    # A nurse counts the morphine; the pharmacist sees it without reloading.
    expect(counter.get_by_text("A second person must count")).to_be_visible()
    nurse.goto(f"/pharmacy/prescriptions/{rx}/witness")
    nurse.get_by_label("morphine").fill("21")
    fair(nurse)
    nurse.get_by_role("button", name="I have counted this").click()
    expect(counter.get_by_text("Counted with Some nurse")).to_be_visible(timeout=MOST)
    fair(counter)

    # A second window has the same page open; one of the two hands over.
    colleague.goto(f"/pharmacy/prescriptions/{rx}")
    live(colleague)
    counter.get_by_role("button", name="Hand over").click()
    expect(counter.get_by_role("heading", name="Handed over to PILLAI, Meera")).to_be_visible()
    expect(counter.get_by_text("The visit is over")).to_be_visible()
    expect(colleague.get_by_text("A colleague has changed this prescription")).to_be_visible(timeout=MOST)
    colleague.get_by_role("button", name="Hand over").click()
    expect(colleague.get_by_text("A colleague was quicker")).to_be_visible()
    fair(counter)

    counter.get_by_role("link", name="Print labels").click()
    expect(counter.locator(".label")).to_have_count(2)
    expect(counter.locator(".label").first).to_contain_text("three times a day for 7 days")
    fair(counter)


def test_the_shelves_in_two_windows(clinic: Server, desk: Desk) -> None:
    clinic.python(
        "-c", SHELVES.replace('medicine()', 'medicine("shelf1", generic="shelfine")').replace("amoxil500", "shelf2")
        .replace("morph10", "shelf3")
    )  # fmt: skip
    one, other = desk("pharmacist@example.org"), desk("boss@example.org")
    other.goto("/pharmacy/stock?q=shelfine")
    live(other)
    row = other.get_by_role("row", name="shelfine")
    expect(row).to_contain_text("72 capsules")
    fair(other)
    one.goto("/pharmacy/receive")
    fair(one)
    one.get_by_label("or a new supplier").fill("Medi Wholesale")
    one.get_by_label("Number of the delivery note").fill("N 17")
    for box, value in (("Medicine 1", "shelf1"), ("Lot 1", "new1"), ("Use by 1", "2028-02"), ("Amount 1", "8")):
        one.get_by_label(box, exact=True).fill(value)
    one.get_by_role("button", name="Put it on the shelf").click()
    expect(one.get_by_text("The delivery is on the shelf")).to_be_visible()
    # The manager's board follows.
    expect(row).to_contain_text("80 capsules", timeout=MOST)
    row.get_by_role("link", name="Open").click()
    fair(other)
    one.goto("/pharmacy/counts")
    one.get_by_role("button", name="Begin a stock-take").click()
    one.get_by_label("Counted of lot NEW1").fill("7")
    one.get_by_role("button", name="Write down the counts").click()
    expect(one.get_by_text("1 counted, 1 different")).to_be_visible()
    fair(one)
    one.get_by_role("button", name="Post the differences").click()
    expect(one.get_by_text("Posted")).to_have_count(2)
    one.goto("/pharmacy/transfers")
    fair(one)
