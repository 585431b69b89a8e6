"""Reading requests and break-glass openings: the patient their own, privacy officers those of their facility."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import Case, QuerySet, When

from polyclinic.consent.models import EmergencyAccess
from polyclinic.consent.states import CLOSED, OPEN
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.core.models import AuditEntry
from polyclinic.people.models import Account
from polyclinic.privacy.models import PrivacyRequest
from polyclinic.privacy.states import PENDING, subject_of

# An opening is to be judged within three days.
JUDGED_WITHIN: Final = timedelta(hours=72)
MOST: Final = 200


class RequestRow(msgspec.Struct, frozen=True, rename="camel"):
    """A privacy request. `before` and `after` are those of a correction."""

    id: UUID
    kind: str
    status: str
    version: int
    patient_id: UUID
    patient_name: str
    mrn: str
    facility_id: UUID
    facility_name: str
    time_zone: str
    words: str
    field: str
    before: str
    after: str
    answer: str
    received_at: datetime
    due_at: datetime
    answered_at: datetime | None
    overdue: bool


class OpeningRow(msgspec.Struct, frozen=True, rename="camel"):
    """A record opened by break-glass, as the privacy officer judges it. `over_at` is when it ended or will end."""

    id: UUID
    status: str
    version: int
    patient_id: UUID
    patient_name: str
    mrn: str
    account_id: UUID
    opened_by: str
    facility_id: UUID
    facility_name: str
    time_zone: str
    reason: str
    confirmed: int
    opened_at: datetime
    over_at: datetime
    is_open: bool
    overdue: bool
    reviewed_at: datetime | None
    reviewed_by: str
    review_note: str


class SeenRow(msgspec.Struct, frozen=True, rename="camel"):
    """One thing done or looked at while a record was open: when, what, by whom."""

    at: datetime
    action: str
    subject_kind: str
    who: str


def requests_of(viewer: Viewer, patient_id: UUID) -> list[RequestRow]:
    """A patient's requests, newest first. Raises NotFound for whom it is none of their business."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    found = _requests(PrivacyRequest.objects.filter(patient_id=patient_id).order_by("-received_at", "-pk"))
    reads.listed(viewer, "privacy_request", patient_id, ((row.patient_id, row.facility_id) for row in found))
    return found


def requests_to_answer(viewer: Viewer) -> list[RequestRow]:
    """Requests to the viewer's facilities: those that wait first, the soonest due on top, then what was answered."""
    waiting = Case(When(state__in=PENDING, then=0), default=1)
    rows = PrivacyRequest.objects.filter(facility_id__in=_places(viewer, "privacy.answer"))
    found = _requests(rows.order_by(waiting, "due_at", "pk"))
    reads.listed(viewer, "privacy_request", None, ((row.patient_id, row.facility_id) for row in found))
    return found


def request(viewer: Viewer, request_id: UUID) -> RequestRow:
    """One request, for its patient and the privacy officers of its facility. Raises NotFound."""
    row = _rows(PrivacyRequest.objects.filter(pk=request_id)).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    subject = subject_of(row)
    if not policy.allowed(viewer, "privacy.request", Subject(patient_id=row.patient_id)):
        policy.require_sight(viewer, "privacy.answer", subject)
    reads.opened(viewer, "privacy_request", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _request(row)


def openings(viewer: Viewer) -> list[OpeningRow]:
    """Records opened by break-glass at the viewer's facilities: those not yet judged first, the oldest on top."""
    waiting = Case(When(state__in=(OPEN, CLOSED), then=0), default=1)
    rows = EmergencyAccess.objects.filter(facility_id__in=_places(viewer, "breakglass.review"))
    found = _openings(rows.order_by(waiting, "opened_at", "pk"))
    reads.listed(viewer, "emergency_access", None, ((row.patient_id, row.facility_id) for row in found))
    return found


def opening(viewer: Viewer, access_id: UUID) -> OpeningRow:
    """One opening, for the privacy officers of its facility. Raises NotFound."""
    rows = EmergencyAccess.objects.filter(pk=access_id)
    row = rows.first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "breakglass.review", Subject(facility_id=row.facility_id))
    reads.opened(viewer, "emergency_access", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _openings(rows)[0]


def seen_during(viewer: Viewer, access_id: UUID) -> list[SeenRow]:
    """What was looked at and done about the patient by who opened the record, while it was open. Raises NotFound."""
    row = opening(viewer, access_id)
    entries = AuditEntry.objects.filter(
        patient_id=row.patient_id, actor=f"account:{row.account_id}", at__gte=row.opened_at, at__lte=row.over_at
    )
    return seen(entries.order_by("at", "lane", "seq")[:MOST])


def seen(entries: Iterable[AuditEntry]) -> list[SeenRow]:
    """Audit entries with the names of who acted."""
    found = list(entries)
    names = names_of(entry.actor for entry in found)
    return [SeenRow(entry.at, entry.action, entry.subject_kind, names[entry.actor]) for entry in found]


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """The names behind the labels of actors; a job is named by its own."""
    wanted = set(labels)
    keys = {label.removeprefix("account:"): label for label in wanted if label.startswith("account:")}
    rows = Account.objects.filter(pk__in=list(keys)).select_related("doctor")
    known = {f"account:{row.pk}": str(getattr(row, "doctor", row)) for row in rows}
    return {label: known.get(label, label.removeprefix("system:")) for label in wanted}


def _places(viewer: Viewer, permission: str) -> frozenset[UUID]:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return policy.places(viewer, permission)


def _rows(rows: QuerySet[PrivacyRequest]) -> QuerySet[PrivacyRequest]:
    return rows.select_related("patient", "facility")


def _requests(rows: QuerySet[PrivacyRequest]) -> list[RequestRow]:
    return [_request(row) for row in _rows(rows)[:MOST]]


def _request(row: PrivacyRequest) -> RequestRow:
    return RequestRow(
        id=row.pk,
        kind=row.kind,
        status=row.state,
        version=row.version,
        patient_id=row.patient_id,
        patient_name=str(row.patient),
        mrn=row.patient.mrn,
        facility_id=row.facility_id,
        facility_name=row.facility.name,
        time_zone=row.facility.time_zone,
        words=row.words,
        field=row.field,
        before=row.before,
        after=row.after,
        answer=row.answer,
        received_at=row.received_at,
        due_at=row.due_at,
        answered_at=row.answered_at,
        overdue=row.state in PENDING and row.due_at < clock.now(),
    )


def _openings(rows: QuerySet[EmergencyAccess]) -> list[OpeningRow]:
    found: list[Any] = list(rows.select_related("patient", "facility", "account__doctor")[:MOST])
    judges = names_of(row.reviewed_by for row in found if row.reviewed_by)
    now = clock.now()
    return [
        OpeningRow(
            id=row.pk,
            status=row.state,
            version=row.version,
            patient_id=row.patient_id,
            patient_name=str(row.patient),
            mrn=row.patient.mrn,
            account_id=row.account_id,
            opened_by=str(getattr(row.account, "doctor", row.account)),
            facility_id=row.facility_id,
            facility_name=row.facility.name,
            time_zone=row.facility.time_zone,
            reason=row.reason,
            confirmed=row.confirmed,
            opened_at=row.opened_at,
            over_at=row.closed_at or row.ends_at,
            is_open=row.state == OPEN and now < row.ends_at,
            overdue=row.state in (OPEN, CLOSED) and row.opened_at + JUDGED_WITHIN < now,
            reviewed_at=row.reviewed_at,
            reviewed_by=judges.get(row.reviewed_by, ""),
            review_note=row.review_note,
        )
        for row in found
    ]
