"""Clients of T1: eight that book and try again until they are answered, and one that listens and resumes."""

from __future__ import annotations

import http.client
import json
import queue
import random
import threading
import time
from datetime import datetime, timedelta

from tests.promises.kill_history import Intent
from tests.promises.kill_house import SLOT_MINUTES, SLOTS_A_DAY
from tests.server import CSRF

CLIENTS = 8
GIVE_UP_SECONDS = 60


def plan(rng: random.Random, house: dict[str, object], count: int) -> list[Intent]:
    """`count` intents; every fifth wants the same time as the one before it, for another patient."""
    schedules, patients = list(house["schedules"]), list(house["patients"])  # type: ignore[call-overload]
    first = datetime.fromisoformat(str(house["firstDay"]))
    slots = [(place, nth) for nth in range(count // len(schedules) + 1) for place in range(len(schedules))]
    wanted: list[Intent] = []
    for place, nth in slots:
        starts = first + timedelta(days=nth // SLOTS_A_DAY, minutes=nth % SLOTS_A_DAY * SLOT_MINUTES)
        rivals = 2 if rng.random() < 0.25 else 1
        for patient in rng.sample(patients[place], rivals):
            wanted.append(Intent(f"key-{len(wanted)}", schedules[place], patient, starts.isoformat()))
    return wanted[:count]


class Driver:
    """Puts a history of intents to the server. `done` counts those answered for good."""

    def __init__(self, port: int, session: str, intents: list[Intent]) -> None:
        self._port, self._waiting = port, queue.SimpleQueue[Intent]()
        for intent in intents:
            self._waiting.put(intent)
        self._cookie = f"polyclinic_session={session}; polyclinic_csrf={CSRF}"
        self._lock = threading.Lock()
        self.done = 0
        self._threads = [threading.Thread(target=self._book, daemon=True) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def working(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _book(self) -> None:
        connection = self._connect()
        while True:
            try:
                intent = self._waiting.get_nowait()
            except queue.Empty:
                connection.close()
                return
            until = time.monotonic() + GIVE_UP_SECONDS
            while not self._answered(connection, intent) and time.monotonic() < until:
                intent.unknown += 1
                connection.close()
                connection = self._connect()
                time.sleep(0.05)
            with self._lock:
                self.done += 1

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)

    def _answered(self, connection: http.client.HTTPConnection, intent: Intent) -> bool:
        """Send the request; False when nobody knows whether it had its effect."""
        body = json.dumps({"patientId": intent.patient, "scheduleId": intent.schedule, "starts": intent.starts})
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": intent.key, "Cookie": self._cookie,
            "X-CSRFToken": CSRF,
        }  # fmt: skip
        try:
            connection.request("POST", "/api/appointments", body, headers)
            answer = connection.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        if answer.status == 201:
            intent.booked.append(json.loads(told)["id"])
        elif answer.status == 409:
            intent.refused += 1
        else:
            intent.faults.append(f"{answer.status} {told[:200]!r}")
        return True


class Listener(threading.Thread):
    """A receptionist's live stream, taken up again after every cut where it ended."""

    def __init__(self, port: int, session: str) -> None:
        super().__init__(daemon=True)
        self._port, self._session = port, session
        self._last = ""
        self.ready, self.enough = threading.Event(), threading.Event()
        self.heard: list[tuple[str, int]] = []
        self.resyncs = 0

    def run(self) -> None:
        while not self.enough.is_set():
            try:
                self._listen()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"Cookie": f"polyclinic_session={self._session}"}
            if self._last:
                headers["Last-Event-ID"] = self._last
            connection.request("GET", "/live", headers=headers)
            answer, event = connection.getresponse(), {}
            while not self.enough.is_set() and (line := answer.readline()):
                name, _colon, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event:
                    self._take(event)
                    event = {}
        finally:
            connection.close()

    def _take(self, event: dict[str, str]) -> None:
        self.resyncs += event.get("event") == "resync"
        data = json.loads(event.get("data", "{}"))
        if event.get("event") == "hello":
            self._last = self._last or str(data["cursor"])
            self.ready.set()
        elif str(data.get("type", "")).startswith("appointment."):
            self.heard.append((data["appointmentId"], data["revision"]))
        self._last = event.get("id", self._last)
