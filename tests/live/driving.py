"""Starting the gateway as a process and listening to it as clients do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
COOKIE = "polyclinic_session"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Live:
    """A running gateway and the people in it."""

    port: int
    process: subprocess.Popen[bytes]
    people: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, door: str, **ask: Any) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/{door}", data=json.dumps(ask).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def append(self, first: int, count: int = 1, **more: Any) -> None:
        ids = self.people["ids"]
        ask = {"doctor": ids["doctor"], "patient": ids["patient"], "facility": self.people["facility"], **more}
        self.call("append", first=first, count=count, **ask)

    def sign_in(self) -> None:
        """Fresh sessions for everyone: those of tests long past have been idle for longer than a session may."""
        self.people["sessions"] = self.call("sign-in", accounts=self.people["accounts"])

    def cookie(self, who: str) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.people['sessions'][who]}"}


@contextlib.contextmanager
def running(data: Path, **environment: str):
    """The gateway on a free port with its own empty database."""
    port = free_port()
    environ = {**os.environ, "POLYCLINIC_DATA": str(data), "DJANGO_SETTINGS_MODULE": "polyclinic.settings.test"}
    environ.update(environment)
    environ.setdefault("LOG_LEVEL", "WARNING")
    command = [sys.executable, "-m", "uvicorn", "tests.live.app:application", "--port", str(port)]
    command += ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        live = Live(port, process)
        deadline = time.monotonic() + 300
        while True:
            try:
                live.call("metrics")
                break
            except OSError:
                assert process.poll() is None, "the gateway did not start"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        live.people = live.call("setup")
        live.sign_in()
        yield live
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            # A failed test may leave clients connected, and uvicorn waits for them: the failure matters, not the wait.
            process.kill()
            process.wait(5)


@dataclass
class Heard:
    """One server-sent event as a browser sees it."""

    name: str
    id: str
    data: Any


class Listener:
    """A stream of server-sent events; remembers the last id like EventSource does."""

    def __init__(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._http, self._url, self._headers = http, url, headers
        self.last_id = ""
        self.response: aiohttp.ClientResponse | None = None

    async def open(self, **query: str) -> aiohttp.ClientResponse:
        headers = {**self._headers, **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        timeout = aiohttp.ClientTimeout(total=None)
        self.response = await self._http.get(self._url, headers=headers, params=query, timeout=timeout)
        return self.response

    async def next(self, seconds: float = 30.0) -> Heard | None:
        """The next event, or None when the server ended the stream. Raises TimeoutError on silence."""
        async with asyncio.timeout(seconds):
            while True:
                name, data = "message", None
                while True:
                    line = await self.response.content.readline()
                    if not line:
                        return None
                    text = line.decode().rstrip("\n")
                    if not text:
                        break
                    key, _colon, value = text.partition(": ")
                    if key == "id":
                        self.last_id = value
                    elif key == "event":
                        name = value
                    elif key == "data":
                        data = value
                if data is not None:
                    return Heard(name, self.last_id, json.loads(data))

    def cut(self) -> None:
        """Drop the connection without a word."""
        if self.response is not None:
            self.response.close()
