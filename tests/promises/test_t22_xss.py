"""T22: 160 scripts in every text that there is, on every page, in mails and calendar files: none runs.

Every column that can hold a person's words holds all of them at once (`xss.fields` finds the columns, so a new one is
filled by itself). The pages are read as the server sends them, and again in Chromium, where running would show.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import icalendar
import markupsafe
import pytest
from django.core.mail import EmailMessage

from polyclinic.notify import letters
from polyclinic.notify.kinds import KINDS
from polyclinic.notify.models import Delivery
from tests.api.calling import Answer, call
from tests.house import House
from tests.matrix.driving import World
from tests.promises import xss
from tests.server import Server

# Wide, and so on SQLite alone: it takes texts that are longer than their columns, which PostgreSQL does not.
pytestmark = pytest.mark.wide


@pytest.fixture
def world(house: House) -> World:
    found = World(house)
    xss.dwell(found)
    return found


def look(world: World, role: str, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
    headers = dict(world._by_cookie[role])
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return call(method, path, body=body, headers=headers)


def page_of(answer: Answer, told: str) -> xss.Page | None:
    """The page, when it is one; what is no page says so and is not sniffed."""
    kind = answer.headers.get("content-type", "")
    if not kind.startswith("text/html"):
        assert kind or answer.status in (204, 303, 304), told
        return None
    return xss.Page(answer.body.decode())


def test_there_are_enough_and_they_differ() -> None:
    assert len(set(xss.PAYLOADS)) == len(xss.PAYLOADS) >= 150
    assert all(xss.MARK in one for one in xss.PAYLOADS)


def send(world: World, role: str, target: str, form: Any, faults: list[str]) -> xss.Page | None:
    """Send a form with payloads in everything a person could write."""
    sent = urlencode({name: xss.ALL if value is None else value for name, value in form["fields"].items()})
    if form["method"] == "post":
        answer = look(world, role, target, "POST", sent.encode())
    else:
        answer = look(world, role, f"{urlsplit(target).path}?{sent}")
    if answer.status >= 500:
        faults.append(f"{form['method']} {target} as {role}: {answer.status}")
    return page_of(answer, target)


@pytest.mark.wide
def test_t22_every_page_says_them_as_text(world: World) -> None:
    """Each page as sent, with each form on it sent full of payloads: no element, attribute or jump is theirs."""
    faults, said, whole = [], set(), set()
    seen: set[tuple[str, str, str]] = set()
    read: list[tuple[str, str, xss.Page]] = []
    for role, path in xss.sights(world):
        answer = look(world, role, path)
        page = page_of(answer, path)
        if answer.status != 200:
            faults.append(f"{path} as {role}: {answer.status}")
        if page is not None:
            read.append((role, path, page))
    # Forms afterwards: what is sent changes things.
    for role, path, page in list(read):
        for form in page.forms:
            target = form["action"] or path
            kind = (role, form["method"], urlsplit(target).path)
            if kind in seen or "sign-out" in target or None not in form["fields"].values():
                continue
            seen.add(kind)
            again = send(world, role, target, form, faults)
            if again is not None:
                read.append((role, f"{form['method']} {target}", again))
    for role, where, page in read:
        faults += [f"{where} as {role}: {fault}" for fault in page.faults]
        said |= {name for name in world.filled if xss.says(page.text, name)}  # type: ignore[attr-defined]
        whole |= {name for name in world.filled if xss.wholly(page.text, name)}  # type: ignore[attr-defined]
    assert faults == [], "\n".join(faults[:40])
    filled = world.filled  # type: ignore[attr-defined]
    assert filled - said - xss.UNSHOWN.keys() == set(), "filled and seen on no page"
    assert len(whole) > 20
    assert len(seen) > 20


def test_t22_without_escaping_they_would_be_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the same page and the same reader, with the engine's escaping off."""
    path = f"/hospitals/{world.house.facility.slug}"
    page = page_of(look(world, "patient", path), path)
    assert page
    assert page.faults == []
    assert xss.wholly(page.text, "facilities.Facility.name")
    monkeypatch.setattr(markupsafe, "_escape_inner", lambda text: text)
    raw = page_of(look(world, "patient", path), path)
    assert raw
    for fault in ("<script>", "onerror", "<zqx-element>", "<iframe>", "<base>", "href='javascript:"):
        assert any(fault in one for one in raw.faults), fault


