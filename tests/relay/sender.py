"""`python -m tests.relay.sender`: the relay as a process of its own, with a lease as short as a test's patience."""

from __future__ import annotations

import threading

import django

if __name__ == "__main__":
    django.setup(set_prefix=False)
    from polyclinic.relay.sending import Relay

    Relay(lease=5.0).start()
    threading.Event().wait()
