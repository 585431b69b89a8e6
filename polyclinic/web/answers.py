"""Answers made without Django: errors of the outermost layer, health, reports."""

from __future__ import annotations

import orjson

from polyclinic.core.errors import Problem
from polyclinic.web import errors
from polyclinic.web.bridge import Scope, Send


async def send_bytes(send: Send, status: int, kind: bytes, payload: bytes) -> None:
    """One whole answer that no cache keeps."""
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(payload)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


async def answer(scope: Scope, send: Send, problem: Problem) -> None:
    """`problem` to a caller that never reached Django."""
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    if errors.wants_json(scope["path"], accept):
        payload = orjson.dumps(errors.body(problem), default=str)
        await send_bytes(send, problem.status, errors.JSON_TYPE.encode(), payload)
    else:
        await send_bytes(send, problem.status, b"text/html; charset=utf-8", errors.plain(problem).encode())
