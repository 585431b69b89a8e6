"""A partner is told of a booking while an administrator watches; it fails, is switched off, and gets it later."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, book, workday
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server
from tests.webhooks.receiver import Receiver, receiving

pytestmark = [pytest.mark.browser, pytest.mark.service]


@pytest.fixture(scope="module")
def partner() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def clinic(partner: Receiver) -> Iterator[Server]:
    """A server that may ask the partner, who is on this machine."""
    with Server(env={"OUTGOING_ALLOW": f"127.0.0.1:{partner.port}", "DEMO": "yes"}) as running:
        yield running


def test_a_partner_is_told_fails_and_is_told_again(clinic: Server, partner: Receiver, desk: Desk) -> None:
    boss, patient = desk("admin"), desk("patient")
    boss.goto("/admin/keys")
    boss.get_by_role("link", name="Webhooks").click()
    picture(boss, "webhooks-none")
    boss.get_by_role("link", name="Register a webhook").first.click()
    boss.get_by_label("Which system is it?").fill("City laboratory")
    boss.get_by_label("Its address").fill("https://10.0.0.8/hook")
    boss.get_by_role("group", name="Appointments").get_by_label("Booked").check()
    boss.get_by_role("button", name="Register").click()
    expect(boss.locator("#url-error")).to_contain_text("not on the open internet")
    boss.get_by_label("Its address").fill(partner.url)
    boss.get_by_role("button", name="Register").click()
    secret = boss.locator("#new-key").inner_text()
    picture(boss, "webhook-secret")
    boss.get_by_role("link", name="Open the webhook").click()

    boss.get_by_role("button", name="Send a test").click()
    mark(live(boss))
    rows = boss.get_by_role("table", name="What is sent").locator("tbody tr")
    expect(rows.filter(has_text="webhook.test").get_by_text("Delivered")).to_be_visible(timeout=MOST)
    assert partner.taken[0].signed_with(secret)

    partner.answer = lambda _got: 410
    made = book(patient, clinic, workday(clinic))
    told = rows.filter(has_text="appointment.booked")
    expect(told.get_by_text("Given up")).to_be_visible(timeout=MOST)
    expect(boss.locator("dl.summary").get_by_text("Switched off")).to_be_visible(timeout=MOST)
    assert unbroken(boss)
    boss.reload()
    picture(boss, "webhook-dead")

    partner.answer = lambda _got: 204
    boss.get_by_role("button", name="Switch on").click()
    expect(boss.locator("dl.summary").get_by_text("Sending")).to_be_visible(timeout=MOST)
    told.get_by_role("button", name=re.compile("Send again")).click()
    expect(boss.get_by_text("The message is sent once more.")).to_be_visible(timeout=MOST)
    mark(live(boss))
    expect(told.get_by_text("Delivered")).to_be_visible(timeout=MOST)
    first, again = [got for got in partner.got if got.told["type"] == "appointment.booked"]
    assert first.name == again.name
    assert again.told["data"]["appointmentId"] == made
    assert again.signed_with(secret)
    picture(boss, "webhook")
    boss.set_viewport_size({"width": 390, "height": 844})
    boss.emulate_media(color_scheme="dark")
    picture(boss, "webhook-phone")
    assert boss.evaluate("document.documentElement.scrollWidth") <= 390
    boss.goto("/admin/jobs")
    expect(boss.get_by_role("table", name="By itself").get_by_text("send webhooks")).to_be_visible()
    picture(boss, "jobs-phone")
    assert boss.evaluate("document.documentElement.scrollWidth") <= 390
    boss.set_viewport_size({"width": 1280, "height": 900})
    boss.emulate_media(color_scheme="light")
    picture(boss, "jobs")
