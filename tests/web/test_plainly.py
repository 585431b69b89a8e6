"""Behind a proxy that says a request came over plain HTTP: people are sent on to HTTPS, programs are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.house import PASSWORD
from tests.proxied import FORWARDED, PUBLIC_HOST, BehindProxy
from tests.server import CSRF, Server, server

__all__ = ["server"]
pytestmark = pytest.mark.service
PLAIN = {**FORWARDED, "X-Forwarded-Proto": "http"}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[Server]:
    with BehindProxy() as running:
        yield running


@pytest.mark.parametrize(
    "address",
    ["/", "/sign-in?next=%2Fmy", "/doctors?q=Dr%20M%C3%BCller&day=2030-01-01", "/nowhere/%0d%0aX-Evil:1", "//x"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_is_sent_on_to_the_same_address(behind_proxy: Server, method: str, address: str) -> None:
    status, headers, body = behind_proxy.request(method, address, headers={**PLAIN, **PAGE})
    assert (status, body) == (308, b"")
    assert headers["location"] == f"https://{PUBLIC_HOST}{address}"
    # Kept by a cache it would send people round in a circle; and a promise of HTTPS counts over HTTPS alone.
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers
    assert "set-cookie" not in headers
    assert behind_proxy.request(method, address, headers={**FORWARDED, **PAGE})[0] in {200, 404}


def test_a_name_that_is_not_ours_is_refused_and_never_led_to(behind_proxy: Server) -> None:
    status, headers, _body = behind_proxy.request("GET", "/", headers={**PLAIN, **PAGE, "Host": "evil.example"})
    assert status == 400
    assert "location" not in headers


REFUSED = [
    ("GET", "/api/hospitals", {}),
    ("GET", "/api/appointments", {}),
    ("OPTIONS", "/api/appointments", {}),
    ("DELETE", "/api/appointments/x", {}),
    ("GET", "/api/appointments/stream", {}),
    ("GET", "/live", {"Accept": "text/event-stream"}),
    ("GET", "/socket.io/?EIO=4&transport=polling", {}),
    ("GET", "/socket.io/?EIO=4&transport=websocket", UPGRADE),
    ("GET", "/.well-known/jwks.json", {}),
    ("GET", "/doctors", {"Authorization": "Bearer x.y.z"}),
    ("GET", "/doctors", {"Accept": "application/json"}),
    ("POST", "/csp-report", {}),
    ("POST", "/sign-in", {}),
]


@pytest.mark.parametrize(("method", "address", "more"), REFUSED)
def test_what_is_no_page_is_refused(behind_proxy: Server, method: str, address: str, more: dict[str, str]) -> None:
    status, headers, body = behind_proxy.request(method, address, headers={**PLAIN, **more})
    assert status == 403
    assert "location" not in headers
    # A socket that was never opened has no body to say it in.
    assert ("Upgrade" in more) != (b"plain HTTP" in body)
    # Negative control: over HTTPS it is not for this that it is refused.
    if "Upgrade" in more:
        assert behind_proxy.request(method, address, headers={**FORWARDED, **more})[0] == 101
    elif not address.endswith("/stream") and address != "/live":
        _status, _headers, body = behind_proxy.request(method, address, headers={**FORWARDED, **more})
        assert b"plain HTTP" not in body


def test_a_booking_over_plain_http_is_told_why_and_not_made(behind_proxy: Server) -> None:
    cookies = {f"__Host-{name}": value for name, value in behind_proxy.cookies("patient").items()}
    booking = {
        "patientId": behind_proxy.people["patient"], "scheduleId": behind_proxy.people["schedule"],
        "starts": behind_proxy.slots[0],
    }  # fmt: skip
    sent = {"X-CSRFToken": CSRF, "Origin": f"https://{PUBLIC_HOST}", "Referer": f"https://{PUBLIC_HOST}/"}
    for spelling in ("http", "HTTP", "http, https", "ws"):
        over = {**PLAIN, **sent, "X-Forwarded-Proto": spelling}
        status, headers, body = behind_proxy.request(
            "POST", "/api/appointments", body=booking, cookies=cookies, headers=over
        )
        problem = json.loads(body)
        assert (status, headers["content-type"]) == (403, "application/problem+json")
        assert (problem["code"], problem["type"]) == ("https_required", "urn:polyclinic:problem:https_required")
        assert "change a password, token or key" in problem["detail"]
    made = behind_proxy.request(
        "POST", "/api/appointments", body=booking, cookies=cookies, headers={**FORWARDED, **sent}
    )
    # Had one of the four been done, this time would be taken.
    assert made[0] == 201, made[2]


def test_a_password_over_plain_http_signs_nobody_in(behind_proxy: Server) -> None:
    fields = {"csrfmiddlewaretoken": CSRF, "email": "meera@example.org", "password": PASSWORD}
    sent = {
        **PAGE, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{PUBLIC_HOST}",
        "Cookie": f"__Host-polyclinic_csrf={CSRF}",
    }  # fmt: skip
    body = urlencode(fields).encode()
    status, headers, text = behind_proxy.request("POST", "/sign-in", body=body, headers={**PLAIN, **sent})
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b"plain HTTP" in text
    assert "set-cookie" not in headers
    status, headers, _text = behind_proxy.request("POST", "/sign-in", body=body, headers={**FORWARDED, **sent})
    assert status == 303
    assert "__Host-polyclinic_session=" in headers["set-cookie"]


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/api/health"])
def test_health_is_told_either_way(behind_proxy: Server, path: str) -> None:
    """A balancer asks by plain HTTP, and needs to know whether the process lives."""
    for headers in (PLAIN, FORWARDED, {}):
        assert behind_proxy.request("GET", path, headers=headers)[0] == 200


def test_where_plain_http_is_the_public_address_nothing_is_sent_on(server: Server) -> None:
    """A machine for trying out has no HTTPS to send anybody to."""
    said = {"X-Forwarded-Proto": "http"}
    assert server.request("GET", "/", headers={**PAGE, **said})[0] == 200
    assert server.request("GET", "/api/hospitals", headers=said)[0] == 200


def test_without_a_word_of_a_proxy_nothing_is_sent_on(behind_proxy: Server) -> None:
    """Whoever asks from this machine itself, past the proxy, is no browser of the world."""
    assert behind_proxy.request("GET", "/api/hospitals")[0] == 200
    assert behind_proxy.request("GET", "/", headers={"X-Forwarded-Proto": "https"})[0] == 200
