"""API keys: a program acts for a person, or for a partner with an account of its own, within the scopes it was given.

A key looks like `pc_<prefix>_<secret>`; the prefix is shown in lists so that its owner can tell it from others.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import RULES, at_facility
from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Forbidden, Invalid, NotFound, StepUpNeeded
from polyclinic.core.ids import new_id
from polyclinic.notify.actions import tell
from polyclinic.people.models import Account
from polyclinic.tokens.models import ApiKey

MARK: Final = "pc_"
_system: Final = SystemActor("keys")
LONGEST: Final = timedelta(days=366)
MOST: Final = 20
_MAX_LENGTH: Final = 120
_NAME_LENGTH: Final = 80
_USE_NOTED: Final = timedelta(minutes=1)
BELIEVED_SECONDS: Final = 2.0
_CACHE_SIZE: Final = 5_000
FRESH: Final = timedelta(minutes=5)
# What a program may be trusted with at all. Whatever is a person's own decision (consent, break-glass, roles, exports,
# privacy) is not here, and a new right is not until somebody puts it here.
_KINDS: Final = ("appointment.", "schedule.", "facility.", "patient.")
# Nor what cannot be undone, whatever its name begins with.
_NEVER: Final = frozenset({"patient.shred", "patient.merge"})
SCOPES: Final = tuple(sorted({rule.permission for rule in RULES if rule.permission.startswith(_KINDS)} - _NEVER))
# What can be done at a facility as a whole, and not as the patient or the doctor it is about.
PARTNER_SCOPES: Final = tuple(sorted(at_facility(*SCOPES)))


class KeyRow(msgspec.Struct, frozen=True, rename="camel"):
    """A key as its owner sees it. `state` is active, expired or revoked."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    facility_id: UUID | None
    made_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Made:
    """A key just made. `secret` is shown this once."""

    row: KeyRow
    secret: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a request that shows a key needs to know of it."""

    id: UUID
    account_id: UUID
    scopes: frozenset[str]
    networks: tuple[str, ...]
    expires_at: datetime
    facility_id: UUID | None


def make(*, actor: Person, name: str, scopes: Sequence[str], days: int, networks: Sequence[str] = ()) -> Made:
    """A key with which a program acts for `actor`, with no more rights than theirs and the scopes named.

    Raises StepUpNeeded, Forbidden for a caller that is itself a key, or Invalid naming the field.
    """
    _require_person(actor)
    wanted = _scopes(scopes, actor)
    return _make(actor, actor.account_id, None, name, wanted, days, networks)


@transactional
def make_for_partner(
    *, actor: Person, facility_id: UUID, name: str, scopes: Sequence[str], days: int, networks: Sequence[str] = ()
) -> Made:
    """A key for another system, with an account of its own at a facility. Its role there is given by the caller.

    Raises StepUpNeeded, Forbidden, or Invalid naming the field.
    """
    _require_person(actor)
    policy.require(actor, "key.manage", Subject(facility_id=facility_id))
    wanted = _scopes(scopes, None)
    account = Account(id=new_id(), name=_name(name), email="")
    account.email = f"{account.pk}@partner.invalid"
    account.set_unusable_password()
    account.save(force_insert=True)
    ledger.record(
        actor=actor, action="account.create", row=account, subject=Subject(facility_id=facility_id), revision=1
    )
    made = _make(actor, account.pk, facility_id, name, wanted, days, networks)
    # Who makes a key may hold fewer rights than the key does: those who watch over the record hear of it.
    for watcher in _watchers(facility_id):
        tell(watcher, "partner_key_made", detail={"name": made.row.name})
    return made


def _nobody(_facility_id: UUID) -> Collection[UUID]:
    return ()


_watchers: Callable[[UUID], Collection[UUID]] = _nobody


def ask_watchers(of: Callable[[UUID], Collection[UUID]]) -> None:
    """Name who knows the privacy officers of a facility (their accounts)."""
    global _watchers
    _watchers = of


def watchers(facility_id: UUID) -> Collection[UUID]:
    """Accounts of those who watch over what programs do at a facility."""
    return _watchers(facility_id)


@transactional
def _make(
    actor: Person,
    account_id: UUID,
    facility_id: UUID | None,
    name: str,
    scopes: list[str],
    days: int,
    networks: Sequence[str],
) -> Made:
    now = clock.now()
    if ApiKey.objects.filter(account_id=account_id, revoked_at__isnull=True, expires_at__gt=now).count() >= MOST:
        raise Invalid(_("There are too many keys. End one that is no longer used."), field="name", code="too_many_keys")
    if not 1 <= days <= LONGEST.days:
        raise Invalid(_("A key lives for 1 to 366 days."), field="days")
    prefix = secrets.token_hex(4)
    secret = f"{MARK}{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        account_id=account_id,
        facility_id=facility_id,
        name=_name(name),
        prefix=f"{MARK}{prefix}",
        digest=_digest(secret),
        scopes=scopes,
        networks=_networks(networks),
        made_by_id=actor.account_id,
        expires_at=now + timedelta(days=days),
    )
    ledger.record(
        actor=actor, action="key.make", row=row, subject=Subject(facility_id=facility_id), detail={"scopes": scopes}
    )
    tell(actor.account_id, "key_made", detail={"name": row.name})
    return Made(_row(row), secret)


@transactional
def revoke(*, actor: Person, key_id: UUID) -> None:
    """End a key at once. Raises NotFound for one that is not the actor's nor of a facility whose keys they manage."""
    _require_hands(actor)
    row = ApiKey.objects.filter(pk=key_id).first()
    if row is None or not _may_see(actor, row):
        raise NotFound()
    if ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=clock.now()):
        ledger.record(actor=actor, action="key.revoke", row=row, subject=Subject(facility_id=row.facility_id))
        tell(row.made_by_id, "key_revoked", detail={"name": row.name})
    forget()


