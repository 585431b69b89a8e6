"""Events of many streams, numbered within each: what the tests of the relay write and look for again."""

from __future__ import annotations

import sys
import uuid

import django

if __name__ == "__main__":
    django.setup(set_prefix=False)

from django.db import transaction

from polyclinic.core.outbox import log
from polyclinic.scheduling.events import ScheduleChanged


def fact(stream: int, seq: int) -> ScheduleChanged:
    """The event number `seq` of the stream number `stream`."""
    return ScheduleChanged(
        schedule_id=uuid.UUID(int=stream), doctor_id=uuid.UUID(int=1), facility_id=uuid.UUID(int=2), revision=seq
    )


def write(first: int, last: int, streams: int = 7) -> None:
    """Numbers `first` to `last` of every stream, each in a transaction of its own."""
    for seq in range(first, last + 1):
        for stream in range(streams):
            with transaction.atomic():
                log.append(fact(stream, seq))


if __name__ == "__main__":
    # `python -m tests.relay.facts FIRST LAST`, in an installation's own process.
    write(int(sys.argv[1]), int(sys.argv[2]))
