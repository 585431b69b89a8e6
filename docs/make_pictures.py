"""Take the pictures of the user guide from a running demo hospital.

    polyclinic demo --serve
    python docs/make_pictures.py http://localhost:8000

Overwrites docs/pictures/*.png. Needs Playwright and Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from polyclinic.demo.accounts import PASSWORD

FOLDER = Path(__file__).parent / "pictures"
DESK, PHONE = (1280, 800), (390, 780)


def signed_in(browser: Browser, address: str, who: str, size: tuple[int, int], scheme: str = "light") -> Page:
    page = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, base_url=address, locale="en-GB"
    ).new_page()
    page.goto("/sign-in")
    page.fill("#email", f"{who}@demo.example")
    page.fill("#password", PASSWORD)
    page.locator("form[action='/sign-in'] button[type=submit]").first.click()
    page.wait_for_selector("[data-connection]")
    page.wait_for_timeout(700)
    return page


def keep(page: Page, name: str) -> None:
    page.screenshot(path=str(FOLDER / f"{name}.png"))


def work(browser: Browser, address: str) -> None:
    """The pages of those who look after a hospital."""
    admin = signed_in(browser, address, "admin", DESK)
    keep(admin, "admin-home")
    admin.goto("/admin/people")
    admin.get_by_role("link", name="Asha Verma").click()
    admin.wait_for_selector("h1")
    keep(admin, "admin-person")
    admin.goto("/admin/keys")
    keep(admin, "admin-keys")
    keep(signed_in(browser, address, "privacy", DESK), "privacy-home")
    keep(signed_in(browser, address, "auditor", DESK), "audit")


def care(page: Page) -> None:
    """What a patient follows, on the phone they are signed in on."""
    for name in ("prescriptions", "papers"):
        page.goto(f"/my/{name}")
        keep(page, f"patient-{name}")
    page.goto("/my/results")
    page.locator("main .list a").first.click()
    page.wait_for_selector(".own-results")
    keep(page, "patient-result")


def laboratory(browser: Browser, address: str) -> None:
    """The bench, and one order at it."""
    page = signed_in(browser, address, "lab", DESK)
    for stage in ("enter", "verify", "release", "collect"):
        page.goto(f"/lab?stage={stage}")
        if page.locator("main table tbody tr").count():
            break
    keep(page, "lab-worklist")
    page.get_by_role("link", name="Open").first.click()
    page.wait_for_selector("main .results")
    keep(page, "lab-order")


def treatment(browser: Browser, address: str) -> None:
    """A visit in the consulting room, and a prescription at the counter."""
    for who, path, link, name in (
        ("head", "/consulting", "main tr a[href^='/consulting/']", "consulting-visit"),
        ("pharmacy", "/pharmacy", "main a[href^='/pharmacy/prescriptions/']", "pharmacy-counter"),
    ):
        page = signed_in(browser, address, who, DESK)
        page.goto(path)
        page.locator(link).first.click()
        page.wait_for_selector(".patient-banner")
        keep(page, name)


def main(address: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"]
        )
        doctor = signed_in(browser, address, "doctor", DESK)
        keep(doctor, "doctor-day")
        for path, name in (("/doctor/patients", "doctor-patients"), ("/doctor/schedule", "doctor-schedule")):
            doctor.goto(path)
            keep(doctor, name)
        keep(signed_in(browser, address, "doctor", DESK, "dark"), "doctor-day-dark")
        patient = signed_in(browser, address, "patient", PHONE)
        keep(patient, "patient-home")
        patient.goto("/book")
        keep(patient, "patient-book-why")
        patient.locator("main a[href*='/book/where']").first.click()
        keep(patient, "patient-book-where")
        patient.locator("main a[href*='/book/time']").first.click()
        patient.wait_for_timeout(300)
        keep(patient, "patient-book-time")
        for path, name in (("/my/sharing", "patient-sharing"), ("/my/record/access", "patient-access")):
            patient.goto(path)
            keep(patient, name)
        care(patient)
        laboratory(browser, address)
        treatment(browser, address)
        work(browser, address)
        public = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]}, base_url=address).new_page()
        for path, name in (("/", "landing"), ("/doctors", "doctors"), ("/emergency", "emergency")):
            public.goto(path)
            keep(public, name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
