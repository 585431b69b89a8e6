"""One patient from the door to the medicine before six desks, a hall, a manager and a phone: none is ever reloaded."""

from __future__ import annotations

import os
import time

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.journeys.windows import MOST, Windows, answer, live, mark, picture, stock, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
# Who comes.
NAME = "Okonkwo", "Ada"
# How long the cut line stays cut. The whole minute is for the wide run; a browser notices a cut at once either way.
CUT_SECONDS = float(os.environ.get("CUT_SECONDS", "2"))


@pytest.fixture(scope="module", autouse=True)
def shelves(clinic: Server) -> None:
    stock(clinic)


def hall_screen(desk: Desk) -> Page:
    """The screen in the hall: set up at the desk, opened by its code with nobody signed in."""
    front = desk("receptionist")
    front.goto("/reception/arrange")
    front.locator("#board-name").fill("Ground floor")
    front.get_by_role("button", name="Add a screen").click()
    hall = desk(viewport={"width": 1280, "height": 720})
    hall.goto(front.get_by_role("link", name="Open Ground floor").get_attribute("href") or "")
    mark(live(hall))
    return hall


def house_in_numbers(desk: Desk) -> Page:
    """Before whoever runs the house: how many are where, and what was taken."""
    page = desk("manager")
    page.goto("/admin")
    mark(live(page))
    return page


def stands_at(house: Page, line: str) -> None:
    """The one visit of the day is counted there and nowhere else."""
    expect(house.locator(f"[data-stand={line}] dd")).to_contain_text("1", timeout=MOST)
    for other in {"desk", "check", "lab", "doctor", "pharmacy"} - {line}:
        expect(house.locator(f"[data-stand={other}] dd")).to_have_text("0")


def through_the_house(windows: Windows, beside: tuple[Page, Page], cut_seconds: float = 0) -> None:
    """The whole way. With `cut_seconds` the laboratory's line is cut while the tests are ordered.

    `beside` are the screen in the hall and the house in numbers.
    """
    family, given = NAME
    name = f"{family.upper()}, {given}"
    board, checker, bench, head, counter = (
        windows.board, windows.checker, windows.bench, windows.head, windows.counter
    )  # fmt: skip
    windows.come(family, given)
    phone = windows.ticket()
    token = phone.locator(".slip-token").inner_text()
    hall, house = beside
    hall_row = windows.waiting(board, name)
    expect(hall_row).to_contain_text("Front desk", timeout=MOST)
    expect(hall.locator(".hall-next")).to_contain_text(token, timeout=MOST)
    stands_at(house, "desk")
    expect(phone.locator("main")).to_contain_text("You are next")

    windows.pay()
    expect(hall_row).to_contain_text("First check", timeout=MOST)
    expect(phone.locator("main")).to_contain_text("First check", timeout=MOST)
    expect(windows.waiting(checker, name)).to_contain_text("sore throat", timeout=MOST)
    expect(checker.locator("[data-toasts]")).to_contain_text("A new patient waits")
    assert unbroken(checker)
    picture(checker, "checker")
    stands_at(house, "check")

    if cut_seconds:
        bench.context.set_offline(True)
        expect(bench.locator("[data-connection]")).not_to_have_text("Live", timeout=60_000)
    windows.check(name, "Electrolytes")
    expect(hall_row).to_contain_text("Laboratory", timeout=MOST)
    expect(phone.locator("main")).to_contain_text("Laboratory", timeout=MOST)
    stands_at(house, "lab")
    if cut_seconds:
        time.sleep(cut_seconds)
        expect(bench.locator("main")).not_to_contain_text(name)
        picture(bench, "bench-cut")
        bench.context.set_offline(False)
        live(bench)
    expect(windows.waiting(bench, name)).to_contain_text("Sodium", timeout=MOST)
    assert unbroken(bench)
    picture(bench, "bench")

    windows.result(name, Sodium="140", Potassium="4.1", Chloride="104", Bicarbonate="24")
    expect(windows.waiting(head, name)).to_contain_text("Results", timeout=MOST)
    expect(head.locator("[data-toasts]")).to_contain_text("All results of a visit are there.")
    assert unbroken(head)
    picture(head, "head")
    stands_at(house, "doctor")

    windows.prescribe(name)
    expect(windows.waiting(counter, name)).to_contain_text("All there", timeout=MOST)
    expect(counter.locator("[data-toasts]")).to_contain_text("A new prescription waits")
    expect(phone.locator("main")).to_contain_text("Pharmacy", timeout=MOST)
    assert unbroken(counter)
    picture(counter, "counter")
    stands_at(house, "pharmacy")

    windows.waiting(counter, name).get_by_role("button", name="Call").click()
    expect(phone.locator("main")).to_contain_text("It is your turn: Pharmacy", timeout=MOST)
    expect(hall.locator(".hall-call")).to_contain_text(f"{token}Pharmacy", timeout=MOST)
    expect(hall.locator("body")).not_to_contain_text(family, ignore_case=True)
    picture(hall, "hall")
    windows.waiting(counter, name).get_by_role("link", name="Open").click()
    answer(counter, f"{given} {family}", ("3", "4", "1990"))
    counter.get_by_role("button", name="Hand over").click()
    expect(counter.locator("main")).to_contain_text("The visit is over")
    expect(phone.locator("main")).to_contain_text("This visit is over", timeout=MOST)
    expect(windows.waiting(board, name)).to_have_count(0, timeout=MOST)
    expect(hall.locator(".hall-call")).to_have_count(0, timeout=MOST)
    expect(house.locator(".kpi", has_text="Done").locator("dd").first).to_have_text("1", timeout=MOST)
    expect(house.locator(".kpi", has_text="Taken").first).to_contain_text("50", timeout=MOST)
    expect(house.locator("main")).not_to_contain_text(family, ignore_case=True)
    picture(house, "house")
    for page in (board, phone, hall, house):
        assert unbroken(page)


def test_from_the_door_to_the_medicine_with_a_line_cut_on_the_way(desk: Desk, clinic: Server) -> None:
    windows = Windows(desk, clinic)
    through_the_house(windows, (hall_screen(desk), house_in_numbers(desk)), CUT_SECONDS)
