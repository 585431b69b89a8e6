"""What only a running server can show: bodies beyond the limit and what is answered without Django."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.server import Server

pytestmark = pytest.mark.service
TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_a_body_of_ten_megabytes_is_refused(running: Server) -> None:
    body = b'{"reason": "' + b"x" * TEN_MEGABYTES + b'"}'
    cookies = running.cookies("patient")
    total = running.request("GET", "/api/appointments", cookies=cookies)[2]
    headers = {"Content-Type": "application/json"}
    try:
        status, got, told = running.request("POST", "/api/appointments", body=body, headers=headers, cookies=cookies)
    except (BrokenPipeError, ConnectionResetError):
        # Refused while still sending: the server need not read what it will not take.
        pass
    else:
        assert (status, got["content-type"]) == (413, "application/problem+json")
        assert json.loads(told)["code"] == "body_too_large"
    assert running.request("GET", "/api/appointments", cookies=cookies)[2] == total


def test_a_body_just_within_the_limit_is_read(running: Server) -> None:
    """Negative control: two megabytes of spaces before a booking that names nothing are read, and refused for it."""
    body = b" " * (2 * 1024 * 1024 - 2) + b"{}"
    headers = {"Content-Type": "application/json"}
    status, _headers, told = running.request(
        "POST", "/api/appointments", body=body, headers=headers, cookies=running.cookies("patient")
    )
    assert (status, json.loads(told)["field"]) == (422, "scheduleId")


def test_health_is_answered_to_anyone(running: Server) -> None:
    status, _headers, told = running.request("GET", "/api/health")
    assert (status, json.loads(told)["status"]) == (200, "ok")


def test_a_path_that_is_no_text_is_not_found(running: Server) -> None:
    status, headers, _told = running.request("GET", "/api/appointments/%ff%00")
    assert (status, headers["content-type"]) in [(401, "application/problem+json"), (404, "application/problem+json")]