@transactional
def end_all(account_id: UUID) -> int:
    """End every key with which a program acts for this person: their password is another, or somebody else had it.

    Keys they made for a partner are the facility's and stay. Returns how many ended.
    """
    found = list(ApiKey.objects.filter(account_id=account_id, facility_id__isnull=True, revoked_at__isnull=True))
    ended = 0
    for row in found:
        if ApiKey.objects.filter(pk=row.pk, revoked_at__isnull=True).update(revoked_at=clock.now()):
            ended += 1
            ledger.record(actor=_system, action="key.revoke", row=row, subject=Subject(facility_id=None))
            if row.expires_at > clock.now():
                tell(account_id, "key_revoked", detail={"name": row.name})
    if ended:
        forget()
        transaction.on_commit(forget)
    return ended


def live_keys(person: Person) -> int:
    """How many keys act for this person now."""
    mine = ApiKey.objects.filter(account_id=person.account_id, facility_id__isnull=True, revoked_at__isnull=True)
    return mine.filter(expires_at__gt=clock.now()).count()


def keys(viewer: Person, facility_id: UUID | None = None) -> list[KeyRow]:
    """One's own keys, or those of a facility's partners for who manages them. Raises NotFound for a foreign one."""
    rows = ApiKey.objects.order_by("-made_at", "pk")
    if facility_id is None:
        return [_row(row) for row in rows.filter(account_id=viewer.account_id)]
    policy.require_sight(viewer, "key.manage", Subject(facility_id=facility_id))
    return [_row(row) for row in rows.filter(facility_id=facility_id)]


def offered(person: Person) -> list[str]:
    """Scopes that this person could give to a key of theirs."""
    return [scope for scope in SCOPES if policy.ever(person, scope)]


def _may_see(actor: Person, row: ApiKey) -> bool:
    if row.facility_id is None:
        return row.account_id == actor.account_id
    return policy.allowed(actor, "key.manage", Subject(facility_id=row.facility_id))


def _require_hands(actor: Person) -> None:
    """A key does not make or end keys, and neither does who looks through another's eyes."""
    if actor.scopes is not None or actor.seen_by is not None:
        raise Forbidden()


def _require_person(actor: Person) -> None:
    _require_hands(actor)
    if actor.stepped_up_at is None or clock.now() - actor.stepped_up_at >= FRESH:
        raise StepUpNeeded()


def _scopes(wanted: Sequence[str], person: Person | None) -> list[str]:
    possible = PARTNER_SCOPES if person is None else offered(person)
    unknown = [scope for scope in wanted if scope not in possible]
    if unknown or not wanted:
        raise Invalid(_("Choose among the rights listed."), field="scopes", possible=list(possible))
    # Whoever changes a thing is shown it in the answer, so the right to change brings the right to see.
    seen = {f"{scope.partition('.')[0]}.view" for scope in wanted} & set(possible)
    return sorted({*wanted, *seen})


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise Invalid(_("Give the key a name of up to 80 characters."), field="name")
    return name


def _networks(given: Sequence[str]) -> list[str]:
    try:
        return [str(ip_network(text.strip(), strict=False)) for text in given if text.strip()][:20]
    except ValueError:
        raise Invalid(_("Write networks such as 203.0.113.0/24."), field="networks") from None


def _row(row: ApiKey) -> KeyRow:
    now = clock.now()
    state = "revoked" if row.revoked_at else "expired" if row.expires_at <= now else "active"
    return KeyRow(
        row.pk, row.name, row.prefix, tuple(row.scopes), tuple(row.networks), row.facility_id, row.made_at,
        row.expires_at, row.last_used_at, state,
    )  # fmt: skip


def _digest(secret: str) -> str:
    # Plain SHA-256 is enough: a key is 256 random bits, there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


_cache: dict[str, tuple[float, Held | None]] = {}
_lock = threading.Lock()


def held(secret: str, address: str) -> Held | None:
    """The key of this secret when it may be used now from this address. Believed for two seconds."""
    if len(secret) > _MAX_LENGTH or not secret.startswith(MARK):
        return None
    digest, now = _digest(secret), time.monotonic()
    known = _cache.get(digest)
    if known is None or known[0] <= now:
        found = _find(digest)
        with _lock:
            if len(_cache) >= _CACHE_SIZE:
                _cache.clear()
            _cache[digest] = (now + BELIEVED_SECONDS, found)
    else:
        found = known[1]
    if found is None or found.expires_at <= clock.now() or not _allowed_from(found.networks, address):
        return None
    return found


def _find(digest: str) -> Held | None:
    row = ApiKey.objects.filter(digest=digest, revoked_at__isnull=True, account__is_active=True).first()
    if row is None:
        return None
    now = clock.now()
    if row.last_used_at is None or now - row.last_used_at > _USE_NOTED:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return Held(
        row.pk, row.account_id, frozenset(row.scopes), tuple(row.networks), row.expires_at, row.facility_id
    )  # fmt: skip


def _allowed_from(networks: tuple[str, ...], address: str) -> bool:
    if not networks:
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)


def limited(person: Person, key: Held) -> Person:
    """The key's person as the key may act: with its scopes, and nothing that is theirs alone.

    A partner has no role: its scopes are its rights, at its one facility.
    """
    place = key.facility_id
    rights = person.rights if place is None else frozenset((scope, place) for scope in key.scopes)
    return replace(
        person, scopes=key.scopes, rights=rights, session=f"key:{key.id}", via="key", emergencies=frozenset(),
        stepped_up_at=None,
    )  # fmt: skip


def forget() -> None:
    """Believe nothing about any key any more."""
    with _lock:
        _cache.clear()
