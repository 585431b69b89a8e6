"""What the relay wants of a broker, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit

from polyclinic.relay.envelope import Message

# Seconds for anything a broker is asked for.
PATIENCE: Final = 10.0


class Away(Exception):
    """The broker is not there, or did not take what it was given. `confirmed`: how many messages it took before."""

    def __init__(self, why: str, confirmed: int = 0) -> None:
        super().__init__(why)
        self.confirmed = confirmed


class NotInstalled(Away):
    """The library that speaks to this broker is not installed."""


class Broker(Protocol):
    """A line to one broker. Used by one thread."""

    def connect(self) -> None:
        """Open the line and declare what messages go to. Raises Away."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Send in order and return once the broker has confirmed that it keeps every one. Raises Away.

        Of a stream the next message leaves when the one before is confirmed: whatever breaks, none overtakes.
        """

    def alive(self) -> bool:
        """Whether the line is still open, as far as is known without asking."""

    def close(self) -> None:
        """Give the line up, whatever its state."""


def open_line(url: str, exchange: str) -> Broker:
    """A broker for this address, not connected yet. Raises NotInstalled."""
    from polyclinic.relay.rabbit import Rabbit  # loaded where a broker is used

    return Rabbit(url, exchange)


def place(url: str) -> str:
    """Host and port of a broker's address, for people: neither user nor password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"


def rounds(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """The messages cut into runs in which no stream comes twice: each run may be on its way at once."""
    start, streams = 0, set[str]()
    for place_, one in enumerate(messages):
        if one.stream in streams:
            yield messages[start:place_]
            start, streams = place_, set()
        streams.add(one.stream)
    if start < len(messages):
        yield messages[start:]
