"""What an installation gives away about itself, and whom it believes about where callers come from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxied import FORWARDED, BehindProxy
from tests.server import Server, server

__all__ = ["server"]
pytestmark = pytest.mark.service
HIDDEN = [
    ".git/HEAD", ".git/config", ".svn/entries", ".env", "pyproject.toml", "secret.key", "polyclinic.sqlite3",
    "keys/master.json", "server.log", "polyclinic/settings/base.py", "static/../pyproject.toml",
    "static/%2e%2e/%2e%2e/.git/HEAD",
    "static/..%2f..%2fsecret.key", "static//etc/passwd", "files/../secret.key", "static/.stamp", "static/.collected",
]  # fmt: skip


@pytest.mark.parametrize("path", HIDDEN)
def test_nothing_of_the_source_and_of_the_data_folder_is_served(server: Server, path: str) -> None:
    """The server of these tests runs in the source tree itself, so there is something to find."""
    status, _headers, body = server.request("GET", f"/{path}")
    assert status in {400, 404}, path
    for sign in (b"ref:", b"[core]", b"SQLite format", b"[project]", b"root:"):
        assert sign not in body


@pytest.fixture(scope="module")
def limited() -> Iterator[Server]:
    """Behind a proxy, with limits."""
    with BehindProxy(env={"RATE_LIMITS": "yes"}) as running:
        yield running


@pytest.fixture(scope="module")
def alone() -> Iterator[Server]:
    """Without a proxy, with limits."""
    with Server(env={"RATE_LIMITS": "yes"}) as running:
        yield running


def let_in(server: Server, headers: list[dict[str, str]]) -> int:
    """How many of these are answered before the limit of one place is used up."""
    asked = [server.request("GET", "/verify/x", headers=one)[0] for one in headers]
    return sum(status == 404 for status in asked)


def test_a_forged_address_does_not_make_one_caller_many(alone: Server) -> None:
    """Without a proxy that it was told of, the server believes nobody about where they are."""
    forged = [{"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}", "Forwarded": f"for=198.51.100.{n}"}
              for n in range(140)]  # fmt: skip
    assert let_in(alone, forged) <= 125


def test_behind_the_proxy_each_caller_is_counted_by_what_the_proxy_saw(limited: Server) -> None:
    one = [{**FORWARDED, "X-Forwarded-For": "198.51.100.1"} for _ in range(140)]
    assert let_in(limited, one) <= 125
    # Another is not slowed down by it; and what the first caller claims before the proxy's own word changes nothing.
    assert let_in(limited, [{**FORWARDED, "X-Forwarded-For": "198.51.100.2"}]) == 1
    claimed = [{**FORWARDED, "X-Forwarded-For": f"192.0.2.{n}, 198.51.100.1"} for n in range(20)]
    assert let_in(limited, claimed) <= 5
