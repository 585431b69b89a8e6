"""Asking ClamAV: clamd's INSTREAM command over TCP or a Unix socket. Without the setting CLAMAV_URL nobody is asked."""

from __future__ import annotations

import socket
import struct
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from polyclinic.files import problems

_PART: Final = 64 * 1024
_TIMEOUT: Final = 20


def scan(data: bytes) -> None:
    """Raises FileRefused (infected) or ScannerUnavailable. Never call it inside a transaction."""
    url: str = settings.CLAMAV_URL
    if not url:
        return
    try:
        with _line(url) as line:
            line.sendall(b"zINSTREAM\0")
            for start in range(0, len(data), _PART):
                part = data[start : start + _PART]
                line.sendall(struct.pack("!I", len(part)) + part)
            line.sendall(struct.pack("!I", 0))
            said = line.makefile("rb").read(4096).rstrip(b"\0\n")
    except OSError:
        raise problems.ScannerUnavailable() from None
    if said.endswith(b"FOUND"):
        raise problems.infected()
    if said != b"stream: OK":
        # An error of the scanner's (a limit of its own, most often) is no word that the file is clean.
        raise problems.ScannerUnavailable()


def _line(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(_TIMEOUT)
        line.connect(parts.path)
        return line
    return socket.create_connection((parts.hostname or "localhost", parts.port or 3310), timeout=_TIMEOUT)