@pytest.mark.parametrize(
    "text",
    ["<a href=' JaVaScRiPt:zqx()'>", "<a href=//zqx.invalid>", "<p style=x>", "<p id=zqx>", "<script>1</script>"],
)
def test_the_reader_sees_less_obvious_ones(text: str) -> None:
    assert xss.Page(text).faults


def test_t22_answers_of_the_api_are_no_pages(world: World) -> None:
    for path in (
        "/api/hospitals",
        "/api/doctors",
        "/api/services",
        "/api/appointments",
        f"/api/nothing?{xss.ALL[:90]}",
    ):
        answer = look(world, "patient", path.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E"))
        assert answer.headers["content-type"].split(";")[0] in ("application/json", "application/problem+json"), path
        json.loads(answer.body)


def test_t22_mails_are_plain_text_with_their_own_headers(house: House) -> None:
    for kind in KINDS:
        words = dict.fromkeys(("browser", "place", "factor"), xss.ALL + "\r\nBcc: zqx@example.org\r\n\r\n<script>")
        row = Delivery(kind=kind, to="meera@example.org", detail=words, language="en")
        letter = letters.write(row)
        if letter is None:
            continue
        message = EmailMessage(subject=letter.subject, body=letter.body, to=[row.to]).message()
        assert message.get_content_type() == "text/plain", kind
        assert message["Bcc"] is None
        assert xss.MARK not in str(message["Subject"])


def test_t22_a_calendar_file_holds_one_event_and_says_them_as_text(world: World) -> None:
    answer = look(world, "patient", f"/my/appointments/{world.parts['appointment_id']}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    found = icalendar.Calendar.from_ical(answer.body)
    assert [one.name for one in found.walk()].count("VEVENT") == 1
    assert {one.name for one in found.walk()} <= {"VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT"}
    assert all("ZQX" not in str(name).upper() for part in found.walk() for name in part)


LISTEN = """
window.ran = 0; window.zqx = () => { window.ran += 1; };
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""
INSPECT = """() => {
  const odd = [];
  for (const node of document.querySelectorAll("*")) {
    const tag = node.localName;
    if (tag.includes("zqx") || ["iframe", "object", "embed", "base", "math", "animate"].includes(tag)) odd.push(tag);
    if (tag === "script" && !new URL(node.src || "x:").pathname.startsWith("/static/")) odd.push("script");
    for (const one of node.attributes) {
      if (one.name.startsWith("on") || one.name.includes("zqx")) odd.push(`${tag} ${one.name}`);
      const jump = ["href", "src", "action", "formaction"].includes(one.name);
      if (jump && /^[^a-z]*(javascript|data:text|vbscript)/i.test(one.value))
        odd.push(`${tag} ${one.name}=${one.value.slice(0, 40)}`);
    }
  }
  return {odd, ran: window.ran, broken: window.broken, marks: document.documentElement.textContent.includes("zqx()")};
}"""


@pytest.mark.browser
@pytest.mark.service
def test_t22_nothing_runs_in_chromium() -> None:
    from playwright.sync_api import sync_playwright

    faults, marked, dialogs = [], 0, []
    with Server(seed=False, serve=False) as server:
        told = json.loads(server.python("-m", "tests.promises.xss").splitlines()[-1])
        server.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"]
            )
            by_role: dict[str, list[str]] = {}
            for role, path in told["sights"]:
                by_role.setdefault(role, []).append(path)
            for role, paths in by_role.items():
                context = browser.new_context(base_url=server.base_url)
                context.add_init_script(LISTEN)
                pairs = [one.split("=", 1) for one in told["cookies"][role].split("; ") if one]
                context.add_cookies([{"name": a, "value": b, "url": server.base_url} for a, b in pairs])
                page = context.new_page()
                page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
                for path in paths:
                    if path.endswith((".ics", ".csv", ".pdf")) or "/copy/" in path or path.startswith("/files/"):
                        continue
                    page.goto(path, wait_until="load")
                    found = page.evaluate(INSPECT)
                    marked += found["marks"]
                    if found["odd"] or found["ran"] or found["broken"]:
                        faults.append((role, path, found))
                context.close()
            # Control: where a script may run, it is seen.
            page = browser.new_page()
            page.add_init_script(LISTEN)
            page.goto("data:text/html,<p>x</p>")
            page.set_content(f"<p>{xss.PAYLOADS[1]}</p>")
            page.wait_for_function("window.ran > 0")
            assert page.evaluate(INSPECT)["odd"]
            browser.close()
        assert "content security policy violated" not in server.log()
    assert faults == []
    assert dialogs == []
    assert marked > 30, marked
