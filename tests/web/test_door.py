"""Tokens, cookies, CSRF, reports and bodies at the front door of a real server; PostgreSQL behind it as well."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.house import PASSWORD
from tests.server import CSRF, Server, require_postgres, server

__all__ = ["server"]
pytestmark = pytest.mark.service


def booking(server: Server, nth: int) -> dict[str, str]:
    return {
        "patientId": server.people["patient"], "scheduleId": server.people["schedule"], "starts": server.slots[nth],
    }  # fmt: skip


def code(body: bytes) -> str:
    return str(json.loads(body)["code"])


@pytest.mark.parametrize("header", ["Bearer x", "Bearer a.b.c", "Bearer", "Basic eDp5", "Bearer \xff", "x" * 5000])
def test_a_token_that_is_none_is_401_and_never_anonymous(server: Server, header: str) -> None:
    status, headers, body = server.request(
        "GET", "/api/hospitals", headers={"Authorization": header}, cookies=server.cookies("patient")
    )
    assert (status, code(body)) == (401, "invalid_token")
    assert headers["www-authenticate"] == "Bearer"


def test_a_bearer_token_books_without_csrf_and_ends_with_its_session(server: Server) -> None:
    status, _headers, body = server.request(
        "POST", "/api/auth/login", body={"email": "meera@example.org", "password": PASSWORD}
    )
    assert status == 200, body
    bearer = {"Authorization": f"Bearer {json.loads(body)['accessToken']}"}
    status, _headers, body = server.request("POST", "/api/appointments", body=booking(server, 0), headers=bearer)
    assert status == 201, body
    assert server.request("POST", "/api/auth/logout", body={}, headers=bearer)[0] in {200, 204}
    assert server.request("GET", "/api/appointments", headers=bearer)[0] == 401


def test_a_cookie_caller_must_show_the_csrf_token(server: Server) -> None:
    cookies = server.cookies("patient")
    for header in (
        {"X-CSRFToken": ""},
        {"X-CSRFToken": "x" * 32},
        {"X-CSRFToken": CSRF, "Origin": "https://evil.example"},
    ):
        status, _headers, body = server.request(
            "POST", "/api/appointments", body=booking(server, 1), cookies=cookies, headers=header
        )
        assert (status, code(body)) == (403, "csrf_failed")
    assert server.request("GET", "/api/appointments", cookies=cookies, headers={"X-CSRFToken": ""})[0] == 200
    assert server.request("POST", "/api/appointments", body=booking(server, 1), cookies=cookies)[0] == 201


def test_violation_reports_are_counted_by_directive_and_say_nothing_else(server: Server) -> None:
    report = {"csp-report": {"violated-directive": "script-src 'self'", "document-uri": "http://x/secret-path"}}
    assert server.request("POST", "/csp-report", body=report)[0] == 204
    news = [{"type": "csp-violation", "body": {"effectiveDirective": "forged\nline"}}]
    assert server.request("POST", "/csp-report", body=json.dumps(news).encode())[0] == 204
    assert "content security policy violated: script-src (1 so far)" in server.log()
    assert "content security policy violated: other (1 so far)" in server.log()
    assert "secret-path" not in server.log()
    for junk in (b"", b"{", b"[1]", b'{"a": 1}', b"\xff"):
        assert server.request("POST", "/csp-report", body=junk)[0] == 400
    assert server.request("POST", "/csp-report", body=b"x" * 100_000)[0] == 413
    assert server.request("GET", "/csp-report")[0] == 405


@pytest.mark.parametrize("path", ["/api/appointments", "/sign-in", "/csp-report"])
def test_ten_megabytes_are_refused_everywhere(server: Server, path: str) -> None:
    assert server.request("POST", path, body=b"x" * 10_000_000)[0] == 413


def test_an_id_of_the_caller_comes_back_and_a_strange_one_does_not(server: Server) -> None:
    assert server.request("GET", "/", headers={"X-Request-ID": "trace-me.0001"})[1]["x-request-id"] == "trace-me.0001"
    assert len(server.request("GET", "/", headers={"X-Request-ID": "a b\tc"})[1]["x-request-id"]) == 32


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    require_postgres()
    with Server(postgres=True, env={"WORKER_THREADS": "2"}) as running:
        yield running


@pytest.mark.postgres
def test_postgresql_through_the_bridge_gives_every_connection_back(postgres: Server) -> None:
    cookies = postgres.cookies("patient")
    for _time in range(60):
        # More requests than the pool has connections: one that is kept would starve them.
        assert postgres.request("GET", "/api/appointments", cookies=cookies)[0] == 200
    assert postgres.request("POST", "/api/appointments", body=booking(postgres, 0), cookies=cookies)[0] == 201
    assert postgres.request("POST", "/api/appointments", body=booking(postgres, 0), cookies=cookies)[0] == 409
    assert postgres.request("GET", "/health/ready")[0] == 200
    assert postgres.request("GET", "/doctor", cookies=postgres.cookies("doctor"))[0] == 200
