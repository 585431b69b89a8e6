"""Reading who may see a patient's record beyond the roles.

`standing` is asked by the session check every two seconds for each session, so it is two statements built once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from polyclinic.consent import rules, sharing
from polyclinic.consent.models import Consent, Delegation, EmergencyAccess, Kind, Rights
from polyclinic.consent.states import ACTIVE, OPEN
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.people.models import Doctor, Patient

MOST = 200
DECIDING = (Kind.PARENT, Kind.GUARDIAN)

_delegated = CompiledQuery(
    lambda account, now: Delegation.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), carer_id=account, state=ACTIVE
    ).values_list("patient_id", "rights", "kind"),
    new_id(),
    datetime(2001, 1, 1, tzinfo=UTC),
)
_opened = CompiledQuery(
    lambda account, now: EmergencyAccess.objects.filter(account_id=account, ends_at__gt=now, state=OPEN).values_list(
        "patient_id", "ends_at"
    ),
    new_id(),
    datetime(2001, 1, 1, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account may do beyond its roles: for whom it acts, books and decides, and what it opened until when."""

    delegated: frozenset[UUID]
    books_for: frozenset[UUID]
    represents: frozenset[UUID]
    emergencies: frozenset[tuple[UUID, datetime]]


def standing(account_id: UUID, *, clinical: bool = True) -> Standing:
    """What this account may do beyond its roles, now. Who is not `clinical` can have opened nothing in an emergency."""
    now = clock.now()
    opened = _opened.rows(account_id, now) if clinical else []
    acting = _delegated.rows(account_id, now)
    return Standing(
        delegated=frozenset(patient for patient, _rights, _kind in acting),
        books_for=frozenset(patient for patient, rights, _kind in acting if rights == Rights.BOOK),
        represents=frozenset(patient for patient, _rights, kind in acting if kind in DECIDING),
        emergencies=frozenset((patient, ends) for patient, ends in opened),
    )


class ConsentRow(msgspec.Struct, frozen=True, rename="camel"):
    """A consent as the patient reads it. `in_force` is false once it was withdrawn or has run out."""

    id: UUID
    patient_id: UUID
    facility_id: UUID | None
    account_id: UUID | None
    grantee: str
    purpose: str
    categories: tuple[str, ...]
    status: str
    version: int
    granted_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    in_force: bool


class DelegationRow(msgspec.Struct, frozen=True, rename="camel"):
    """Who acts for whom. `email` is where the invitation went, shown to the patient alone."""

    id: UUID
    patient_id: UUID
    patient_name: str
    carer_id: UUID | None
    carer_name: str
    email: str
    kind: str
    rights: str
    status: str
    version: int
    proposed_at: datetime
    starts_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    in_force: bool


def consents(viewer: Viewer, patient_id: UUID) -> list[ConsentRow]:
    """A patient's consents, newest first, those that ended included. Raises NotFound for whom it is none of their
    business."""
    policy.require_sight(viewer, "consent.edit", Subject(patient_id=patient_id))
    rows = Consent.objects.filter(patient_id=patient_id).select_related("facility", "account__doctor")
    found = [_consent(row) for row in rows.order_by("-granted_at", "-pk")[:MOST]]
    reads.listed(viewer, "consent", patient_id, [(row.patient_id, None) for row in found])
    return found


def consent(viewer: Viewer, consent_id: UUID) -> ConsentRow:
    """One consent of a patient's own. Raises NotFound alike for a missing and for a foreign one."""
    _signed_in(viewer)
    row = Consent.objects.filter(pk=consent_id).select_related("facility", "account__doctor").first()
    if row is None:
        raise NotFound()
    policy.require_sight(viewer, "consent.edit", Subject(patient_id=row.patient_id))
    reads.opened(viewer, "consent", consent_id, patient_id=row.patient_id)
    return _consent(row)


