"""With whom each patient shares what: the answer the policy asks for, remembered for two seconds.

A grant or withdrawal empties it at once in this process; other processes believe theirs for two seconds at most. The
moment at which a consent ends is compared at every question.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from polyclinic.consent.models import Category, Consent
from polyclinic.consent.states import ACTIVE
from polyclinic.core import clock
from polyclinic.core.db import CompiledQuery
from polyclinic.core.ids import new_id

BELIEVED_SECONDS: Final = 2.0
_SIZE: Final = 20_000
# Which part of the record rights over such a thing are about. What is not listed here is shared by "everything" alone.
_PARTS: Final = {
    "note": Category.NOTES,
    "vitals": Category.NOTES,
    "allergy": Category.NOTES,
    "condition": Category.NOTES,
    "patient": Category.PARTICULARS,
    "appointment": Category.APPOINTMENTS,
    "lab": Category.RESULTS,
}

# Grantee, what, until when.
Shared = tuple[UUID, frozenset[str], datetime | None]

_of_patient = CompiledQuery(
    lambda patient: Consent.objects.filter(patient_id=patient, state=ACTIVE).values_list(
        "facility_id", "account_id", "categories", "expires_at", "granted_at"
    ),
    new_id(),
)
_cache: OrderedDict[UUID, tuple[float, tuple[Shared, ...]]] = OrderedDict()
_lock = threading.Lock()


def _none(_patients: Collection[UUID]) -> Mapping[UUID, datetime]:
    return {}


# Since when which of some patients are restricted: an upper app knows (`ask_restrictions`).
_restricted: Callable[[Collection[UUID]], Mapping[UUID, datetime]] = _none
# Grows with every change: an answer read before a change must not be remembered after it.
_generation = 0


def shared_with(patient_id: UUID, permission: str) -> frozenset[UUID]:
    """Facilities and accounts with which this patient now shares what `permission` is about."""
    now, wanted = clock.now(), _wanted(permission)
    return frozenset(
        grantee
        for grantee, categories, until in _known(patient_id)
        if (until is None or now < until) and not categories.isdisjoint(wanted)
    )


def sharers(grantees: frozenset[UUID], permission: str) -> frozenset[UUID]:
    """Patients who now share what `permission` is about with any of these facilities and accounts."""
    wanted = _wanted(permission)
    rows = in_force().filter(Q(facility_id__in=grantees) | Q(account_id__in=grantees))
    cells = rows.values_list("patient_id", "categories", "granted_at")
    found = [(patient, granted) for patient, shared, granted in cells if not wanted.isdisjoint(shared.split())]
    since = _restricted({patient for patient, _granted in found}) if found else {}
    return frozenset(patient for patient, granted in found if patient not in since or granted >= since[patient])


def ask_restrictions(since: Callable[[Collection[UUID]], Mapping[UUID, datetime]]) -> None:
    """Name who knows since when which records are restricted: consents from before are not honoured while they are.

    One that is given afterwards is, for consent is the law's own exception (GDPR 18 (2)).
    """
    global _restricted
    _restricted = since


def _wanted(permission: str) -> frozenset[str]:
    """Any of these categories shares what the right is about."""
    return frozenset({Category.ALL, _PARTS.get(permission.partition(".")[0], Category.ALL)})


def in_force() -> QuerySet[Consent]:
    """Consents that hold at this moment."""
    return Consent.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now()), state=ACTIVE)


def forget(patient_id: UUID | None = None) -> None:
    """Believe nothing about this patient (or about any) any more."""
    global _generation
    with _lock:
        _generation += 1
        if patient_id is None:
            _cache.clear()
        else:
            _cache.pop(patient_id, None)


def forget_on_commit(patient_id: UUID) -> None:
    """Forget as soon as the running transaction is real, and not before: a reader would only learn the old again."""
    forget(patient_id)
    transaction.on_commit(lambda: forget(patient_id))


def _known(patient_id: UUID) -> tuple[Shared, ...]:
    now = time.monotonic()
    found = _cache.get(patient_id)
    if found is not None and found[0] > now:
        return found[1]
    seen = _generation
    cells = _of_patient.rows(patient_id)
    since = _restricted([patient_id]).get(patient_id) if cells else None
    rows = tuple(_row(row) for row in cells if since is None or row[4] >= since)
    # A transaction still open may be rolled back, or may hide what others have committed: it teaches nobody.
    with _lock:
        if seen == _generation and not transaction.get_connection().in_atomic_block:
            _cache[patient_id] = (now + BELIEVED_SECONDS, rows)
            while len(_cache) > _SIZE:
                _cache.popitem(last=False)
    return rows


def _row(cells: Any) -> Shared:  # noqa: ANN401 - a row of the query above
    facility_id, account_id, categories, expires_at, _granted = cells
    return facility_id or account_id, frozenset(categories.split()), expires_at
