"""The one place that asks what time it is, so that tests can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present moment in UTC."""
    return _source()


@contextmanager
def fixed(moment: datetime) -> Iterator[None]:
    """Hold the clock at `moment` (tests and the deterministic demo). Not for concurrent use."""
    global _source
    held = moment.astimezone(UTC)
    before, _source = _source, lambda: held
    try:
        yield
    finally:
        _source = before
