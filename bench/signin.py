"""Twenty people signing in at once, again and again, while others book: what the bookings notice of it.

Argon2id keeps a core busy on purpose. The server has both cores here, the load runs beside it as it would on a small
machine; rounds with and without the rush alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path
from typing import Any

from bench import http, load

EMAIL, PASSWORD = "desk@example.org", "never used to sign in 1"


def rush(port: int, clients: int, seconds: float, into: list[load.Round]) -> None:
    """So many sign-ins at once, each client coming back as soon as it was answered."""
    body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    into.append(load.run(port, cycle([load.post("/api/auth/login", body)]), clients, seconds))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="bench signin", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a round (default %(default)s)")
    parser.add_argument("--clients", type=int, default=20, help="people signing in at once (default %(default)s)")
    parser.add_argument("--port", type=int, default=8230, help="a free port (default %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder to keep the diary in for the next run")
    given = parser.parse_args()
    folder = (given.keep or Path(tempfile.mkdtemp(prefix="bench-"))).resolve()
    try:
        told = _run(given, folder)
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    http.RESULTS.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}
    text = json.dumps({"at": datetime.now(UTC).isoformat(), "machine": machine, **told}, indent=1)
    (http.RESULTS / "signin.json").write_text(text + "\n", encoding="ascii")


def _run(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    env = http.environment(folder, given.port)
    passes = http.prepare(folder, env)
    requests = http.bookings(passes, count(passes["booked"]))
    log = (folder / "server.log").open("ab")
    command = [sys.executable, "-m", "polyclinic", "serve", "--port", str(given.port)]
    server = subprocess.Popen(command, env=env, cwd=http.ROOT, stdout=log, stderr=log)
    try:
        _await(given.port)
        print(f"load average {os.getloadavg()[0]:.1f} at the start")
        alone: list[load.Round] = []
        beside: list[load.Round] = []
        sign_ins: list[load.Round] = []
        for number in range(given.rounds + 1):
            quiet = load.run(given.port, requests, 1, given.seconds)
            thread = threading.Thread(target=rush, args=(given.port, given.clients, given.seconds, sign_ins))
            thread.start()
            busy = load.run(given.port, requests, 1, given.seconds)
            thread.join()
            for found in (quiet, busy):
                if found.statuses.keys() != {201}:
                    raise SystemExit(f"bookings: {dict(found.statuses)}\n{found.sample.decode(errors='replace')}")
            if number:  # the first round warms up
                alone.append(quiet)
                beside.append(busy)
    finally:
        server.terminate()
        server.wait(20)
        log.close()
    told = {
        "clients": given.clients,
        "booking alone": _figures(alone),
        "booking beside the rush": _figures(beside),
        "sign-in": _figures(sign_ins[1:]),
    }
    for name, row in told.items():
        print(name, row)
    return told


def _await(port: int) -> None:
    for _attempt in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not answer")


def _figures(rounds: list[load.Round]) -> dict[str, Any]:
    statuses = sum((one.statuses for one in rounds), start=type(rounds[0].statuses)())
    return {
        "rate": round(statistics.median(one.rate for one in rounds), 1),
        **{
            f"p{share}": round(statistics.median(one.quantile(share / 100) for one in rounds), 1)
            for share in (50, 95, 99)
        },
        "worst p95": round(max(one.quantile(0.95) for one in rounds), 1),
        "statuses": {str(status): number for status, number in sorted(statuses.items())},
    }


if __name__ == "__main__":
    main()
