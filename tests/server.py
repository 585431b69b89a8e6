"""A real server in its own process, over its own database: `python -m polyclinic serve`, killed and started at will."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import schema
from tests.hand import FORKED, Hand

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 180


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One installation and its process. Use as a context manager; `people` are those of `tests.house`.

    `postgres=True` makes a database of its own on TEST_POSTGRES_URL and drops it afterwards. `env` overrides settings.
    `serve=False` leaves the process out, for tests that work on the installation's database alone.
    """

    def __init__(
        self,
        *,
        postgres: bool = False,
        env: Mapping[str, str] | None = None,
        seed: bool = True,
        serve: bool = True,
        cwd: str | os.PathLike[str] = ROOT,
    ) -> None:
        self._cwd = cwd
        self._folder = tempfile.TemporaryDirectory(prefix="polyclinic-server-")
        self.data = Path(self._folder.name)
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.people: dict[str, Any] = {}
        self._seed = seed
        self._serve = serve
        self._database = f"polyclinic_test_{secrets.token_hex(6)}" if postgres else ""
        self._process: subprocess.Popen[bytes] | None = None
        self._hand: Hand | None = None
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")},
            "DJANGO_SETTINGS_MODULE": "polyclinic.settings",
            "POLYCLINIC_DATA": str(self.data),
            "POLYCLINIC_MODE": "production",
            "DATABASE_URL": schema.address_of(self._database) if postgres else "",
            "SECRET_KEY": secrets.token_urlsafe(40),
            "PUBLIC_URL": self.base_url,
            "RATE_LIMITS": "no",
            "STAFF_SECOND_FACTOR": "no",
            "PYTHONWARNINGS": "default",
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }

    def __enter__(self) -> Server:
        try:
            if self._database:
                schema.create_database(self._database)
            if self._seed:
                self.people = json.loads(self.python("-m", "tests.seeding"))
            if self._serve:
                self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def python(self, *arguments: str, stdin: str = "") -> str:
        """Run Python with this installation's settings and return what it printed."""
        if not stdin and (arguments[0] == "-c" or arguments[1] in FORKED):
            code, out, err = self._helping().run(arguments)
        else:
            done = subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, env=self.env, input=stdin, capture_output=True, text=True,
                timeout=400, check=False,
            )  # fmt: skip
            code, out, err = done.returncode, done.stdout, done.stderr
        assert code == 0, f"{arguments} failed ({code}):\n{out}\n{err}"
        return out

    def _helping(self) -> Hand:
        """The process that helps, with the settings of now."""
        if self._hand and self._hand.env != self.env:
            self._hand.close()
            self._hand = None
        if self._hand is None:
            self._hand = Hand(self.env, ROOT)
        return self._hand

    def start(self) -> None:
        """Start the process and wait until it says that it can serve."""
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "polyclinic", "serve", "--port", str(self.port)],
                cwd=self._cwd, env=self.env, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.wait_until_ready(self._process)

    def wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the process that serves on our port says so. Raises RuntimeError with its log when it does not."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}:\n{self.log()[-4000:]}")
            if self._ready():
                return
            time.sleep(0.02)
        raise RuntimeError(f"the server was not ready after {START_SECONDS} s:\n{self.log()[-4000:]}")

    def _ready(self) -> bool:
        try:
            return self.request("GET", "/health/ready", timeout=2)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self) -> None:
        """kill -9: no clean-up of any kind runs."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        if self._process:
            self._process.wait(10)

    def restart(self) -> None:
        self.kill()
        self.start()

    def stop(self) -> int:
        """Ask to end, and return the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        # Patience, not a promise: beside a dozen other processes a calm second takes ten.
        return self._process.wait(60)

    def close(self) -> None:
        self.kill()
        if self._hand:
            self._hand.close()
            self._hand = None
        if self._database:
            schema.administer(f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')
        self._folder.cleanup()

    def log(self) -> str:
        path = self.data / "server.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def slots(self) -> list[str]:
        """Starts of the first free slots of `schedule`."""
        return list(json.loads(self.people["slots"]))

    def session(self, who: str) -> str:
        """A fresh signed-in session for `who` (a name of `tests.house`), made in the database. The cookie's value."""
        return self.sessions(who)[who]

    def sessions(self, *who: str) -> dict[str, str]:
        """Sessions for several people with one process start."""
        made: dict[str, str] = json.loads(self.python("-m", "tests.seeding", "session", *who))
        return made

    def cookies(self, who: str) -> dict[str, str]:
        """Cookies of a signed-in browser, CSRF token included (send the same value as X-CSRFToken)."""
        return {"polyclinic_session": self.session(who), "polyclinic_csrf": CSRF}

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers in lower case, body. A dict is sent as JSON."""
        sent = dict(headers or {})
        payload: bytes | None = body if isinstance(body, bytes) else None
        if body is not None and payload is None:
            payload = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
            if "polyclinic_csrf" in cookies:
                sent.setdefault("X-CSRFToken", cookies["polyclinic_csrf"])
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, payload, sent)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


# A CSRF secret as Django makes them: 32 letters and digits.
CSRF = "polyclinictestspolyclinictests32"


def postgres_reachable() -> bool:
    import psycopg

    try:
        psycopg.connect(schema.POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def require_postgres() -> None:
    """Skip without PostgreSQL, unless the services are required (continuous integration): then fail."""
    if postgres_reachable():
        return
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"PostgreSQL does not answer at {schema.POSTGRES.rpartition('@')[2]}")
    pytest.skip("PostgreSQL is not reachable")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server on SQLite with the small hospital of `tests.house`, shared by the session's tests."""
    with Server() as running:
        yield running
