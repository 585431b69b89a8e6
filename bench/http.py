"""Reading, listing, booking and a page over HTTP: the product beside its bare twin, round by round.

Both servers run from the start, pinned to the first core; the load comes from the second. Rounds alternate between
product and twin, so that a busy neighbour meets both, and medians are told with their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

from bench import data, load

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
Requests = Iterator[bytes]


@dataclass(frozen=True)
class Row:
    """One line of the table: what is asked, by how many clients, the answer expected, and the rate to reach."""

    name: str
    clients: int
    product: Requests
    twin: Requests
    status: int = 200
    reach: int = 0


def environment(folder: Path, port: int) -> dict[str, str]:
    """Settings of the product server; limits off, for it is the server that is measured."""
    return {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "POLYCLINIC_DATA": str(folder), "RATE_LIMITS": "no", "LOG_LEVEL": "WARNING", "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "polyclinic.settings", "PUBLIC_URL": f"http://localhost:{port}",
        "TWIN_DATABASE": str(folder / "twin.sqlite3"),
    }  # fmt: skip


def prepare(folder: Path, env: dict[str, str]) -> dict[str, Any]:
    """The diary, made once per folder, a copy of it for the twin, and fresh passes."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "polyclinic.sqlite3"
    if not (folder / "filled").exists():
        print("Filling the diary with 100,000 appointments …", flush=True)
        subprocess.run([sys.executable, "-m", "bench.data", "fill"], env=env, cwd=ROOT, check=True)
        (folder / "filled").write_text(datetime.now(UTC).isoformat(), encoding="ascii")
    with sqlite3.connect(made) as source, sqlite3.connect(env["TWIN_DATABASE"]) as copy:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        source.backup(copy)
    told = subprocess.run(
        [sys.executable, "-m", "bench.data", "passes"], env=env, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, Any] = json.loads(told)
    return found


