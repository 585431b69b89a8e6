"""Second factors as a person meets them: an app, a recovery code, a passkey, a step-up."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.house import PASSWORD
from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
SECURITY = "/account/security"
# A platform authenticator whose owner always agrees: Chromium's own stand-in for a finger on a sensor.
VIRTUAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def clinic() -> Iterator[Server]:
    """A server reached by name: browsers bind passkeys to names, never to addresses."""
    server = Server()
    server.base_url = server.env["PUBLIC_URL"] = f"http://localhost:{server.port}"
    with server:
        yield server


def give_password(page: Page, email: str, then: str) -> None:
    page.goto(f"/sign-in?next={then}")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.locator(".bar-end summary.button").first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def at(page: Page, clinic: Server, path: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(clinic.base_url + path) + r"(\?|$)"))


def clean(page: Page) -> None:
    """axe finds nothing, and nothing scrolls sideways on a small phone."""
    found = Axe().run(page).response["violations"]
    assert [(page.url, one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    page.set_viewport_size(size or {"width": 1280, "height": 720})


def virtual_authenticator(page: Page) -> tuple[Any, str]:
    """The line to the browser, and the id of the authenticator now in it."""
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    return browser, browser.send("WebAuthn.addVirtualAuthenticator", {"options": VIRTUAL})["authenticatorId"]


def test_an_app_and_a_recovery_code(clinic: Server, desk: Desk) -> None:
    page = desk()
    give_password(page, "dr.anil@example.org", SECURITY)
    at(page, clinic, SECURITY)
    clean(page)
    page.get_by_role("button", name="Add an authenticator app").click()
    page.get_by_text("You cannot scan it?").click()
    clean(page)
    app = pyotp.TOTP(page.locator("[data-secret]").inner_text().replace(" ", ""))
    page.get_by_role("textbox", name="Code").fill(app.now())
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    clean(page)
    codes = page.locator(".recovery code").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a file").click()
    assert codes[9] in saved.value.path().read_text(encoding="ascii")
    page.get_by_role("link", name="I have kept them").click()
    clean(page)
    sign_out(page)

    # The app: its next code, for the first is used up. A code of the coming half minute is in time as well.
    give_password(page, "dr.anil@example.org", "/doctor/patients")
    at(page, clinic, "/sign-in/second")
    clean(page)
    page.get_by_label("Code from your authenticator app").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").first).to_contain_text("This code is not right")
    page.get_by_label("Code from your authenticator app").fill(app.at(int(time.time()), counter_offset=1))
    page.get_by_role("button", name="Continue").click()
    at(page, clinic, "/doctor/patients")
    sign_out(page)

    # A recovery code lets in once, here without JavaScript.
    plain = desk(java_script_enabled=False)
    for fine in (True, False):
        give_password(plain, "dr.anil@example.org", "/doctor/patients")
        plain.get_by_role("link", name="Use one").click()
        plain.get_by_label("Recovery code").fill(codes[0].lower())
        plain.get_by_role("button", name="Continue").click()
        if fine:
            at(plain, clinic, "/doctor/patients")
            plain.context.clear_cookies()
        else:
            expect(plain.get_by_role("alert").first).to_contain_text("This code is not right")


def test_a_passkey_makes_signs_in_and_steps_up(clinic: Server, desk: Desk) -> None:
    page = desk()
    give_password(page, "dr.grace@example.org", f"{SECURITY}/passkey")
    browser, finger = virtual_authenticator(page)
    clean(page)
    page.get_by_label("What do you call it?").fill("My laptop")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("main")).to_contain_text("My laptop")
    sign_out(page)

    # Without a password.
    page.goto("/sign-in?next=/doctor/patients")
    clean(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    at(page, clinic, "/doctor/patients")
    sign_out(page)

    # As the second step, and again where something grave comes.
    give_password(page, "dr.grace@example.org", "/doctor/patients")
    page.get_by_role("button", name="Continue with your passkey").click()
    at(page, clinic, "/doctor/patients")
    page.goto(f"/step-up?next={SECURITY}")
    clean(page)
    page.get_by_role("button", name="Continue with your passkey").click()
    at(page, clinic, SECURITY)

    # Who says no is told so, and may try again.
    sign_out(page)
    page.goto("/sign-in")
    browser.send("WebAuthn.setUserVerified", {"authenticatorId": finger, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-status]")).to_contain_text("The passkey was not used")
