"""A bounded way out to one client: straight to the server's `send` while it takes it, a queue when it does not.

A task, a queue item and a wake-up for every client and event cost several times what the sending itself costs. The
server's `send` does not suspend while the connection is writable, so it is run to its end on the spot; only when it
would wait is the half-run call handed to a task, and later items queue behind it. Order is kept in both cases.
"""

from __future__ import annotations

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any


def run_now(call: Awaitable[Any]) -> tuple[Any, Any] | None:
    """Run an awaitable until it ends or first waits. Returns None when it ended, else the rest for `go_on`."""
    stepper: Any = call.__await__()
    try:
        return stepper, next(stepper)
    except StopIteration:
        return None


@types.coroutine
def go_on(stepper: Any, waited: Any) -> Generator[Any, Any, None]:  # noqa: ANN401 - asyncio's own protocol
    """Take a half-run awaitable to its end inside a task. `waited` is what `run_now` found it waiting for."""
    while True:
        try:
            try:
                value = yield waited
            except BaseException as failure:  # also cancellation: the half-run call must see it
                waited = stepper.throw(failure)
            else:
                waited = stepper.send(value)
        except StopIteration:
            return


class Pipe:
    """Sends byte chunks of one streamed HTTP response, in order. Belongs to the event loop's thread."""

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]], limit: int = 2_000) -> None:
        """`limit`: how many chunks may wait for a slow client before it is let go."""
        self._send = send
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._task: asyncio.Task[None] | None = None
        self._drained = asyncio.Event()
        self._drained.set()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def congested(self) -> bool:
        return self._task is not None

    def push(self, chunk: bytes) -> bool:
        """Send or queue `chunk`. False when the client is gone or was just let go for being too slow."""
        if self.closed.done():
            return False
        if self._task is not None:
            if len(self._waiting) >= self._limit:
                self.close("slow")
                return False
            self._waiting.append(chunk)
            return True
        try:
            half = run_now(self._send({"type": "http.response.body", "body": chunk, "more_body": True}))
        except OSError:
            self.close("gone")
            return False
        if half is not None:
            self._drained.clear()
            self._task = asyncio.get_running_loop().create_task(self._finish(*half))
        return True

    async def _finish(self, stepper: Any, waited: Any) -> None:  # noqa: ANN401
        try:
            await go_on(stepper, waited)
            while self._waiting and not self.closed.done():
                chunk = self._waiting.popleft()
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        except OSError:
            self.close("gone")
        finally:
            self._task = None
            self._drained.set()

    async def drained(self) -> None:
        """Wait until nothing is queued (or the client is gone)."""
        if not self._drained.is_set():
            waits = asyncio.ensure_future(self._drained.wait())
            ends: set[asyncio.Future[Any]] = {waits, self.closed}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            waits.cancel()

    def close(self, why: str) -> None:
        """Take nothing more and forget what waits. `why`: gone, slow, signed-out, stopping."""
        if not self.closed.done():
            self.closed.set_result(why)
            self._waiting.clear()

    async def finish(self, patience: float) -> None:
        """End the response, giving a client that does not read `patience` seconds to take what was begun."""
        task = self._task
        if task is not None:
            await asyncio.wait({task}, timeout=patience)
            if not task.done():
                task.cancel()
                return
        try:
            last = self._send({"type": "http.response.body", "body": b"", "more_body": False})
            await asyncio.wait_for(asyncio.ensure_future(last), patience)
        except (OSError, TimeoutError):
            return
