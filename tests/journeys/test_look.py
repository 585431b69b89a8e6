"""What a page must keep: under high contrast, on paper, and in a form whose sending was stopped to ask who it is."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.house import PASSWORD
from tests.journeys.conftest import Desk, book, workday
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
# Pages of the account, of keys, and of work, by who looks at them.
PAGES = {
    "admin": ("/admin", "/admin/people", "/admin/roles", "/admin/invitations", "/admin/keys", "/work"),
    "manager": ("/admin/doctors", "/admin/doctors/invite?q=stranger", "/admin/leave", "/admin/rota"),
    "doctor": ("/doctor/invitations", "/doctor/leave"),
    "patient": ("/account/keys", "/account/security", "/account/photo", "/step-up?next=/my&unsent=1"),
    "receptionist": ("/work", "/records/carers"),
    "auditor": ("/audit", "/work"),
    "privacy_officer": ("/privacy", "/privacy/retention", "/privacy/research"),
}


def stale(clinic: Server, page: Page) -> None:
    """Let the person's last proof of who they are lie an hour back."""
    key = next(one["value"] for one in page.context.cookies() if one["name"] == "polyclinic_session")
    script = f"""
import django; django.setup()
from polyclinic.people.sessions import SessionStore
store = SessionStore("{key}")
store["stepped_up_at"] = "2020-01-01T00:00:00+00:00"
store.save()
"""
    clinic.python("-c", script)
    page.wait_for_timeout(2_100)  # a session is believed for two seconds


@pytest.mark.parametrize("who", sorted(PAGES))
def test_pages_of_work_in_both_themes_and_at_320_pixels(clinic: Server, desk: Desk, who: str) -> None:
    page = desk(who, viewport={"width": 1280, "height": 800})
    for path in PAGES[who]:
        page.goto(path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found = Axe().run(page).response["violations"]
            assert [(path, scheme, one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.set_viewport_size({"width": 1280, "height": 800})


def test_high_contrast_leaves_every_control_an_edge(clinic: Server, desk: Desk) -> None:
    """Forced colours take backgrounds away: what is told by a background alone would be gone."""
    page = desk("patient")
    page.emulate_media(forced_colors="active")
    page.goto("/my/sharing")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    for control in (page.get_by_role("button", name="Share", exact=True), page.locator("a", has_text="Emergency")):
        expect(control.first).to_be_visible()
        width = control.first.evaluate("one => parseFloat(getComputedStyle(one).borderTopWidth)")
        assert width >= 1, "a button without an edge is only a word"
    page.goto("/my/appointments")
    here = page.locator(".nav a[aria-current]")
    there = page.locator(".nav a:not([aria-current])").first
    colour = "one => getComputedStyle(one).backgroundColor"
    assert here.evaluate(colour) != there.evaluate(colour), "which page this is, is said without our colours too"


def test_paper_shows_the_appointment_and_no_buttons(clinic: Server, desk: Desk) -> None:
    page = desk("patient")
    made = book(page, clinic, workday(clinic, 9))
    page.goto(f"/my/appointments/{made}")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main")).to_contain_text("Dr Anil Rao")
    expect(page.locator("main .card").first).to_be_visible()
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator("main .button").first).to_be_hidden()


def test_a_form_stopped_to_ask_who_it_is_keeps_what_was_typed(clinic: Server, desk: Desk) -> None:
    page = desk("patient")
    page.goto("/step-up?next=/account/keys")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What is it for?").fill("Calendar on my phone")
    page.get_by_label("See appointments").check()
    stale(clinic, page)
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("What you sent has not been done yet")).to_be_visible()
    page.get_by_label("Your password", exact=True).fill("not my password at all")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("What is it for?")).to_have_value("Calendar on my phone")
    expect(page.get_by_label("See appointments")).to_be_checked()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#new-key").inner_text()
    assert secret.startswith("pc_")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.goto("/account/keys")
    expect(page.locator("main")).to_contain_text("Calendar on my phone")
    expect(page.get_by_label("What is it for?")).to_have_value("")


def test_the_patients_bar_has_room_for_its_seven_entries(clinic: Server, desk: Desk) -> None:
    """Nothing in it lies upon anything else or beyond the window, and its name and account stay in one line."""
    page = desk("patient", viewport={"width": 1280, "height": 700})
    page.goto("/my/prescriptions")
    expect(page.locator("[data-connection]")).to_have_text("Live")
    overlaps = """() => {
      const seen = [...document.querySelectorAll(".bar-name, .bar-nav summary, .nav a, .bar-end > *")]
        .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
        .filter((box) => box.width > 1);
      const wide = document.documentElement.clientWidth;
      const beside = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1;
      const under = (a, b) => a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
      const upon = (a, b) => !beside(a, b) && !under(a, b);
      return seen.some((one, at) => one.right > wide + 1 || seen.slice(at + 1).some((other) => upon(one, other)));
    }"""
    for width in range(700, 1300, 40):
        page.set_viewport_size({"width": width, "height": 700})
        assert not page.evaluate(overlaps), width
        assert page.locator(".bar-name").bounding_box()["height"] < 40, width  # type: ignore[index]
