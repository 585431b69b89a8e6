"""Browsers' reports of content-security-policy violations: counted, and logged by directive only."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any, Final

import orjson

from polyclinic.core.errors import Problem
from polyclinic.web.bridge import Receive, Scope, Send, read_body
from polyclinic.web.headers import CSP

PATH: Final = "/csp-report"
_LIMIT: Final = 64 * 1024
# Names from a report are only written to the log when they are names of ours, so that nobody can write there.
_DIRECTIVES: Final = frozenset(part.split()[0] for part in CSP.split(";")) | {
    "script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr", "frame-src", "worker-src", "object-src",
}  # fmt: skip
_log = logging.getLogger("polyclinic.web.csp")

counts: Counter[str] = Counter()


class NotAReport(Problem):
    """The body is not a violation report as browsers send them."""


def directives(body: bytes) -> list[str]:
    """The violated directives named in a report, in the old (`report-uri`) or the new (`report-to`) form."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotAReport() from None
    named: list[Any] = []
    for report in data if isinstance(data, list) else [data]:
        if not isinstance(report, dict):
            raise NotAReport()
        inner = report.get("csp-report") or report.get("body")
        if not isinstance(inner, dict):
            raise NotAReport()
        named.append(inner.get("effectiveDirective") or inner.get("effective-directive") or "")
        named[-1] = named[-1] or inner.get("violated-directive") or ""
    words = [str(name).partition(" ")[0] for name in named]
    return [word if word in _DIRECTIVES else "other" for word in words]


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Take a report. Answers 204, or 400 for what is none."""
    if scope["method"] != "POST":
        await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"POST")]})
        await send({"type": "http.response.body", "body": b""})
        return
    for name in directives(await read_body(scope, receive, _LIMIT)):
        counts[name] += 1
        _log.warning("content security policy violated: %s (%d so far)", name, counts[name])
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
