"""The outermost layer, asked over a real socket."""

from __future__ import annotations

import http.client

import pytest

from tests.server import Server, server

__all__ = ["server"]
pytestmark = pytest.mark.service


def test_it_says_that_it_is_ready(server: Server) -> None:
    status, _headers, body = server.request("GET", "/health/ready")
    assert (status, body) == (200, b'{"status":"ok","database":"ok","live":"ok"}')


@pytest.mark.parametrize("path", ["/", "/nope", "/api/nope", "/static/css/base.css", "/health", "/my"])
def test_every_answer_carries_the_security_headers(server: Server, path: str) -> None:
    _status, headers, _body = server.request("GET", path)
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-frame-options"] == "DENY"
    assert len(headers["x-request-id"]) == 32


def test_a_body_of_ten_megabytes_is_refused_and_a_small_one_is_not(server: Server) -> None:
    assert server.request("POST", "/api/nope", body=b"x" * 10_000_000)[0] == 413
    assert server.request("POST", "/api/nope", body=b"x" * 1000)[0] == 404


def test_a_foreign_host_name_is_refused(server: Server) -> None:
    assert server.request("GET", "/", headers={"Host": "evil.example"})[0] == 400
    assert server.request("GET", "/", headers={"Host": "localhost"})[0] == 200


def test_a_doctors_page_asks_strangers_to_sign_in_and_lets_the_doctor_in(server: Server) -> None:
    assert server.request("GET", "/doctor")[1]["location"] == "/sign-in?next=%2Fdoctor"
    assert server.request("GET", "/doctor", cookies=server.cookies("doctor"))[0] == 200


@pytest.mark.parametrize("path", ["/", "/nope", "/doctor", "/api/hospitals"])
def test_asking_for_the_headers_alone_gives_those_of_the_page_and_no_body(server: Server, path: str) -> None:
    cookies = server.cookies("doctor")
    status, headers, body = server.request("GET", path, cookies=cookies)
    alone_status, alone, nothing = server.request("HEAD", path, cookies=cookies)
    assert (alone_status, nothing) == (status, b"")
    assert alone["content-type"] == headers["content-type"]
    assert alone["content-length"] == headers["content-length"]
    assert int(alone["content-length"]) > 0
    assert body


def test_the_line_is_whole_after_a_head(server: Server) -> None:
    """A body after the headers would be read as the beginning of the next answer."""
    line = http.client.HTTPConnection("127.0.0.1", server.port)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        line.request(method, "/")
        answer = line.getresponse()
        assert answer.status == 200
        assert bool(answer.read()) is (method == "GET")
    line.close()
