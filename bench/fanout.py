"""How long after its commit an event is at the clients, and how many deliveries a second one process makes.

Run it from the source tree: `python -m bench.fanout`. The server has core 0 and the clients core 1. Beside every row
stands the same row of a bare ASGI broadcaster on the same uvicorn in the same run: the ratio is what carries over from
one machine to another, the milliseconds are not. Results go to `bench/results/fanout.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import platform
import resource
import secrets
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "fanout.json"
_PATIENCE = 60.0
# How one delivery is recognised in the bytes of a client, by kind of connection and event.
_MARKS = {
    ("sse", "booked"): b'"type":"appointment.booked"',
    ("sse", "note"): b'"type":"bench',
    ("socket", "booked"): b'42["appointment.booked"',
    ("socket", "note"): b'42["bench.note"',
}
_PING = b"\x81\x012"  # Engine.IO's ping as a WebSocket frame; a client that does not answer is closed
_WEBSOCKET_PING = b"\x89\x04"
# What each row is to reach: milliseconds for latency rows, deliveries a second for fan-out rows.
_TARGETS = {("latency", 1): 4.0, ("latency", 50): 10.0, ("latency", 1000): 60.0, "sse": 50_000, "socket": 30_000}


@dataclass
class Row:
    """One measurement. `median` and `p99` are milliseconds, `rate` deliveries a second; `ratio` is ours to the twin's
    (below 1: faster than the twin, for rates: above 1)."""

    what: str
    kind: str
    clients: int
    target: float
    median: float | None = None
    p99: float | None = None
    rate: float | None = None
    twin: float | None = None
    ratio: float | None = None


class Crowd:
    """Many connections read by one thread that only looks for marks, so that the server is what is measured."""

    def __init__(self, port: int, kind: str, count: int, cookie: str) -> None:
        self.port, self.kind = port, kind
        self.sockets: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}
        self._poll = select.epoll()
        for _ in range(count):
            self._add(cookie)
        self.read(b"", 0, settle=0.3 + count / 1_000)

    def _add(self, cookie: str) -> None:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        base = f"Host: 127.0.0.1:{self.port}\r\nCookie: polyclinic_session={cookie}\r\n"
        if self.kind == "sse":
            made.sendall(f"GET /live HTTP/1.1\r\n{base}\r\n".encode())
            self._await(made, b"hello")
        else:
            key = "AAAAAAAAAAAAAAAAAAAAAA=="
            made.sendall(
                f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n{base}Upgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            )
            self._await(made, b"101 ")
            made.sendall(_masked(b"40"))
        made.setblocking(False)
        number = made.fileno()
        self.sockets[number], self._tails[number] = made, b""
        self._poll.register(number, select.EPOLLIN)

    def _await(self, made: socket.socket, mark: bytes) -> None:
        heard = b""
        while mark not in heard:
            chunk = made.recv(65_536)
            if not chunk:
                raise RuntimeError(f"the server closed: {heard[:300]!r}")
            heard += chunk

    def read(self, mark: bytes, wanted: int, *, settle: float = 0.0) -> int:
        """Read until `mark` was seen `wanted` times in all (or, with `settle`, for that long). Returns the moment of
        the last one, monotonic nanoseconds."""
        seen, last, keep = 0, 0, max(0, len(mark) - 1)
        until = time.monotonic() + (settle or _PATIENCE)
        while settle or seen < wanted:
            left = until - time.monotonic()
            if left <= 0:
                if settle:
                    break
                raise TimeoutError(f"{seen} of {wanted} deliveries")
            for number, _event in self._poll.poll(min(left, 1.0), 256):
                try:
                    chunk = self.sockets[number].recv(262_144)
                except BlockingIOError:
                    continue
                if not chunk:
                    raise RuntimeError("the server closed a connection")
                if self.kind == "socket":
                    self._answer_pings(number, chunk)
                if mark:
                    text = self._tails[number] + chunk
                    seen += text.count(mark)
                    self._tails[number] = text[-keep:]
                    last = time.monotonic_ns()
        return last

    def _answer_pings(self, number: int, chunk: bytes) -> None:
        if _PING in chunk:
            self.sockets[number].send(_masked(b"3"))
        # uvicorn's own, four random bytes; no text of ours has such a byte in it.
        place = chunk.find(_WEBSOCKET_PING)
        if place >= 0:
            self.sockets[number].send(_masked(chunk[place + 2 : place + 6], opcode=0x8A))

    def close(self) -> None:
        for made in self.sockets.values():
            made.close()
        self._poll.close()


def _masked(text: bytes, *, opcode: int = 0x81) -> bytes:
    """A client's short WebSocket frame, a text unless said otherwise, masked with zeros."""
    return bytes([opcode, 0x80 | len(text), 0, 0, 0, 0]) + text