def carers(viewer: Viewer, patient_id: UUID) -> list[DelegationRow]:
    """Who acts, was asked to act, or acted for this patient, newest first. Raises NotFound."""
    policy.require_sight(viewer, "consent.edit", Subject(patient_id=patient_id))
    own = isinstance(viewer, Person) and viewer.patient_id == patient_id
    found = _delegations(Delegation.objects.filter(patient_id=patient_id), mine=own)
    reads.listed(viewer, "delegation", patient_id, [(row.patient_id, None) for row in found])
    return found


def acting_for(viewer: Viewer) -> list[DelegationRow]:
    """For whom the viewer acts now, by name."""
    person = _signed_in(viewer)
    rows = _delegations(Delegation.objects.filter(carer_id=person.account_id, state=ACTIVE))
    found = sorted((row for row in rows if row.in_force), key=lambda row: row.patient_name)
    reads.listed(viewer, "delegation", None, [(row.patient_id, None) for row in found])
    return found


def openings(viewer: Viewer, patient_id: UUID) -> list[tuple[datetime, datetime]]:
    """When this patient's record was opened in an emergency, newest first: from, until. Raises NotFound."""
    policy.require_sight(viewer, "consent.edit", Subject(patient_id=patient_id))
    rows = EmergencyAccess.objects.filter(patient_id=patient_id).order_by("-opened_at")
    found = [
        (opened, min(ends, closed or ends))
        for opened, ends, closed in rows.values_list("opened_at", "ends_at", "closed_at")[:20]
    ]
    reads.listed(viewer, "emergency_access", patient_id, [(patient_id, None)] if found else [])
    return found


def doctor_account(viewer: Viewer, doctor_id: UUID) -> UUID:
    """The account behind a doctor of the public directory, to share with. Raises NotFound."""
    found = Doctor.objects.filter(pk=doctor_id, account__is_active=True).values_list("account_id", flat=True).first()
    if found is None:
        raise NotFound(field="doctor")
    return found


def kinds_to_ask(viewer: Viewer) -> tuple[str, ...]:
    """What the viewer, as a patient, may ask somebody to be for them: a parent acts for a child alone."""
    person = _signed_in(viewer)
    if person.patient_id is None:
        return ()
    born = Patient.objects.values_list("born", flat=True).get(pk=person.patient_id)
    of_age = rules.of_age(born) <= clock.now()
    return tuple(kind for kind in Kind.values if kind != Kind.PARENT or not of_age)


def _signed_in(viewer: Viewer) -> Person:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer


def _consent(row: Any) -> ConsentRow:  # noqa: ANN401 - a Consent with its grantee
    return ConsentRow(
        id=row.pk,
        patient_id=row.patient_id,
        facility_id=row.facility_id,
        account_id=row.account_id,
        grantee=row.facility.name if row.facility_id else _named(row.account),
        purpose=row.purpose,
        categories=tuple(row.categories.split()),
        status=row.state,
        version=row.version,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        withdrawn_at=row.withdrawn_at,
        in_force=row.state == ACTIVE and (row.expires_at is None or clock.now() < row.expires_at),
    )


def _named(account: Any) -> str:  # noqa: ANN401 - an Account
    return str(getattr(account, "doctor", account))


def _delegations(rows: QuerySet[Delegation], *, mine: bool = False) -> list[DelegationRow]:
    now = clock.now()
    return [
        DelegationRow(
            id=row.pk,
            patient_id=row.patient_id,
            patient_name=f"{row.patient.given_name} {row.patient.family_name}",
            carer_id=row.carer_id,
            carer_name=row.carer.name if row.carer else "",
            email=row.email if mine else "",
            kind=row.kind,
            rights=row.rights,
            status=row.state,
            version=row.version,
            proposed_at=row.proposed_at,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            ended_at=row.ended_at,
            in_force=row.state == ACTIVE and (row.ends_at is None or now < row.ends_at),
        )
        for row in rows.select_related("patient", "carer").order_by("-proposed_at", "-pk")[:MOST]
    ]


__all__ = [
    "ConsentRow", "DelegationRow", "Standing", "acting_for", "carers", "consent", "consents", "doctor_account",
    "kinds_to_ask", "openings", "sharing", "standing",
]  # fmt: skip
