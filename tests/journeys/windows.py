"""A visit seen from every desk at once: what each of them does with it, by clicking as its people do."""

from __future__ import annotations

import os
import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

MOST = 10_000
PICTURES = os.environ.get("ROLES_PICTURES", "")
MEDICINE = "amoxicillin-500-mg-capsule"
# The formulary, a fee, and so many capsules on the shelf.
STOCKED = """
import django
django.setup(set_prefix=False)
from uuid import UUID
from polyclinic.billing import prices
from polyclinic.core.actors import SystemActor
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from tests.pharmacy.shop import stocked
seed.load()
place = UUID("{facility}")
for code, kind, amount in (("consultation", "consultation", 5000), ("med-{medicine}", "medicine", 40)):
    prices.set_price(
        actor=SystemActor("demo"), facility_id=place, code=code[:40], name=code[:40], kind=kind, amount_minor=amount
    )
stocked(place, Medicine.objects.get(code="{medicine}"), {capsules})
"""


def stock(clinic: Server, capsules: int = 100) -> None:
    """Give the hospital a formulary, a price list and a shelf."""
    clinic.python("-c", STOCKED.format(facility=clinic.people["facility"], medicine=MEDICINE, capsules=capsules))


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def mark(page: Page) -> None:
    """Remember in the page itself that it was loaded: a reload forgets it."""
    page.evaluate("window.unbroken = true")


def unbroken(page: Page) -> bool:
    """Whether the page is still the very one that was marked."""
    return bool(page.evaluate("window.unbroken === true"))


class Windows:
    """The desks of the house, each in a window of its own, all open and live before the patient comes in."""

    def __init__(self, desk: Desk, clinic: Server) -> None:
        self.desk, self.clinic = desk, clinic
        self.front = desk("receptionist")
        self.board = desk("receptionist")
        self.checker, self.bench, self.head, self.counter = (
            desk(f"{role}@example.org") for role in ("checker_doctor", "lab_technician", "main_doctor", "pharmacist")
        )
        for page, path in (
            (self.board, "/reception"), (self.checker, "/checker"), (self.bench, "/lab?stage=collect"),
            (self.head, "/consulting"), (self.counter, "/pharmacy"),
        ):  # fmt: skip
            page.goto(path)
            live(page)
            mark(page)

    def waiting(self, page: Page, name: str) -> Locator:
        """Somebody's row on the board or worklist that this window shows."""
        return page.locator("main tr").filter(has_text=name).first

    def come(self, family: str, given: str, complaint: str = "Fever and a sore throat") -> str:
        """At the desk: search, register, open a visit. Returns its address."""
        front = self.front
        front.goto("/reception")
        live(front)
        front.keyboard.press("/")
        front.keyboard.type(family.lower())
        front.keyboard.press("Enter")
        front.get_by_role("link", name="Register a new patient").click()
        for label, text in (("Family name", family), ("Given name", given)):
            front.get_by_label(label).fill(text)
        for part, text in (("Day", "3"), ("Month", "4"), ("Year", "1990")):
            front.get_by_label(part, exact=True).fill(text)
        front.get_by_role("button", name="Register", exact=True).click()
        front.get_by_label("Why they come").fill(complaint)
        front.get_by_role("button", name="Open the visit").click()
        expect(front.locator("h1")).to_contain_text(f"{family.upper()}, {given}")
        return front.url

    def ticket(self) -> Page:
        """The patient's phone with the page that the ticket's code opens."""
        address = self.front.get_by_role("link", name="The patient's live page").get_attribute("href") or ""
        phone = self.desk(viewport={"width": 390, "height": 844})
        phone.goto(re.sub(r"^https?://[^/]+", "", address))
        mark(live(phone))
        return phone

    def pay(self, *answers: str) -> None:
        """Take the fee by card; the terminal answers as given, the last time with Approved."""
        front = self.front
        front.get_by_role("link", name="Take the fee").click()
        for answer in answers or ("Approved",):
            front.get_by_role("radio", name=re.compile("^Card")).check()
            front.get_by_role("button", name="Take payment").click()
            front.get_by_role("button", name=answer).click()

    def check(self, name: str, *tests: str) -> None:
        """The first check: signs, no known allergies, and tests or straight to the doctor."""
        checker = self.checker
        self.waiting(checker, name).get_by_role("link", name="Check").click()
        for sign, value in (("Pulse", "88"), ("Temperature", "38.4"), ("Respiration rate", "18")):
            checker.get_by_label(sign).first.fill(value)
        checker.get_by_role("button", name="Save the signs").click()
        checker.get_by_role("button", name="Asked: none known").click()
        for test in tests:
            checker.get_by_label(test).check()
        checker.get_by_role("button", name="Order the tests" if tests else "Check done").click()

    def result(self, name: str, **values: str) -> None:
        """At the bench: collect, receive, enter, verify."""
        bench = self.bench
        self.waiting(bench, name).get_by_role("link", name="Open").click(timeout=MOST)
        for button in ("Collected", "Received"):
            bench.get_by_role("button", name=button).click()
        for test, value in values.items():
            bench.get_by_role("row", name=test).get_by_role("textbox").first.fill(value)
        bench.get_by_role("button", name="Save results").click()
        bench.get_by_role("button", name="Verify all").click()

    def prescribe(self, name: str) -> None:
        """In the consulting room: call, look at the results, diagnose, prescribe amoxicillin, sign."""
        head = self.head
        self.waiting(head, name).get_by_role("link", name="Open").click()
        head.get_by_role("button", name="Call", exact=True).click()
        head.get_by_role("button", name="Patient is here").click()
        head.get_by_label("Search by words or code").fill("tonsillitis")
        head.locator("#codes").get_by_role("button", name=re.compile("^Add")).first.click()
        head.get_by_label("Search the formulary").fill("amox 500")
        head.locator("#medicines").get_by_role("button", name=re.compile("^Choose amoxicillin 500 mg capsule")).click()
        head.get_by_role("radio", name="5", exact=True).check()
        expect(head.locator("[data-preview-here]")).to_contain_text("three times a day for 5 days", timeout=MOST)
        picture(head, "head-writing")
        head.get_by_role("button", name="Put on the list").click()
        picture(head, "head-signing")
        seen = head.get_by_role("checkbox", name=re.compile("^I have seen"))
        if seen.count():
            seen.check()
        head.get_by_role("button", name="Sign the prescription").click()


def answer(counter: Page, name: str, born: tuple[str, str, str]) -> None:
    """At the counter: what the person there says when asked who they are."""
    counter.get_by_label("Full name").fill(name)
    for part, text in zip(("Day", "Month", "Year"), born, strict=True):
        counter.get_by_label(part, exact=True).fill(text)
    counter.get_by_role("button", name="Compare").click()
