"""What is known about the request being served, for audit rows and log lines."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
# What the request has changed so far, as (kind, id), for `core.audit.reads`; None where nobody gathers, as in a job.
changed: ContextVar[set[tuple[str, str]] | None] = ContextVar("changed", default=None)
