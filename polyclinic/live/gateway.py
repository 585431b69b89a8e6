"""The live gateway: who is listening, what they may hear, and the handing out of events.

Everything here runs on the event loop's thread, so joining, catching up and delivering cannot race; only the log's
tail and database questions run on other threads.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from polyclinic.core.outbox import log
from polyclinic.live import history
from polyclinic.live.subscriber import Subscriber
from polyclinic.live.tail import Tail
from polyclinic.live.watch import Watch
from polyclinic.live.wire import CHANGES_RIGHTS, Wired

# How many single deliveries are made before other work of the loop gets its turn.
_TURN = 4_000
HELD = 5_000

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Counters:
    """What the gateway has done since it started."""

    connections: int = 0
    opened: int = 0
    events: int = 0
    delivered: int = 0
    dropped_clients: int = 0
    revoked: int = 0
    resyncs: int = 0


class Gateway:
    """All subscribers of this process and the recent past they are caught up from."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.counters = Counters()
        self.ring = history.Ring(0)
        self._rooms: dict[str, set[Subscriber]] = defaultdict(set)
        self._subscribers: set[Subscriber] = set()
        self._inbox: deque[Wired] = deque()
        self._pumping = False
        self._tail: Tail | None = None
        self._watch = Watch(self)
        self._checker: asyncio.Task[None] | None = None
        self._renewing: set[asyncio.Task[None]] = set()
        self._pool: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: asyncio.Event | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Follow the log and watch over sessions. Calling it twice does nothing."""
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="live-db")
        self._tail = Tail(self._from_tail_started, self._from_tail)
        self._tail.start()
        self._checker = self._loop.create_task(self._watch.forever())

    async def stop(self) -> None:
        """Let every client go (each comes back with its cursor) and stop following."""
        for subscriber in tuple(self._subscribers):
            subscriber.let_go("stopping")
            self.leave(subscriber)
        if self._checker is not None:
            self._checker.cancel()
        if self._tail is not None:
            await asyncio.to_thread(self._tail.stop)
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self._clear()

    async def ready(self) -> None:
        """Wait until the log's head is known: before that, nobody's cursor can be judged."""
        if self._ready is None:
            await self.start()
        assert self._ready is not None
        await self._ready.wait()

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run database work beside the loop."""
        assert self._loop is not None
        return await self._loop.run_in_executor(self._pool, lambda: _at_the_database(function, *args, **kwargs))

    def _from_tail_started(self, position: int) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.begin, position)

    def _from_tail(self, batch: list[Wired]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.deliver, batch)

    def begin(self, position: int) -> None:
        """Take `position` as the present."""
        self.ring = history.Ring(position)
        if self._ready is not None:
            self._ready.set()

    # --- handing out ----------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The newest event handed out."""
        return self.ring.head

    def deliver(self, batch: Iterable[Wired]) -> None:
        """Hand events to everyone entitled, in order."""
        self._inbox.extend(batch)
        if not self._pumping:
            self._pump()

    def _pump(self) -> None:
        turn = _TURN
        self._pumping = True
        while self._inbox and turn > 0:
            event = self._inbox.popleft()
            self.ring.add(event)
            self.counters.events += 1
            turn -= 1 + self._hand_out(event)
        self._pumping = bool(self._inbox)
        if self._pumping:
            asyncio.get_running_loop().call_soon(self._pump)

    def _hand_out(self, event: Wired) -> int:
        delivered = 0
        for room in event.audience:
            members = self._rooms.get(room)
            if not members:
                continue
            for subscriber in tuple(members):
                # Someone in two rooms of one event, or replayed ahead of it, has heard it already.
                if event.position > subscriber.last:
                    self.offer(subscriber, event)
                    delivered += 1
        self.counters.delivered += delivered
        if event.type in CHANGES_RIGHTS and self._loop is not None:
            self._renew_rooms(event)
        return delivered

    def _renew_rooms(self, event: Wired) -> None:
        """Whoever has just heard that rights changed is put into the rooms of the rights they have now."""
        heard = {one for room in event.audience for one in self._rooms.get(room, ()) if one.person is not None}
        if heard:
            task = asyncio.get_running_loop().create_task(self._watch.renew(list(heard)))
            self._renewing.add(task)
            task.add_done_callback(self._renewing.discard)

    def offer(self, subscriber: Subscriber, event: Wired) -> None:
        """Write to one client, or keep the event for after its replay."""
        subscriber.last = event.position
        if subscriber.held is None:
            if subscriber.wants(event):
                subscriber.write(event)
        elif len(subscriber.held) < HELD:
            subscriber.held.append(event)
        else:
            subscriber.let_go("slow")

    # --- coming and going -----------------------------------------------------------------------------------------

    def join(self, subscriber: Subscriber, *, holding: bool = False) -> None:
        """Begin to listen at the present position; with `holding`, events wait for `catch_up`."""
        subscriber.last = self.position
        subscriber.held = deque() if holding else None
        self._subscribers.add(subscriber)
        self.counters.opened += 1
        self.counters.connections = len(self._subscribers)
        self.settle_rooms(subscriber)

    def settle_rooms(self, subscriber: Subscriber) -> None:
        """Put the subscriber in exactly the rooms it is entitled to now."""
        entitled = subscriber.entitled()
        for room in subscriber.rooms - entitled:
            self._rooms[room].discard(subscriber)
            if not self._rooms[room]:
                del self._rooms[room]
        for room in entitled - subscriber.rooms:
            self._rooms[room].add(subscriber)
        subscriber.rooms = entitled

    def leave(self, subscriber: Subscriber) -> None:
        """Forget the subscriber. Safe to call twice."""
        subscriber.gone = True
        for room in subscriber.rooms:
            members = self._rooms.get(room)
            if members is not None:
                members.discard(subscriber)
                if not members:
                    del self._rooms[room]
        subscriber.rooms = frozenset()
        subscriber.held = None
        self._subscribers.discard(subscriber)
        self.counters.connections = len(self._subscribers)

    def dropped(self) -> None:
        """Count a client that was let go for not keeping up."""
        self.counters.dropped_clients += 1

    async def judge(self, cursor: int) -> str:
        """How a cursor can be resumed: `ring`, `log`, or `resync` when what is missed cannot be told any more."""
        if cursor > self.position:
            # A page may be drawn between a commit and its hand-out: then the log itself is ahead of us too. A
            # cursor beyond the log comes from another database.
            return "ring" if cursor <= await self.in_thread(log.head) else "resync"
        if self.position - cursor > history.TOO_FAR:
            return "resync"
        if self.ring.holds(cursor):
            return "ring"
        kept = await self.in_thread(history.resumable_from_log, cursor, self.ring.floor)
        return "log" if kept else "resync"

    async def catch_up(self, subscriber: Subscriber, cursor: int) -> None:
        """Replay what `subscriber` missed since `cursor`, then what arrived meanwhile, without a gap or a repeat.

        The subscriber must have joined with `holding`: it is in its rooms already, so nothing can fall between the
        replay and the live events.
        """
        until = subscriber.last = self.position
        # What was kept since joining lies within the replay; keeping it as well would tell it twice.
        subscriber.held = deque()
        verdict = await self.judge(cursor)
        if subscriber.gone:
            return
        if verdict == "resync":
            self.counters.resyncs += 1
            subscriber.resync(until)
        elif cursor > until:
            # Already drawn on the page the client has: skip these when they come.
            if subscriber.held:
                subscriber.held = deque(event for event in subscriber.held if event.position > cursor)
            subscriber.last = max(subscriber.last, cursor)
        else:
            await self._replay(subscriber, cursor, until)
        self._release(subscriber)

    async def _replay(self, subscriber: Subscriber, cursor: int, until: int) -> None:
        while cursor < until and not subscriber.gone:
            if self.ring.holds(cursor):
                events = self.ring.after(cursor, history.CHUNK)
                reached = events[-1].position if events else until
            else:
                events, reached = await self.in_thread(history.read_log, cursor, until)
            cursor = max(reached, cursor + 1)
            for event in events:
                if event.position <= until and not subscriber.rooms.isdisjoint(event.audience):
                    if subscriber.wants(event):
                        subscriber.write(event)
                    self.counters.delivered += 1
            await subscriber.drained()

    def _release(self, subscriber: Subscriber) -> None:
        held, subscriber.held = subscriber.held, None
        for event in held or ():
            if subscriber.wants(event) and not subscriber.gone:
                subscriber.write(event)

    # --- for those who watch ---------------------------------------------------------------------------------------

    def signed_in(self) -> list[Subscriber]:
        """Everyone listening under a session."""
        return [subscriber for subscriber in self._subscribers if subscriber.person is not None]

    def revoke(self, subscriber: Subscriber) -> None:
        """End a connection whose session has ended."""
        self.counters.revoked += 1
        subscriber.let_go("signed-out")
        self.leave(subscriber)

    def followed(self) -> dict[str, int]:
        """How many events of each type have been followed since the start."""
        return dict(self._tail.followed) if self._tail is not None else {}

    def metrics(self) -> dict[str, int]:
        """The counters, the position reached and the number of occupied rooms."""
        return {**asdict(self.counters), "position": self.position, "rooms": len(self._rooms)}


def _at_the_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run on a pool thread; a broken connection is dropped, and a pooled one given back, before the next question."""
    try:
        return function(*args, **kwargs)
    except (DatabaseError, InterfaceError):
        connection.close()
        raise
    finally:
        connection.close_if_unusable_or_obsolete()


gateway = Gateway()


async def start() -> None:
    """Start the process's gateway."""
    await gateway.start()


async def stop() -> None:
    """Stop the process's gateway."""
    await gateway.stop()


def running() -> bool:
    """Whether the process's gateway follows the log."""
    return gateway._loop is not None
