"""The server as it is deployed: a proxy on this machine speaks HTTPS to the world and plain HTTP to us."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from tests.server import Server

PUBLIC_HOST: Final = "clinic.example.org"
# What the proxy adds to a request of a browser.
FORWARDED: Final = {"Host": PUBLIC_HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


class BehindProxy(Server):
    """A server whose proxy is this machine. Tests play the proxy by sending what it would add."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        hosts = f"{PUBLIC_HOST},127.0.0.1"
        known = {"PUBLIC_URL": f"https://{PUBLIC_HOST}", "ALLOWED_HOSTS": hosts, "MAIL_TO_CONSOLE": "yes"}
        super().__init__(env={**known, **(env or {})})

    def start(self) -> None:
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "polyclinic", "serve", "--port", str(self.port), "--trust-proxy", "127.0.0.1"],
                cwd=self._cwd, env=self.env, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.wait_until_ready(self._process)
