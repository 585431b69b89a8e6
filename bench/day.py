"""A simulated week through the whole hospital, and what it left: `python -m bench day`.

Plays into an empty database of its own (SQLite in a temporary folder, or the empty one that DATABASE_URL names).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta


def main(arguments: list[str]) -> int:
    """Run it and print a table; 1 when anything was out of order."""
    parser = argparse.ArgumentParser(prog="bench day", description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--visits", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="polyclinic-week-") as folder:
        os.environ.update(POLYCLINIC_DATA=folder, POLYCLINIC_MODE="demo")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polyclinic.settings")
        import django

        django.setup(set_prefix=False)
        return _week(given)


def _week(given: argparse.Namespace) -> int:
    from django.conf import settings

    from polyclinic.commands import database
    from polyclinic.core import clock
    from polyclinic.demo import checks, soak
    from polyclinic.live.tail import Tail

    database.use_one_connection()
    database.bring_up_to_date(print)
    kind = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    first = clock.now().date() + timedelta(days=2)
    home = soak.build(max(400, given.visits * 3))
    heard: Counter[str] = Counter()
    tail = Tail(lambda _position: None, lambda events: heard.update(event.type for event in events))
    tail.pump()
    began, since, wrong = time.perf_counter(), clock.now(), 0
    total: Counter[str] = Counter()
    for past in soak.days(home, first, given.days, given.visits, given.seed):
        tail.pump()
        total += past.tally
        wrong += len(past.wrong)
        _told(past.day, past.tally, past.wrong, time.perf_counter() - began)
    steps, told = checks.transitions(since), sum(count for name, count in heard.items() if name.startswith("visit."))
    seconds = time.perf_counter() - began
    print(
        f"{kind}: {given.days} days, {total['registered']} visits, {steps} steps of visits, {told} delivered, "
        f"{sum(heard.values())} events in all, {seconds:.0f} s ({seconds / max(total['registered'], 1):.2f} s a visit)"
    )
    for name, count in sorted(total.items()):
        print(f"  {name:<26}{count:>7}")
    return 1 if wrong or steps != told else 0


def _told(day: date, tally: Counter[str], wrong: list[str], seconds: float) -> None:
    done = f"{tally['registered']} came, {tally['done']} done, {tally['left']} left, {tally['cancelled']} cancelled"
    print(f"{day:%a %d %b}  {done}  {'in order' if not wrong else '; '.join(wrong[:5])}  ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
