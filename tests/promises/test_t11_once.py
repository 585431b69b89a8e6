"""T11: a request sent again does its work once and gets the same answer.

1,000 bookings (300 on PostgreSQL) with a key each, sent to a running server three times: twice at the same moment on
two connections, and once more later under the other name of the same address. Each is one appointment and one answer,
byte for byte.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from tests.house import PASSWORD
from tests.server import Server, require_postgres

pytestmark = pytest.mark.service

PAIRS = 4
KINDS = [
    pytest.param(False, 1000, id="sqlite"),
    pytest.param(True, 300, id="postgres", marks=pytest.mark.postgres),
]
COUNTING = """
import django, json
django.setup(set_prefix=False)
from polyclinic.core.models import AuditEntry, IdempotencyRecord, OutboxEvent
from polyclinic.scheduling.models import Appointment, Reservation
print(json.dumps({
    "appointments": Appointment.objects.count(), "reserved": Reservation.objects.filter(kind="doctor").count(),
    "audited": AuditEntry.objects.filter(action="appointment.book").count(),
    "told": OutboxEvent.objects.filter(type="appointment.booked").count(), "kept": IdempotencyRecord.objects.count(),
}))
"""


@dataclass(frozen=True)
class Got:
    """One answer."""

    status: int
    body: bytes
    etag: str | None
    replayed: bool

    @property
    def same(self) -> tuple[int, bytes, str | None]:
        """What must be equal in all answers to one key."""
        return self.status, self.body, self.etag


class Line:
    """A connection that stays open: a request can be sent on it before the answer to another one has been read."""

    def __init__(self, server: Server, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._token = token

    def send(self, path: str, body: object, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        self._connection.request("POST", path, json.dumps(body), headers)

    def read(self) -> Got:
        answer = self._connection.getresponse()
        headers = answer.headers
        return Got(answer.status, answer.read(), headers.get("ETag"), headers.get("Idempotent-Replayed") == "true")

    def close(self) -> None:
        self._connection.close()


def sign_in(server: Server, email: str) -> str:
    credentials = {"email": email, "password": PASSWORD}
    status, _headers, body = server.request("POST", "/api/auth/login", body=credentials)
    assert status == 200, body
    return str(json.loads(body)["accessToken"])


def free(server: Server, count: int) -> list[dict[str, Any]]:
    """So many different free times of one doctor, as bookings."""
    found: list[dict[str, Any]] = []
    first = date.fromisoformat(json.loads(server.people["slots"])[0][:10])
    while len(found) < count:
        path = f"/api/doctors/{server.people['doctor']}/availability?from={first}&days=31"
        rows = json.loads(server.request("GET", path)[2])["data"]
        assert rows, f"only {len(found)} free times"
        found += [{"scheduleId": row["scheduleId"], "starts": row["starts"]} for row in rows]
        first += timedelta(days=31)
    return found[:count]


@contextlib.contextmanager
def lines(server: Server, token: str, count: int) -> Iterator[list[Line]]:
    made = [Line(server, token) for _ in range(count)]
    try:
        yield made
    finally:
        for line in made:
            line.close()


def twice_at_once(pair: list[Line], path: str, body: object, key: str | None) -> list[Got]:
    for line in pair:
        line.send(path, body, key)
    return [line.read() for line in pair]


def drive(server: Server, token: str, bodies: list[dict[str, Any]]) -> list[list[Got]]:
    """Three answers to each body, the first two of them asked for at the same moment."""

    def some(worker: int) -> list[tuple[int, list[Got]]]:
        with lines(server, token, 2) as pair:
            mine = list(enumerate(bodies))[worker::PAIRS]
            first = [(place, twice_at_once(pair, "/api/appointments", body, f"k{place}")) for place, body in mine]
            for (place, body), (_place, got) in zip(mine, first, strict=True):
                pair[0].send("/api/v1/appointments", body, f"k{place}")
                got.append(pair[0].read())
            return first

    with ThreadPoolExecutor(PAIRS) as pool:
        answered = dict(entry for part in pool.map(some, range(PAIRS)) for entry in part)
    return [answered[place] for place in range(len(bodies))]


@pytest.mark.parametrize(("postgres", "posts"), KINDS)
def test_a_repeated_post_happens_once(postgres: bool, posts: int) -> None:
    if postgres:
        require_postgres()
    with Server(postgres=postgres) as server:
        token = sign_in(server, "meera@example.org")
        bodies = free(server, posts)
        answers = drive(server, token, bodies)
        wrong = [got for got in answers if len({one.same for one in got}) != 1 or got[0].status != 201]
        assert wrong == []
        assert Counter(sum(one.replayed for one in got) for got in answers) == {2: posts}
        assert len({json.loads(got[0].body)["id"] for got in answers}) == posts
        counted = json.loads(server.python("-c", COUNTING))
        assert counted == dict.fromkeys(("appointments", "reserved", "audited", "told", "kept"), posts)
        another_body_is_a_mistake(server, token, bodies)


def another_body_is_a_mistake(server: Server, token: str, bodies: list[dict[str, Any]]) -> None:
    """The same key for something else is told, and neither does it nor repeats the first answer."""
    stranger = sign_in(server, "bento@example.org")
    with lines(server, token, 1) as (line,), lines(server, stranger, 1) as (other,):
        for place in range(0, len(bodies), 100):
            line.send("/api/appointments", {**bodies[place], "reason": "Cough"}, f"k{place}")
            got = line.read()
            assert (got.status, json.loads(got.body)["code"]) == (422, "idempotency_key_reused")
            # A key belongs to who made it: another caller's is another key, and here meets a time that is taken.
            other.send("/api/appointments", bodies[place], f"k{place}")
            got = other.read()
            assert (got.status, json.loads(got.body)["code"]) == (409, "slot_taken")
            assert not got.replayed
    counted = json.loads(server.python("-c", COUNTING))
    assert (counted["appointments"], counted["kept"]) == (len(bodies), len(bodies))


def test_without_a_key_the_second_is_another_request() -> None:
    """Negative control: the same two at once, without a key, get different answers."""
    with Server() as server:
        token = sign_in(server, "meera@example.org")
        with lines(server, token, 2) as pair:
            got = twice_at_once(pair, "/api/appointments", free(server, 1)[0], None)
    assert sorted(one.status for one in got) == [201, 409]
    assert not any(one.replayed for one in got)