class Process:
    """A server of `bench.served`."""

    def __init__(self, what: str, port: int, env: dict[str, str]) -> None:
        self.port = port
        command = [sys.executable, "-m", "bench.served", what, "--port", str(port), "--core", "0"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=env)
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self.request("/health/ready")
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the {what} server did not start") from None
                time.sleep(0.05)
        self._door = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)

    def request(self, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", path)
            connection.getresponse().read()

    def ask(self, kind: str, count: int) -> None:
        """Have `count` events written; the answer is fetched with `answer`, after the clients were read."""
        self._door.close()  # a connection kept from a while ago may have been closed by the server
        self._door.request("GET", f"/bench?kind={kind}&count={count}")

    def answer(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._door.getresponse().read())
        return told

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _latency(server: Process, crowd: Crowd, kind: str, rounds: int) -> list[float]:
    """Milliseconds from commit to the last client, per round."""
    found = []
    for number in range(rounds + 3):
        server.ask(kind, 1)
        last = crowd.read(_MARKS[crowd.kind, kind], len(crowd.sockets))
        committed = server.answer()["at"]
        if number >= 3:  # the first ones warm caches up
            found.append((last - committed) / 1e6)
        crowd.read(b"", 0, settle=0.02)
    return found


def _rate(server: Process, crowd: Crowd, rounds: int, count: int) -> list[float]:
    """Deliveries a second of `count` events committed at once."""
    found = []
    for number in range(rounds + 1):
        server.ask("note", count)
        wanted = count * len(crowd.sockets)
        last = crowd.read(_MARKS[crowd.kind, "note"], wanted)
        committed = server.answer()["at"]
        if number:
            found.append(wanted / ((last - committed) / 1e9))
        crowd.read(b"", 0, settle=0.2)
    return found


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def measure(app: Process, twin: Process, cookie: str, kinds: list[str], sizes: list[int]) -> Iterator[Row]:
    """All rows, ours and the twin's in turn."""
    for kind in kinds:
        for clients in sizes:
            rounds = 200 if clients <= 50 else 40
            figures = {}
            for name, server, event in (("ours", app, "booked"), ("twin", twin, "note")):
                crowd = Crowd(server.port, kind, clients, cookie)
                try:
                    figures[name] = _latency(server, crowd, event, rounds)
                    if clients >= 1_000:
                        figures[f"{name}-rate"] = _rate(server, crowd, 5, 100)
                finally:
                    crowd.close()
            ours, bare = figures["ours"], statistics.median(figures["twin"])
            middle = statistics.median(ours)
            yield Row("commit to last client, ms", kind, clients, _TARGETS.get(("latency", clients), 60.0), middle,
                      _p99(ours), None, bare, middle / bare)  # fmt: skip
            if clients >= 1_000:
                rate, other = statistics.median(figures["ours-rate"]), statistics.median(figures["twin-rate"])
                yield Row("fan-out of 300 bytes, a second", kind, clients, float(_TARGETS[kind]), None, None, rate,
                          other, rate / other)  # fmt: skip


@contextlib.contextmanager
def servers(port: int) -> Iterator[tuple[Process, Process, str]]:
    """The application over a fresh small hospital, the twin, and a signed-in doctor's cookie."""
    with tempfile.TemporaryDirectory(prefix="polyclinic-bench-") as folder:
        env = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "polyclinic.settings", "POLYCLINIC_DATA": folder,
            "POLYCLINIC_MODE": "production", "SECRET_KEY": secrets.token_urlsafe(40), "RATE_LIMITS": "no",
            "STAFF_SECOND_FACTOR": "no",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }  # fmt: skip
        _python(env, "-m", "tests.seeding")
        cookie = json.loads(_python(env, "-m", "tests.seeding", "session", "doctor"))["doctor"]
        app, twin = Process("app", port, env), Process("twin", port + 1, env)
        try:
            yield app, twin, cookie
        finally:
            app.stop()
            twin.stop()


def _python(env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def _line(row: Row) -> str:
    ours = row.median if row.median is not None else row.rate
    tail = f"p99 {row.p99:8.2f}" if row.p99 is not None else " " * 12
    fine = ours <= row.target if row.rate is None else ours >= row.target
    verdict = "ok" if fine else "MISSED"
    return (
        f"{row.what:32} {row.kind:7} {row.clients:5} {ours:12,.2f} {tail}  target {row.target:10,.0f}  "
        f"twin {row.twin:12,.2f}  ratio {row.ratio:5.2f}  {verdict}"
    )


def main() -> None:
    """Measure, print the table and keep the figures."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--port", type=int, default=8180)
    given.add_argument("--clients", default="1,50,1000", help="crowd sizes (default %(default)s)")
    given.add_argument("--kinds", default="sse,socket")
    args = given.parse_args()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with servers(args.port) as (app, twin, cookie):
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(0, {1})
        rows = []
        for row in measure(app, twin, cookie, args.kinds.split(","), [int(n) for n in args.clients.split(",")]):
            print(_line(row), flush=True)
            rows.append(row)
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    RESULTS.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
