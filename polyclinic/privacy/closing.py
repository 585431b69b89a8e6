"""Restricted records, closed to the house's own staff: what the right to restriction asks for (GDPR 18 (2)).

Such a record is stored and not used. It opens again where care goes on that the patient came for (an open visit, a
stay in bed, an appointment of these hours, an unfinished laboratory order, a prescription not yet given out, a critical
result that waits), by a consent given since, and by break-glass. Which rights are closed is said in
`core.access.rules`.

The few restricted records are held in memory: a decision about a right costs no question to the database. A change
here counts at once; the house's chores and, at the latest, the next decision ask again within two seconds.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from polyclinic.core import clock
from polyclinic.core.access.policy import Closed
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.inpatient.models import BedStay
from polyclinic.laboratory.models import CriticalAlert, LabOrder
from polyclinic.laboratory.states import OPEN as ORDER_OPEN
from polyclinic.laboratory.states import WAITING as ALERT_WAITING
from polyclinic.prescribing.models import Prescription
from polyclinic.prescribing.states import WAITING as NOT_GIVEN
from polyclinic.privacy.lookup import may_see
from polyclinic.privacy.models import Restriction
from polyclinic.records import sight
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.states import CHECKED_IN, EXPECTED
from polyclinic.visits.models import Visit

BELIEVED_SECONDS: Final = 2.0
# Whoever is about to be refused is refused by what was so this long ago at most: the visit may have just begun.
SURE_SECONDS: Final = 0.05
# An appointment opens the record from this long before it until this long after it.
AROUND: Final = timedelta(hours=12)

_known: tuple[float, Mapping[UUID, Closed]] | None = None
_lock = threading.Lock()
# Grows with every change: what was read before a change must not be remembered after it.
_generation = 0


def closed(surely: bool = False) -> Mapping[UUID, Closed]:
    """Restricted patients, each with the places that agreed and with whom care goes on all the same.

    `surely`: as it is now, for who is about to be refused.
    """
    known, now = _known, time.monotonic()
    if known is not None and known[0] - (BELIEVED_SECONDS - SURE_SECONDS if surely else 0.0) > now:
        return known[1]
    return refresh()


def refresh() -> Mapping[UUID, Closed]:
    """Ask the database now."""
    global _known
    seen = _generation
    found = _load()
    with _lock:
        if seen == _generation:
            _known = (time.monotonic() + BELIEVED_SECONDS, found)
    return found


def shuts_out(viewer: Viewer, patient_id: UUID) -> bool:
    """Whether the record is restricted and what is written in it therefore not the viewer's to see at present."""
    # To whoever does not see the patient nothing is told, not even that.
    if patient_id not in closed(True) or not may_see(viewer, patient_id):
        return False
    try:
        sight.patient(viewer, "visit.view", patient_id)
    except NotFound:
        return True
    return False


def chore() -> int:
    """Ask again before anybody has to wait for it. Nothing is done, so nothing is counted."""
    refresh()
    return 0


def forget() -> None:
    """Believe nothing any more."""
    global _known, _generation
    with _lock:
        _generation += 1
        _known = None


def forget_on_commit() -> None:
    """Forget now, for what this transaction reads itself, and after its commit, for what others read meanwhile."""
    forget()
    transaction.on_commit(forget)


def believe_none(seconds: float = 3600.0) -> None:
    """For tests, whose database is known to be empty: no record is restricted until one is."""
    global _known
    with _lock:
        _known = (time.monotonic() + seconds, {})


def _load() -> Mapping[UUID, Closed]:
    places: dict[UUID, set[UUID]] = defaultdict(set)
    for patient, place in Restriction.objects.filter(lifted_at__isnull=True).values_list("patient_id", "facility_id"):
        places[patient].add(place)
    if not places:
        return {}
    caring = _caring(set(places))
    return {patient: Closed(frozenset(at), frozenset(caring[patient])) for patient, at in places.items()}


def _caring(patients: set[UUID]) -> dict[UUID, set[UUID]]:
    """The places and doctors with whom care of these patients goes on."""
    now, theirs = clock.now(), Q(patient_id__in=patients)
    near = {"starts__lt": now + AROUND, "ends__gt": now - AROUND, "state__in": (*EXPECTED, CHECKED_IN)}
    queries = (
        Visit.objects.filter(theirs, closed_at__isnull=True).values_list("patient_id", "facility_id", "main_doctor_id"),
        BedStay.objects.filter(theirs, ended_at__isnull=True).values_list("patient_id", "facility_id", "doctor_id"),
        Appointment.objects.filter(theirs, **near).values_list("patient_id", "facility_id", "doctor_id"),
        LabOrder.objects.filter(theirs, state=ORDER_OPEN).values_list("patient_id", "facility_id", "doctor_id"),
        CriticalAlert.objects.filter(theirs, state=ALERT_WAITING).values_list("patient_id", "facility_id", "doctor_id"),
        Prescription.objects.filter(theirs, state__in=NOT_GIVEN).values_list("patient_id", "facility_id", "doctor_id"),
    )
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for query in queries:
        for patient, *whom in query:
            found[patient].update(one for one in whom if one is not None)
    return found
