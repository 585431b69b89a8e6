"""From a session to a Person: the account, its patient or doctor, its roles. Asked on every request, so cached.

An answer is believed for two seconds; then the session row is looked at again. Signing out, a changed role or a
deactivated account therefore takes effect within two seconds on every node, and at once on this one (`forget`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Grant, Person
from polyclinic.core.db import CompiledQuery
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Membership
from polyclinic.people.models import Account, Session
from polyclinic.people.sessions import SessionStore

BELIEVED_SECONDS = 2.0
_TOUCH = timedelta(seconds=60)
_CACHE_SIZE = 20_000

# When an answer ends to be believed, the answer, and whether its asking counted as use of the session.
_cache: OrderedDict[str, tuple[float, Person | None, bool]] = OrderedDict()
_lock = threading.Lock()

_session = CompiledQuery(
    lambda key: Session.objects.filter(session_key=key).values_list(
        "account_id", "expire_date", "seen_at", "session_key"
    ),
    "marker-key",
)
_account = CompiledQuery(
    lambda pk: Account.objects.filter(pk=pk).values_list("name", "language", "is_active", "patient__id", "doctor__id"),
    new_id(),
)


def person_of_session(key: str, *, via: str = "web", touch: bool = True) -> Person | None:
    """The person signed in under this session key, or None when it is unknown, ended or idle too long.

    `touch`: whether asking counts as use of the session. A page left open polls and reconnects by itself, and must
    not keep its absent owner signed in.
    """
    now = time.monotonic()
    found = _cache.get(key)
    if found is not None and found[0] > now and (found[2] or not touch):
        return found[1]
    person = _load(key, via, touch)
    with _lock:
        _cache[key] = (now + BELIEVED_SECONDS, person, touch)
        _cache.move_to_end(key)
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return person


def forget(key: str | None = None) -> None:
    """Believe nothing about this session any more (or about any): the next request asks the database."""
    with _lock:
        if key is None:
            _cache.clear()
        else:
            _cache.pop(key, None)


def _load(key: str, via: str, touch: bool) -> Person | None:
    rows = _session.rows(key) if key else []
    if not rows:
        return None
    account_id, expires, seen, _key = rows[0]
    now = clock.now()
    if account_id is None or expires <= now or seen <= _idle_since(now):
        return None
    if touch and now - seen > _TOUCH:
        Session.objects.filter(session_key=key).update(seen_at=now)
    return person_of_account(account_id, session=key, via=via)


def _idle_since(now: datetime) -> datetime:
    """A session last used at this moment or before it has been left alone too long."""
    return now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def person_of_account(account_id: UUID, *, session: str = "", via: str = "web") -> Person | None:
    """The person behind an account with every role they hold now; None when the account is gone or not active."""
    rows = _account.rows(account_id)
    if not rows or not rows[0][2]:
        return None
    name, language, _active, patient_id, doctor_id = rows[0]
    grants = {
        Grant(role, facility_id)
        for role, facility_id in Membership.objects.filter(account_id=account_id, ended_at__isnull=True).values_list(
            "role", "facility_id"
        )
    }
    if patient_id:
        grants.add(Grant(Role.PATIENT))
    if doctor_id:
        grants.add(Grant(Role.DOCTOR))
    return Person(
        account_id=account_id,
        name=name,
        grants=frozenset(grants),
        patient_id=patient_id,
        doctor_id=doctor_id,
        language=language,
        session=session,
        via=via,
    )


def alive(keys: list[str]) -> set[str]:
    """Which of these session keys are still signed in: live connections ask this every other second.

    Asking does not count as use: a session ends when its person has been idle, however long its page stays open.
    """
    now = clock.now()
    rows = Session.objects.filter(
        session_key__in=keys, expire_date__gt=now, seen_at__gt=_idle_since(now), account_id__isnull=False
    )
    active = set(Account.objects.filter(is_active=True, pk__in=rows.values("account_id")).values_list("pk", flat=True))
    return {key for key, account in rows.values_list("session_key", "account_id") if account in active}


def open_api_session(account: Account, user_agent: str = "") -> str:
    """A session row for an API client; its key goes into the access token, so ending the row ends the token."""
    store = SessionStore()
    store[SESSION_KEY] = str(account.pk)
    store["kind"] = "api"
    store["user_agent"] = user_agent[:160]
    store.create()
    return str(store.session_key)


def end_session(key: str) -> None:
    """Sign this one session out: its pages, streams, sockets and tokens."""
    Session.objects.filter(session_key=key).delete()
    forget(key)


def forget_ended_sessions() -> int:
    """Delete rows of sessions whose time is over. Returns how many."""
    gone, _kinds = Session.objects.filter(expire_date__lte=clock.now()).delete()
    return gone


def end_sessions(account_id: UUID, *, keep: str = "") -> int:
    """Sign the account out everywhere (except the session `keep`). Returns how many sessions ended."""
    rows = Session.objects.filter(account_id=account_id).exclude(session_key=keep)
    keys = list(rows.values_list("session_key", flat=True))
    rows.delete()
    for key in keys:
        forget(key)
    return len(keys)
