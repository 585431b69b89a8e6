"""The write door of the record: measuring, noting and withdrawing. Notes have their own module, `records.notes`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.records import bodies, events, icd10, sight, vitals
from polyclinic.records.bodies import AllergyBody, Certainty, ConditionBody, Severity, VitalsBody
from polyclinic.records.models import Allergy, AllergyList, Condition, VitalSet
from polyclinic.records.states import ALLERGY, CONDITION, RECORDED, VITALS
from polyclinic.visits.models import Visit
from polyclinic.visits.states import OPEN, visit_subject

LONGEST: Final = 120
# A category of ICD-10 (WHO): a letter, two digits, and up to two more after a point.
_ICD10: Final = re.compile(r"[A-Z]\d\d(\.\d{1,2})?")
# Signs may be typed in from paper a while later, and never ahead: a clock that is fast gets two minutes.
EARLIEST: Final = timedelta(days=1)
_FAST: Final = timedelta(minutes=2)
Row = TypeVar("Row", VitalSet, Allergy, Condition)


@transactional
def record_vitals(
    *,
    actor: Actor,
    visit_id: UUID,
    values: Mapping[str, str],
    oxygen: bool | None = None,
    consciousness: str = "",
    scale: int = 1,
    pregnant: bool = False,
    confirmed: Collection[str] = (),
    taken_at: datetime | None = None,
) -> VitalSet:
    """Write down signs measured together. `confirmed` names unusual values that were measured again.

    Raises NotFound, Forbidden, Conflict (`visit_over`), or Invalid naming the field: no number, impossible, `unusual`
    and not confirmed, or nothing at all.
    """
    visit = _open_visit(actor, "vitals.record", visit_id)
    body = measured(values, oxygen, consciousness, scale, pregnant, confirmed)
    row = VitalSet(taken_at=moment(taken_at), body=bodies.write(body))
    return _record(actor, visit, row)


def measured(
    values: Mapping[str, str], oxygen: bool | None, consciousness: str, scale: int, pregnant: bool,
    confirmed: Collection[str],
) -> VitalsBody:  # fmt: skip
    """Signs as they were typed, read and checked, wherever they were measured. Raises Invalid naming the field."""
    read = _values(values)
    if consciousness and consciousness not in vitals.Consciousness.values:
        raise Invalid(
            _("Choose one of the listed values."), field="consciousness", possible=vitals.Consciousness.values
        )
    if scale not in (1, 2):
        raise Invalid(_("Choose one of the listed values."), field="scale", possible=["1", "2"])
    if not read and not consciousness:
        raise Invalid(_("Write down at least one vital sign."), code="required", field="respiration")
    if "oxygen_flow" in read and not oxygen:
        raise Invalid(_("Say that the patient gets oxygen, or leave the flow empty."), field="oxygen_flow")
    vitals.check(read, confirmed)
    return VitalsBody(
        read, oxygen, consciousness or None, scale, pregnant,
        tuple(name for name in vitals.unusual(read) if name in confirmed),
    )  # fmt: skip


def _values(given: Mapping[str, str]) -> dict[str, Decimal]:
    unknown = given.keys() - vitals.BY_NAME.keys()
    if unknown:
        raise Invalid(_("There is no such field."), code="unknown_field", field=min(unknown))
    found = ((name, vitals.read(name, given[name])) for name in vitals.BY_NAME if name in given)
    return {name: value for name, value in found if value is not None}


def moment(taken_at: datetime | None) -> datetime:
    """When signs were measured: now, or up to a day ago. Raises Invalid for any other time."""
    now = clock.now()
    if taken_at is None:
        return now
    if not now - EARLIEST <= taken_at <= now + _FAST:
        raise Invalid(_("Signs can be written down up to a day after they were measured."), field="takenAt")
    return min(taken_at, now)


@transactional
def withdraw_vitals(*, actor: Actor, vitals_id: UUID, reason: str, version: int | None = None) -> VitalSet:
    """They were entered in error, and stay readable as such. Raises NotFound, Forbidden, Invalid, StaleEdit."""
    row = _entry(actor, "vitals.view", VitalSet, vitals_id)
    ledger.apply(VITALS, "withdraw", row, actor=actor, version=version, reason=reason_of(reason))
    return row


@transactional
def note_allergy(
    *, actor: Actor, visit_id: UUID, substance: str, reaction: str = "", severity: str = Severity.UNKNOWN
) -> Allergy:
    """Write down what the patient reacts to. Raises NotFound, Forbidden, Invalid, Conflict when it stands already."""
    visit = _visit(actor, "allergy.edit", visit_id)
    body = AllergyBody(
        _text(substance, "substance", required=True),
        _text(reaction, "reaction"),
        _choice(Severity, severity, "severity"),
    )
    known = _list_for_change(visit.patient_id)
    standing = Allergy.objects.filter(patient_id=visit.patient_id, state=RECORDED)
    if any(bodies.read_allergy(row.body).substance.casefold() == body.substance.casefold() for row in standing):
        raise Conflict(_("This allergy is written down already."), code="known", field="substance")
    made = _record(actor, visit, Allergy(body=bodies.write(body)))
    _asked(actor, visit.patient_id, known, "present")
    return made


@transactional
def remove_allergy(*, actor: Actor, allergy_id: UUID, reason: str, version: int | None = None) -> Allergy:
    """It turned out not to be one. With the last one gone the patient counts as not asked, until somebody asks."""
    row = _entry(actor, "allergy.view", Allergy, allergy_id)
    known = _list_for_change(row.patient_id)
    ledger.apply(ALLERGY, "withdraw", row, actor=actor, version=version, reason=reason_of(reason))
    if not Allergy.objects.filter(patient_id=row.patient_id, state=RECORDED).exists():
        _asked(actor, row.patient_id, known, "not_asked")
    return row


@transactional
def no_known_allergies(*, actor: Actor, visit_id: UUID, version: int | None = None) -> None:
    """The patient was asked and knows of none. Raises NotFound, Forbidden, Conflict while one is written down."""
    visit = _visit(actor, "allergy.edit", visit_id)
    known = _list_for_change(visit.patient_id)
    if version is not None and version != (known.version if known else 0):
        raise StaleEdit(version=known.version if known else 0)
    if Allergy.objects.filter(patient_id=visit.patient_id, state=RECORDED).exists():
        raise Conflict(_("An allergy is written down. Remove it first, with the reason."), code="allergies_present")
    made = _asked(actor, visit.patient_id, known, "none_known")
    told = events.AllergyNoneKnown(
        entry_id=visit.patient_id, visit_id=visit.pk, patient_id=visit.patient_id, facility_id=visit.facility_id,
        revision=made.version,
    )  # fmt: skip
    ledger.record(
        actor=actor, action="allergy.none_known", row=made, subject=visit_subject(visit), revision=made.version,
        event=told,
    )  # fmt: skip


def _list_for_change(patient_id: UUID) -> AllergyList | None:
    lock_keys([f"allergies:{patient_id}"])
    return AllergyList.objects.filter(patient_id=patient_id).first()


def _asked(actor: Actor, patient_id: UUID, known: AllergyList | None, status: str) -> AllergyList:
    """What is known from now on, and who asked."""
    if known is None:
        made = AllergyList(patient_id=patient_id, status=status, asked_by=actor.label)
        made.save(force_insert=True)
        return made
    known.status, known.asked_at, known.asked_by = status, clock.now(), actor.label
    known.version += 1
    known.save(update_fields=["status", "asked_at", "asked_by", "version"])
    return known


@transactional
def note_condition(
    *,
    actor: Actor,
    visit_id: UUID,
    text: str,
    code: str = "",
    certainty: str = Certainty.PROVISIONAL,
    edition: str = "",
) -> Condition:
    """Write down a diagnosis, coded by ICD-10 where a code is given. Raises NotFound, Forbidden, Invalid.

    A finer code must be one of ICD-10-CM. `edition` names the list that a code was chosen from, and is kept beside it.
    """
    visit = _open_visit(actor, "condition.edit", visit_id)
    code = code.strip().upper()
    if code and not _ICD10.fullmatch(code) and icd10.find(code) is None:
        raise Invalid(_("A code of ICD-10 reads like J18.9."), code="not_icd10", field="code")
    body = ConditionBody(
        code, _text(text, "text", required=True), _choice(Certainty, certainty, "certainty"), edition if code else ""
    )
    return _record(actor, visit, Condition(body=bodies.write(body)))


@transactional
def withdraw_condition(*, actor: Actor, condition_id: UUID, reason: str, version: int | None = None) -> Condition:
    """It does not hold any more, or never did. Raises NotFound, Forbidden, Invalid, StaleEdit."""
    row = _entry(actor, "condition.view", Condition, condition_id)
    ledger.apply(CONDITION, "withdraw", row, actor=actor, version=version, reason=reason_of(reason))
    return row


_MACHINE: Final = {VitalSet: VITALS, Allergy: ALLERGY, Condition: CONDITION}


def _record(actor: Actor, visit: Visit, row: Row) -> Row:
    row.visit, row.patient_id = visit, visit.patient_id
    row.made_by, row.author = actor.label, author(actor)
    ledger.create(_MACHINE[type(row)], "record", row, actor=actor)
    return row


def author(actor: Actor) -> str:
    """Who stands beside what they wrote."""
    return actor.name if isinstance(actor, Person | SystemActor) else ""


def _entry(actor: Actor, permission: str, model: type[Row], entry_id: UUID) -> Row:
    row = model.objects.select_related("visit").filter(pk=entry_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, permission, visit_subject(row.visit))
    return row


def _visit(actor: Actor, permission: str, visit_id: UUID) -> Visit:
    """The visit to write into: foreign is missing, and whoever may only look is refused."""
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, permission, visit_subject(visit))
    return visit


def _open_visit(actor: Actor, permission: str, visit_id: UUID) -> Visit:
    visit = _visit(actor, permission, visit_id)
    if visit.state not in OPEN:
        raise Conflict(_("This visit is over."), code="visit_over")
    return visit


def _text(text: str, field: str, *, required: bool = False) -> str:
    text = " ".join(text.split())
    if required and not text:
        raise Invalid(_("This is needed."), code="required", field=field)
    if len(text) > LONGEST:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field=field, maxLength=LONGEST)
    return text


Choice = TypeVar("Choice", Severity, Certainty)


def _choice(kinds: type[Choice], text: str, field: str) -> Choice:
    try:
        return kinds(text)
    except ValueError:
        possible = [str(one) for one in kinds]
        raise Invalid(_("Choose one of the listed values."), field=field, possible=possible) from None


def reason_of(reason: str) -> str:
    """Why something is withdrawn, in one line. Raises Invalid for none or too much."""
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid(_("Say why."), code="required", field="reason")
    if len(reason) > LONGEST:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field="reason", maxLength=LONGEST)
    return reason
