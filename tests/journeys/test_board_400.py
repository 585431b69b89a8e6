"""The desk's board with 400 people on it: what changes is one row, fetched alone, and nobody else's is touched.

How long it takes is measured by `python -m bench board`; here nothing is timed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Request, expect

from tests.journeys.conftest import Desk
from tests.journeys.test_two_browsers import MOST
from tests.server import CSRF, Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
ROWS = 400
# Keeps every row it saw, to tell afterwards which of them are still the same nodes.
REMEMBER = "() => { window.before = new Map([...document.querySelectorAll('tr[data-live-row]')].map(r => [r.id, r])); }"
REPLACED = """() => [...document.querySelectorAll('tr[data-live-row]')]
    .filter(row => window.before.get(row.id) !== row).map(row => row.id)"""


@pytest.fixture(scope="module")
def clinic() -> Iterator[Server]:
    with Server() as running:
        yield running


def test_one_change_replaces_one_row_of_four_hundred(desk: Desk, clinic: Server) -> None:
    visits = json.loads(clinic.python("-m", "tests.many_visits", str(ROWS)))
    board = desk("receptionist")
    # Patience, not a promise: this page is the longest there is, and the machine may be busy.
    board.goto("/reception", timeout=60_000)
    expect(board.locator("[data-connection]")).to_have_text("Live", timeout=60_000)
    rows = board.locator("tr[data-live-row]")
    expect(rows).to_have_count(ROWS)
    board.evaluate(REMEMBER)
    fetched: list[str] = []

    def note(request: Request) -> None:
        fetched.append(request.url.removeprefix(clinic.base_url).partition("?")[0])

    board.on("request", note)
    chosen = visits[200]
    session = clinic.session("receptionist")
    cookies = {"polyclinic_session": session, "polyclinic_csrf": CSRF}
    body = {"action": "leave", "reason": "Went home"}
    status, _headers, _answer = clinic.request("PUT", f"/api/visits/{chosen}/status", body=body, cookies=cookies)
    assert status == 200
    expect(rows).to_have_count(ROWS - 1, timeout=MOST)
    other = visits[17]
    urgent = {"priority": "urgent"}
    status, _headers, _answer = clinic.request("PUT", f"/api/visits/{other}/priority", body=urgent, cookies=cookies)
    assert status == 200
    expect(board.locator(f"#visit-{other}")).to_contain_text("Urgent", timeout=MOST)
    # It went to the head of the queue, and every other row is the node it was.
    assert board.evaluate("() => document.querySelector('tr[data-live-row]').id") == f"visit-{other}"
    assert board.evaluate(REPLACED) == [f"visit-{other}"]
    # Only those two rows were asked for; the whole board never.
    assert {path for path in fetched if path.startswith("/reception/row/")} == {
        f"/reception/row/{chosen}", f"/reception/row/{other}"
    }  # fmt: skip
    assert "/reception" not in fetched
