"""From an invitation to a closed account, in two browsers; and a look through another's eyes that everybody can see."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = pytest.mark.browser

PASSWORD = "seven quiet lanterns drift"
# Run inside the installation: the link as the mail carries it, which is stored nowhere.
LINK = (
    "import django; django.setup(set_prefix=False); from polyclinic.facilities import invitations as i;"
    "from polyclinic.facilities.models import StaffInvitation as S; print(i.token_of(S.objects.latest('created_at')))"
)


# What is no promise about time is given time: the machine may be busy.
PATIENCE = 15_000


def see(what: Locator) -> None:
    expect(what).to_be_visible(timeout=PATIENCE)


def person_page(page: Page, name: str) -> None:
    page.goto("/admin/people")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name, timeout=PATIENCE)


def test_invited_joined_given_a_role_and_cut_off(clinic: Server, desk: Desk) -> None:
    admin, guest = desk("admin"), desk()
    admin.goto("/admin/invitations/new")
    admin.get_by_label("Name").fill("Noor New")
    admin.get_by_label("Email address").fill("noor@example.org")
    admin.get_by_label("Role").select_option(label="Receptionist")
    admin.get_by_role("button", name="Send the invitation").click()
    see(admin.get_by_text("Waiting", exact=True))

    guest.goto(f"/invitation/{clinic.python('-c', LINK).strip()}")
    see(guest.get_by_role("heading", name="Join Riverside Clinic"))
    assert guest.url.endswith("/invitation/open")
    guest.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    guest.get_by_role("button", name="Join").click()
    see(guest.get_by_text("Welcome. You have your role."))
    # The administrator's list has heard of it by itself.
    see(admin.get_by_text("Accepted", exact=True))

    person_page(admin, "Noor New")
    admin.get_by_role("link", name="Give a role").click()
    admin.get_by_label("Role").select_option(label="Manager")
    admin.get_by_role("button", name="Give the role").click()
    see(admin.get_by_text("The role is given."))
    # Without signing in again, within two seconds.
    time.sleep(2)
    guest.goto("/home")
    see(guest.get_by_role("heading", name="Administration"))
    expect(guest.locator("[data-connection]")).to_have_text("Live", timeout=PATIENCE)

    admin.get_by_role("link", name="Close the account").click()
    admin.get_by_label("Reason").fill("Only here for a test")
    admin.get_by_role("button", name="Close the account").click()
    see(admin.get_by_text("The account is closed."))
    # The open page is cut off by itself, five seconds later at most.
    expect(guest).to_have_url(re.compile("/sign-in"), timeout=5_000)
    guest.goto("/admin")
    expect(guest).to_have_url(re.compile("/sign-in"))


def test_a_look_through_anothers_eyes(clinic: Server, desk: Desk) -> None:
    admin, doctor = desk("admin"), desk("doctor")
    doctor.goto("/doctor")
    expect(doctor.locator("[data-connection]")).to_have_text("Live", timeout=PATIENCE)
    person_page(admin, "Dr Anil Rao")
    admin.get_by_role("link", name="Look through their eyes").click()
    admin.get_by_label("Reason").fill("He asked me to look")
    admin.get_by_role("button", name="Look through their eyes").click()
    banner: Any = admin.get_by_text("You are looking through the eyes of Dr Anil Rao – reading only.")
    see(admin.get_by_role("heading", name="My day"))
    see(banner)
    # The person hears of it at once.
    see(doctor.locator("[data-toasts]").get_by_text("You have a new notice."))
    admin.get_by_role("link", name="Patients").click()
    see(banner)
    admin.get_by_role("button", name="End").click()
    see(admin.get_by_text("You look through your own eyes again."))
    expect(banner).to_have_count(0)
