"""A list of patients comes in while a manager watches, and the front desk finds one of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
_GOOD = "".join(f"Imported{chr(97 + n % 26)}{n};Given{n};{1940 + n}-03-0{n % 9 + 1};f\n" for n in range(60))
LIST = f"Who;First name;DOB;Gender\nQuartz;Opal;1984-02-29;f\nNovak;Petr;1984-02-30;m\nAdeyemi;;1990-01-01;m\n{_GOOD}"


def test_a_list_comes_in_and_the_desk_finds_who_was_on_it(clinic: Server, desk: Desk) -> None:
    boss, front = desk("manager"), desk("receptionist")
    front.goto("/reception/find")
    mark(front)
    boss.goto("/imports")
    boss.get_by_label("File").set_input_files(
        {"name": "patients.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
    )  # fmt: skip
    boss.get_by_role("button", name="Upload").click()
    expect(boss.get_by_text("columns parted by: Semicolon")).to_be_visible()
    # One heading says nothing: the manager does.
    boss.get_by_label("Family name").select_option(label="Who")
    picture(boss, "import-columns")
    boss.get_by_role("button", name="Check all rows").click()
    mark(live(boss))
    wrong = boss.get_by_role("table", name="Wrong rows")
    expect(wrong.get_by_text("This is no date as the file writes them.")).to_be_visible(timeout=MOST)
    expect(wrong.get_by_text("Nothing stands here, and it is needed.")).to_be_visible()
    boss.get_by_label("Leave out 2 wrong rows").check(timeout=MOST)
    picture(boss, "import-checked")
    assert unbroken(boss)
    boss.get_by_role("button", name="Import 61 rows").click()
    mark(live(boss))
    expect(boss.locator(".kpi").filter(has_text="Are in").locator("dd")).to_have_text("61", timeout=60_000)
    expect(boss.locator("#far").locator("xpath=../..").get_by_text("Imported")).to_be_visible()
    assert unbroken(boss)
    picture(boss, "import-done")

    box = front.get_by_role("searchbox").or_(front.get_by_role("textbox")).first
    box.fill("Quartz")
    box.press("Enter")
    expect(front.locator("bdi", has_text="QUARTZ, Opal")).to_be_visible(timeout=MOST)
