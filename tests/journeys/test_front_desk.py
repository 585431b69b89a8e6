"""The front desk in a real browser: register, take the fee, call; other desks, the hall and the ticket follow."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.journeys.test_two_browsers import MOST, live

pytestmark = [pytest.mark.browser, pytest.mark.service]
PICTURES = os.environ.get("DESK_PICTURES", "")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


def register(front: Page, family: str, given: str) -> None:
    """At the desk: nobody is found, so the person is registered and a visit opened. "/" goes to the search."""
    front.goto("/reception")
    live(front)
    front.keyboard.press("/")
    front.keyboard.type(family.lower())
    front.keyboard.press("Enter")
    expect(front.locator("main")).to_contain_text("Nobody like this")
    front.get_by_role("link", name="Register a new patient").click()
    for label, text in (("Family name", family), ("Given name", given)):
        front.get_by_label(label).fill(text)
    for part, text in (("Day", "3"), ("Month", "4"), ("Year", "1990")):
        front.get_by_label(part, exact=True).fill(text)
    picture(front, "register")
    front.get_by_role("button", name="Register", exact=True).click()
    picture(front, "open")
    front.get_by_role("button", name="Open the visit").click()
    expect(front.locator("h1")).to_contain_text(f"{family.upper()}, {given}")
    picture(front, "visit")


def test_from_the_door_to_the_call(desk: Desk) -> None:
    board, front = desk("receptionist"), desk("receptionist")
    board.goto("/reception")
    live(board)
    register(front, "Okonkwo", "Ada")
    row = board.locator("tr[data-live-row]").filter(has_text="OKONKWO, Ada")
    expect(row).to_contain_text("OKONKWO, Ada", timeout=MOST)
    address = front.get_by_role("link", name="The patient's live page").get_attribute("href") or ""
    ticket = desk(viewport={"width": 390, "height": 844})
    ticket.goto(re.sub(r"^https?://[^/]+", "", address))
    expect(ticket.locator("main")).to_contain_text("You are next")
    live(ticket)
    front.get_by_role("button", name="Nothing is owed").click()
    expect(row).to_contain_text("First check", timeout=MOST)
    expect(ticket.locator("main")).to_contain_text("First check", timeout=MOST)
    picture(ticket, "ticket")
    picture(board, "board")
    # The visit's own page follows too, and keeps what somebody is typing there.
    live(front)
    why = front.get_by_label("The patient leaves")
    why.fill("Wants to")
    row.get_by_role("button", name=re.compile("^Call")).click()
    expect(front.locator("main")).to_contain_text("Called", timeout=MOST)
    expect(why).to_have_value("Wants to")
    expect(ticket.locator("main")).to_contain_text("It is your turn", timeout=MOST)
    expect(ticket).to_have_title(re.compile("^● "))
    picture(ticket, "ticket-called")


def test_the_hall_follows_without_anybody_signed_in(desk: Desk) -> None:
    front = desk("receptionist")
    front.goto("/reception/arrange")
    front.locator("#board-name").fill("Ground floor")
    front.get_by_role("button", name="Add a screen").click()
    address = front.get_by_role("link", name="Open Ground floor").get_attribute("href") or ""
    hall = desk(viewport={"width": 1280, "height": 720})
    hall.goto(address)
    live(hall)
    register(front, "Lindqvist", "Astrid")
    front.get_by_role("button", name="Nothing is owed").click()
    front.goto("/reception")
    again = front.get_by_role("button", name=re.compile("^Call")).first
    again.click()
    expect(hall.locator(".hall-call strong").first).to_contain_text(re.compile(r"[A-Z]\d{3}"), timeout=MOST)
    picture(hall, "hall")
    for scheme in ("light", "dark"):
        front.emulate_media(color_scheme=scheme)
        front.goto("/reception")
        picture(front, f"board-{scheme}")
    front.set_viewport_size({"width": 390, "height": 844})
    front.goto("/reception")
    assert front.evaluate("document.documentElement.scrollWidth") <= 390
    picture(front, "board-phone")
