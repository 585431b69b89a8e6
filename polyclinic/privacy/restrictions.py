"""Restrictions in force (GDPR 18): a record that is kept and not used, and lifting that.

While one is in force no consent from before counts, research leaves the patient out, and the record is closed to the
staff of the place that agreed (`privacy.closing` says when it opens all the same). The patient, who acts for them, a
consent given since and break-glass are not concerned.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from polyclinic.consent import sharing
from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import transactional
from polyclinic.core.errors import Forbidden, NotFound, StaleEdit, Unauthenticated
from polyclinic.notify import actions as notify
from polyclinic.people.models import Patient
from polyclinic.privacy import closing
from polyclinic.privacy.events import RecordRestricted, RecordUnrestricted
from polyclinic.privacy.models import PrivacyRequest, Restriction
from polyclinic.records import sight


class RestrictionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A restriction in force."""

    id: UUID
    patient_id: UUID
    patient_name: str
    mrn: str
    facility_id: UUID
    facility_name: str
    time_zone: str
    since: datetime
    version: int


def restricted(patients: Collection[UUID]) -> dict[UUID, datetime]:
    """Those of these patients whose record is restricted, and since when: what sharing asks before anybody sees."""
    rows = _in_force().filter(patient_id__in=patients).order_by("-since")
    return dict(rows.values_list("patient_id", "since"))


def all_restricted() -> frozenset[UUID]:
    """Every patient whose record is restricted now."""
    return frozenset(_in_force().values_list("patient_id", flat=True))


def since(viewer: Viewer, patient_id: UUID) -> datetime | None:
    """Since when a patient's record is restricted, or None; for whoever sees the patient. Raises NotFound."""
    sight.patient(viewer, "patient.view", patient_id)
    return _in_force().filter(patient_id=patient_id).order_by("since").values_list("since", flat=True).first()


def restrictions(viewer: Viewer, patient_id: UUID | None = None, *, lifted: bool = False) -> list[RestrictionRow]:
    """A patient's, for whoever decides for them; else those that the viewer's facilities agreed to, newest first.

    Those in force; with `lifted` the patient's past ones too.
    """
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if patient_id is not None:
        policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
        rows = (Restriction.objects.all() if lifted else _in_force()).filter(patient_id=patient_id)
    else:
        rows = _in_force().filter(facility_id__in=policy.places(viewer, "privacy.answer"))
    found = [
        RestrictionRow(
            id=row.pk, patient_id=row.patient_id, patient_name=str(row.patient), mrn=row.patient.mrn,
            facility_id=row.facility_id, facility_name=row.facility.name, time_zone=row.facility.time_zone,
            since=row.since, version=row.version,
        )
        for row in rows.select_related("patient", "facility").order_by("-since", "-pk")[:200]
    ]  # fmt: skip
    reads.listed(viewer, "restriction", patient_id, ((row.patient_id, row.facility_id) for row in found))
    return found


def agree(*, actor: Actor, request: PrivacyRequest) -> None:
    """Let a restriction that a facility has agreed to take effect, in the running transaction; once is enough."""
    given = {"patient_id": request.patient_id, "facility_id": request.facility_id}
    if _in_force().filter(**given).exists():
        return
    row = Restriction(**given, agreed_by=actor.label)
    row.save(force_insert=True)
    ledger.record(
        actor=actor, action="record.restrict", row=row, subject=_subject(row), revision=1,
        event=RecordRestricted.of(row, 1),
    )  # fmt: skip
    sharing.forget_on_commit(row.patient_id)
    closing.forget_on_commit()


@transactional
def lift(*, actor: Actor, restriction_id: UUID, version: int | None = None) -> None:
    """End one, by the patient or a privacy officer of the facility that agreed; consents count again at once.

    Raises NotFound alike for a missing and a foreign one, Forbidden for an officer's own, StaleEdit, also for one
    that is lifted.
    """
    row = Restriction.objects.filter(pk=restriction_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person) else Unauthenticated()
    by_patient = policy.allowed(actor, "privacy.request", Subject(patient_id=row.patient_id))
    permission = "privacy.request" if by_patient else "privacy.answer"
    policy.require_sight(actor, permission, _subject(row))
    if not by_patient and isinstance(actor, Person) and row.patient_id in {actor.patient_id, *actor.represents}:
        raise Forbidden()
    if row.lifted_at is not None:
        raise StaleEdit(version=row.version)
    ledger.change(
        row, {"lifted_at": clock.now(), "lifted_by": actor.label}, permission=permission, actor=actor,
        subject=_subject(row), action="record.unrestrict", version=version,
        event=RecordUnrestricted.of(row, row.version + 1),
    )  # fmt: skip
    sharing.forget_on_commit(row.patient_id)
    closing.forget_on_commit()
    account = Patient.objects.filter(pk=row.patient_id).values_list("account_id", flat=True).first()
    if account is not None:
        notify.tell(account, "restriction_lifted")


def _in_force() -> QuerySet[Restriction]:
    return Restriction.objects.filter(lifted_at__isnull=True)


def _subject(row: Restriction) -> Subject:
    return Subject(patient_id=row.patient_id, facility_id=row.facility_id)
