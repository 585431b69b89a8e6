"""How long what is kept, by which law, and what becomes of it then.

Health data is never erased by itself: what is due is listed for a privacy officer, who approves each record or puts a
legal hold on it. What is not health data goes by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.facilities.models import Facility, Membership, StaffInvitation
from polyclinic.facilities.states import SENT
from polyclinic.inpatient.models import BedStay
from polyclinic.notify import actions as notify
from polyclinic.notify.models import Inbox, Notice
from polyclinic.people import erasing
from polyclinic.people.models import Patient
from polyclinic.privacy.models import LegalHold, PrivacyRequest
from polyclinic.privacy.officers import officers
from polyclinic.privacy.states import PENDING
from polyclinic.scheduling.models import Appointment, DoctorInvitation, LeaveRequest
from polyclinic.visits.models import Visit

Sentence = str | Promise
ADULT: Final = 18
MOST: Final = 200
_SHORTEST_REASON: Final = 5
_LONGEST_REASON: Final = 300
_TOLD_EVERY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of thing: for how many years, from when on, by which law, and what becomes of it."""

    kind: str
    years: int
    since: Sentence
    basis: Sentence
    fate: Sentence


@dataclass(frozen=True, slots=True)
class Shorter:
    """What goes by itself within weeks, and when."""

    what: Sentence
    when: Sentence


_USUAL: Final = (
    Kept(
        "record", 10, _("the last appointment, visit or stay anywhere; of children, their 18th birthday if later"),
        _("The usual duty to keep medical records; set the law of your country"),
        _("Listed for the privacy officer; erased only after approval"),
    ),
    Kept("notices", 2, _("the notice"), _("No longer needed (GDPR 5 (1) e)"), _("Removed by itself")),
    Kept(
        "invitations", 2, _("the invitation"), _("No longer needed (GDPR 5 (1) e)"),
        _("Removed by itself, once taken up, withdrawn or lapsed"),
    ),
)  # fmt: skip
SHORTER: Final = (
    Shorter(_("Times held while somebody books"), _("5 minutes")),
    Shorter(_("Ended sessions, codes and links for signing in"), _("Within hours")),
    Shorter(_("Request keys of the API"), _("Within days")),
    Shorter(_("Mails that were sent"), _("Words at once, the rest after 30 days")),
    Shorter(_("Audit entries"), _("Kept for good: they cannot be removed")),
)


class DueRow(msgspec.Struct, frozen=True, rename="camel"):
    """A record whose time is over. `due_since` is when it became so."""

    patient_id: UUID
    patient_name: str
    mrn: str
    facility_id: UUID
    facility_name: str
    last_contact: datetime
    due_since: date


class HoldRow(msgspec.Struct, frozen=True, rename="camel"):
    """A legal hold in force."""

    id: UUID
    patient_id: UUID
    patient_name: str
    mrn: str
    facility_id: UUID
    facility_name: str
    reason: str
    placed_at: datetime
    version: int


class Held(Conflict):
    """A record that must be kept cannot be erased."""

    code = "legal_hold"
    sentence = _("This record is under a legal hold. It must be lifted before the record can be erased.")


def table() -> list[Kept]:
    """The kinds with the years and laws of this installation."""
    return [
        Kept(one.kind, settings.RETENTION_YEARS.get(one.kind, one.years), one.since,
             settings.RETENTION_BASIS.get(one.kind, one.basis), one.fate)
        for one in _USUAL
    ]  # fmt: skip


def places(viewer: Viewer) -> list[tuple[UUID, str]]:
    """Facilities whose privacy the viewer watches over, by name."""
    return list(Facility.objects.filter(pk__in=_places(viewer)).order_by("name").values_list("pk", "name"))


def due(viewer: Viewer) -> list[DueRow]:
    """Records whose time is over at the viewer's facilities, the longest due first."""
    found = [row for place in _places(viewer) for row in _due_at(place)]
    reads.listed(viewer, "patient", None, ((row.patient_id, row.facility_id) for row in found))
    return sorted(found, key=lambda row: row.last_contact)[:MOST]


def holds(viewer: Viewer) -> list[HoldRow]:
    """Legal holds in force that the viewer's facilities have placed, newest first."""
    rows = LegalHold.objects.filter(facility_id__in=_places(viewer), lifted_at__isnull=True)
    found: list[Any] = list(rows.select_related("patient", "facility").order_by("-placed_at")[:MOST])
    reads.listed(viewer, "patient", None, ((row.patient_id, row.facility_id) for row in found))
    return [
        HoldRow(
            id=row.pk, patient_id=row.patient_id, patient_name=str(row.patient), mrn=row.patient.mrn,
            facility_id=row.facility_id, facility_name=row.facility.name, reason=row.reason, placed_at=row.placed_at,
            version=row.version,
        )
        for row in found
    ]  # fmt: skip


