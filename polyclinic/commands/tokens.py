"""`polyclinic tokens`: the keys that sign access tokens."""

from __future__ import annotations

import argparse

from django.db import DatabaseError

from polyclinic.commands.ending import fail
from polyclinic.core import clock
from polyclinic.tokens import signing
from polyclinic.tokens.models import SigningKey


def tokens(given: argparse.Namespace) -> int:
    """Run one of the subcommands."""
    try:
        return rotate() if given.what == "rotate" else status()
    except DatabaseError as problem:
        fail(f"the database cannot be used: {str(problem).strip()}. Run `polyclinic migrate`, or check DATABASE_URL.")


def rotate() -> int:
    """Make a new key. Sign-ins go on: tokens of the old one are believed until they expire."""
    signing.current()
    kid = signing.make()
    seconds = int(signing.ANNOUNCED.total_seconds())
    print(f"Key {kid} is published now and signs in {seconds} seconds. Nobody is signed out.")
    return 0


def status() -> int:
    """List the keys, the newest first."""
    now = clock.now()
    for row in SigningKey.objects.order_by("-active_from"):
        ended = row.ends_at is not None and row.ends_at <= now
        state = "announced" if row.active_from > now else "ended" if ended else "believed" if row.ends_at else "signs"
        print(f"{row.kid}  {state:9}  from {row.active_from:%Y-%m-%d %H:%M} UTC")
    return 0
