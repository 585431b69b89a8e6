"""Browsers before a real server: each person in a context of their own, as on two desks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import chromium
from tests.server import Server

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def clinic() -> Iterator[Server]:
    """A server for the journeys of one file, so that their bookings do not meet those of others."""
    with Server() as running:
        yield running


Desk = Callable[..., Page]


@pytest.fixture
def desk(clinic: Server, chromium: Browser) -> Iterator[Desk]:
    """Open a browser for someone ("" for a visitor); a broken content policy or script fails the test at its end."""
    contexts = []
    faults: list[str] = []

    def note(message: Any) -> None:
        if "Content Security" in message.text:
            faults.append(message.text)

    def sit(who: str = "", **options: Any) -> Page:
        context = chromium.new_context(base_url=clinic.base_url, **options)
        contexts.append(context)
        context.set_default_timeout(30_000)
        if who:
            context.add_cookies(
                [{"name": name, "value": value, "url": clinic.base_url} for name, value in clinic.cookies(who).items()]
            )
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note)
        return page

    yield sit
    for context in contexts:
        context.close()
    assert faults == []


def workday(clinic: Server, number: int = 0) -> str:
    """A coming workday of the hospital's doctor on which nothing else is booked by these journeys."""
    from datetime import date, timedelta

    day = date.today() + timedelta(days=3 + number)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day.isoformat()


def choose(page: Page, clinic: Server, day: str, nth: int = 0) -> None:
    """From the page of times, choose the nth time of `day` and go on."""
    page.goto(f"/book/time?service={clinic.people['service']}&doctor={clinic.people['doctor']}&from={day}")
    page.locator(f"section[aria-labelledby='slot-{day}'] .slot").nth(nth).click()
    page.get_by_role("button", name="Continue").click()


def book(page: Page, clinic: Server, day: str, nth: int = 0) -> str:
    """Book as a patient would, by clicking. Returns the appointment's id."""
    choose(page, clinic, day, nth)
    page.get_by_role("button", name="Book this time").click()
    page.wait_for_url("**/booked")
    return page.url.split("/")[-2]
