"""One listening client, whatever kind of connection it came by."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from polyclinic.core.actors import Person
from polyclinic.core.outbox import rooms
from polyclinic.live.wire import Wired


class Subscriber:
    """One listening client. The kinds of connection say how to `write`, `resync` and `let_go`."""

    def __init__(self, person: Person | None, public: Iterable[str] = ()) -> None:
        self.person = person
        self.public = set(public)
        self.rooms: frozenset[str] = frozenset()
        self.last = 0
        self.held: deque[Wired] | None = None
        self.gone = False

    def entitled(self) -> frozenset[str]:
        """The rooms this client is to hear now: its own by right, the public ones by wish."""
        own = rooms.own_rooms(self.person) if self.person is not None else frozenset()
        return own | self.public

    def hold(self) -> bool:
        """Keep coming events for after a replay. False when a replay is already under way."""
        if self.held is not None:
            return False
        self.held = deque()
        return True

    def wants(self, event: Wired) -> bool:
        """Whether this kind of connection passes the event on at all."""
        return True

    def write(self, event: Wired) -> None:
        """Send one event."""
        raise NotImplementedError

    def resync(self, position: int) -> None:
        """Tell the client that it must fetch its screens afresh; listening goes on from `position`."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until the client has taken what was written."""
        raise NotImplementedError

    def let_go(self, why: str) -> None:
        """End the connection. `why`: slow, signed-out, stopping."""
        raise NotImplementedError
