"""From the log to the other side: in order within each stream, at least once, and nothing lost when either side falls.

1. `_follow` reads the log after a webhook's position, writes a message for each event it hears of, and moves the
   position: one transaction, so after a crash all of that is there or nothing.
2. `Courier` claims due messages by moving their next moment, sends them from threads that never see the database, and
   writes down what came of each. What was on its way when a server died is due again by itself, under the same id.

Of a stream only the first that waits is sent. A webhook that has just failed is asked for one message at a time, at
most every five minutes: a dead receiver costs a request now and then, and holds up no other webhook.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from polyclinic.core import clock, outgoing
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.outbox import log
from polyclinic.webhooks import ending, messages, signing, topics
from polyclinic.webhooks.models import Attempt, Message, Webhook
from polyclinic.webhooks.states import ACTIVE, ENDED

_log = logging.getLogger(__name__)
_READ: Final = 500
# More do not wait as messages: they wait in the log, which is kept anyway.
MOST_WAITING: Final = 5_000
# Ten tries in three days and three hours, a fifth more or less.
WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
MOST_ATTEMPTS: Final = len(WAITS) + 1
_HOLD: Final = timedelta(seconds=2)
_LONGEST_HOLD: Final = timedelta(minutes=5)
SECONDS: Final = 10.0
# Longer than a request can take.
_LEASE: Final = timedelta(seconds=60)
_AT_ONCE: Final = 8
_THREADS: Final = 16
_TURN: Final = 2.0
_MOST_BYTES: Final = 1 << 16
_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed message with all that is needed to send it, for a thread without a database."""

    message_id: UUID
    attempt: int
    url: str
    name: str
    body: bytes
    keys: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: a status (0: none), the kind of failure, and how long it took."""

    status: int
    error: str
    ms: int

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300


def follow() -> int:
    """Write messages for what is new in the log. Returns how many events were read."""
    log.assign_positions()
    head = log.head()
    behind = Webhook.objects.filter(state=ACTIVE).exclude(position=head).values_list("pk", flat=True)
    return sum(_follow(webhook_id) for webhook_id in behind)


@transactional
def _follow(webhook_id: UUID) -> int:
    lock_keys([f"webhook:{webhook_id}"])
    row = Webhook.objects.filter(pk=webhook_id, state=ACTIVE).first()
    if row is None or Message.objects.filter(webhook=row, progress="waiting").count() >= MOST_WAITING:
        return 0
    events = log.read_after(row.position, _READ)
    if not events:
        return 0
    made = [message for event in events if (message := messages.of(row, event)) is not None]
    Message.objects.bulk_create(made, ignore_conflicts=True)
    Webhook.objects.filter(pk=row.pk).update(position=events[-1].position)
    return len(events)


class Courier:
    """Sends what is due. What is on its way stays in hand from turn to turn, so nobody waits for the slowest."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._flying: dict[Future[Outcome], tuple[Letter, UUID]] = {}

    def turn(self, seconds: float = _TURN) -> int:
        """Send and write down for so long at most; with none on its way and none due it returns at once."""
        until, done = time.monotonic() + seconds, 0
        while True:
            self._launch()
            if not self._flying:
                return done
            left = until - time.monotonic()
            if left <= 0:
                return done
            landed, _rest = wait(self._flying, timeout=min(left, 0.1), return_when=FIRST_COMPLETED)
            done += self._land(landed)

    def _launch(self) -> None:
        busy = {webhook_id for _letter, webhook_id in self._flying.values()}
        for row in _sendable(clock.now()):
            # What would wait for a thread could outlast its claim, and be sent by another server as well.
            free = _THREADS - len(self._flying)
            if row.pk in busy or free <= 0:
                continue
            for letter in _claim(row, clock.now(), min(free, _AT_ONCE)):
                self._pool = self._pool or ThreadPoolExecutor(_THREADS, thread_name_prefix="webhook")
                self._flying[self._pool.submit(post, letter)] = letter, row.pk

    def _land(self, landed: Iterable[Future[Outcome]]) -> int:
        done = 0
        for future in landed:
            letter, _webhook_id = self._flying.pop(future)
            if (broken := future.exception()) is not None:
                _log.error("a message could not be sent (%s)", type(broken).__name__)
            _note(letter, future.result() if broken is None else Outcome(0, "failed", 0))
            done += 1
        return done


courier: Final = Courier()


