"""`polyclinic relay`: events to the message broker, apart from the server and by hand."""

from __future__ import annotations

import argparse
import signal
import threading

from django.conf import settings

from polyclinic.commands.ending import fail
from polyclinic.relay import broker, cursor, status
from polyclinic.relay.sending import Relay


def relay(given: argparse.Namespace) -> int:
    """Say how it is, send, or go back."""
    if not settings.BROKER_URL:
        fail("no broker is set: give its address as BROKER_URL=amqps://user:password@host/vhost")
    if given.what == "status":
        return _status()
    if given.what == "rewind":
        return _rewind(given.to)
    return _run()


def _status() -> int:
    now = status.relay()
    print(f"Broker at {broker.place(settings.BROKER_URL)}, exchange {settings.BROKER_EXCHANGE}: {now.state}")
    print(f"{now.sent} events sent, {now.waiting} waiting after position {now.position}")
    if now.failure:
        print(f"Away since {now.failing_since:%Y-%m-%d %H:%M} UTC: {now.failure}. Events wait; none is lost.")
    return 1 if now.failure else 0


def _rewind(position: int | None) -> int:
    if position is None or position < 0:
        fail("say how far back: polyclinic relay rewind --to POSITION (0: everything in the log)")
    if not cursor.rewind(position):
        fail(f"the relay has not come to position {position} yet")
    print(f"Everything after position {position} is sent again, with the ids it had.")
    return 0


def _run() -> int:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    one = Relay()
    one.start()
    print("Sending events (stop with Ctrl+C)", flush=True)
    ended.wait()
    one.stop()
    return 0
