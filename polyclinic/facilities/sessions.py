"""A person's own sessions: seeing where one is signed in, and ending what should not be."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db.models import Q, QuerySet

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.db import transactional
from polyclinic.core.errors import Forbidden, NotFound
from polyclinic.facilities import identity
from polyclinic.people import agents, alerts
from polyclinic.people.models import Account, Session
from polyclinic.tokens import apikeys


class SessionRow(msgspec.Struct, frozen=True, rename="camel"):
    """One place where an account is signed in. `id` names it without being its key; `kind` is web, api or app."""

    id: str
    kind: str
    browser: str
    network: str
    started_at: datetime
    seen_at: datetime
    aal: int
    current: bool


def _name(key: str) -> str:
    """A session's public name: from it nobody gets back to the key, which is as good as a password."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def sessions(viewer: Viewer) -> list[SessionRow]:
    """Where the viewer is signed in now, last used first. Someone not signed in is nowhere."""
    if not isinstance(viewer, Person):
        return []
    rows = _alive(viewer).order_by("-seen_at")
    return [
        SessionRow(
            _name(row.session_key), row.kind, agents.words(row.user_agent), row.network, row.started_at, row.seen_at,
            row.aal, row.session_key == viewer.session,
        )
        for row in rows
    ]  # fmt: skip


def seconds_left(viewer: Viewer) -> int:
    """Seconds until the viewer's session ends by itself if nothing is done; 0 when it has ended."""
    if not isinstance(viewer, Person):
        return 0
    row = Session.objects.filter(session_key=viewer.session).values_list("seen_at", "expire_date").first()
    if row is None:
        return 0
    ends = min(row[0] + timedelta(minutes=settings.SESSION_IDLE_MINUTES), row[1])
    return max(0, int((ends - clock.now()).total_seconds()))


def used(viewer: Viewer, seconds_ago: int = 0) -> int:
    """Count the session as used that long ago: its person types or reads without a request of theirs coming in.

    Never takes back a later use, and never brings an ended session back. Returns the seconds that are left.
    """
    if isinstance(viewer, Person) and seconds_left(viewer):
        at = clock.now() - timedelta(seconds=max(0, seconds_ago))
        if Session.objects.filter(session_key=viewer.session, seen_at__lt=at).update(seen_at=at):
            identity.forget(viewer.session)
    return seconds_left(viewer)


def end(*, actor: Person, name: str) -> bool:
    """End one of the actor's own sessions. Returns whether it was the actor's present one.

    Raises NotFound for a session that is not the actor's, Forbidden for someone looking through another's eyes.
    """
    _require_own(actor)
    key = next((row.session_key for row in _alive(actor) if _name(row.session_key) == name), None)
    if key is None:
        raise NotFound()
    _end(actor, [key], "session.end")
    return key == actor.session


def end_others(*, actor: Person, keep_keys: bool = False) -> int:
    """End every session of the actor but the present one, with its pages, streams, sockets and tokens.

    The keys of programs end with them unless `keep_keys`. Returns how many sessions. The actor's person is told, for
    somebody else may have pressed the button.
    """
    _require_own(actor)
    keys = [row.session_key for row in _alive(actor) if row.session_key != actor.session]
    if keys:
        _end(actor, keys, "session.end_others")
    if not keep_keys:
        apikeys.end_all(actor.account_id)
    return len(keys)


def _end(actor: Person, keys: list[str], action: str) -> None:
    _delete(actor, keys, action)
    # After the commit: an answer read before it must not be believed again.
    for key in keys:
        identity.forget(key)


@transactional
def _delete(actor: Person, keys: list[str], action: str) -> None:
    account = Account.objects.get(pk=actor.account_id)
    Session.objects.filter(account_id=account.pk, session_key__in=keys).delete()
    ledger.record(actor=actor, action=action, row=account, subject=Subject(), detail={"count": len(keys)})
    if action == "session.end_others":
        alerts.tell(account.pk, "sessions_ended")


def _alive(person: Person) -> QuerySet[Session]:
    now = clock.now()
    idle = now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    awake = Q(seen_at__gt=idle) | Q(kind=identity.APP)
    return Session.objects.filter(awake, account_id=person.account_id, expire_date__gt=now)


def _require_own(actor: Person) -> None:
    if actor.seen_by is not None:
        raise Forbidden()
