"""`python -m bench [name] [options]`: run one measurement, or all of them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

NAMES = {
    "http": "reading, listing, booking and a page over HTTP, beside a bare ASGI + sqlite3 twin",
    "start": "time to the first answer and memory of the server with the demo hospital",
    "slots": "search for free times over a large diary",
    "signin": "bookings while twenty people sign in at once",
    "search": "the desk's search over 200,000 patients",
    "analytics": "the figures of two years of a large hospital, beside a bare query of the same rows",
    "board": "one change on a board of 400 rows in a browser slowed down four times",
    "day": "a simulated week through the whole hospital, and whether it left everything in order",
    "fanout": "delivery of events to many listening clients",
    "watching": "what counting requests for `/metrics` costs",
    "quality": "Lighthouse and the Nu validator on the pages (both from npm, not part of the product)",
}

# Only by name: needs packages that nothing else here does.
APART = frozenset({"quality"})


def main(arguments: list[str]) -> int:
    """Run what is named, with the rest of the arguments; without a name everything but `APART`, one after the other."""
    chosen, rest = arguments[:1], arguments[1:]
    if chosen and (chosen[0] not in NAMES or find_spec(f"bench.{chosen[0]}") is None):
        print("Measurements:")
        for name, meaning in NAMES.items():
            if find_spec(f"bench.{name}"):
                print(f"  {name:<8} {meaning}")
        return 0 if chosen[0] in {"-h", "--help"} else 2
    for name in chosen or [name for name in NAMES if name not in APART and find_spec(f"bench.{name}")]:
        # Each in a process of its own: they set up different servers and databases.
        ended = subprocess.run([sys.executable, "-m", f"bench.{name}", *rest], cwd=ROOT, check=False).returncode
        if ended:
            return ended
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
