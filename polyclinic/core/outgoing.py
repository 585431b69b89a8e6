"""Asking other machines, at addresses that somebody typed in.

An address may name this machine, its neighbours or the cloud's own service, in a dozen spellings. So a name is resolved
once, every answer is checked, and the line goes to the very address that was checked. Nothing is followed, and size and
time have an end. Local gateways are named in the setting OUTGOING_ALLOW.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

MOST_BYTES: Final = 1 << 20
MOST_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 5.0
_PART: Final = 1 << 16
_PORTS: Final = {"http": 80, "https": 443}
# What no other machine on the internet has; `is_global` alone leaves out some of what can lead back inside.
_NEVER: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24",
        "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/23", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(ValueError):
    """The address is not one that this server asks. The message says why and names no address inside."""


class NoAnswer(OSError):
    """The other side does not answer, not in time, or too much."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. A redirect is an answer like any other: `headers["location"]` says where to."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked: the line goes to `address` and to nothing else."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def check(url: str) -> Target:
    """Where `url` leads, or NotAllowed. Resolves the name; call it when the address is typed in and at each use."""
    # Browsers and libraries disagree about blanks, backslashes and controls in an address; none has to be there.
    if not url.isascii() or any(sign <= " " or sign in '\\"<>^`{|}' for sign in url):
        raise NotAllowed("the address contains signs that do not belong there")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise NotAllowed("the address cannot be read") from None
    if parts.scheme not in _PORTS or not host:
        raise NotAllowed("the address must begin with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("the address must not contain a name or password")
    port = port or _PORTS[parts.scheme]
    allowed = _named_by_the_administrator(host, port)
    if parts.scheme != "https" and not (allowed or settings.DEMO):
        raise NotAllowed("the address must begin with https://")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, _resolved(host, port, allowed=allowed))


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
    seconds: float = MOST_SECONDS,
) -> Reply:
    """Send one request and read its answer. Never call it inside a transaction.

    Raises NotAllowed, or NoAnswer. Redirects are not followed.
    """
    target, ends = check(url), time.monotonic() + seconds
    line = _line(target, min(_CONNECT_SECONDS, seconds))
    # A head that comes a byte at a time would outlast every timeout of a single read.
    cut = threading.Timer(seconds, _cut, [line.sock])
    cut.daemon = True
    cut.start()
    try:
        line.request(method, target.path, body, {"User-Agent": "Polyclinic", "Connection": "close", **(headers or {})})
        answer = line.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, _read(line, answer, most_bytes, ends))
    except (OSError, http.client.HTTPException) as problem:
        if isinstance(problem, NoAnswer):
            raise
        raise NoAnswer(f"{target.host} does not answer ({type(problem).__name__})") from None
    finally:
        cut.cancel()
        line.close()


def _named_by_the_administrator(host: str, port: int) -> bool:
    return f"{host}:{port}" in settings.OUTGOING_ALLOW or host in settings.OUTGOING_ALLOW


def _resolved(host: str, port: int, *, allowed: bool) -> str:
    """One address of the host. Raises NotAllowed when any of them is not to be asked: names can have several."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise NotAllowed("the host of the address is not known") from None
    if not allowed and not all(public(ipaddress.ip_address(str(text).split("%")[0])) for text in found):
        raise NotAllowed("the address leads to a machine that is not on the open internet")
    # IPv4 first: more machines have a way out by it.
    return min((str(text) for text in found), key=lambda text: (":" in text, text))


def public(address: Address) -> bool:
    """Whether this is an address of the open internet, and not this machine, its network or a cloud's own service."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == net.version and address in net for net in _NEVER)


def _line(target: Target, seconds: float) -> http.client.HTTPConnection:
    """A line to the checked address; certificate and Host header are the name's."""
    try:
        sock = socket.create_connection((target.address, target.port), timeout=seconds)
        if target.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=target.host)
    except OSError as problem:
        raise NoAnswer(f"{target.host} does not answer ({type(problem).__name__})") from None
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    line = kind(target.host, target.port, timeout=seconds)
    # Given a line, the library does not make one of its own and so never resolves the name again.
    line.sock = sock
    return line


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _read(line: http.client.HTTPConnection, answer: http.client.HTTPResponse, most: int, ends: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            raise NoAnswer("the answer took too long")
        if line.sock is not None:
            line.sock.settimeout(left)
        part = answer.read1(_PART)
        if not part:
            # The end of the line is the end of the answer only if nobody cut it.
            if time.monotonic() >= ends or answer.length:
                raise NoAnswer("the answer did not come whole")
            return b"".join(parts)
        size += len(part)
        if size > most:
            raise NoAnswer("the answer is too long")
        parts.append(part)