@transactional
def approve(*, actor: Actor, patient_id: UUID, facility_id: UUID) -> None:
    """Erase a record whose time is over, for good. Raises NotFound, Held, and Conflict (not_due) when it is not.

    A colleague's account stays: only what was kept about the patient goes.
    """
    subject = Subject(patient_id=patient_id, facility_id=facility_id)
    policy.require_sight(actor, "patient.shred", subject)
    row = Patient.objects.select_for_update(of=("self",)).filter(pk=patient_id).first()
    if row is None or not _known_at(patient_id, facility_id):
        raise NotFound()
    refuse_held(patient_id)
    if not _over(Patient.objects.filter(pk=patient_id)).exists():
        raise Conflict(_("This record is not due: it was used again or its time was prolonged."), code="not_due")
    colleague = row.account_id is not None and Membership.objects.filter(account_id=row.account_id).exists()
    erasing.shred_patient(
        actor=actor, patient_id=patient_id, facility_id=facility_id, keep_account=colleague,
        reason=f"retention: {_years('record')} years are over",
    )  # fmt: skip


@transactional
def place_hold(*, actor: Actor, facility_id: UUID, mrn: str, reason: str) -> LegalHold:
    """Keep a patient's record whatever its time. Raises NotFound, Invalid naming `mrn` or `reason`, Conflict."""
    policy.require_sight(actor, "patient.shred", Subject(facility_id=facility_id))
    said = reason.strip()
    if not _SHORTEST_REASON <= len(said) <= _LONGEST_REASON:
        raise Invalid(_("Say why, in 5 to 300 characters."), field="reason")
    patient = Patient.objects.filter(mrn__iexact=mrn.strip()).exclude(family_name=erasing.ERASED).first()
    # A number of another hospital's patient is answered like one that nobody has.
    if patient is None or not _known_at(patient.pk, facility_id):
        raise Invalid(_("No patient of this hospital has this record number."), field="mrn")
    if LegalHold.objects.filter(patient=patient, facility_id=facility_id, lifted_at__isnull=True).exists():
        raise Conflict(_("This record is under a hold already."), code="held_already", field="mrn")
    row = LegalHold(patient=patient, facility_id=facility_id, reason=said, placed_by=actor.label)
    row.save(force_insert=True)
    ledger.record(
        actor=actor, action="legal_hold.place", row=row,
        subject=Subject(patient_id=patient.pk, facility_id=facility_id), revision=1,
    )  # fmt: skip
    return row


@transactional
def lift_hold(*, actor: Actor, hold_id: UUID, version: int | None = None) -> None:
    """End a hold. Raises NotFound alike for a missing and a foreign one, StaleEdit for one that is lifted."""
    row = LegalHold.objects.filter(pk=hold_id).first()
    policy.require_sight(actor, "patient.shred", Subject(facility_id=row.facility_id if row else None))
    if row is None:
        raise NotFound()
    if row.lifted_at is not None:
        raise StaleEdit(version=row.version)
    ledger.change(
        row, {"lifted_at": clock.now(), "lifted_by": actor.label}, permission="patient.shred", actor=actor,
        subject=Subject(patient_id=row.patient_id, facility_id=row.facility_id), action="legal_hold.lift",
        version=version,
    )  # fmt: skip


def refuse_held(patient_id: UUID) -> None:
    """Raise Held when anybody's legal hold keeps this record."""
    if LegalHold.objects.filter(patient_id=patient_id, lifted_at__isnull=True).exists():
        raise Held()


def count_due() -> dict[str, int]:
    """How many records are due, by facility name: for the command line, which sees no names."""
    found = {place.name: len(_due_at(place.pk)) for place in Facility.objects.order_by("name")}
    return {name: many for name, many in found.items() if many}


def tell_of_due() -> int:
    """Tell privacy officers that records are due, once in thirty days. Returns how many were told."""
    told, since = 0, clock.now() - _TOLD_EVERY
    for place in Facility.objects.order_by("pk"):
        waiting = [
            one for one in officers(place.pk)
            if not Notice.objects.filter(account_id=one, kind="retention_due", at__gte=since).exists()
        ]  # fmt: skip
        if waiting and _due_at(place.pk, most=1):
            _tell(waiting, place.name)
            told += len(waiting)
    return told


@transactional
def _tell(accounts: Collection[UUID], place: str) -> None:
    for account in accounts:
        notify.tell(account, "retention_due", detail={"place": place})


