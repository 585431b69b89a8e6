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
        public = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]}, base_url=address).new_page()
        for path, name in (("/", "landing"), ("/doctors", "doctors"), ("/emergency", "emergency")):
            public.goto(path)
            keep(public, name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
