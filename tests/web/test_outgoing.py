"""Addresses that lead inside are refused in every spelling; what is asked is what was checked."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from polyclinic.core import outgoing
from polyclinic.core.outgoing import NoAnswer, NotAllowed

# From the OWASP cheat sheet on server-side request forgery and from what parsers are known to disagree about.
INSIDE = [
    "http://127.0.0.1/", "https://127.0.0.1/", "https://127.0.0.1:8000/", "https://localhost/", "https://localhost./",
    "https://LOCALHOST/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/",
    "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/", "https://0/", "https://0.0.0.0/",
    "https://[::]/", "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
    "https://[64:ff9b:1::7f00:1]/", "https://[fe80::1]/", "https://[fe80::1%25lo]/", "https://[fc00::1]/",
    "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://10.0.0.1/", "https://172.16.0.1/",
    "https://172.31.255.255/", "https://192.168.0.1/", "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/", "https://2852039166/", "https://169.254.170.2/", "https://[::ffff:169.254.169.254]/",
    "https://100.100.100.200/", "https://168.63.129.16/", "https://192.0.0.192/", "https://100.64.0.1/",
    "https://198.18.0.1/", "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/",
    "https://192.88.99.1/", "https://192.0.2.1/", "https://203.0.113.1/", "https://[2001:db8::1]/",
    "https://[2001:0:7f00:1::]/", "https://[100::1]/",
]  # fmt: skip
UNREADABLE = [
    "", "//example.org/", "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "dict://example.org:11/",
    "https://", "https:///x", "javascript:alert(1)", "https://user@example.org/", "https://user:pw@example.org/",
    "https://example.org@127.0.0.1/", "https://127.0.0.1#@example.org/", "https://example.org\\@127.0.0.1/",
    "https://127.0.0.1\t.example.org/", "https://exa mple.org/", "https://example.org\r\nHost: x/", "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/", "https://example.org:99999/", "https://[::1/", "https://[x]/", "jar:https://example.org!/",
    "http://93.184.216.34/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _strict(settings: Any) -> None:
    settings.DEMO, settings.OUTGOING_ALLOW = False, []


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(NotAllowed):
        outgoing.check(url)


@pytest.mark.parametrize("url", UNREADABLE)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        outgoing.check(url)


@pytest.mark.parametrize("url", ["https://93.184.216.34/a?b=c", "https://[2606:2800:220:1::1]:8443/"])
def test_an_address_outside_is_taken(url: str) -> None:
    target = outgoing.check(url)
    assert target.scheme == "https"
    assert outgoing.public(ipaddress.ip_address(target.address))


def _resolver(*addresses: str) -> Any:
    asked: list[str] = []

    def answer(host: str, port: int, **_more: object) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    answer.asked = asked  # type: ignore[attr-defined]
    return answer


def test_one_address_inside_among_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolver("93.184.216.34", "10.0.0.5"))
    with pytest.raises(NotAllowed):
        outgoing.check("https://two-faced.example/")
    monkeypatch.setattr(socket, "getaddrinfo", _resolver("93.184.216.34"))
    assert outgoing.check("https://two-faced.example/").address == "93.184.216.34"


class Other(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            return
        if self.path == "/slow-head":
            try:
                for sign in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: x\r\n" * 5:
                    self.wfile.write(bytes([sign]))
                    time.sleep(0.05)
            except OSError:
                return
        self.send_response(200)
        self.end_headers()
        if self.path == "/endless":
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                return
        if self.path == "/slow":
            try:
                for _ in range(50):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                return
        self.wfile.write(self.headers["Host"].encode())

    def log_message(self, *_told: object) -> None:
        pass


@pytest.fixture
def other(settings: Any) -> Iterator[int]:
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    service.daemon_threads = True
    thread = threading.Thread(target=service.serve_forever, args=(0.05,))
    thread.start()
    settings.OUTGOING_ALLOW = [f"gateway.example:{service.server_port}", f"127.0.0.1:{service.server_port}"]
    yield service.server_port
    service.shutdown()
    service.server_close()
    thread.join()


def test_the_line_goes_to_the_address_that_was_checked(other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = _resolver("127.0.0.1")
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        return resolver(host, *rest, **more) if host == "gateway.example" else real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    reply = outgoing.request("GET", f"http://gateway.example:{other}/x")
    assert (reply.status, reply.body) == (200, f"gateway.example:{other}".encode())
    assert resolver.asked == ["gateway.example"]  # once: a name that changes its mind is not asked again


def test_a_redirect_is_told_and_not_followed(other: int) -> None:
    reply = outgoing.request("GET", f"http://127.0.0.1:{other}/redirect")
    assert (reply.status, reply.headers["location"]) == (302, "http://169.254.169.254/")
    with pytest.raises(NotAllowed):
        outgoing.request("GET", reply.headers["location"])


def test_size_and_time_have_an_end(other: int) -> None:
    with pytest.raises(NoAnswer, match="too long"):
        outgoing.request("GET", f"http://127.0.0.1:{other}/endless", most_bytes=100_000)
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        outgoing.request("GET", f"http://127.0.0.1:{other}/slow", seconds=0.3)
    assert time.monotonic() - began < 1.5
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        outgoing.request("GET", f"http://127.0.0.1:{other}/slow-head", seconds=0.3)
    assert time.monotonic() - began < 1.5


def test_only_what_the_administrator_named_is_let_inside(other: int, settings: Any) -> None:
    assert outgoing.request("GET", f"http://127.0.0.1:{other}/").status == 200
    with pytest.raises(NotAllowed):
        outgoing.request("GET", "http://127.0.0.1:1/")
    settings.OUTGOING_ALLOW = []
    with pytest.raises(NotAllowed):
        outgoing.request("GET", f"http://127.0.0.1:{other}/")
