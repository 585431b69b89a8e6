"""What scripts add to ordinary pages: held times, forms sent once, drafts, appearance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.ui.puppet import Puppet

pytestmark = pytest.mark.browser


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><title>Page</title><script src="/static/js/prefs.js"></script>'
        '<script type="module" src="/static/js/main.js"></script></head><body data-words-more="more">'
        f'<main id="main" tabindex="-1">{body}</main><div data-announce="polite"></div>'
        '<div data-announce="assertive"></div>'
        "</body></html>"
    )


def _hold(seconds: int) -> str:
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return _page(
        f'<div data-hold data-hold-until="{until}" data-words-left="Kept for {{time}}" data-words-gone="Gone" '
        'data-words-soon="One minute left"><p data-hold-text>Kept</p><form method="post" action="/extend">'
        "<button data-hold-extend>Keep it longer</button></form></div>"
    )


def test_hold_counts_down_and_is_extended_in_place(tab: Page, puppet: Puppet) -> None:
    puppet.pages.update({"/hold": _hold(45), "/extend": _hold(290)})
    tab.goto(puppet.base + "/hold")
    expect(tab.locator("[data-hold-text]")).to_contain_text("Kept for 0:4")
    expect(tab.locator("[data-announce=assertive]")).to_have_text("One minute left")
    button = tab.get_by_role("button", name="Keep it longer")
    with tab.expect_response("**/extend"):
        button.click()
    expect(tab.locator("[data-hold-text]")).to_contain_text("Kept for 4:")
    assert tab.url.endswith("/hold")
    # The first answer must be dealt with: until then a second press is a double click, and sends nothing.
    expect(button).not_to_have_attribute("aria-busy", "true")
    with tab.expect_response("**/extend"):
        button.click()
    expect(tab.locator("[data-hold-text]")).to_contain_text("Kept for 4:")
    assert len(puppet.posts) == 2


def test_hold_that_ran_out_says_so(tab: Page, puppet: Puppet) -> None:
    puppet.pages["/hold"] = _hold(-5)
    tab.goto(puppet.base + "/hold")
    expect(tab.locator("[data-hold-text]")).to_have_text("Gone")


def test_double_click_sends_a_form_once(tab: Page, puppet: Puppet) -> None:
    puppet.pages["/form"] = _page('<form method="post" action="/send"><button>Send</button></form>')
    tab.goto(puppet.base + "/form")
    tab.evaluate("() => { const b = document.querySelector('button'); b.click(); b.click(); }")
    expect(tab).to_have_title("Sent")
    assert len(puppet.posts) == 1


def test_form_can_be_sent_again_after_going_back(tab: Page, puppet: Puppet) -> None:
    """Negative control of the guard above: it holds for one sending, not for ever."""
    puppet.pages["/form"] = _page('<form method="post" action="/send"><button>Send</button></form>')
    tab.goto(puppet.base + "/form")
    tab.get_by_role("button").click()
    expect(tab).to_have_title("Sent")
    tab.go_back()
    tab.get_by_role("button").click()
    expect(tab).to_have_title("Sent")
    assert len(puppet.posts) == 2


DRAFT = (
    '<form method="post" action="/send" data-draft="sign-up"><label>Name<input name="name"></label>'
    '<label>Password<input name="password" type="password"></label><input type="hidden" name="token" value="t">'
    '<label><input type="radio" name="sex" value="female">Female</label><button>Send</button></form>'
)


def test_draft_returns_but_never_a_password(tab: Page, puppet: Puppet) -> None:
    puppet.pages["/form"] = _page(DRAFT)
    tab.goto(puppet.base + "/form")
    tab.get_by_label("Password").fill("correct horse battery")
    tab.get_by_label("Name").fill("Meera")
    tab.get_by_label("Female").check()
    assert "horse" not in tab.evaluate("JSON.stringify({...sessionStorage})")
    tab.goto(puppet.base + "/form")
    expect(tab.get_by_label("Name")).to_have_value("Meera")
    expect(tab.get_by_label("Female")).to_be_checked()
    expect(tab.get_by_label("Password")).to_have_value("")


@pytest.mark.parametrize("end", ["done", "sign-out"])
def test_draft_ends(tab: Page, puppet: Puppet, end: str) -> None:
    puppet.pages["/form"] = _page(DRAFT + '<form method="post" action="/sign-out"><button>Sign out</button></form>')
    puppet.pages["/done"] = _page('<p data-draft-done="sign-up">Done</p>')
    tab.goto(puppet.base + "/form")
    tab.get_by_label("Name").fill("Meera")
    if end == "done":
        tab.goto(puppet.base + "/done")
        expect(tab.get_by_text("Done")).to_be_visible()
    else:
        tab.get_by_role("button", name="Sign out").click()
        expect(tab).to_have_title("Sent")
    tab.goto(puppet.base + "/form")
    expect(tab.get_by_label("Name")).to_have_value("")


def test_what_the_server_filled_in_wins_over_a_draft(tab: Page, puppet: Puppet) -> None:
    puppet.pages["/form"] = _page(DRAFT)
    tab.goto(puppet.base + "/form")
    tab.get_by_label("Name").fill("Draft")
    puppet.pages["/form"] = _page(DRAFT.replace('name="name"', 'name="name" value="Server"'))
    tab.goto(puppet.base + "/form")
    tab.get_by_label("Female").check()
    expect(tab.get_by_label("Name")).to_have_value("Server")
    tab.get_by_role("button", name="Send").click()
    expect(tab).to_have_title("Sent")
    assert parse_qs(puppet.posts[0][1])["name"] == ["Server"]


def test_appearance_is_kept_and_set_before_the_first_paint(tab: Page, context: BrowserContext, puppet: Puppet) -> None:
    radios = '<label><input type="radio" name="t" value="dark" data-pref="theme">Dark</label>'
    puppet.pages["/look"] = _page(radios)
    tab.goto(puppet.base + "/look")
    tab.get_by_label("Dark").check()
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    second = context.new_page()
    second.goto(puppet.base + "/look", wait_until="commit")
    expect(second.locator("html")).to_have_attribute("data-theme", "dark")
    expect(second.get_by_label("Dark")).to_be_checked()


def test_menu_closes_on_escape_and_gives_focus_back(tab: Page, puppet: Puppet) -> None:
    puppet.pages["/menu"] = _page(
        "<details data-menu><summary>Menu</summary><button>Inside</button></details><p>Else</p>"
    )
    tab.goto(puppet.base + "/menu")
    tab.get_by_text("Menu").click()
    tab.get_by_role("button", name="Inside").focus()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("button", name="Inside")).to_be_hidden()
    expect(tab.locator("summary")).to_be_focused()
