"""A repeat in three windows: asked for on a telephone, agreed to in the consulting room, waiting at the counter."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.server import CSRF, Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
MOST = 10_000
PICTURES = os.environ.get("REFILL_PICTURES", "")
FETCHED = """
import django
django.setup(set_prefix=False)
from decimal import Decimal
from uuid import UUID
from polyclinic.core.actors import SystemActor
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.people.models import Account
from polyclinic.facilities import identity
from polyclinic.prescribing import actions
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.repeats import Repeats
from polyclinic.records import actions as records
from polyclinic.visits import actions as visits
from tests.journeys.arriving import arrive
from tests.pharmacy.shop import stocked
seed.load()
demo = SystemActor("demo")
head = identity.person_of_account(Account.objects.get(email="main_doctor@example.org").pk)
made = arrive("{patient}", "{facility}", "{doctor}")
visits.paid(actor=demo, visit_id=made.pk)
visits.check(actor=demo, visit_id=made.pk)
records.no_known_allergies(actor=demo, visit_id=made.pk)
medicine = Medicine.objects.get(code="{medicine}")
stocked(UUID("{facility}"), medicine, 200)
row = actions.sign(
    actor=head, visit_id=made.pk, lines=[Line(medicine.pk, Decimal(1), "twice", 28)], repeats=Repeats(2)
)
actions.dispensed(actor=demo, prescription_id=row.pk, quantities={{one.pk: one.quantity for one in row.lines.all()}})
visits.finish(actor=demo, visit_id=made.pk)
print(row.label, row.pk)
"""
COUNTED = """
import django
django.setup(set_prefix=False)
from polyclinic.prescribing.models import Prescription, RefillRequest
row = Prescription.objects.get(pk="{first}")
print(row.requests.count(), row.repeated.count(), *row.requests.values_list("pk", flat=True))
"""


def fetched(clinic: Server, medicine: str) -> tuple[str, str]:
    """A prescription of `patient` that may be repeated twice and was picked up: its number and its id."""
    told = clinic.python("-c", FETCHED.format(**clinic.people, medicine=medicine)).strip().splitlines()[-1]
    label, first = told.split()
    return label, first


def at_once(clinic: Server, who: str, path: str, rivals: int = 8, **form: str) -> list[int]:
    """The same button pressed in so many windows together: what each was answered."""
    cookies = clinic.cookies(who)
    body = urlencode({**form, "csrfmiddlewaretoken": CSRF}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    gate = threading.Barrier(rivals)

    def press(_number: int) -> int:
        gate.wait()
        return clinic.request("POST", path, body=body, headers=headers, cookies=cookies)[0]

    with ThreadPoolExecutor(rivals) as pool:
        return sorted(pool.map(press, range(rivals)))


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)], ids=["sqlite", "pg"])
def test_of_many_who_ask_and_agree_at_once_one_does(postgres: bool) -> None:
    with Server(postgres=postgres) as clinic:
        _label, first = fetched(clinic, "amoxicillin-500-mg-capsule")
        assert at_once(clinic, "patient", f"/my/prescriptions/{first}/refill") == [303] * 8
        asked, made, refill = clinic.python("-c", COUNTED.format(first=first)).split()
        assert (asked, made) == ("1", "0")
        path = f"/consulting/refills/{refill}/approve"
        answers = at_once(clinic, "main_doctor@example.org", path, version="1")
        assert answers == [303] + [412] * 7
        assert clinic.python("-c", COUNTED.format(first=first)).split()[:2] == ["1", "1"]


def live(page: Page, path: str) -> Page:
    page.goto(path)
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    page.evaluate("window.unbroken = true")
    return page


def fair(page: Page, name: str) -> None:
    """Sound in both themes and at 320 pixels, with what folds open."""
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert Axe().run(page).response["violations"] == [], (name, scheme)
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
    if before:
        page.set_viewport_size(before)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/refill-{name}.png", full_page=True)


def test_a_repeat_goes_from_the_telephone_to_the_counter_without_a_reload(clinic: Server, desk: Desk) -> None:
    label, _first = fetched(clinic, "metformin-500-mg-tablet")
    phone = live(desk("patient", viewport={"width": 390, "height": 844}), "/my/prescriptions")
    head = live(desk("main_doctor@example.org"), "/consulting/refills")
    counter = live(desk("pharmacist@example.org"), "/pharmacy")
    expect(head.get_by_text("Nobody asks for a repeat")).to_be_visible()
    fair(phone, "phone-before")
    phone.get_by_label("Anything the doctor should know").fill("Four tablets left")
    phone.get_by_role("button", name="Ask").click()
    expect(phone.get_by_text("You asked for a repeat")).to_be_visible()
    phone.evaluate("window.unbroken = true")
    row = head.get_by_role("row", name="Four tablets left")
    expect(row).to_contain_text(label, timeout=MOST)
    expect(head.locator("[data-badge=refills]").first).to_contain_text("1")
    expect(head.locator("[data-toasts]")).to_contain_text("A patient asks for a repeat.")
    assert head.evaluate("window.unbroken === true")
    fair(head, "asked")
    row.get_by_role("link", name="Open").click()
    expect(head.locator("main")).to_contain_text("twice a day for 28 days")
    fair(head, "deciding")
    head.get_by_role("button", name="Sign the repeat").click()
    expect(head.locator("main")).to_contain_text("the patient is told")
    expect(head.get_by_text("Nobody asks for a repeat")).to_be_visible()
    expect(counter.get_by_role("row", name=f"Repeat of {label}")).to_contain_text("All there", timeout=MOST)
    expect(phone.get_by_text("It waits for you at the pharmacy.")).to_be_visible(timeout=MOST)
    expect(phone.locator("main")).to_contain_text("May be given again once more")
    for page in (counter, phone):
        assert page.evaluate("window.unbroken === true")
    fair(counter, "counter")
    fair(phone, "phone-after")
