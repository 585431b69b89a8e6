"""Merging two records of one person, and undoing it. A merge is a link that readers follow (ADR 028): no row moves.

The front desk does it, where both records are known, with a reason. What stays is the record with the account; of two
without one, whichever the desk chooses. Undoing takes the link away, and both records are what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.people import erasing, joined, merge_events
from polyclinic.people.erasing import ERASED
from polyclinic.people.joined import MERGED, UNDONE
from polyclinic.people.models import Merge, Patient, PatientPlace

MAX_REASON: Final = 200
MOST: Final = 100
# What forbids it, asked inside the transaction with the ids of both: each raises why. Other apps add theirs at start.
guards: list[Callable[[UUID, UUID], None]] = []


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a Merge
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


_R = Transition
MERGE: Final = Machine(
    name="merge",
    model="people.Merge",
    subject=lambda row: Subject(patient_id=row.patient_id, facility_id=row.facility_id),
    tell=_tell,
    transitions=(
        _R(None, "merge", MERGED, "patient.merge", merge_events.PatientMerged),
        _R(MERGED, "undo", UNDONE, "patient.merge", merge_events.PatientSeparated),
    ),
)


class Side(msgspec.Struct, frozen=True, rename="camel"):
    """One of two records to be compared. `account`: the patient signs in with it."""

    id: UUID
    mrn: str
    name: str
    born: date
    sex: str
    phone: str
    account: bool
    temporary: bool
    since: datetime


class MergeRow(msgspec.Struct, frozen=True, rename="camel"):
    """A merge as the desk sees it."""

    id: UUID
    status: str
    version: int
    patient_id: UUID
    patient_name: str
    mrn: str
    gone_id: UUID
    gone_name: str
    gone_mrn: str
    reason: str
    merged_at: datetime
    undone_at: datetime | None


def pair(viewer: Viewer, facility_id: UUID, one: UUID, other: UUID) -> tuple[Side, Side]:
    """Two records side by side. Raises NotFound for one that the facility does not know, and for whom may not merge."""
    policy.require_sight(viewer, "patient.merge", Subject(facility_id=facility_id))
    found = tuple(_known(facility_id, key, field) for key, field in ((one, "one"), (other, "other")))
    for row in found:
        reads.opened(viewer, "patient", row.pk, patient_id=row.pk, facility_id=facility_id)
    return _side(found[0]), _side(found[1])


def merges(viewer: Viewer, facility_id: UUID) -> list[MergeRow]:
    """The hundred newest merges of a facility. Raises NotFound for whom may not merge there."""
    policy.require_sight(viewer, "patient.merge", Subject(facility_id=facility_id))
    rows = list(
        Merge.objects.filter(facility_id=facility_id).select_related("patient", "gone").order_by("-merged_at")[:MOST]
    )
    reads.listed(viewer, "patient", facility_id, ((row.patient_id, facility_id) for row in rows))
    return [_row(row) for row in rows]


@transactional
def merge(*, actor: Actor, facility_id: UUID, patient_id: UUID, gone_id: UUID, reason: str) -> Merge:
    """Read `gone_id` together with `patient_id` from now on. The same asked twice is done once.

    Raises NotFound (a record the facility does not know, foreign and missing alike), Forbidden, Invalid (`reason`, one
    record twice), Conflict: `merged_before`, `two_accounts`, `account_stays`, or what a guard of another app raises.
    """
    subject = Subject(patient_id=patient_id, facility_id=facility_id)
    policy.require_sight(actor, "patient.merge", Subject(facility_id=facility_id))
    policy.require(actor, "patient.merge", subject)
    stays, gone = _known(facility_id, patient_id, "patientId"), _known(facility_id, gone_id, "goneId")
    if patient_id == gone_id:
        raise Invalid(_("Choose two records."), code="one_record", field="goneId")
    lock_keys([f"merge:{key}" for key in sorted((patient_id, gone_id))])
    there = Merge.objects.filter(patient_id=patient_id, gone_id=gone_id, state=MERGED).first()
    if there is not None:
        return there
    said = _reason(reason)
    _require_possible(stays, gone)
    for guard in guards:
        guard(patient_id, gone_id)
    row = Merge(
        patient=stays, gone=gone, facility_id=facility_id, reason=said, merged_by=actor.label,
        places=",".join(map(str, _share_places(stays, gone))),
    )  # fmt: skip
    ledger.create(MERGE, "merge", row, actor=actor, reason=said)
    return row


@transactional
def undo(*, actor: Actor, merge_id: UUID, reason: str, version: int | None = None) -> Merge:
    """The records are two again, as they were; what was written since stays with the one it was written under.

    Raises NotFound, Forbidden, Invalid (`reason`), IllegalTransition, StaleEdit.
    """
    row = Merge.objects.select_for_update().filter(pk=merge_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person) else Unauthenticated()
    policy.require_sight(actor, "patient.merge", Subject(facility_id=row.facility_id))
    said = _reason(reason)
    given = [UUID(place) for place in row.places.split(",") if place]
    ledger.apply(MERGE, "undo", row, actor=actor, version=version, changes={"undone_at": clock.now()}, reason=said)
    PatientPlace.objects.filter(patient_id=row.patient_id, facility_id__in=given).delete()
    return row


def refuse_erasing(patient_id: UUID) -> None:
    """A person with two records has two keys: the merge is undone first, and then both are erased."""
    if len(joined.same(patient_id)) > 1:
        raise Conflict(
            _("This record was merged with another one. Undo the merge, then erase both records."), code="merged"
        )


erasing.guards.append(refuse_erasing)


def _require_possible(stays: Patient, gone: Patient) -> None:
    keys = (stays.pk, gone.pk)
    taken = Merge.objects.filter(state=MERGED)
    if taken.filter(gone_id__in=keys).exists() or taken.filter(patient_id=gone.pk).exists():
        raise Conflict(
            _("One of the two was merged before. Use the record that stayed, or undo that merge first."),
            code="merged_before",
        )
    if ERASED in (stays.family_name, gone.family_name):
        raise Conflict(_("One of the two records was erased."), code="already_erased")
    if stays.account_id and gone.account_id:
        raise Conflict(
            _("Both records have an account. Ask the patient which to keep, and have the other account closed first."),
            code="two_accounts",
        )
    if gone.account_id:
        raise Conflict(
            _("The patient signs in with the other record: that one stays. Swap the two."), code="account_stays",
            field="patientId",
        )  # fmt: skip


def _share_places(stays: Patient, gone: Patient) -> list[UUID]:
    """Every facility that knows the one knows the other from now on. Returns those that did not before."""
    known = set(PatientPlace.objects.filter(patient=stays).values_list("facility_id", flat=True))
    new = sorted(set(PatientPlace.objects.filter(patient=gone).values_list("facility_id", flat=True)) - known)
    PatientPlace.objects.bulk_create(PatientPlace(patient=stays, facility_id=place) for place in new)
    return new


def _known(facility_id: UUID, patient_id: UUID, field: str) -> Patient:
    row = Patient.objects.filter(pk=patient_id, places__facility_id=facility_id).first()
    if row is None:
        raise NotFound(field=field)
    return row


def _reason(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise Invalid(_("Say how you know."), code="required", field="reason")
    if len(said) > MAX_REASON:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field="reason", maxLength=MAX_REASON
        )
    return said


def _side(row: Patient) -> Side:
    return Side(
        id=row.pk, mrn=row.mrn, name=str(row), born=row.born, sex=row.sex, phone=row.phone,
        account=row.account_id is not None, temporary=row.temporary, since=row.created_at,
    )  # fmt: skip


def _row(row: Merge) -> MergeRow:
    return MergeRow(
        id=row.pk, status=row.state, version=row.version, patient_id=row.patient_id, patient_name=str(row.patient),
        mrn=row.patient.mrn, gone_id=row.gone_id, gone_name=str(row.gone), gone_mrn=row.gone.mrn, reason=row.reason,
        merged_at=row.merged_at, undone_at=row.undone_at,
    )  # fmt: skip
