"""How the installation is, and with what settings it runs: for who looks after it. No secret and nobody's data."""

from __future__ import annotations

import os
import platform
import shutil
import time
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import django
import msgspec
from django.conf import settings
from django.db import DatabaseError, connection

import polyclinic
from polyclinic.backup import schedule
from polyclinic.core.access import policy
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.errors import Forbidden, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.live import gateway
from polyclinic.notify import selectors as notify
from polyclinic.relay import status as relay
from polyclinic.relay.status import RelayStatus
from polyclinic.settings.declared import SETTINGS, Setting
from polyclinic.web import dependencies, housekeeping
from polyclinic.web.dependencies import Finding
from polyclinic.web.housekeeping import Run

MASKED = "•••"


class SystemStatus(msgspec.Struct, frozen=True, rename="camel"):
    """This process and what it works on. Lag is in events not yet sent on; `database_ms` is a question's way there
    and back; waits are in seconds; disk in bytes. `backup`: ok, off, none, late or failed, `backup_at` the newest.
    `findings` say what the server leans on, with a remedy where it is not well."""

    status: str
    version: str
    python: str
    django: str
    database: str
    database_version: str
    database_ms: float
    log_head: int
    live: str
    live_position: int
    live_lag: int
    connections: int
    mails_waiting: int
    mails_failed: int
    mails_oldest_wait: int
    disk_free: int
    disk_total: int
    backup: str
    backup_at: datetime | None
    broker: RelayStatus
    findings: list[Finding]


class SettingRow(msgspec.Struct, frozen=True, rename="camel"):
    """One setting. `source`: default, environment or file; `value` is masked where it is or holds a secret."""

    name: str
    value: str
    source: str
    secret: bool
    meaning: str


def system(viewer: Viewer) -> SystemStatus:
    """How this process and its database, log, live lines, mails and disk are. Raises Forbidden."""
    _require(viewer)
    fine, took, version = _database()
    live = gateway.running()
    queue = notify.queue()
    head = log.head() if fine else 0
    position = gateway.gateway.position if live else 0
    disk = shutil.disk_usage(settings.DATA)
    kept = schedule.standing()
    return SystemStatus(
        status="ok" if fine and live else "degraded", version=polyclinic.__version__,
        python=platform.python_version(), django=django.get_version(), database=connection.vendor,
        database_version=version, database_ms=round(took * 1000, 2), log_head=head,
        live="running" if live else "stopped", live_position=position, live_lag=max(0, head - position) if live else 0,
        connections=gateway.gateway.metrics()["connections"], mails_waiting=queue.waiting,
        mails_failed=queue.failed, mails_oldest_wait=queue.oldest_wait, disk_free=disk.free, disk_total=disk.total,
        backup=_backup(kept), backup_at=kept.newest,
        broker=relay.relay(), findings=dependencies.quick(),
    )  # fmt: skip


def jobs(viewer: Viewer) -> list[Run]:
    """What this process does by itself, and how that fares. Raises Forbidden."""
    _require(viewer)
    return housekeeping.runs()


def _backup(kept: schedule.Standing) -> str:
    if not kept.wanted:
        return "off"
    if kept.newest is None:
        return "none"
    return "failed" if kept.failed_at else "late" if kept.late else "ok"


def in_force(viewer: Viewer) -> list[SettingRow]:
    """Every declared setting, its value and where that came from. Raises Forbidden."""
    _require(viewer)
    return [_row(setting) for setting in SETTINGS]


def _require(viewer: Viewer) -> None:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.seen_by is not None or not policy.ever(viewer, "system.view"):
        raise Forbidden()


def _row(setting: Setting) -> SettingRow:
    given, path = os.environ.get(setting.name), os.environ.get(f"{setting.name}_FILE")
    source = "environment" if given is not None else "file" if path else "default"
    text = setting.default if given is None else given
    secret = setting.secret
    if secret:
        # A file's words are not even read: that there are some is all that is told.
        text = MASKED if source != "default" else ""
    elif source == "file":
        text = path or ""
    return SettingRow(setting.name, text if secret else _without_words(text), source, secret, setting.meaning)


def _without_words(text: str) -> str:
    """An address without who signs in there, and without its query: both can hold passwords."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASKED
    if not parts.scheme or not parts.netloc:
        return text
    named = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    user = f"{MASKED}@" if parts.username or parts.password else ""
    rest = f"?{MASKED}" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{user}{named}{port}{parts.path}{rest}"


def _database() -> tuple[bool, float, str]:
    started = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        took = time.perf_counter() - started
        found: Any = connection.get_database_version()
    except DatabaseError:
        return False, time.perf_counter() - started, ""
    return True, took, ".".join(map(str, found))
