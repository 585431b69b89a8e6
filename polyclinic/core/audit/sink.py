"""Copies of the signed checkpoints on another machine, which whoever takes over this one cannot rewrite.

Where AUDIT_SINK names one, each line goes there after it is written: never in a transaction, in order, again and again
until the other side has it. How far it is stands in a file beside the checkpoints, so a restored database changes
nothing about it. A line may so arrive twice, and never not at all while the files are there.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from polyclinic.core import clock, outgoing
from polyclinic.core.audit import checkpoints

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows runs one process
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 100
_SECONDS: Final = 10.0
_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(minutes=30)
SYSLOG_PORT: Final = 601
# RFC 5424: facility 13 (log audit), severity 5 (notice).
_PRIORITY: Final = 13 * 8 + 5


class Sent(msgspec.Struct, frozen=True):
    """How far it is: the file and the byte to go on at, the last checkpoint that arrived and when; then failures since,
    and the moment before which nothing is tried."""

    file: str = ""
    offset: int = 0
    number: int = 0
    at: datetime | None = None
    attempts: int = 0
    next_at: datetime | None = None


def sent() -> Sent:
    """How far it is. A file that cannot be read counts as none: then everything is sent once more."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=Sent)
    except (OSError, msgspec.DecodeError):
        return Sent()


def deliver() -> int:
    """Send what waits, in order. Returns how many checkpoints arrived; a failure is put off and logged, not raised."""
    if not settings.AUDIT_SINK:
        return 0
    with _alone() as mine:
        known = sent()
        if not mine or (known.next_at is not None and clock.now() < known.next_at):
            return 0
        file, offset, lines = _waiting(known)
        if not lines:
            return 0
        try:
            _send(lines)
        except (OSError, ValueError) as problem:
            _put_off(known, type(problem).__name__)
            return 0
        _keep(Sent(file, offset, checkpoints.read(lines[-1]).number, clock.now()))
        return len(lines)


def _waiting(known: Sent) -> tuple[str, int, list[bytes]]:
    """The next lines of one file, and where to go on after them."""
    for path in sorted(checkpoints.folder().glob(checkpoints.PATTERN)):
        if path.name < known.file:
            continue
        offset = known.offset if path.name == known.file else 0
        lines: list[bytes] = []
        with path.open("rb") as file:
            file.seek(offset)
            # A line still being written has no end yet; one that a crash cut short is no checkpoint.
            while len(lines) < _AT_ONCE and (line := file.readline()).endswith(b"\n"):
                offset += len(line)
                with contextlib.suppress(ValueError):
                    checkpoints.read(line.rstrip())
                    lines.append(line.rstrip())
        if lines:
            return path.name, offset, lines
    return known.file, known.offset, []


def _send(lines: list[bytes]) -> None:
    """Raises OSError when the other side does not have them all, ValueError for an address that is not to be asked."""
    if urlsplit(settings.AUDIT_SINK).scheme == "syslog":
        _to_syslog(lines)
    else:
        _post(lines)


def _post(lines: list[bytes]) -> None:
    """One POST of JSON lines, signed as a whole by the key that signed each of them."""
    body = b"\n".join(lines) + b"\n"
    private = checkpoints.signing_key()
    signature = base64.b64encode(private.sign(body)).decode()
    name = checkpoints.fingerprint(private.public_key())
    headers = {"Content-Type": "application/jsonl", "Polyclinic-Signature": f"ed25519 {name} {signature}"}
    reply = outgoing.request("POST", settings.AUDIT_SINK, body=body, headers=headers, seconds=_SECONDS)
    if not 200 <= reply.status < 300:
        raise OSError(f"the sink answered {reply.status}")


def _to_syslog(lines: list[bytes]) -> None:
    """Over TCP with counted octets (RFC 6587); it has arrived when the other side has taken all and hung up.

    The address is the administrator's own and no guest's, so it may be one inside.
    """
    target = urlsplit(settings.AUDIT_SINK)
    host = urlsplit(settings.PUBLIC_URL).hostname or "-"
    with socket.create_connection((target.hostname, target.port or SYSLOG_PORT), timeout=_SECONDS) as line:
        for one in lines:
            told = f"<{_PRIORITY}>1 {checkpoints.read(one).at} {host} polyclinic - checkpoint - ".encode() + one
            line.sendall(b"%d %s" % (len(told), told))
        line.shutdown(socket.SHUT_WR)
        # Syslog has no receipt. A server that keeps the line open has not refused it.
        with contextlib.suppress(TimeoutError):
            line.recv(1)


def _put_off(known: Sent, error: str) -> None:
    attempts = known.attempts + 1
    _log.warning("checkpoints could not be sent to AUDIT_SINK (%s), attempt %d", error, attempts)
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 10), _LONGEST_WAIT)
    wait *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, protects nothing
    _keep(msgspec.structs.replace(known, attempts=attempts, next_at=clock.now() + wait))


def _keep(state: Sent) -> None:
    path = _path()
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(state))
    os.replace(fresh, path)


def _path() -> Path:
    return checkpoints.folder() / "sent.json"


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this process is the only one that sends now; the others leave it to it."""
    with (checkpoints.folder() / "sending").open("ab") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
