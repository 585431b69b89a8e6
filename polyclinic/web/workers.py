"""The threads that run Django, each with its own lasting database connection.

Python runs one thread at a time. SQLite's driver lets go of the interpreter at every row, so several busy threads hand
it to and fro at every row: a booking then costs a quarter more. Few therefore take requests at a time: those who hold a
turn. Whoever has been at one request for long gives the turn up, and a thread that was resting takes it, so that a
search of a second does not hold up the bookings behind it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final

from django.db import connections

# Seconds at one request before another thread takes the next; most requests take a tenth of it.
LONG: Final = 0.02
# Seconds after which an answer is told while more requests wait. Each telling wakes the loop, which then takes the
# processor from the very thread that works for it.
SOON: Final = 0.002
Job = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]
Done = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Workers:
    """`threads` in all, of which `at_once` take requests while none of them is held up; all when not said."""

    def __init__(self, threads: int, at_once: int | None = None) -> None:
        self._jobs: Final[SimpleQueue[Job | None]] = SimpleQueue()
        self._turns: Final = threading.Semaphore(min(at_once or threads, threads))
        self._lock: Final = threading.Lock()
        # Since when each thread that holds a turn has been at its request.
        self._busy: Final[dict[int, float]] = {}
        self._watched = False
        # What is done and not yet told: the future, its result, its failure.
        self._done: Final[deque[Done]] = deque()
        self._collecting = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads: Final = [
            threading.Thread(target=self._work, name=f"page-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def call(self, function: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401 - whatever `function` gives
        """Run a function on a worker; what it raises is raised here."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # The timers of a loop that has ended will not fire any more.
            self._loop, self._watched, self._collecting = loop, False, False
        answer = loop.create_future()
        if self._done:
            self._tell()
        self._jobs.put((answer, function, given))
        if not self._collecting:
            self._collecting = True
            loop.call_later(SOON, self._collect, loop)
        if not self._watched:
            self._watched = True
            loop.call_later(LONG, self._watch, loop)
        return await answer

    def load(self) -> tuple[int, float]:
        """How many requests wait, and for how many seconds the longest has been at work."""
        now = time.monotonic()
        with self._lock:
            return self._jobs.qsize(), max((now - since for since in self._busy.values()), default=0.0)

    def close(self) -> None:
        """Let what was asked for be done, then close each thread's database connection."""
        for _thread in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _collect(self, loop: asyncio.AbstractEventLoop) -> None:
        """While requests wait: tell what is done meanwhile. Otherwise whoever has done the last one says so."""
        # Said before the telling: what is done after that and not told now is told by whoever has done it.
        self._collecting = waiting = not self._jobs.empty()
        self._tell()
        if waiting:
            loop.call_later(SOON, self._collect, loop)

    def _tell(self) -> None:
        """Hand every answer to whoever asked for it."""
        while self._done:
            answer, result, failure = self._done.popleft()
            if answer.get_loop() is asyncio.get_running_loop():
                _settle(answer, result, failure)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """While requests wait: take the turn from whoever has been long at one, for a thread that rests."""
        if self._jobs.empty():
            self._watched = False
            return
        long_ago = time.monotonic() - LONG
        with self._lock:
            for thread in [thread for thread, since in self._busy.items() if since < long_ago]:
                del self._busy[thread]
                self._turns.release()
        loop.call_later(LONG, self._watch, loop)

    def _work(self) -> None:
        try:
            while True:
                self._turns.acquire()
                if not self._take_turn():
                    return
        finally:
            connections.close_all()

    def _take_turn(self) -> bool:
        """Do one request after the other until the turn is taken away. False when there will be no more."""
        me = threading.get_ident()
        while True:
            job = self._jobs.get()
            if job is None:
                # The others are told by the same means, one after the other.
                self._turns.release()
                return False
            with self._lock:
                self._busy[me] = time.monotonic()
            self._do(job)
            with self._lock:
                if self._busy.pop(me, None) is None:
                    return True

    def _do(self, job: Job) -> None:
        answer, function, given = job
        result, failure = None, None
        try:
            result = function(*given)
        except BaseException as raised:
            failure = raised
        self._done.append((answer, result, failure))
        if self._jobs.empty() or not self._collecting:
            # A loop that has ended has nobody left to be told.
            with suppress(RuntimeError):
                answer.get_loop().call_soon_threadsafe(self._tell)


def _settle(answer: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:  # noqa: ANN401
    # Whoever asked may have gone away meanwhile.
    if answer.done():
        return
    if failure is None:
        answer.set_result(result)
    else:
        answer.set_exception(failure)
