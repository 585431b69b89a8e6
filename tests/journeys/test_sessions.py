"""A session that ends under its person's hands: the warning, what was typed, and the page of one ended elsewhere."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import Error, Page, expect

from tests.house import PASSWORD
from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
REASON = "A cough, since Tuesday"


def rest(clinic: Server, page: Page, minutes: float) -> None:
    """Leave the session alone for so long, then look at the page again."""
    key = next(one["value"] for one in page.context.cookies() if one["name"] == "polyclinic_session")
    clinic.python(
        "-c",
        "import django; django.setup()\n"
        "from datetime import timedelta\nfrom polyclinic.core import clock\n"
        "from polyclinic.people.models import Session\n"
        f"Session.objects.filter(session_key={key!r}).update(seen_at=clock.now() - timedelta(minutes={minutes}))",
    )
    page.wait_for_timeout(2_100)  # a session is believed for two seconds


def look(page: Page) -> None:
    """Said after the answer: the page may leave at once, and would take the answer with it."""
    page.evaluate("setTimeout(() => document.dispatchEvent(new Event('visibilitychange')))")


def look_at_the_end(page: Page) -> None:
    """The same for a page that may be on its way to the sign-in page by itself."""
    with contextlib.suppress(Error):
        look(page)


def write(clinic: Server, page: Page) -> None:
    page.goto(f"/doctor/schedule/{clinic.people['schedule']}")
    expect(page.locator("[data-connection]")).to_have_text("Live")
    page.locator("main form[method=post]").filter(has=page.get_by_label("From day")).get_by_label("From day").fill(
        "2027-03-01"
    )
    page.wait_for_timeout(600)


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_warning_then_off_and_what_was_typed_is_there_again(clinic: Server, desk: Desk) -> None:
    page = desk("doctor")
    write(clinic, page)
    dialog = page.get_by_role("dialog", name="Are you still there?")

    # Typing a moment ago is use: no warning.
    rest(clinic, page, 14.5)
    look(page)
    page.wait_for_timeout(300)
    expect(dialog).to_be_hidden()

    # Nobody has touched it: a warning, and "stay" ends it.
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 14.5 * 60000; }")
    rest(clinic, page, 14.5)
    look(page)
    expect(dialog).to_contain_text(re.compile(r"signed out in \d+ seconds"))
    page.get_by_role("button", name="Stay signed in").click()
    expect(dialog).to_be_hidden()

    # Left alone to the end: the page is gone, and only its own person finds the draft.
    rest(clinic, page, 15)
    look_at_the_end(page)
    page.wait_for_url("**/sign-in?why=idle**")
    expect(page.locator("main")).to_contain_text("You were signed out")
    kept = page.evaluate("Object.entries(sessionStorage).join()")
    assert "polyclinic.kept." in kept
    assert "2027" not in kept, "what is kept is locked"
    sign_in(page, "dr.anil@example.org")
    page.wait_for_url("**/doctor/schedule/**")
    expect(page.get_by_label("From day")).to_have_value("2027-03-01")


def test_another_person_at_the_same_desk_finds_nothing(clinic: Server, desk: Desk) -> None:
    page = desk("doctor")
    write(clinic, page)
    rest(clinic, page, 15)
    look_at_the_end(page)
    page.wait_for_url("**/sign-in?why=idle**")
    sign_in(page, "dr.grace@example.org")
    page.wait_for_url(re.compile("/doctor|/home"))
    page.goto("/doctor")
    expect(page.locator("[data-connection]")).to_have_text("Live")
    assert "polyclinic.kept." not in page.evaluate("Object.keys(sessionStorage).join()")


def test_a_session_ended_elsewhere_leaves_nothing_on_the_screen(clinic: Server, desk: Desk) -> None:
    here, there = desk("doctor"), desk("doctor")
    there.goto("/doctor/patients")
    expect(there.locator("[data-connection]")).to_have_text("Live")
    here.goto("/account/sessions")
    here.get_by_role("button", name="End all others").click()
    there.wait_for_url("**/sign-in?why=idle**", timeout=6_000)
    expect(here.locator(".note").first).to_contain_text("ended")
    # Its person reads of it at once, in the page that is still signed in.
    expect(here.locator("[data-badge-count]").first).to_have_text("1", timeout=6_000)
