"""A server that is killed often: after the first start by the command itself, each next one is a fork of a process
that has already loaded the program, so that two hundred starts cost seconds and not minutes.

What the promise is about is the same either way: SIGKILL ends the process wherever it stands, and the next one begins
with nothing but the database. `python -m tests.promises.kill_server PORT` is the process that forks.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import subprocess
import sys
import time

from tests.server import ROOT, START_SECONDS, Server


class KilledOften(Server):
    """`Server`, with a quick start after a kill."""

    _parent: subprocess.Popen[str] | None = None

    def revive(self) -> None:
        """Kill the server, if the parent does not have it yet that of the first start; then start it by forking."""
        if self._parent is None:
            self.kill()
            with (self.data / "server.log").open("ab") as log:
                self._parent = subprocess.Popen(
                    [sys.executable, "-m", "tests.promises.kill_server", str(self.port)],
                    cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                )  # fmt: skip
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.write("again\n")
        self._parent.stdin.flush()
        assert self._parent.stdout.readline() == "started\n", self.log()[-2000:]
        until = time.monotonic() + START_SECONDS
        while not self._ready():
            assert time.monotonic() < until, f"not ready after a kill:\n{self.log()[-2000:]}"
            time.sleep(0.02)

    def close(self) -> None:
        if self._parent is not None:
            assert self._parent.stdin
            assert self._parent.stdout
            self._parent.stdin.close()
            self._parent.wait(30)
            self._parent.stdout.close()
        super().close()


def _fork(port: str) -> int:
    child = os.fork()
    if child:
        return child
    from polyclinic.cli import main

    log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 1)  # what a start says is not for the parent's reader
    code = 1
    try:
        code = main(["serve", "--port", port, "--no-migrate"])
    finally:
        os._exit(code)


def _load_what_serving_needs() -> None:
    import uvicorn

    from polyclinic.commands.serve import _options

    uvicorn.Config(**_options(argparse.Namespace(trust_proxy="", workers=1))).load()


def _parent(port: str) -> None:
    import polyclinic.web.app  # noqa: F401 - loaded once, for every fork
    from polyclinic.web import access

    assert list(access.addresses())  # loads every view
    _load_what_serving_needs()
    # A start tidies up what it has loaded. Done once here; in a fork it would also copy every page of memory it walks.
    gc.collect()
    gc.freeze()
    child = 0
    for _line in sys.stdin:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        child = _fork(port)
        print("started", flush=True)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    _parent(sys.argv[1])
