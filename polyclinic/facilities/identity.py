"""From a session to a Person: the account, its patient or doctor, its roles. Asked on every request, so cached.

An answer is believed for two seconds; then the session row is looked at again. Signing out, a changed role or a
deactivated account therefore takes effect within two seconds on every node, and at once on this one (`forget`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db.models import Q

from polyclinic.consent import selectors as consent
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.rules import CUSTOM, RULES, Relation, Role, at_facility
from polyclinic.core.actors import Grant, Person
from polyclinic.core.db import CompiledQuery
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Membership
from polyclinic.factors import selectors as factors
from polyclinic.people import joined
from polyclinic.people.models import Account, Doctor, Session
from polyclinic.people.sessions import SessionStore
from polyclinic.tokens import apikeys

BELIEVED_SECONDS = 2.0
APP = "app"
# Which sessions a browser's cookie opens, and which an access token. A token names its session in clear: taken for a
# cookie, one that was overheard would be worth hours and not minutes.
OF_COOKIE: Final = frozenset({"web"})
OF_TOKEN: Final = frozenset({"api", APP})
_KEY: Final = "key"
_TOUCH = timedelta(seconds=60)
_CACHE_SIZE = 20_000

# Roles in which a record can be opened by break-glass; nobody else need be asked about.
_CLINICAL: Final = frozenset(rule.role for rule in RULES if rule.relation == Relation.EMERGENCY)

# When an answer ends to be believed, the answer, whether its asking counted as use, and what kind of session it is.
_cache: OrderedDict[str, tuple[float, Person | None, bool, str]] = OrderedDict()
_lock = threading.Lock()
# Grows whenever something is forgotten: an answer read before that must not be remembered after it.
_generation = 0

_session = CompiledQuery(
    lambda key: Session.objects.filter(session_key=key).values_list(
        "account_id", "expire_date", "seen_at", "session_key", "aal", "stepped_up_at", "seen_by", "kind"
    ),
    "marker-key",
)
_account = CompiledQuery(
    lambda pk: (
        Account.objects.filter(pk=pk)
        .annotate(joined=joined.any_gone("patient__id"))
        .values_list(
            "name",
            "language",
            "is_active",
            "patient__id",
            "doctor__id",
            "must_change_password",
            "inbox__unread",
            "email_verified_at",
            "joined",
        )
    ),
    new_id(),
)
_memberships = CompiledQuery(
    lambda account: Membership.objects.filter(account_id=account, ended_at__isnull=True).values_list(
        "role", "facility_id", "custom_role__permissions"
    ),
    new_id(),
)
# Where a doctor sees patients, as their schedules say.
_workplaces = CompiledQuery(
    lambda doctor: Doctor.objects.filter(pk=doctor, schedules__isnull=False).values_list("schedules__facility_id"),
    new_id(),
)


def person_of_session(
    key: str, *, via: str = "web", touch: bool = True, kinds: frozenset[str] = OF_COOKIE | OF_TOKEN
) -> Person | None:
    """The person signed in under this session key, or None when it is unknown, ended or idle too long.

    A session in which an administrator looks through the person's eyes signs nobody in (see `seen_through`).

    `touch`: whether asking counts as use of the session. A page left open polls and reconnects by itself, and must
    not keep its absent owner signed in. `kinds`: the kinds of session that may be shown in this way.
    """
    person, kind = _believed(key, via, touch)
    return person if person is not None and person.seen_by is None and kind in kinds else None


def seen_through(key: str, admin: Person) -> Person | None:
    """The person through whose eyes `admin` looks in this session, with that person's rights as staff; else None.

    What is the person's own as a patient, carer or in an emergency stays theirs. It ends with the admin's right to it.
    """
    person, _kind = _believed(key, "view-as", True)
    if person is None or person.seen_by != admin.account_id or person.account_id == admin.account_id:
        return None
    places = {grant.facility_id for grant in person.grants if grant.facility_id} | person.workplaces
    if not places or not places <= policy.places(admin, "person.view_as"):
        return None
    return replace(
        person, patient_id=None, delegated=frozenset(), books_for=frozenset(), represents=frozenset(),
        emergencies=frozenset(), unread=0, must_change_password=False, must_add_factor=False,
        grants=frozenset(grant for grant in person.grants if grant.role != Role.PATIENT),
    )  # fmt: skip


def _believed(key: str, via: str, touch: bool) -> tuple[Person | None, str]:
    """The person of a session and its kind."""
    now = time.monotonic()
    found = _cache.get(key)
    if found is not None and found[0] > now and (found[2] or not touch):
        return found[1], found[3]
    generation = _generation
    person, kind = _load(key, via, touch)
    _keep(key, (now + BELIEVED_SECONDS, person, touch, kind), generation)
    return person, kind


def _keep(key: str, answer: tuple[float, Person | None, bool, str], generation: int) -> None:
    """Remember an answer, unless something was forgotten since it was asked for."""
    with _lock:
        if generation != _generation:
            return
        _cache[key] = answer
        _cache.move_to_end(key)
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)


def forget(key: str | None = None) -> None:
    """Believe nothing about this session any more (or about any): the next request asks the database."""
    global _generation
    with _lock:
        _generation += 1
        if key is None:
            _cache.clear()
        else:
            _cache.pop(key, None)


def forget_account(account_id: UUID) -> None:
    """Believe nothing about any session of this account any more: its rights have changed."""
    global _generation
    with _lock:
        _generation += 1
        theirs = [key for key, known in _cache.items() if known[1] and known[1].account_id == account_id]
        for key in theirs:
            del _cache[key]


def _load(key: str, via: str, touch: bool) -> tuple[Person | None, str]:
    rows = _session.rows(key) if key else []
    if not rows:
        return None, ""
    account_id, expires, seen, _key, aal, stepped_up, seen_by, kind = rows[0]
    now = clock.now()
    if account_id is None or expires <= now or (kind != APP and seen <= _idle_since(now)):
        return None, kind
    if touch and now - seen > _TOUCH:
        Session.objects.filter(session_key=key).update(seen_at=now)
    person = person_of_account(account_id, session=key, via=via)
    if person is None:
        return None, kind
    # Whoever showed two factors has them; only the others are asked about. An administrator who looks through these
    # eyes has shown their own.
    lacking = aal < 2 and seen_by is None and factors.must_have(person) and not factors.has_second_factor(account_id)
    return replace(person, aal=aal, stepped_up_at=stepped_up, seen_by=seen_by, must_add_factor=lacking), kind


def _idle_since(now: datetime) -> datetime:
    """A session last used at this moment or before it has been left alone too long."""
    return now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def person_of_account(account_id: UUID, *, session: str = "", via: str = "web") -> Person | None:
    """The person behind an account with every role they hold now; None when the account is gone or not active."""
    rows = _account.rows(account_id)
    if not rows or not rows[0][2]:
        return None
    name, language, _active, patient_id, doctor_id, must_change, unread, verified, others = rows[0]
    grants, rights = _held(account_id)
    if patient_id:
        grants.add(Grant(Role.PATIENT))
    if doctor_id:
        grants.add(Grant(Role.DOCTOR))
    standing = consent.standing(account_id, clinical=any(grant.role in _CLINICAL for grant in grants))
    more = _merged(patient_id if others else None, standing)
    return Person(
        account_id=account_id,
        name=name,
        grants=frozenset(grants),
        patient_id=patient_id,
        doctor_id=doctor_id,
        language=language,
        session=session,
        via=via,
        must_change_password=bool(must_change),
        unread=unread or 0,
        email_verified=verified is not None,
        workplaces=frozenset(place for (place,) in _workplaces.rows(doctor_id)) if doctor_id else frozenset(),
        rights=rights,
        # Records merged into one's own, or into those one acts for, are acted for in the same way.
        delegated=standing.delegated | more.get("delegated", frozenset()),
        books_for=standing.books_for | more.get("books_for", frozenset()),
        represents=standing.represents | more.get("represents", frozenset()),
        emergencies=standing.emergencies,
    )


def _held(account_id: UUID) -> tuple[set[Grant], frozenset[tuple[str, UUID]]]:
    """The roles held at facilities, and the rights of the facilities' own roles among them."""
    grants, rights = set(), set()
    for role, facility_id, permissions in _memberships.rows(account_id):
        if role == CUSTOM:
            # Asked of the table each time: a right that has become a power since is no longer handed on.
            rights |= {(permission, facility_id) for permission in at_facility(*permissions or [""])}
        else:
            grants.add(Grant(role, facility_id))
    return grants, frozenset(rights)


