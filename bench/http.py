"""Reading, listing, booking and a page over HTTP: the product beside its bare twin, round by round.

Both servers run from the start, pinned to the first core; the load comes from the second. Rounds alternate between
product and twin, so that a busy neighbour meets both, and medians are told with their ratio. With `--postgres` the
product works on a database there, whose own processes run on either core, and the twin on SQLite as ever.
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
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench import data, load, twin_page

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
    """Settings of the product server; limits off, for it is the server that is measured, and no second factors."""
    return {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "POLYCLINIC_DATA": str(folder), "RATE_LIMITS": "no", "STAFF_SECOND_FACTOR": "no",
        "LOG_LEVEL": "WARNING", "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "polyclinic.settings", "PUBLIC_URL": f"http://localhost:{port}",
        "TWIN_DATABASE": str(folder / "twin.sqlite3"), "TWIN_FRAME": str(folder / "frame.html"),
    }  # fmt: skip


def prepare(folder: Path, env: dict[str, str]) -> dict[str, Any]:
    """The diary, made once per folder, and fresh passes."""
    # As the product wants its data folder: open to nobody else.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "filled").exists():
        print("Filling the diary with 100,000 appointments …", flush=True)
        subprocess.run([sys.executable, "-m", "bench.data", "fill"], env=env, cwd=ROOT, check=True)
        (folder / "filled").write_text(datetime.now(UTC).isoformat(), encoding="ascii")
    subprocess.run([sys.executable, "-m", "polyclinic", "migrate"], env=env, cwd=ROOT, check=True, capture_output=True)
    told = subprocess.run(
        [sys.executable, "-m", "bench.data", "passes"], env=env, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, Any] = json.loads(told)
    return found


def copy(folder: Path, env: dict[str, str]) -> None:
    """The diary once more, for the twin; after the passes, for it looks its sessions up, too."""
    with sqlite3.connect(folder / "polyclinic.sqlite3") as source, sqlite3.connect(env["TWIN_DATABASE"]) as other:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        source.backup(other)


@contextmanager
def database(url: str) -> Iterator[str]:
    """The address of an empty database on that server, dropped at the end."""
    import psycopg

    name = f"polyclinic_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


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


def _page(day: str, session: str) -> bytes:
    """A doctor's day as a browser asks for it that has been here before: with both cookies."""
    return load.get(f"/doctor?day={day}", f"Cookie: polyclinic_session={session}; polyclinic_csrf={'bench' * 6}ok")


def weigh(passes: dict[str, Any], ports: tuple[int, int], frame: Path) -> None:
    """Give the twin the product's frame, and end the run unless both draw the same page within a tenth of its bytes."""
    asked = [_page(passes["today"], passes["cookies"][0]), _page(passes["today"], passes["cookies"][1])]
    drawn = [load.run(ports[0], iter([one] * 9), 1, 0.0).sample.partition(b"\r\n\r\n")[2] for one in asked]
    frame.write_text(twin_page.frame(drawn[0].decode()), encoding="utf-8")
    bare = load.run(ports[1], iter([asked[1]] * 9), 1, 0.0).sample.partition(b"\r\n\r\n")[2]
    print(f"the page: {len(drawn[1]):,} bytes; the twin's: {len(bare):,}")
    same = drawn[1].count(b"<tr") == bare.count(b"<tr") and drawn[1].count(b"<button") == bare.count(b"<button")
    if not same or abs(len(bare) - len(drawn[1])) > len(drawn[1]) / 10:
        raise SystemExit("the twin does not draw the product's page: bring bench/twin_page.py up to date")


def _asked(passes: dict[str, Any]) -> dict[str, list[bytes]]:
    """What is read, for a server with these passes: the same doctors and days in the same order on each."""
    desk = f"Authorization: Bearer {passes['desk']}"
    asked: dict[str, list[bytes]] = {
        "one": [load.get(f"/api/appointments/{key}", desk) for key in passes["appointments"]],
        "desk": [
            load.get(f"/api/appointments?doctorId={doctor}&from={day}T00:00:00Z&until={day}T23:59:00Z&limit=50", desk)
            for doctor, day in _days(passes, data.DOCTORS, 1)
        ],
        "own": [],
        "pages": [],
        # The page as it is mostly asked for: today's, again and again, of every signed-in doctor.
        "today": [_page(passes["today"], cookie) for cookie in passes["cookies"]],
    }
    for doctor, day in _days(passes, len(passes["cookies"]), 2):
        place = passes["doctors"].index(doctor)
        bearer = f"Authorization: Bearer {passes['bearers'][place]}"
        asked["own"].append(load.get(f"/api/doctors/{doctor}/appointments?date={day}", bearer))
        asked["pages"].append(_page(str(day), passes["cookies"][place]))
    return asked