def pin(core: int) -> None:
    """Keep this process, and what it starts, on one core where the system can do that."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if core < (os.cpu_count() or 1) and cores:
        os.sched_setaffinity(0, {core})


@contextmanager
def serving(command: list[str], env: dict[str, str], port: int) -> Iterator[int]:
    """A server on the first core, once it answers; yields its process id."""
    pin(0)
    process = subprocess.Popen([sys.executable, *command], env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    pin(1)
    try:
        for _attempt in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise SystemExit("the server does not answer")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def bookings(passes: dict[str, Any], counter: count[int]) -> Requests:
    """Distinct slots: all doctors in turn, slot by slot from tomorrow, each for another of 5,000 patients."""
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    header = f"Authorization: Bearer {passes['desk']}"
    for number in counter:
        slot, doctor = divmod(number, data.DOCTORS)
        day, place = divmod(slot, data.SLOTS_A_DAY)
        starts = tomorrow + timedelta(days=day, minutes=data.SLOT_MINUTES * place)
        wish = {
            "patientId": passes["patients"][number % data.PATIENTS], "scheduleId": passes["schedules"][doctor],
            "starts": starts.strftime("%Y-%m-%dT%H:%M:%SZ"), "reason": "Check-up",
        }  # fmt: skip
        yield load.post("/api/appointments", json.dumps(wish).encode(), header)


def _days(passes: dict[str, Any], share: int, seed: int) -> list[tuple[str, date]]:
    draw = random.Random(seed)
    today = date.fromisoformat(passes["today"])
    return [(draw.choice(passes["doctors"][:share]), today - timedelta(days=draw.randrange(20))) for _ in range(2_000)]


def rows(passes: dict[str, Any]) -> list[Row]:
    """What is measured, with the rates of PROMISES to reach."""
    desk = f"Authorization: Bearer {passes['desk']}"
    one = [load.get(f"/api/appointments/{key}", desk) for key in passes["appointments"]]
    lists = [
        load.get(f"/api/appointments?doctorId={doctor}&from={day}T00:00:00Z&until={day}T23:59:00Z&limit=50", desk)
        for doctor, day in _days(passes, data.DOCTORS, 1)
    ]
    own, pages = [], []
    for doctor, day in _days(passes, len(passes["cookies"]), 2):
        place = passes["doctors"].index(doctor)
        own.append(
            load.get(
                f"/api/doctors/{doctor}/appointments?date={day}", f"Authorization: Bearer {passes['bearers'][place]}"
            )
        )
        pages.append(
            load.get(f"/doctor?day={day}&doctor={doctor}", f"Cookie: polyclinic_session={passes['cookies'][place]}")
        )
    # The page as it is mostly asked for: today's, again and again, of every signed-in doctor.
    today = [
        load.get(f"/doctor?day={passes['today']}&doctor={doctor}", f"Cookie: polyclinic_session={cookie}")
        for doctor, cookie in zip(passes["doctors"], passes["cookies"], strict=False)
    ]
    booked, twins = count(passes["booked"]), count(passes["booked"])
    fresh, bare = bookings(passes, booked), bookings(passes, twins)
    return [
        Row("read one appointment", 1, cycle(one), cycle(one)),
        Row("read one appointment", 16, cycle(one), cycle(one), reach=4500),
        Row("a day's list, front desk", 16, cycle(lists), cycle(lists), reach=2000),
        Row("a day's list, own doctor", 16, cycle(own), cycle(lists), reach=2000),
        *(Row("book", clients, fresh, bare, 201, 1500) for clients in (1, 16, 64)),
        Row("page: today, 50 rows", 16, cycle(today), cycle(today), reach=700),
        Row("page: any day, 50 rows", 16, cycle(pages), cycle(pages), reach=700),
    ]


def measure(
    row: Row, ports: tuple[int, int], rounds: int, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """Alternate product and twin; the medians of their rounds."""
    sides: dict[str, list[load.Round]] = {"product": [], "twin": []}
    for number in range(rounds + 1):
        for side, port, requests in (("product", ports[0], row.product), ("twin", ports[1], row.twin)):
            # The first round warms up and does not count.
            took = load.run(port, requests, row.clients, seconds if number else min(seconds, 1.0))
            if took.statuses.keys() != {row.status}:
                raise SystemExit(f"{row.name}, {side}: {dict(took.statuses)}\n{took.sample.decode(errors='replace')}")
            if number:
                sides[side].append(took)
    told: dict[str, Any] = {"name": row.name, "clients": row.clients, "reach": row.reach}
    for side, found in sides.items():
        told[side] = {
            "rate": round(statistics.median(one.rate for one in found)),
            "rates": [round(one.rate) for one in found],
            "p50": round(statistics.median(one.quantile(0.5) for one in found), 2),
            "p99": round(statistics.median(one.quantile(0.99) for one in found), 2),
        }
    told["ratio"] = round(statistics.median(a.rate / b.rate for a, b in zip(*sides.values(), strict=True)), 3)
    product, twin = told["product"], told["twin"]
    say(
        f"{row.name:<26}{row.clients:>4}{product['rate']:>9,}{product['p50']:>8}{product['p99']:>8}"
        f"{twin['rate']:>9,}{twin['p99']:>8}{told['ratio']:>8}{row.reach or '':>8}"
    )
    return told


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="bench http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (default %(default)s)")
    parser.add_argument("--only", default="", help="measure only rows whose name contains this")
    parser.add_argument("--port", type=int, default=8210, help="first of two free ports (default %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder to keep the diary in for the next run")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        _run(given, folder.resolve())
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(given: argparse.Namespace, folder: Path) -> None:
    ports = (given.port, given.port + 1)
    env = environment(folder, ports[0])
    passes = prepare(folder, env)
    product = ["-m", "polyclinic", "serve", "--port", str(ports[0])]
    twin = ["-m", "uvicorn", "bench.twin:application", "--port", str(ports[1]), "--log-level", "warning",
            "--no-access-log", "--lifespan", "off"]  # fmt: skip
    with serving(product, env, ports[0]), serving(twin, env, ports[1]):
        print(
            f"load average {os.getloadavg()[0]:.1f} at the start; {given.rounds} rounds of {given.seconds} s, medians"
        )
        print(
            f"{'':<26}{'':>4}{'product':>9}{'p50 ms':>8}{'p99 ms':>8}{'twin':>9}{'p99 ms':>8}{'ratio':>8}{'reach':>8}"
        )
        told = [
            measure(row, ports, given.rounds, given.seconds, lambda line: print(line, flush=True))
            for row in rows(passes)
            if given.only in row.name
        ]
        print(f"load average {os.getloadavg()[0]:.1f} at the end")
    if not given.only:
        RESULTS.mkdir(exist_ok=True)
        machine = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}
        text = json.dumps({"at": datetime.now(UTC).isoformat(), "machine": machine, "rows": told}, indent=1)
        (RESULTS / "http.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
