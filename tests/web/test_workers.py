"""The worker threads: few requests at a time, and none that waits behind a long one."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from django.db import connections

from polyclinic.web import workers
from polyclinic.web.workers import Workers


def runs(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **given: Any) -> None:
        asyncio.run(test(*args, **given))

    return run


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Threads whose connections were closed; none has one here."""
    closed: list[str] = []
    monkeypatch.setattr(connections, "close_all", lambda: closed.append(threading.current_thread().name))
    return closed


@pytest.fixture
def house() -> Iterator[Workers]:
    made = Workers(3, at_once=1)
    yield made
    made.close()


class Inside:
    """Counts how many are at work at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def work(self, seconds: float) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(seconds)
        with self._lock:
            self.now -= 1
        return threading.current_thread().name


@runs
async def test_what_is_asked_for_is_answered_with_its_own_answer(house: Workers) -> None:
    assert await asyncio.gather(*[house.call(str, number) for number in range(200)]) == [str(n) for n in range(200)]


@runs
async def test_short_requests_are_taken_one_at_a_time(house: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    # However slow the machine is just now.
    monkeypatch.setattr(workers, "LONG", 60.0)
    inside = Inside()
    await asyncio.gather(*[house.call(inside.work, 0.001) for _ in range(20)])
    assert inside.most == 1


@runs
async def test_all_threads_take_requests_where_they_may() -> None:
    inside, house = Inside(), Workers(3)
    try:
        await asyncio.gather(*[house.call(inside.work, 0.05) for _ in range(6)])
    finally:
        house.close()
    assert inside.most == 3


@pytest.mark.parametrize("long", [1, 2])
@runs
async def test_a_long_request_does_not_hold_up_the_next_ones(house: Workers, long: int) -> None:
    go_on = threading.Event()
    slow = [asyncio.create_task(house.call(go_on.wait, 20)) for _ in range(long)]
    try:
        for _again in range(3):
            assert await asyncio.wait_for(house.call(str, "served"), 30) == "served"
            assert not any(one.done() for one in slow)
    finally:
        go_on.set()
    assert await asyncio.gather(*slow) == [True] * long


@runs
async def test_an_answer_does_not_wait_for_the_long_request_after_it(
    house: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LONG", 60.0)
    go_on = threading.Event()
    short = [asyncio.create_task(house.call(str, number)) for number in range(20)]
    slow = asyncio.create_task(house.call(go_on.wait, 20))
    behind = asyncio.create_task(house.call(str, "behind"))
    try:
        told = await asyncio.wait_for(asyncio.gather(*short), 30)
        assert told == [str(number) for number in range(20)]
        assert not slow.done()
        assert not behind.done()
    finally:
        go_on.set()
    assert await asyncio.gather(slow, behind) == [True, "behind"]


@runs
async def test_whoever_was_long_does_not_come_back_beside_the_others(
    house: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = Inside()
    slow = asyncio.create_task(house.call(time.sleep, workers.LONG * 3))
    # The turn is taken over by another thread, and given back to none before the long one has ended.
    assert await house.call(threading.current_thread) is not None
    await slow
    monkeypatch.setattr(workers, "LONG", 60.0)
    await asyncio.gather(*[house.call(inside.work, 0.001) for _ in range(40)])
    assert inside.most == 1


@runs
async def test_when_all_are_long_the_next_is_served_once_one_ends(house: Workers) -> None:
    go_on = threading.Event()
    slow = [asyncio.create_task(house.call(go_on.wait, 20)) for _ in range(3)]
    waiting = asyncio.create_task(house.call(str, "served"))
    await asyncio.sleep(workers.LONG * 6)
    assert not waiting.done()
    go_on.set()
    assert await asyncio.wait_for(waiting, 30) == "served"
    await asyncio.gather(*slow)


def test_another_loop_is_served_as_the_first(house: Workers) -> None:
    async def many() -> list[str]:
        return await asyncio.wait_for(asyncio.gather(*[house.call(str, number) for number in range(50)]), 30)

    async def leaves() -> None:
        asyncio.get_running_loop().create_task(house.call(str, 1))
        await asyncio.sleep(0)

    for _again in range(3):
        # This one ends with its timers still set.
        asyncio.run(leaves())
        assert asyncio.run(many()) == [str(number) for number in range(50)]


@runs
async def test_a_failure_comes_back_to_whoever_asked(house: Workers) -> None:
    def fail(kind: type[BaseException]) -> None:
        raise kind("of theirs")

    for kind in (ValueError, KeyError):
        with pytest.raises(kind, match="of theirs"):
            await house.call(fail, kind)
    assert await house.call(str, 1) == "1"


@runs
async def test_someone_who_goes_away_harms_nobody(house: Workers) -> None:
    done: list[int] = []
    started, go_on = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        go_on.wait(20)
        done.append(1)

    gone = asyncio.create_task(house.call(work))
    await asyncio.to_thread(started.wait, 30)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    go_on.set()
    assert await asyncio.wait_for(house.call(str, "served"), 30) == "served"
    # What has begun is finished all the same.
    assert done == [1]


@runs
async def test_closing_lets_work_finish_and_closes_each_connection(kept: list[str]) -> None:
    house = Workers(3, at_once=1)
    done: list[Any] = []
    asked = [asyncio.create_task(house.call(done.append, number)) for number in range(10)]
    asked.append(asyncio.create_task(house.call(time.sleep, workers.LONG * 2)))
    await asyncio.sleep(0)
    await asyncio.to_thread(house.close)
    assert done == list(range(10))
    await asyncio.gather(*asked)
    assert sorted(kept) == ["page-0", "page-1", "page-2"]