def work() -> int:
    """One turn of both. Safe on several servers at once."""
    return follow() + courier.turn()


def post(letter: Letter) -> Outcome:
    """Send one, now. Never raises for what the other side does."""
    started = time.perf_counter()
    status, error = 0, ""
    try:
        headers = signing.headers(letter.name, letter.at, letter.body, letter.keys)
        reply = outgoing.request(
            "POST", letter.url, body=letter.body, headers=headers, seconds=SECONDS, most_bytes=_MOST_BYTES
        )
        status = reply.status
    except outgoing.NotAllowed:
        # Its name leads elsewhere since it was registered.
        error = "not_allowed"
    except outgoing.NoAnswer:
        error = "no_answer"
    if status and not 200 <= status < 300:
        error = "redirect" if 300 <= status < 400 else "refused"
    return Outcome(status, error, int((time.perf_counter() - started) * 1000))


def _sendable(now: datetime) -> list[Webhook]:
    """Webhooks with something due: active ones that are not held, and whichever has a test waiting."""
    due = Message.objects.filter(webhook=OuterRef("pk"), progress="waiting", next_at__lte=now)
    free = Q(state=ACTIVE) & (Q(held_until__isnull=True) | Q(held_until__lte=now))
    ready = Q(Exists(due)) & free | Q(Exists(due.filter(type=topics.TEST)))
    return list(Webhook.objects.filter(ready).exclude(state=ENDED))


def _claim(row: Webhook, now: datetime, most: int) -> list[Letter]:
    """Take some due messages, of each stream the first that waits, by moving their next moment."""
    mine = Message.objects.filter(webhook=row, progress="waiting")
    earlier = mine.filter(stream=OuterRef("stream"), position__lt=OuterRef("position"))
    due = mine.filter(next_at__lte=now).exclude(Exists(earlier)).order_by("position", "pk")
    held = row.state != ACTIVE or (row.held_until is not None and row.held_until > now)
    if held:
        due = due.filter(type=topics.TEST)
    keys = (row.secret, row.old_secret) if row.old_until and row.old_until > now else (row.secret,)
    letters = []
    for message in due[: 1 if row.failures else most]:
        # Two servers cannot both move it.
        claimed = Message.objects.filter(pk=message.pk, progress="waiting", next_at=message.next_at).update(
            next_at=now + _LEASE, attempts=F("attempts") + 1, tried_at=message.tried_at or now
        )
        if claimed:
            letters.append(
                Letter(message.pk, message.attempts + 1, row.url, messages.name_of(message), message.body.encode(),
                       keys, now)
            )  # fmt: skip
    return letters


@transactional
def _note(letter: Letter, outcome: Outcome) -> None:
    """Write down what came of a try, and what follows from it."""
    message = Message.objects.filter(pk=letter.message_id).first()
    if message is None:
        return
    lock_keys([f"webhook:{message.webhook_id}"])
    row, now = Webhook.objects.get(pk=message.webhook_id), clock.now()
    message.webhook = row
    Attempt.objects.create(message=message, at=now, status=outcome.status, ms=outcome.ms, error=outcome.error)
    # Replayed or discarded meanwhile it is no longer the try that was claimed.
    mine = Message.objects.filter(pk=message.pk, progress="waiting", attempts=letter.attempt)
    if outcome.fine:
        mine.update(progress="sent", done_at=now)
        if row.failures or row.last_ok_at is None or now - row.last_ok_at > timedelta(minutes=1):
            Webhook.objects.filter(pk=row.pk).update(failures=0, held_until=None, last_ok_at=now)
        ending.tell_of_answer(message)
        return
    if message.type == topics.TEST:
        # Whoever tests looks at it now, and a second try would answer another question.
        mine.update(progress="discarded", done_at=now)
        ending.tell_of_answer(message)
    else:
        if letter.attempt < MOST_ATTEMPTS and outcome.status != _GONE:
            mine.update(next_at=now + WAITS[letter.attempt - 1] * _spread())
        elif mine.update(progress="dead", done_at=now):
            ending.gave_up(row, message, gone=outcome.status == _GONE)
        hold = min(_HOLD * 2 ** min(row.failures, 10), _LONGEST_HOLD) * _spread()
        Webhook.objects.filter(pk=row.pk).update(failures=F("failures") + 1, held_until=now + hold)


def _spread() -> float:
    # After an outage not everything comes back in the same second.
    return random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, protects nothing
