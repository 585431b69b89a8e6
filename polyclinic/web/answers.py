"""Answers made without Django: errors of the outermost layer, health, reports."""

from __future__ import annotations

import orjson

from polyclinic.core.errors import Problem
from polyclinic.web import errors, refusals
from polyclinic.web.bridge import Scope, Send


async def send_bytes(send: Send, status: int, kind: bytes, payload: bytes, retry_after: int = 0) -> None:
    """One whole answer that no cache keeps."""
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(payload)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


async def answer(scope: Scope, send: Send, problem: Problem) -> None:
    """`problem` to a caller that never reached Django."""
    refusals.note_outside(scope, problem)
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    wait = int(problem.extra.get("retryAfter", 0))
    if errors.wants_json(scope["path"], accept):
        payload = orjson.dumps(errors.body(problem), default=str)
        await send_bytes(send, problem.status, errors.JSON_TYPE.encode(), payload, wait)
    else:
        await send_bytes(send, problem.status, b"text/html; charset=utf-8", errors.plain(problem).encode(), wait)
