"""Time from the command to the first page, and memory: the server alone with the demo hospital."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PORT = 8215


def _resident(pid: int) -> float:
    """Resident memory in megabytes."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def _page(path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=5) as answer:  # our own server
        return len(answer.read())


def _once(env: dict[str, str]) -> dict[str, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "polyclinic", "serve", "--port", str(PORT)], env=env, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", PORT), 1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit("the server ended") from None
                time.sleep(0.005)
        _page("/")
        first = time.perf_counter() - begun
        idle = _resident(process.pid)
        for _round in range(50):
            for path in ("/", "/hospitals", "/doctors", "/services"):
                _page(path)
        return {"seconds": first, "idle": idle, "used": _resident(process.pid)}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def main() -> None:
    """Load the demo hospital into a folder of its own, then start the server five times."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        env |= {"POLYCLINIC_DATA": folder, "RATE_LIMITS": "no", "LOG_LEVEL": "WARNING", "POLYCLINIC_MODE": "demo"}
        subprocess.run(
            [sys.executable, "-m", "polyclinic", "demo"], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        _once(env)  # collects the static files, which an installation does once
        rounds = [_once(env) for _number in range(5)]
    told: dict[str, Any] = {name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]}
    print(f"load average {os.getloadavg()[0]:.1f}; median of {len(rounds)} starts")
    print(
        f"first page after {told['seconds']:.2f} s; {told['idle']:.0f} MB then, {told['used']:.0f} MB after 200 pages"
    )
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "start.json").write_text(json.dumps(told, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
