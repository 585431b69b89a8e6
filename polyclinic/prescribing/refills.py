"""The write door of refills: a patient asks for a prescription to be given again, a doctor agrees or declines.

To agree is to sign: the repeat is a prescription of its own, checked against all that is known by now, and the pharmacy
hands it over once as it does any other. At most one request is open and one repeat waits at a time, whatever happens at
once: the first prescription is held while either is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.notify import actions as notices
from polyclinic.prescribing import actions, checking, rechecking, repeats, writing
from polyclinic.prescribing.models import Prescription, RefillRequest
from polyclinic.prescribing.patients import Whom, whom
from polyclinic.prescribing.rows import LineRow
from polyclinic.prescribing.selectors import line_row
from polyclinic.prescribing.states import ASKED, REFILL, subject
from polyclinic.records import actions as records
from polyclinic.visits.models import Visit

MAX_NOTE = 200


@transactional
def ask(*, actor: Actor, prescription_id: UUID, note: str = "") -> RefillRequest:
    """Ask for the prescription to be given again; who signed it is told.

    Raises NotFound, Forbidden, Invalid, Conflict: `no_repeats`, `no_repeats_left`, `repeats_over`, `not_picked_up`,
    `refill_asked` when somebody has asked already.
    """
    row = _first(actor, prescription_id)
    policy.require(actor, "refill.request", subject(row))
    said = _words(note, "note")
    if row.requests.filter(state=ASKED).exists():
        raise Conflict(_("It was asked for already, and waits for an answer."), code="refill_asked")
    repeats.require(row, actions.today(row))
    made = RefillRequest(
        prescription=row, patient_id=row.patient_id, facility_id=row.facility_id, doctor_id=row.doctor_id, note=said,
        account_id=actor.account_id if isinstance(actor, Person) else None,
    )  # fmt: skip
    ledger.create(REFILL, "ask", made, actor=actor)
    if row.prescriber_id is not None:
        notices.tell(row.prescriber_id, "refill_asked")
    return made


@transactional
def withdraw(*, actor: Actor, refill_id: UUID, version: int | None = None) -> RefillRequest:
    """The patient does not need it any more. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    row = _held(actor, refill_id)
    ledger.apply(REFILL, "withdraw", row, actor=actor, version=version)
    return row


@transactional
def approve(
    *,
    actor: Actor,
    refill_id: UUID,
    overrides: Mapping[str, str] | None = None,
    seen: Collection[str] | None = None,
    version: int | None = None,
) -> Prescription:
    """Sign the repeat; the pharmacy is next, and who asked is told. `overrides` and `seen` are as for a signature.

    Reasons that were given with the first signature hold. Raises NotFound, Forbidden, Invalid, StaleEdit,
    IllegalTransition, Conflict: those of `ask`, `warnings` and `new_warnings`.
    """
    row = _held(actor, refill_id)
    first = row.prescription
    policy.require(actor, "prescription.sign", subject(row))
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    REFILL.row(row.state, "approve")
    repeats.require(first, actions.today(first))
    visit = Visit.objects.select_related("facility", "patient").get(pk=first.visit_id)
    lines = lines_of(first)
    written = [writing.complete(rechecking.asked(line), place) for place, line in enumerate(lines)]
    decided = {said.key: said.reason for line in lines for said in line.overrides}
    shown = None if seen is None else {*seen, *decided}
    passed = checking.passed(visit, written, decided | dict(overrides or {}), shown, known(visit, first))
    made = actions.write(actor, visit, written, passed, of=first)
    ledger.apply(REFILL, "approve", row, actor=actor, changes={**_answered(actor), "made_id": made.pk})
    _tell(row)
    return made


@transactional
def decline(*, actor: Actor, refill_id: UUID, reason: str, version: int | None = None) -> RefillRequest:
    """Say no, and why; the patient reads it. Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit."""
    row = _held(actor, refill_id)
    policy.require(actor, "prescription.sign", subject(row))
    said = _words(reason, "reason")
    if not said:
        raise Invalid(_("Say why: the patient reads it."), code="required", field="reason")
    field = cast("Any", RefillRequest._meta.get_field("answer"))
    sealed = field.sealer().seal(row.pk, field.owner_of(row), said)
    ledger.apply(
        REFILL, "decline", row, actor=actor, version=version, changes={**_answered(actor), "answer": sealed},
        reason=said,
    )  # fmt: skip
    _tell(row)
    return row


def lines_of(first: Prescription) -> list[LineRow]:
    """What would be given again: every line that was handed over."""
    rows = first.lines.select_related("medicine").filter(dispensed__gt=0).order_by("place")
    return [one for row in rows if (one := line_row(row)) is not None]


def known(visit: Visit, first: Prescription) -> Whom:
    """What the checks look at: the patient as known by now, without the course that is to go on."""
    patient, course = whom(visit), repeats.chain(first)
    return replace(patient, taken=tuple(one for one in patient.taken if one.prescription_id not in course))


def warnings(first: Prescription, lines: Sequence[LineRow]) -> list[checking.Warning_]:
    """What is to be read before agreeing; for whoever has asked for the right to. Raises as `writing.complete`."""
    visit = Visit.objects.select_related("facility", "patient").get(pk=first.visit_id)
    written = [writing.complete(rechecking.asked(line), place) for place, line in enumerate(lines)]
    return checking.warnings(known(visit, first), written)


def _first(actor: Actor, prescription_id: UUID) -> Prescription:
    """The prescription, held: of two who ask or agree at once, the second sees what the first did."""
    row = Prescription.objects.select_for_update(of=("self",)).filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "prescription.view", subject(row))
    return row


def _held(actor: Actor, refill_id: UUID) -> RefillRequest:
    """The request with its prescription, both held, after an allergy or signature that is being written just now."""
    found = RefillRequest.objects.select_related("prescription").filter(pk=refill_id).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "prescription.view", subject(found))
    rechecking.hold(found.prescription)
    first = _first(actor, found.prescription_id)
    row = RefillRequest.objects.select_for_update().get(pk=refill_id)
    row.prescription = first
    return row


def _answered(actor: Actor) -> dict[str, object]:
    return {"answered_at": clock.now(), "answered_by": records.author(actor)}


def _tell(row: RefillRequest) -> None:
    if row.account_id is not None:
        notices.tell(row.account_id, "refill_answered")


def _words(text: str, field: str) -> str:
    said = " ".join(text.split())
    if len(said) > MAX_NOTE:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field=field, maxLength=MAX_NOTE
        )  # fmt: skip
    return said
