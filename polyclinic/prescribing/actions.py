"""The write door of prescriptions: signing them, and what becomes of them. What is being prepared: `drafts`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.prescribing import bodies, checking, drafts, reviews, writing
from polyclinic.prescribing.bodies import Diagnosis, Line, LineBody
from polyclinic.prescribing.models import Prescription, PrescriptionLine, PrescriptionNumber
from polyclinic.prescribing.repeats import NONE, Repeats
from polyclinic.prescribing.states import LINE, OPEN, PRESCRIPTION, WAITING, subject
from polyclinic.records import actions as records
from polyclinic.records import icd10
from polyclinic.records.models import Condition
from polyclinic.records.states import RECORDED
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from polyclinic.visits.states import CHECKED, DIAGNOSED, LAB_DONE, visit_subject

# How long a prescription may be dispensed.
VALID: timedelta = timedelta(days=30)
MAX_LINES = 20
MAX_REASON = 200


@transactional
def sign(
    *,
    actor: Actor,
    visit_id: UUID,
    lines: Sequence[Line],
    overrides: Mapping[str, str] | None = None,
    diagnoses: Sequence[Diagnosis] = (),
    seen: Collection[str] | None = None,
    results: Mapping[UUID, int] | None = None,
    repeats: Repeats = NONE,
    version: int | None = None,
) -> Prescription:
    """Sign a prescription; the visit goes to `diagnosed` if it is not there yet, and the pharmacy is next.

    `overrides` are reasons by the keys of warnings; `seen` are the keys that the prescriber was shown, `results` the
    numbers of results they say they have seen (None: whoever calls shows none); `version` is the visit's. `diagnoses`
    are written down with it. All of it happens or none.

    Raises NotFound, Forbidden, Invalid naming the field, StaleEdit, Conflict: `warnings` with those that stop it,
    `results_unseen`, `visit_state` when the visit is at another stage.
    """
    visit = _visit(actor, visit_id, version)
    if results is not None:
        reviews.require(actor, visit, results)
    if not lines:
        raise Invalid(_("There is no medicine to sign for."), code="required", field="lines")
    if len(lines) > MAX_LINES:
        raise Invalid(_("That is more than one prescription holds."), code="too_many", field="lines", most=MAX_LINES)
    written = [writing.complete(line, place) for place, line in enumerate(lines)]
    repeats.check(one.medicine for one in written)
    # Two doctors at once, and an allergy noted just now: whoever comes second sees what the first has done.
    lock_keys([f"allergies:{visit.patient_id}", f"prescribe:{visit.patient_id}"])
    passed = checking.passed(visit, written, overrides or {}, seen)
    _note(actor, visit, diagnoses)
    if visit.state != DIAGNOSED:
        visits.diagnose(actor=actor, visit_id=visit.pk, version=version)
    drafts.drop(actor, visit)
    return write(actor, visit, written, passed, repeats)


@transactional
def conclude(
    *,
    actor: Actor,
    visit_id: UUID,
    diagnoses: Sequence[Diagnosis] = (),
    results: Mapping[UUID, int] | None = None,
    version: int | None = None,
) -> Visit:
    """Diagnose and prescribe nothing: the visit is over. Raises as `sign`."""
    visit = _visit(actor, visit_id, version)
    if results is not None:
        reviews.require(actor, visit, results)
    _note(actor, visit, diagnoses)
    if visit.state != DIAGNOSED:
        visit = visits.diagnose(actor=actor, visit_id=visit.pk, version=version)
    elif Prescription.objects.filter(visit_id=visit.pk, state__in=WAITING).exists():
        raise Conflict(_("A prescription waits at the pharmacy. Cancel it first."), code="prescription_waits")
    drafts.drop(actor, visit)
    return visits.finish(actor=actor, visit_id=visit.pk, how="no_medicine")


@transactional
def complete(
    *,
    actor: Actor,
    visit_id: UUID,
    draft: int,
    overrides: Mapping[str, str] | None = None,
    seen: Collection[str] | None = None,
    results: Mapping[UUID, int] | None = None,
    repeats: Repeats = NONE,
    version: int | None = None,
) -> Prescription | None:
    """Sign what the actor has prepared (`drafts`), which was shown to them at its version `draft`.

    Without a medicine the visit is over (None). Raises as `sign`; Invalid when there is no diagnosis at all.
    """
    drafts.require(actor, visit_id, draft)
    kept = drafts.prepared(actor, visit_id)
    noted = Condition.objects.filter(visit_id=visit_id, state=RECORDED)
    if not kept.diagnoses and not noted.exists():
        raise Invalid(_("Write down a diagnosis first."), code="required", field="diagnosis")
    if kept.lines:
        return sign(
            actor=actor, visit_id=visit_id, lines=kept.lines, overrides=overrides, diagnoses=kept.diagnoses, seen=seen,
            results=results, repeats=repeats, version=version,
        )  # fmt: skip
    conclude(actor=actor, visit_id=visit_id, diagnoses=kept.diagnoses, results=results, version=version)
    return None


@transactional
def cancel(*, actor: Actor, prescription_id: UUID, reason: str, version: int | None = None) -> Prescription:
    """Take back what is not dispensed yet. Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit."""
    row = _found(actor, prescription_id)
    return _close(actor, row, "cancel", _reason(reason), version)


@transactional
def dispensed(
    *, actor: Actor, prescription_id: UUID, quantities: Mapping[UUID, Decimal], version: int | None = None
) -> Prescription:
    """So many dispensing units of these lines were handed out, inside the pharmacy's own transaction.

    The last one makes it `dispensed`, any other `partly_dispensed`. Raises NotFound, Forbidden, Invalid naming
    the line, Conflict (`too_much`), IllegalTransition (also when it has run out), StaleEdit.
    """
    row = _found(actor, prescription_id)
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    if row.valid_until < today(row):
        raise Conflict(_("This prescription has run out."), code="expired", validUntil=row.valid_until.isoformat())
    lines = {line.pk: line for line in row.lines.select_related("prescription").order_by("place")}
    if not quantities:
        raise Invalid(_("Say what is handed out."), code="required", field="quantities")
    for line_id, quantity in quantities.items():
        line = lines.get(line_id)
        if line is None:
            raise NotFound(field=str(line_id))
        _give(actor, line, quantity)
    whole = all(line.state != OPEN for line in lines.values())
    ledger.apply(PRESCRIPTION, "dispense" if whole else "dispense_part", row, actor=actor, version=version)
    return row


@transactional
def declined(*, actor: Actor, prescription_id: UUID, reason: str, version: int | None = None) -> Prescription:
    """The patient does not want it, or the rest of it. Raises as `cancel`."""
    row = _found(actor, prescription_id)
    return _close(actor, row, "decline", _reason(reason), version)


def expire_old(limit: int = 200) -> int:
    """Close prescriptions that have run out, so that nobody waits for them. Returns how many."""
    yesterday = clock.now().date() - timedelta(days=1)
    keys = Prescription.objects.filter(state__in=WAITING, valid_until__lt=yesterday).values_list("pk", flat=True)
    return sum(_expire(key) for key in list(keys[:limit]))


@transactional
def _expire(prescription_id: UUID) -> bool:
    row = Prescription.objects.select_for_update().filter(pk=prescription_id, state__in=WAITING).first()
    if row is None:
        return False
    _close(SystemActor("prescription-sweeper"), row, "expire", "", None)
    return True


def write(
    actor: Actor, visit: Visit, written: Sequence[writing.Written], passed: Mapping[int, tuple[bodies.Override, ...]],
    repeats: Repeats = NONE, of: Prescription | None = None,
) -> Prescription:  # fmt: skip
    """The prescription and its lines, signed, after all that is asked and checked. `of`: what it is a repeat of."""
    today = clock.now().astimezone(ZoneInfo(visit.facility.time_zone)).date()
    made = Prescription(
        number=_number(visit.facility_id), visit=visit, patient_id=visit.patient_id, facility_id=visit.facility_id,
        doctor_id=visit.main_doctor_id, prescriber_id=actor.account_id if isinstance(actor, Person) else None,
        signed_by=records.author(actor), valid_until=today + VALID, repeats=repeats.number, repeat_of=of,
        repeat_until=repeats.until(today),
    )  # fmt: skip
    ledger.create(PRESCRIPTION, "sign", made, actor=actor)
    for place, line in enumerate(written):
        how = line.line
        body = LineBody(
            how.dose, how.unit, how.route, how.frequency, how.days, how.as_needed, how.note, how.substitution_allowed,
            passed.get(place, ()),
        )  # fmt: skip
        row = PrescriptionLine(
            prescription=made, patient_id=visit.patient_id, medicine_id=how.medicine_id, place=place,
            quantity=line.quantity, until=None if how.days is None else today + timedelta(days=how.days - 1),
        )  # fmt: skip
        row.body = bodies.write(body)
        why = "; ".join(one.reason for one in body.overrides)
        ledger.create(LINE, "write", row, actor=actor, reason=why)
    return made


def _give(actor: Actor, line: PrescriptionLine, quantity: Decimal) -> None:
    if not quantity.is_finite() or quantity <= 0:
        raise Invalid(_("Write how many are handed out."), field=str(line.pk))
    given = line.dispensed + quantity
    if given > line.quantity:
        raise Conflict(
            _("That is more than is left of this line."), code="too_much", field=str(line.pk),
            left=str(line.quantity - line.dispensed),
        )  # fmt: skip
    step = "give" if given == line.quantity else "give_part"
    ledger.apply(LINE, step, line, actor=actor, changes={"dispensed": given})


def _close(actor: Actor, row: Prescription, step: str, reason: str, version: int | None) -> Prescription:
    ledger.apply(PRESCRIPTION, step, row, actor=actor, version=version, reason=reason)
    for line in row.lines.select_related("prescription").filter(state=OPEN).order_by("place"):
        ledger.apply(LINE, step, line, actor=actor)
    return row


def _note(actor: Actor, visit: Visit, diagnoses: Sequence[Diagnosis]) -> None:
    for one in diagnoses:
        records.note_condition(
            actor=actor, visit_id=visit.pk, text=one.text, code=one.code, certainty=one.certainty,
            edition=icd10.EDITION if one.code and icd10.find(one.code) else "",
        )  # fmt: skip


def _visit(actor: Actor, visit_id: UUID, version: int | None) -> Visit:
    """The visit, locked, at a stage at which a doctor decides; and nobody else has moved it meanwhile."""
    row = (
        Visit.objects.select_for_update(of=("self",)).select_related("facility", "patient").filter(pk=visit_id).first()
    )
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "visit.view", visit_subject(row))
    policy.require(actor, "prescription.sign", visit_subject(row))
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    if row.state not in (CHECKED, LAB_DONE, DIAGNOSED):
        raise Conflict(_("Nothing can be signed at this stage of the visit."), code="visit_state", state=row.state)
    return row


def _found(actor: Actor, prescription_id: UUID) -> Prescription:
    row = Prescription.objects.select_for_update().filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "prescription.view", subject(row))
    return row


def _number(facility_id: UUID) -> int:
    lock_keys([f"prescription-number:{facility_id}"])
    PrescriptionNumber.objects.get_or_create(pk=facility_id)
    PrescriptionNumber.objects.filter(pk=facility_id).update(last=F("last") + 1)
    return PrescriptionNumber.objects.values_list("last", flat=True).get(pk=facility_id)


def today(row: Prescription) -> date:
    """The present day where it was signed."""
    return clock.now().astimezone(ZoneInfo(row.facility.time_zone)).date()


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid(_("Say why."), code="required", field="reason")
    if len(reason) > MAX_REASON:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field="reason", maxLength=MAX_REASON
        )
    return reason
