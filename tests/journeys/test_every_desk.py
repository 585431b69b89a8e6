"""Every page of the visit's desks, found in the matrix: in light and dark, at 320 pixels, with all that folds open."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys import world
from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.wide]
DESKS = (
    "/reception", "/checker", "/lab", "/consulting", "/pharmacy", "/papers", "/cashier", "/t/", "/verify",
    "/records", "/admin", "/beds", "/nursing", "/analytics", "/imports", "/exports", "/bookings", "/series",
)  # fmt: skip
WHO = (
    "receptionist", "checker_doctor", "lab_technician", "main_doctor", "pharmacist", "manager", "admin", "anonymous",
)  # fmt: skip


@pytest.fixture(scope="module")
def opened(clinic: Server) -> dict[str, list[str]]:
    """The addresses of the desks, by who opens them."""
    return world.addresses(clinic, *DESKS)


def faults(page: Page, path: str) -> list[str]:
    """What is wrong with the page that is open."""
    page.evaluate("document.querySelectorAll('details:not([data-menu])').forEach((one) => { one.open = true })")
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for one in Axe().run(page).response["violations"]:
            found += [f"{path} {scheme} {one['id']}: {node['html'][:160]}" for node in one["nodes"]]
    page.set_viewport_size({"width": 320, "height": 640})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return found + [f"{path} is {wide} pixels wide at 320"] * (wide > 320)


@pytest.mark.parametrize("who", WHO)
def test_every_page_of_a_desk_is_sound(desk: Desk, opened: dict[str, list[str]], who: str) -> None:
    assert set(opened) == set(WHO)
    named = {"receptionist": "receptionist", "manager": "manager", "anonymous": ""}
    page = desk(named.get(who, f"{who}@example.org"), viewport={"width": 1280, "height": 800})
    wrong, looked = [], 0
    for path in opened[who]:
        answer = page.request.get(path)
        if answer.status != 200:
            wrong.append(f"{path} answers {answer.status}")
        # The rest are parts of a page, which a page draws anew, and files.
        elif b"<main" in answer.body():
            page.goto(path)
            looked += 1
            wrong += faults(page, path)
    assert wrong == [], "\n".join(wrong)
    assert looked


def test_the_screen_in_the_hall_is_sound(desk: Desk, opened: dict[str, list[str]]) -> None:
    front = desk("receptionist")
    front.goto("/reception/arrange")
    front.locator("#board-name").fill("Ground floor")
    front.get_by_role("button", name="Add a screen").click()
    path = front.get_by_role("link", name="Open Ground floor").get_attribute("href") or ""
    hall = desk(viewport={"width": 1280, "height": 800})
    hall.goto(path)
    assert hall.locator(".hall-next li").count(), "somebody waits, and stands there"
    assert faults(hall, "hall") == []
