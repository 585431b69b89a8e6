"""Sign-ins have threads of their own and a short queue: who cannot be served soon is told so at once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from polyclinic.people.hashing import Busy
from polyclinic.web import doors
from polyclinic.web.doors import Doors, for_passwords


@pytest.mark.parametrize(
    ("method", "path", "there"),
    [
        ("POST", "/sign-in", True), ("POST", "/sign-up", True), ("POST", "/api/auth/login", True),
        ("POST", "/api/v1/auth/login", True), ("POST", "/password/reset/a/b", True), ("POST", "/account/email", True),
        ("POST", "/step-up", True), ("GET", "/sign-in", False), ("POST", "/api/auth/logout", False),
        ("POST", "/api/appointments", False), ("POST", "/account/session", False), ("POST", "/sign-out", False),
    ],
)  # fmt: skip
def test_what_may_hash_goes_there_and_nothing_else(method: str, path: str, there: bool) -> None:
    assert for_passwords({"method": method, "path": path}) is there


SCOPE: dict[str, Any] = {
    "method": "POST", "path": "/sign-in", "query_string": b"", "http_version": "1.1", "headers": [],
}  # fmt: skip


def test_too_many_waiting_and_too_late_are_both_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "MOST_WAITING", 4)
    monkeypatch.setattr(doors, "PATIENCE_SECONDS", 0.05)
    go_on = threading.Event()

    class Slow:
        def get_response(self, _request: HttpRequest) -> HttpResponse:
            go_on.wait(5)
            return HttpResponse("in")

    async def run() -> list[Any]:
        house = Doors()
        try:
            tasks = [asyncio.create_task(house.run(Slow(), SCOPE, b"", "id", lambda _told: b"")) for _ in range(6)]
            await asyncio.sleep(0.2)
            go_on.set()
            return await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            house.close()

    ended = asyncio.run(run())
    # Those inside are served, those whose turn came too late and those who found the queue full are not.
    served = [one for one in ended if not isinstance(one, BaseException)]
    assert len(served) == doors.AT_ONCE + 1
    assert all(isinstance(one, Busy) for one in ended if isinstance(one, BaseException))
    assert len(ended) == 6