def alive(keys: list[str]) -> set[str]:
    """Which of these session keys are still signed in: live connections ask this every other second.

    Asking does not count as use: a session ends when its person has been idle, however long its page stays open.
    """
    now = clock.now()
    rows = Session.objects.filter(
        Q(seen_at__gt=_idle_since(now)) | Q(kind=APP),
        session_key__in=keys, expire_date__gt=now, account_id__isnull=False,
    )  # fmt: skip
    active = set(Account.objects.filter(is_active=True, pk__in=rows.values("account_id")).values_list("pk", flat=True))
    return {key for key, account in rows.values_list("session_key", "account_id") if account in active}


def open_api_session(account: Account, user_agent: str = "", *, kind: str = "api") -> str:
    """A session row for an API client; its key goes into the access token, so ending the row ends the token.

    `kind` APP: a patient's own app, which stays signed in as long as it renews its sign-in, used or not.
    """
    store = SessionStore()
    store[SESSION_KEY] = str(account.pk)
    store["kind"] = kind
    store["user_agent"] = user_agent[:160]
    store.create()
    return str(store.session_key)


def person_of_key(secret: str, address: str) -> Person | None:
    """The person an API key of ours acts for, limited to its scopes; None for a key that opens nothing here and now."""
    key = apikeys.held(secret, address)
    if key is None:
        return None
    name, now = f"key:{key.id}", time.monotonic()
    found = _cache.get(name)
    if found is None or found[0] <= now:
        generation = _generation
        person = person_of_account(key.account_id)
        found = (now + BELIEVED_SECONDS, person and apikeys.limited(person, key), True, _KEY)
        _keep(name, found, generation)
    return found[1]


def end_session(key: str) -> None:
    """Sign this one session out: its pages, streams, sockets and tokens."""
    Session.objects.filter(session_key=key).delete()
    forget(key)


def end_apps(account_id: UUID) -> None:
    """Sign out the apps that stay signed in because their person was a patient and nothing else."""
    for key in Session.objects.filter(account_id=account_id, kind=APP).values_list("session_key", flat=True):
        end_session(key)


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


def _merged(patient_id: UUID | None, standing: consent.Standing) -> dict[str, frozenset[UUID]]:
    """The records that were merged into the person's own and into those they act for, by what they may do for them.

    `patient_id` None: none was merged into the person's own, which the account's row has told already.
    """
    own = frozenset({patient_id}) if patient_id else frozenset()
    acted = {name: getattr(standing, name) for name in ("delegated", "books_for", "represents")}
    everybody = own.union(*acted.values())
    gone = joined.gone(everybody) if everybody else {}
    if not gone:
        return {}
    return {name: frozenset(key for key, stays in gone.items() if stays in ids | own) for name, ids in acted.items()}