@transactional
def forget_by_itself() -> int:
    """Remove what is no health data and past its years. Returns how many rows went."""
    old = Notice.objects.filter(at__lt=_since("notices"))
    accounts = set(old.filter(read_at__isnull=True).values_list("account_id", flat=True))
    gone, _kinds = old.delete()
    for account in accounts:
        left = Notice.objects.filter(account_id=account, read_at__isnull=True).count()
        Inbox.objects.filter(pk=account).update(unread=left)
    past = StaffInvitation.objects.filter(created_at__lt=_since("invitations")).exclude(state=SENT)
    # Doctors' invitations and requests for leave are of the same kind: asked, answered, over.
    asked = DoctorInvitation.objects.filter(created_at__lt=_since("invitations")).exclude(state=SENT)
    away = LeaveRequest.objects.filter(ends__lt=_since("invitations"))
    return gone + sum(rows.delete()[0] for rows in (past, asked, away))


def _places(viewer: Viewer) -> list[UUID]:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return sorted(policy.places(viewer, "patient.shred"))


def _years(kind: str) -> int:
    return next(one.years for one in table() if one.kind == kind)


def _since(kind: str) -> datetime:
    """What was last touched before this moment is past its years."""
    return _earlier(clock.now(), _years(kind))


def _earlier(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=max(1, moment.year - years))
    except ValueError:  # 29 February
        return moment.replace(year=max(1, moment.year - years), day=28)


def _known_at(patient_id: UUID, facility_id: UUID) -> bool:
    here = {"patient_id": patient_id, "facility_id": facility_id}
    return any(kind.objects.filter(**here).exists() for kind in (Appointment, Visit, BedStay))


def with_last_contact(patients: QuerySet[Patient]) -> QuerySet[Any]:
    """The patients with `latest`: when they were last booked, came or lay in bed; None who never did.

    Who came without an appointment has a record all the same: what was measured, written and found in the visit.
    """
    booked = Appointment.objects.filter(patient=OuterRef("pk")).order_by("-starts").values("starts")[:1]
    came = Visit.objects.filter(patient=OuterRef("pk")).order_by("-opened_at").values("opened_at")[:1]
    lay = BedStay.objects.filter(patient=OuterRef("pk")).annotate(until=Coalesce("ended_at", "requested_at"))
    lain = lay.order_by("-until").values("until")[:1]
    # Any of them may be missing, and then the others count: databases differ in what the greatest of nothing is.
    ways = [Subquery(one) for one in (booked, came, lain)]
    latest = Greatest(*(Coalesce(*ways[first:], *ways[:first]) for first in range(len(ways))))
    return patients.annotate(latest=latest)


def _over(patients: QuerySet[Patient]) -> QuerySet[Any]:
    """Of these, who was seen nowhere for so long, and was of age for so long, with nothing that speaks against it."""
    edge = _since("record")
    return (
        with_last_contact(patients)
        .exclude(family_name=erasing.ERASED)
        .filter(born__lte=_earlier(edge, ADULT).date(), latest__lt=edge)
        .exclude(Exists(LegalHold.objects.filter(patient=OuterRef("pk"), lifted_at__isnull=True)))
        .exclude(Exists(BedStay.objects.filter(patient=OuterRef("pk"), ended_at__isnull=True)))
        .exclude(Exists(PrivacyRequest.objects.filter(patient=OuterRef("pk"), state__in=PENDING)))
    )


def _due_at(place: UUID, most: int = MOST) -> list[DueRow]:
    here = {"patient": OuterRef("pk"), "facility_id": place}
    seen_here = Exists(Appointment.objects.filter(**here)) | Exists(Visit.objects.filter(**here))
    lain_here = Exists(BedStay.objects.filter(**here))
    rows = _over(Patient.objects.filter(seen_here | lain_here)).order_by("latest")[:most]
    name, years = Facility.objects.values_list("name", flat=True).get(pk=place), _years("record")
    return [
        DueRow(
            patient_id=row.pk, patient_name=str(row), mrn=row.mrn, facility_id=place, facility_name=name,
            last_contact=row.latest, due_since=_since_when(row, years),
        )
        for row in rows
    ]  # fmt: skip


def kept_until(row: Any) -> date:  # noqa: ANN401 - a Patient with its latest appointment
    """The day on which a record's years are over."""
    return _since_when(row, _years("record"))


def basis(kind: str) -> str:
    """The law behind the years of a kind, in words."""
    return next(str(one.basis) for one in table() if one.kind == kind)


def _since_when(row: Any, years: int) -> date:  # noqa: ANN401 - a Patient with its latest appointment
    """The day on which the years were over: counted from the last contact, or from coming of age."""
    grown = _earlier(datetime.combine(row.born, datetime.min.time(), row.latest.tzinfo), -ADULT)
    return _earlier(max(row.latest, grown), -years).date()
