"""The bare limit: the same work without any product. ASGI, sqlite3, orjson; no framework, no rules, no safety.

Tables, indexes, durability (WAL, FULL) and the data are the product's own: the twin works on a copy of its database.
A request of the API checks its bearer token against a table in memory and nothing else. Booking checks for overlap and
writes the appointment, a chained audit row and an event in one transaction; the product writes more (what each
resource is taken for, the public event that the doctor's free times changed). The page is in `twin_page`.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import orjson

from bench.twin_page import Page

_COLUMNS = (
    "a.id, a.state, a.version, a.starts, a.ends, f.time_zone, a.facility_id, f.name, a.schedule_id, a.doctor_id, "
    "d.title, d.given_name, d.family_name, d.specialty, a.patient_id, p.family_name, p.given_name, p.mrn, p.born, "
    "p.sex, a.service_id, r.name, a.reason, a.attention"
)
_FROM = (
    "FROM scheduling_appointment a JOIN facilities_facility f ON f.id = a.facility_id "
    "JOIN people_doctor d ON d.id = a.doctor_id JOIN people_patient p ON p.id = a.patient_id "
    "LEFT JOIN facilities_room r ON r.id = a.room_id"
)
_NAMES = (
    "id", "status", "version", "starts", "ends", "timeZone", "facilityId", "facilityName", "scheduleId", "doctorId",
    "title", "given", "family", "specialty", "patientId", "patientFamily", "patientGiven", "mrn", "born", "sex",
    "serviceId", "roomName", "reason", "attention",
)  # fmt: skip
ONE = f"SELECT {_COLUMNS} {_FROM} WHERE a.id = ?"
LIST = f"SELECT {_COLUMNS} {_FROM} WHERE a.doctor_id = ? AND a.starts >= ? AND a.starts < ? ORDER BY a.starts LIMIT 50"
CLASH = "SELECT 1 FROM scheduling_appointment WHERE doctor_id = ? AND starts < ? AND starts > ? AND ends > ? LIMIT 1"
BOOK = (
    "INSERT INTO scheduling_appointment (id, patient_id, doctor_id, facility_id, schedule_id, room_id, state, version, "
    "starts, ends, reason, booked_by, booked_at, rescheduled, attention) VALUES (?,?,?,?,?,?,'booked',1,?,?,?,?,?,0,'')"
)
AUDIT = (
    "INSERT INTO core_auditentry (lane, seq, at, actor, via, action, subject_kind, subject_id, patient_id, "
    "facility_id, from_state, to_state, revision, reason, request_id, detail, previous, digest) "
    "VALUES (0,?,?,?,'api','appointment.book','appointment',?,?,?,'','booked',1,'','','',?,?)"
)
EVENT = (
    "INSERT INTO core_outboxevent (stream, stream_seq, type, version, at, audience, payload) "
    "VALUES (?,1,'appointment.booked',1,?,?,?)"
)

db = sqlite3.connect(os.environ["TWIN_DATABASE"], isolation_level=None, check_same_thread=False)
for _pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000", "mmap_size=268435456"):
    db.execute(f"PRAGMA {_pragma}")
_schedules = {
    key: (doctor, facility, room)
    for key, doctor, facility, room in db.execute("SELECT id, doctor_id, facility_id, room_id FROM scheduling_schedule")
}
_callers: dict[bytes, str] = {}


def _caller(scope: dict[str, Any]) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            found = _callers.get(value)
            if found is None:
                found = _callers[value] = hashlib.sha256(value).hexdigest()[:32]
            return found
    raise PermissionError


def _rows(cells: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(_NAMES, row, strict=True)) for row in cells]


def read(key: str) -> bytes:
    row = db.execute(ONE, (key.replace("-", ""),)).fetchone()
    return orjson.dumps(dict(zip(_NAMES, row, strict=True)))


def listing(query: dict[str, list[str]]) -> bytes:
    low, high = (query[name][0].replace("T", " ").replace("Z", "") for name in ("from", "until"))
    rows = db.execute(LIST, (query["doctorId"][0].replace("-", ""), low, high)).fetchall()
    return orjson.dumps({"data": _rows(rows), "pagination": {"total": len(rows), "page": 1, "pages": 1, "next": None}})


def book(body: bytes, caller: str) -> bytes:
    wish = orjson.loads(body)
    schedule, patient = wish["scheduleId"].replace("-", ""), wish["patientId"].replace("-", "")
    doctor, facility, room = _schedules[schedule]
    starts = datetime.fromisoformat(wish["starts"]).replace(tzinfo=None)
    ends, now, key = starts + timedelta(minutes=10), str(datetime.now(UTC).replace(tzinfo=None)), uuid.uuid4().hex
    low, high = str(starts), str(ends)
    db.execute("BEGIN IMMEDIATE")
    if db.execute(CLASH, (doctor, high, str(starts - timedelta(days=1)), low)).fetchone():
        db.execute("ROLLBACK")
        raise ValueError("taken")
    reason = wish.get("reason", "")
    db.execute(BOOK, (key, patient, doctor, facility, schedule, room, low, high, reason, caller, now))
    head = db.execute("SELECT seq, digest FROM core_auditentry WHERE lane = 0 ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = head or (0, "0" * 64)
    sealed = hashlib.sha256(orjson.dumps([seq + 1, now, caller, key, patient, facility, previous])).hexdigest()
    db.execute(AUDIT, (seq + 1, now, caller, key, patient, facility, previous, sealed))
    payload = orjson.dumps({"appointmentId": key, "doctorId": doctor, "patientId": patient, "starts": low}).decode()
    db.execute(EVENT, (f"appointment:{key}", now, f"patient:{patient} doctor:{doctor}", payload))
    db.execute("COMMIT")
    row = db.execute(ONE, (key,)).fetchone()
    return orjson.dumps(dict(zip(_NAMES, row, strict=True)))


page = Page(db)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    """Four addresses, the product's own."""
    if scope["type"] != "http":
        return
    path: str = scope["path"]
    status = 200
    if path == "/doctor":
        query = parse_qs(scope["query_string"].decode())
        await _answer(send, 200, b"text/html; charset=utf-8", page.draw(scope["headers"], query["day"][0]))
        return
    caller = _caller(scope)
    if scope["method"] == "POST":
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message.get("more_body", False)
        status, payload = 201, book(body, caller)
    elif path == "/api/appointments":
        payload = listing(parse_qs(scope["query_string"].decode()))
    else:
        payload = read(path.rpartition("/")[2])
    await _answer(send, status, b"application/json", payload)


async def _answer(send: Any, status: int, kind: bytes, payload: bytes) -> None:  # noqa: ANN401 - ASGI
    headers = [(b"content-type", kind), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})