def rows(passes: dict[str, Any], bare: dict[str, Any], *, postgres: bool) -> list[Row]:
    """What is measured, with the rates of PROMISES to reach: `passes` are the product's, `bare` the twin's."""
    mine, other = _asked(passes), _asked(bare)

    def row(name: str, ours: str, theirs: str, *, clients: int = 16, reach: int = 0) -> Row:
        return Row(name, clients, cycle(mine[ours]), cycle(other[theirs]), reach=reach)

    fresh, twins = bookings(passes, count(passes["booked"])), bookings(bare, count(bare["booked"]))
    found = [
        row("read one appointment", "one", "one", clients=1),
        row("read one appointment", "one", "one", reach=4500),
        row("a day's list, front desk", "desk", "desk", reach=2000),
        row("a day's list, own doctor", "own", "desk", reach=2000),
        *(Row("book", clients, fresh, twins, 201, 1200 if postgres else 1500) for clients in (1, 16, 64)),
    ]
    if postgres:
        return found
    pages = [("page: today, 50 rows", "today"), ("page: any day, 50 rows", "pages")]
    return found + [row(name, asked, asked, reach=700) for name, asked in pages]


def _cpu(pid: int) -> float:
    """Processor seconds a server has used, its own and the kernel's for it; 0 where the system does not tell."""
    told = Path(f"/proc/{pid}/stat")
    if not told.exists():
        return 0.0
    ticks = told.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def measure(
    row: Row,
    servers: tuple[tuple[int, int], tuple[int, int]],
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Alternate product and twin (`servers`: port and process id of each); the medians of their rounds."""
    sides: dict[str, list[load.Round]] = {"product": [], "twin": []}
    used: dict[str, list[float]] = {"product": [], "twin": []}
    asked = (("product", *servers[0], row.product), ("twin", *servers[1], row.twin))
    for number in range(rounds + 1):
        for side, port, pid, requests in asked:
            before = _cpu(pid)
            # The first round warms up and does not count.
            took = load.run(port, requests, row.clients, seconds if number else min(seconds, 1.0))
            if took.statuses.keys() != {row.status}:
                raise SystemExit(f"{row.name}, {side}: {dict(took.statuses)}\n{took.sample.decode(errors='replace')}")
            if number:
                sides[side].append(took)
                used[side].append((_cpu(pid) - before) * 1000 / len(took.latencies))
    told: dict[str, Any] = {"name": row.name, "clients": row.clients, "reach": row.reach}
    for side, found in sides.items():
        told[side] = {
            "rate": round(statistics.median(one.rate for one in found)),
            "rates": [round(one.rate) for one in found],
            "p50": round(statistics.median(one.quantile(0.5) for one in found), 2),
            "p99": round(statistics.median(one.quantile(0.99) for one in found), 2),
            "cpu": round(statistics.median(used[side]), 3),
        }
    told["ratio"] = round(statistics.median(a.rate / b.rate for a, b in zip(*sides.values(), strict=True)), 3)
    product, twin = told["product"], told["twin"]
    say(
        f"{row.name:<26}{row.clients:>4}{product['rate']:>9,}{product['p50']:>8}{product['p99']:>8}"
        f"{product['cpu']:>8}{twin['rate']:>9,}{twin['p99']:>8}{twin['cpu']:>8}{told['ratio']:>8}{row.reach or '':>8}"
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
    parser.add_argument("--postgres", default="", help="address of a server on which the product gets a database")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with database(given.postgres) if given.postgres else nullcontext("") as address:
            _run(given, folder.resolve(), address)
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(given: argparse.Namespace, folder: Path, address: str) -> None:
    ports = (given.port, given.port + 1)
    env = environment(folder, ports[0])
    passes = bare = prepare(folder, env)
    copy(folder, env)
    own = env
    if address:
        own = {**env, "POLYCLINIC_DATA": tempfile.mkdtemp(dir=folder, prefix="postgres-"), "DATABASE_URL": address}
        passes = prepare(Path(own["POLYCLINIC_DATA"]), own)
    product = ["-m", "polyclinic", "serve", "--port", str(ports[0])]
    twin = ["-m", "uvicorn", "bench.twin:application", "--port", str(ports[1]), "--log-level", "warning",
            "--no-access-log", "--lifespan", "off"]  # fmt: skip
    with serving(product, own, ports[0]) as first, serving(twin, env, ports[1]) as second:
        servers = ((ports[0], first), (ports[1], second))
        if not address:
            weigh(passes, ports, Path(env["TWIN_FRAME"]))
        print(
            f"load average {os.getloadavg()[0]:.1f} at the start; {given.rounds} rounds of {given.seconds} s, medians"
        )
        print(
            f"{'':<26}{'':>4}{'product':>9}{'p50 ms':>8}{'p99 ms':>8}{'cpu ms':>8}{'twin':>9}"
            f"{'p99 ms':>8}{'cpu ms':>8}{'ratio':>8}{'reach':>8}"
        )
        told = [
            measure(row, servers, given.rounds, given.seconds, lambda line: print(line, flush=True))
            for row in rows(passes, bare, postgres=bool(address))
            if given.only in row.name
        ]
        print(f"load average {os.getloadavg()[0]:.1f} at the end")
    if not given.only:
        RESULTS.mkdir(exist_ok=True)
        machine = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}
        text = json.dumps({"at": datetime.now(UTC).isoformat(), "machine": machine, "rows": told}, indent=1)
        (RESULTS / ("http-postgres.json" if address else "http.json")).write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
