"""T25: every page carries the security headers, safe cookies and forgery protection, and fetches from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.proxied import FORWARDED, PUBLIC_HOST, BehindProxy
from tests.server import Server

pytestmark = pytest.mark.service
HSTS = "strict-transport-security"
YEAR_SECONDS = 365 * 24 * 3600
START = {"": "/", "patient": "/my", "doctor": "/doctor"}
MOST = 120
FETCHED = {"src", "srcset", "poster", "data", "action", "formaction"}


class Reader(HTMLParser):
    """Where a page leads, what it fetches, which of its forms post, and what no strict policy would run."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.inline: list[str] = []
        self.posts = 0
        self.tokens = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "link":
            self.fetched.append(given.get("href", ""))
        self.fetched += [given[name] for name in FETCHED & given.keys()]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.inline.append(tag)
        if tag == "form" and given.get("method", "").lower() == "post":
            self.posts += 1
        if given.get("name") == "csrfmiddlewaretoken":
            self.tokens += 1


def get(server: Server, path: str, cookies: dict[str, str]) -> tuple[int, dict[str, str], str]:
    status, headers, body = server.request("GET", path, cookies=cookies, headers={"Accept": "text/html"})
    return status, headers, body.decode(errors="replace")


def crawl(server: Server, who: str) -> dict[str, tuple[dict[str, str], Reader]]:
    """Every page that can be reached by links, signed in as `who`; one of each kind is enough for lists of ids."""
    cookies = server.cookies(who) if who else {}
    waiting, kinds = [START[who], "/nowhere", "/design", "/api-docs"], set()
    found: dict[str, tuple[dict[str, str], Reader]] = {}
    while waiting and len(found) < MOST:
        path = waiting.pop(0)
        kind = re.sub(r"[0-9a-f-]{36}|\d{4}-\d\d-\d\d|%40.*", "*", path)
        if kind in kinds:
            continue
        kinds.add(kind)
        status, headers, text = get(server, path, cookies)
        assert status < 500, path
        reader = Reader()
        if headers.get("content-type", "").startswith("text/html"):
            reader.feed(text)
        found[path] = (headers, reader)
        for link in reader.links:
            target = urlsplit(link)
            if not target.scheme and not target.netloc and target.path.startswith("/"):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server for this file."""
    with Server() as running:
        yield running


@pytest.fixture(scope="module", params=list(START))
def pages(request: Any, server: Server) -> dict[str, tuple[dict[str, str], Reader]]:
    return crawl(server, request.param)


def test_headers_on_every_page(pages: dict[str, tuple[dict[str, str], Reader]]) -> None:
    assert len(pages) >= 5
    for path, (headers, _reader) in pages.items():
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy, path
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
            assert part in policy, path
        assert "base-uri 'none'" in policy
        assert headers["x-frame-options"] == "DENY", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path


def test_nothing_inline_and_nothing_from_elsewhere(pages: dict[str, tuple[dict[str, str], Reader]]) -> None:
    for path, (_headers, reader) in pages.items():
        assert reader.inline == [], path
        for address in reader.fetched:
            target = urlsplit(address)
            assert not target.netloc, f"{path} fetches {address}"
            assert target.scheme in ("", "data"), f"{path} fetches {address}"


def test_every_posting_form_carries_its_token(pages: dict[str, tuple[dict[str, str], Reader]]) -> None:
    for path, (_headers, reader) in pages.items():
        # The gallery shows forms that lead nowhere.
        if not path.startswith("/design"):
            assert reader.posts <= reader.tokens, path


def test_the_reader_sees_what_is_wrong() -> None:
    """Negative control: a page that breaks each rule is found out."""
    reader = Reader()
    reader.feed('<script>1</script><p style="color:red" onclick="x"><img src="//evil.example/x"><form method="post">')
    assert set(reader.inline) == {"script", "style", "onclick"}
    assert reader.fetched == ["//evil.example/x"]
    assert (reader.posts, reader.tokens) == (1, 0)


def post(server: Server, path: str, fields: dict[str, str], cookies: dict[str, str]) -> int:
    status, _headers, _body = server.request(
        "POST",
        path,
        body=urlencode(fields).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        },
    )
    return status


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("", "/sign-in"),
        ("", "/sign-up"),
        ("patient", "/book/hold"),
        ("patient", "/sign-out"),
        ("doctor", "/doctor/patients"),
    ],
)
def test_a_form_without_its_token_is_refused(server: Server, who: str, path: str) -> None:
    cookies = server.cookies(who) if who else {}
    assert post(server, path, {"email": "x"}, cookies) == 403
    # Negative control: with the token the same request gets past this guard.
    cookies = cookies or {"polyclinic_csrf": server.cookies("patient")["polyclinic_csrf"]}
    assert post(server, path, {"csrfmiddlewaretoken": cookies["polyclinic_csrf"]}, cookies) != 403


def test_cookies_are_out_of_reach(server: Server) -> None:
    _status, headers, _text = get(server, "/sign-in", {})
    assert "samesite=lax" in headers["set-cookie"].lower()
    token = re.search(r"polyclinic_csrf=(\w+)", headers["set-cookie"])
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "email": "meera@example.org", "password": "correct horse battery"}
    status, headers, _body = server.request(
        "POST",
        "/sign-in",
        body=urlencode(fields).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"polyclinic_csrf={token[1]}"},
    )
    assert status == 303
    session = headers["set-cookie"].lower()
    assert "polyclinic_session=" in session
    assert "httponly" in session
    assert "samesite=lax" in session


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[Server]:
    with BehindProxy() as running:
        yield running


# A page, a missing page, the API, its refusal, a live stream's refusal, a health check, a host that is none of ours.
EVERY_KIND = [
    ("GET", "/", {}, 200),
    ("GET", "/nowhere", {}, 404),
    ("GET", "/api/hospitals", {}, 200),
    ("POST", "/api/appointments", {}, 401),
    ("GET", "/live", {}, 401),
    ("GET", "/health/ready", {}, 200),
    ("GET", "/", {"Host": "evil.example"}, 400),
]


@pytest.mark.parametrize(("method", "path", "more", "expected"), EVERY_KIND)
def test_over_https_every_answer_asks_for_https_from_now_on(
    behind_proxy: Server, method: str, path: str, more: dict[str, str], expected: int
) -> None:
    status, headers, _body = behind_proxy.request(method, path, headers={**FORWARDED, **more})
    assert status == expected
    asked = dict(part.strip().partition("=")[::2] for part in headers[HSTS].split(";"))
    assert int(asked["max-age"]) >= YEAR_SECONDS
    assert "includeSubDomains" in asked


def test_over_https_cookies_are_secure(behind_proxy: Server) -> None:
    """Through the proxy a person signs in as usual, and no cookie would ever leave over plain HTTP."""
    _status, headers, _body = behind_proxy.request("GET", "/sign-in", headers=FORWARDED)
    given = headers["set-cookie"]
    token = re.search(r"__Host-polyclinic_csrf=(\w+)", given)
    assert token
    assert "secure" in _attributes(given)
    fields = {"csrfmiddlewaretoken": token[1], "email": "meera@example.org", "password": "correct horse battery"}
    sent = {
        **FORWARDED, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{PUBLIC_HOST}",
        "Cookie": f"__Host-polyclinic_csrf={token[1]}",
    }  # fmt: skip
    body = urlencode(fields).encode()
    status, headers, _body = behind_proxy.request("POST", "/sign-in", body=body, headers=sent)
    assert status == 303
    session = headers["set-cookie"]
    key = re.search(r"__Host-polyclinic_session=(\w+)", session)
    assert key
    assert {"secure", "httponly", "samesite=lax"} <= _attributes(session)
    for cookies in (given, session):
        _only_this_hosts(cookies)
    # Under the name that any neighbour could set, the very same key opens nothing, on pages, in the API and live.
    for path, signed_in, not_so in (("/my", 200, 303), ("/api/auth/me", 200, 401), ("/live", 200, 401)):
        for name, expected in (("__Host-polyclinic_session", signed_in), ("polyclinic_session", not_so)):
            asked = {**FORWARDED, "Cookie": f"{name}={key[1]}"}
            if (path, expected) != ("/live", 200):
                assert behind_proxy.request("GET", path, headers=asked)[0] == expected, (path, name)
    # A form that comes from elsewhere, or from our own name without HTTPS, is refused, token or not.
    for origin in ("https://evil.example", f"http://{PUBLIC_HOST}"):
        assert behind_proxy.request("POST", "/sign-in", body=body, headers={**sent, "Origin": origin})[0] == 403


def test_over_plain_http_nothing_is_asked_that_cannot_be_kept(server: Server) -> None:
    """Negative control; and who is no trusted proxy cannot make us say so either."""
    for headers in ({}, {"X-Forwarded-Proto": "https"}):
        _status, answered, _body = server.request("GET", "/sign-in", headers=headers)
        assert HSTS not in answered
        assert "secure" not in _attributes(answered["set-cookie"])
        # The prefix would be refused there by the browser, and nobody could sign in.
        assert "__Host-" not in answered["set-cookie"]


def _only_this_hosts(cookies: str) -> None:
    """A browser takes a cookie of this prefix only so: secure, for every path and for no other host."""
    for one in re.split(r", (?=[\w-]+=)", cookies):
        if one.startswith("__Host-"):
            parts = {part.strip().lower() for part in one.split(";")[1:]}
            assert {"secure", "path=/"} <= parts, one
            assert not any(part.startswith("domain") for part in parts), one


def _attributes(cookies: str) -> set[str]:
    return {part.strip().lower() for part in re.split("[;,]", cookies)}


def test_signed_in_pages_are_not_kept(server: Server) -> None:
    for who in ("patient", "doctor"):
        assert get(server, START[who], server.cookies(who))[1]["cache-control"] == "no-store"
