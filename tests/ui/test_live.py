"""Live pages in a real browser: rows come, change, move and go; cuts lose nothing; focus is left alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.ui.puppet import Puppet, page, row

pytestmark = pytest.mark.browser


def _open(tab: Page, puppet: Puppet, rows: str = "", more: str = "", cursor: int = 0) -> None:
    puppet.pages["/day"] = page(rows, more=more, cursor=cursor)
    tab.goto(puppet.base + "/day")
    expect(tab.locator("[data-connection]")).to_have_text("Live")


def _numbers(tab: Page) -> list[str]:
    return tab.locator("tbody tr td:first-child").all_text_contents()


def test_row_is_inserted_in_order_changed_and_removed(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet, row(1, "one") + row(3, "three"))
    puppet.rows["2"] = row(2, "two")
    puppet.publish("appointment.booked", appointmentId="2")
    expect(tab.locator("#appointment-2 .text")).to_have_text("two")
    assert _numbers(tab) == ["1", "2", "3"]
    puppet.rows["2"] = row(2, "later", sort="9")
    puppet.publish("appointment.rescheduled", appointmentId="2")
    expect(tab.locator("#appointment-2 .text")).to_have_text("later")
    assert _numbers(tab) == ["1", "3", "2"]
    puppet.rows["2"] = ""
    puppet.publish("appointment.cancelled", appointmentId="2")
    expect(tab.locator("#appointment-2")).to_have_count(0)


def test_other_types_are_left_alone(tab: Page, puppet: Puppet) -> None:
    """Negative control of the type filter: the first event is ignored, the second one is not."""
    _open(tab, puppet)
    puppet.rows["5"] = row(5, "five")
    puppet.rows["6"] = row(6, "six")
    puppet.publish("schedule.changed", appointmentId="5")
    puppet.publish("appointment.booked", appointmentId="6")
    expect(tab.locator("#appointment-6")).to_be_visible()
    expect(tab.locator("#appointment-5")).to_have_count(0)


def test_empty_sentence_goes_with_the_first_row_and_returns_after_the_last(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet, row(1, "one"))
    puppet.publish("appointment.cancelled", appointmentId="1")
    expect(tab.get_by_text("Nothing today")).to_be_visible()
    puppet.rows["1"] = row(1, "again")
    puppet.publish("appointment.booked", appointmentId="1")
    expect(tab.get_by_text("Nothing today")).to_be_hidden()


def test_row_in_focus_stays_put_and_follows_after_blur(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet, row(1, "one") + row(2, "two"))
    tab.get_by_role("button", name="Act 1").focus()
    puppet.rows["1"] = row(1, "moved", sort="9")
    puppet.publish("appointment.rescheduled", appointmentId="1")
    expect(tab.locator("#appointment-1 .text")).to_have_text("moved")
    expect(tab.locator("#appointment-1")).to_contain_text("Updated")
    expect(tab.get_by_role("button", name="Act 1")).to_be_focused()
    assert _numbers(tab) == ["1", "2"]
    tab.get_by_role("button", name="Act 2").focus()
    expect(tab.locator("tbody tr:last-child")).to_have_id("appointment-1")
    expect(tab.locator("#appointment-1")).not_to_contain_text("Updated")
    expect(tab.get_by_role("button", name="Act 2")).to_be_focused()


def test_focus_goes_to_the_next_row_when_its_row_is_removed(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet, row(1, "one") + row(2, "two"))
    tab.get_by_role("button", name="Act 1").focus()
    puppet.publish("appointment.cancelled", appointmentId="1")
    expect(tab.get_by_role("button", name="Act 2")).to_be_focused()


def test_cut_line_is_taken_up_where_it_broke(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet)
    for number in range(1, 6):
        puppet.rows[str(number)] = row(number, "x")
    puppet.publish("appointment.booked", appointmentId="1")
    expect(tab.locator("tbody tr")).to_have_count(1)
    puppet.cut()
    for number in range(2, 6):
        puppet.append_quietly("appointment.booked", appointmentId=str(number))
    expect(tab.locator("tbody tr")).to_have_count(5)
    assert puppet.opened[-1].endswith("cursor=1")


def test_poll_when_the_stream_will_not_open(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet)
    puppet.refuse = 503
    puppet.cut()
    puppet.rows["1"] = row(1, "x")
    puppet.append_quietly("appointment.booked", appointmentId="1")
    expect(tab.locator("#appointment-1")).to_be_visible(timeout=15_000)
    expect(tab.locator("[data-connection]")).to_have_text("Live, every few seconds")
    assert puppet.polls >= 1


def test_lost_session_is_said_and_not_hammered(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet)
    puppet.refuse = 401
    puppet.cut()
    expect(tab.locator("[data-connection]")).to_have_text("Signed out")
    tries = len(puppet.opened)
    tab.wait_for_timeout(1500)
    assert len(puppet.opened) == tries


def test_offline_says_since_when_and_heals(tab: Page, context: BrowserContext, puppet: Puppet) -> None:
    _open(tab, puppet)
    context.set_offline(True)
    expect(tab.locator("[data-connection]")).to_contain_text("Offline – as of")
    puppet.rows["1"] = row(1, "x")
    puppet.append_quietly("appointment.booked", appointmentId="1")
    context.set_offline(False)
    expect(tab.locator("#appointment-1")).to_be_visible(timeout=15_000)
    expect(tab.locator("[data-connection]")).to_have_text("Live")


def test_coming_online_after_a_long_cut_opens_the_stream_at_once(
    tab: Page, context: BrowserContext, puppet: Puppet
) -> None:
    """By then the next try lies far ahead; whoever has a line again does not wait for it."""
    tab.clock.install()
    _open(tab, puppet)
    context.set_offline(True)
    for _try in range(10):
        tab.clock.run_for(10_000)
        tab.wait_for_timeout(50)
    expect(tab.locator("[data-connection]")).to_contain_text("Offline")
    opened = len(puppet.opened)
    context.set_offline(False)
    expect(tab.locator("[data-connection]")).to_have_text("Live", timeout=4000)
    assert len(puppet.opened) == opened + 1


def test_resync_fetches_the_live_parts_anew(tab: Page, puppet: Puppet) -> None:
    _open(tab, puppet, row(1, "old"))
    puppet.pages["/day"] = page(row(1, "new") + row(2, "two"))
    puppet.resync = True
    puppet.cut()
    expect(tab.locator("#appointment-1 .text")).to_have_text("new")
    expect(tab.locator("#appointment-2")).to_be_visible()


def test_tabs_share_one_stream_and_the_next_takes_over(tab: Page, context: BrowserContext, puppet: Puppet) -> None:
    _open(tab, puppet)
    second = context.new_page()
    _open(second, puppet)
    assert len(puppet.opened) == 1
    for number in (1, 2):
        puppet.rows[str(number)] = row(number, "x")
    puppet.publish("appointment.booked", appointmentId="1")
    expect(tab.locator("#appointment-1")).to_be_visible()
    expect(second.locator("#appointment-1")).to_be_visible()
    tab.goto("about:blank")
    expect(second.locator("[data-connection]")).to_have_text("Live")
    puppet.publish("appointment.booked", appointmentId="2")
    expect(second.locator("#appointment-2")).to_be_visible()


def test_second_tab_gets_what_came_between_its_page_and_its_listening(
    tab: Page, context: BrowserContext, puppet: Puppet
) -> None:
    _open(tab, puppet)
    puppet.rows["1"] = row(1, "x")
    puppet.publish("appointment.booked", appointmentId="1")
    expect(tab.locator("#appointment-1")).to_be_visible()
    second = context.new_page()
    # Its page was rendered at position 0; the holder of the stream is at 1 and will not say it again.
    _open(second, puppet, cursor=0)
    expect(second.locator("#appointment-1")).to_be_visible()


def test_region_is_replaced_and_keeps_the_choice(tab: Page, puppet: Puppet) -> None:
    def region(times: str) -> str:
        radios = "".join(f'<label><input type="radio" name="slot" value="{t}">{t}</label>' for t in times.split())
        return (
            '<div data-live-region data-live-types="availability." data-live-match="doctorId:7" '
            f'data-live-src="/row/slots">{radios}</div>'
        )

    _open(tab, puppet, more=region("09:00 09:20"))
    tab.get_by_label("09:20").check()
    puppet.rows["slots"] = region("09:20 09:40")
    puppet.publish("availability.changed", doctorId="8")
    puppet.publish("availability.changed", doctorId="7")
    expect(tab.get_by_label("09:40")).to_be_visible()
    expect(tab.get_by_label("09:20")).to_be_checked()
    expect(tab.get_by_label("09:20")).to_be_focused()


def test_toast_is_shown_and_announced(tab: Page, puppet: Puppet) -> None:
    wish = (
        '<div hidden data-live-toast="patient.attached" data-words="A new patient." '
        'data-href="/patients/{patientId}" data-link="Open"></div>'
    )
    _open(tab, puppet, more=wish)
    puppet.publish("patient.attached", patientId="4")
    expect(tab.locator(".toast a")).to_have_attribute("href", "/patients/4")
    expect(tab.locator("[data-announce=polite]")).to_contain_text("A new patient.")
    tab.get_by_role("button", name="Dismiss").click()
    expect(tab.locator(".toast")).to_have_count(0)
