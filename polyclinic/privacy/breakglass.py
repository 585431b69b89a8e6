"""Break-glass: opening a record in an emergency past the ordinary rights, closing it again, judging it afterwards.

Two identifiers, a reason and a person who has just confirmed who they are. It ends after sixty minutes, and going on
means breaking the glass again. The patient and the privacy officers of the place learn of it in the same transaction.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from polyclinic.consent import rules
from polyclinic.consent.models import Delegation, EmergencyAccess
from polyclinic.consent.states import ACTIVE, EMERGENCY, OPEN
from polyclinic.core import clock, ledger
from polyclinic.core.access import changes, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import RULES
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, FactorNeeded, Invalid, NotFound, StepUpNeeded, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.factors import selectors as factors
from polyclinic.notify import actions as notify
from polyclinic.people.models import Account, Patient
from polyclinic.privacy import closing
from polyclinic.privacy.lookup import Identifiers, find, may_see
from polyclinic.privacy.officers import officers

SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500
_SWEPT_AT_ONCE: Final = 200
_ROLES: Final = tuple(rule.role for rule in RULES if rule.permission == "record.break_glass")


def open_record(*, actor: Actor, who: Identifiers, reason: str, facility_id: UUID | None = None) -> EmergencyAccess:
    """Open the record of the patient with these identifiers for sixty minutes.

    `facility_id`: where the actor is at work now; needed only by whoever works in several places. Raises Forbidden (no
    person, or no right), FactorNeeded, StepUpNeeded, Invalid naming `reason`, `facility` or an identifier, Conflict
    when the actor may see this record anyway, and NotFound when it is nobody's. That too is written into the audit.
    """
    policy.require(actor, "record.break_glass", Subject())
    require_two_factors(actor)
    rules.in_person(None, actor)
    assert isinstance(actor, Person)
    said, place = _reason(reason), _place(actor, facility_id)
    patient_id = find(who)
    if patient_id is None:
        _note_miss(actor, place)
        raise NotFound(_("There is no record with these identifiers."), code="no_such_record")
    if may_see(actor, patient_id) and not closing.shuts_out(actor, patient_id):
        raise Conflict(_("You can see this record without breaking the glass."), code="not_needed",
                       patientId=patient_id)  # fmt: skip
    return _open(actor, patient_id, place, said)


def require_two_factors(actor: Actor) -> None:
    """A password alone never opens a record past the ordinary rights. Raises StepUpNeeded, or FactorNeeded for whoever
    has no second factor yet: the way out is to add one, which takes a minute."""
    if not settings.EMERGENCY_SECOND_FACTOR or not isinstance(actor, Person) or actor.aal >= 2:
        return
    if actor.scopes is not None or actor.seen_by is not None:
        return  # refused as what they are
    if factors.has_second_factor(actor.account_id):
        raise StepUpNeeded()
    raise FactorNeeded(_("To open a record in an emergency you need a second step. Add one now, then come back here."))


@transactional
def _open(actor: Person, patient_id: UUID, place: Facility, reason: str) -> EmergencyAccess:
    lock_keys([f"glass:{patient_id}:{actor.account_id}"])
    for old in EmergencyAccess.objects.filter(patient_id=patient_id, account_id=actor.account_id, state=OPEN):
        if clock.now() < old.ends_at:
            raise Conflict(_("You have opened this record already."), code="not_needed", patientId=patient_id)
        _over(old)
    now = clock.now()
    made = EmergencyAccess(
        patient_id=patient_id, account_id=actor.account_id, facility=place, reason=reason, confirmed=actor.aal,
        opened_at=now, ends_at=now + rules.GLASS,
    )  # fmt: skip
    ledger.create(EMERGENCY, "open", made, actor=actor)
    changes.tell(actor.account_id)
    told = {"place": place.name}
    for account in _on_the_patients_side(patient_id):
        notify.tell(account, "record_opened", detail=told)
    for account in officers(place.pk):
        notify.tell(account, "review_due", detail=told)
    return made


@transactional
def _note_miss(actor: Person, place: Facility) -> None:
    ledger.record(
        actor=actor,
        action="record.break_glass_missed",
        row=Account(pk=actor.account_id),
        subject=Subject(facility_id=place.pk),
    )


@transactional
def close(*, actor: Actor, patient_id: UUID) -> None:
    """Close what the actor has opened of this patient. Raises NotFound when there is nothing open."""
    if not isinstance(actor, Person):
        raise Unauthenticated()
    row = EmergencyAccess.objects.filter(patient_id=patient_id, account_id=actor.account_id, state=OPEN).first()
    if row is None:
        raise NotFound()
    ledger.apply(EMERGENCY, "close", row, actor=actor, changes={"closed_at": min(clock.now(), row.ends_at)})
    changes.tell(actor.account_id)


@transactional
def review(
    *, actor: Actor, access_id: UUID, justified: bool, note: str = "", version: int | None = None
) -> EmergencyAccess:
    """Say whether it was right to open the record. The patient is told that it was judged.

    Raises NotFound alike for missing and foreign, Forbidden for one's own, Invalid when an unjustified one has no note,
    Conflict while it is still open, StaleEdit.
    """
    row = EmergencyAccess.objects.select_related("facility", "patient").filter(pk=access_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "breakglass.review", Subject(facility_id=row.facility_id))
    said = note.strip()
    if len(said) > LONGEST_REASON:
        raise Invalid(_("Please keep it under 500 characters."), code="too_long", field="note")
    if not justified and not said:
        raise Invalid(_("Say why it was not justified."), code="required", field="note")
    if row.state == OPEN and row.ends_at <= clock.now():
        version = None if version is None else version + 1
        _over(row)
    sealed = column(EmergencyAccess, "review_note").seal(row.pk, ring.patient(row.patient_id), said)
    judged: dict[str, object] = {"review_note": sealed, "reviewed_at": clock.now(), "reviewed_by": actor.label}
    step = "justify" if justified else "reject"
    ledger.apply(EMERGENCY, step, row, actor=actor, version=version, changes=judged)
    if row.patient.account_id is not None:
        notify.tell(row.patient.account_id, "record_reviewed", detail={"place": row.facility.name})
    return row


@transactional
def sweep(*, actor: Actor) -> int:
    """Write down that openings whose time is over are closed, so that screens say so. Returns how many."""
    policy.require(actor, "record.break_glass", Subject())
    rows = EmergencyAccess.objects.filter(state=OPEN, ends_at__lte=clock.now()).order_by("ends_at")[:_SWEPT_AT_ONCE]
    done = 0
    for row in rows:
        _over(row)
        done += 1
    return done


def _over(row: EmergencyAccess) -> None:
    """Its sixty minutes are over; they were when the clock said so, whenever this is written."""
    ledger.apply(EMERGENCY, "close", row, actor=SystemActor("access-sweeper"), changes={"closed_at": row.ends_at})
    changes.tell(row.account_id)


def _reason(text: str) -> str:
    said = " ".join(text.split())
    if len(said) < SHORTEST_REASON:
        raise Invalid(
            _("Say in a sentence why you need this record now."), code="required", field="reason",
            minLength=SHORTEST_REASON,
        )  # fmt: skip
    if len(said) > LONGEST_REASON:
        raise Invalid(_("Please keep it under 500 characters."), code="too_long", field="reason")
    return said


def workplaces(actor: Person) -> frozenset[UUID]:
    """Where this person can be at work when breaking the glass."""
    return actor.workplaces | actor.facilities(*_ROLES)


def _place(actor: Person, facility_id: UUID | None) -> Facility:
    known = workplaces(actor)
    if facility_id is None and len(known) == 1:
        (facility_id,) = known
    found = Facility.objects.filter(pk=facility_id).first() if facility_id in known else None
    if found is None:
        raise Invalid(_("Say where you are at work now."), code="required", field="facility")
    return found


def _on_the_patients_side(patient_id: UUID) -> set[UUID]:
    """The patient's account and those of who acts for them."""
    own = Patient.objects.filter(pk=patient_id, account__isnull=False).values_list("account_id", flat=True)
    acting = Delegation.objects.filter(patient_id=patient_id, state=ACTIVE, carer__isnull=False)
    return {account for account in (*own, *acting.values_list("carer_id", flat=True)) if account is not None}
