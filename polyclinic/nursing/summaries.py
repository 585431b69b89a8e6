"""The discharge summary: made from the stay, edited by a doctor, signed, and read by the patient.

Its parts follow the headings of the PRSB eDischarge Summary Standard (Professional Record Standards Body, 2019): reason
for admission, diagnoses, clinical summary, results, medicines with what was stopped or changed and why, and the plan.
A patient may leave without one; the round's page then says so until it is signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, NotFound, StaleEdit
from polyclinic.inpatient.models import BedStay
from polyclinic.inpatient.states import stay_subject
from polyclinic.laboratory import selectors as laboratory
from polyclinic.nursing import bodies, rules, sheet, sight
from polyclinic.nursing.actions import text_of
from polyclinic.nursing.models import DischargeSummary, RoundNote, SignedSummary
from polyclinic.nursing.rows import OrderRow, SignedRow, SummaryRow
from polyclinic.nursing.states import SIGNED, SUMMARY
from polyclinic.nursing.words import SUMMARY as PARTS
from polyclinic.people import joined
from polyclinic.records import selectors as records

MAX_RESULTS: Final = 20
MAX_WHY: Final = 300


@transactional
def save(*, actor: Actor, stay_id: UUID, parts: Mapping[str, str], version: int) -> DischargeSummary:
    """Save the parts in place of version `version` (0: there was none yet).

    Raises NotFound, Forbidden, Conflict (`signed`, `not_in_bed`), Invalid naming the part, or StaleEdit.
    """
    stay = sight.to_write(actor, "summary.write", stay_id, see="summary.view")
    said = {name: text_of(str(parts.get(name, "")), name) for name in PARTS}
    body = bodies.write({name: text for name, text in said.items() if text})
    row = DischargeSummary.objects.filter(stay=stay).first()
    if row is None:
        if version:
            raise StaleEdit(version=0)
        return _first(actor, stay, body)
    _refuse_signed(row)
    row.stay = stay
    field = DischargeSummary._meta.get_field("body")
    ledger.apply(
        SUMMARY, "write", row, actor=actor, version=version,
        changes={
            "body": field.sealer().seal(row.pk, field.owner_of(row), body), "saved_at": clock.now(),
            "saved_by": actor.label, "author": sight.author(actor),
        },
    )  # fmt: skip
    return row


@transactional
def sign(
    *, actor: Actor, stay_id: UUID, parts: Mapping[str, str] | None = None, version: int | None = None
) -> DischargeSummary:
    """Sign `parts`, or without them what is saved: from now on the patient reads it, and nobody changes it.

    Raises NotFound, Forbidden, Conflict (`signed`), Invalid naming a part that is missing, StaleEdit.
    """
    if parts is not None:
        sight.to_write(actor, "summary.write", stay_id, see="summary.view")
        rules.enough(parts)
        version = save(actor=actor, stay_id=stay_id, parts=parts, version=version or 0).version
    stay = sight.to_write(actor, "summary.write", stay_id, see="summary.view")
    row = DischargeSummary.objects.filter(stay=stay).first()
    if row is None:
        raise NotFound()
    _refuse_signed(row)
    row.stay = stay
    ledger.apply(
        SUMMARY, "sign", row, actor=actor, version=version,
        changes={"signed_at": clock.now(), "saved_by": actor.label, "author": sight.author(actor)},
    )  # fmt: skip
    return row


@transactional
def amend(
    *, actor: Actor, stay_id: UUID, parts: Mapping[str, str], reason: str, version: int | None = None
) -> DischargeSummary:
    """Sign a summary anew with other words, and why. What was signed before is kept and read beside it.

    Raises NotFound, Forbidden, Invalid naming a part or `why`, Conflict (`unchanged`), IllegalTransition while it is
    not signed, StaleEdit.
    """
    stay = sight.to_write(actor, "summary.write", stay_id, see="summary.view")
    said = {name: text for name in PARTS if (text := text_of(str(parts.get(name, "")), name))}
    rules.enough(said)
    why = text_of(reason, "why", required=True, longest=MAX_WHY)
    row = DischargeSummary.objects.select_for_update().filter(stay=stay).first()
    if row is None:
        raise NotFound()
    row.stay = stay
    SUMMARY.row(row.state, "amend")
    if row.signed_at is None or (version is not None and version != row.version):
        raise StaleEdit(version=row.version)
    if bodies.read_parts(row.body) == said:
        raise Conflict(_("Nothing is changed in it."), code="unchanged")
    _keep(row, row.signed_at)

    def sealed(name: str, text: str) -> str:
        return column(DischargeSummary, name).seal(row.pk, ring.patient(row.patient_id), text)

    ledger.apply(
        SUMMARY, "amend", row, actor=actor, version=version,
        changes={
            "body": sealed("body", bodies.write(said)), "why": sealed("why", why), "amended": row.amended + 1,
            "signed_at": clock.now(), "saved_at": clock.now(), "saved_by": actor.label, "author": sight.author(actor),
        },
    )  # fmt: skip
    return row


def _keep(row: DischargeSummary, signed_at: datetime) -> None:
    """What is signed now, as one that was."""
    kept = SignedSummary(
        summary=row, patient_id=row.patient_id, number=row.amended + 1, author=row.author, signed_at=signed_at
    )
    kept.body, kept.why = row.body, row.why
    try:
        with transaction.atomic():
            kept.save(force_insert=True)
    except IntegrityError:
        # Of two who amend at once the other was quicker.
        raise StaleEdit() from None


def summary(viewer: Viewer, stay_id: UUID) -> SummaryRow:
    """The summary as it stands; not begun, what the records say for it. The patient sees it signed alone.

    Raises NotFound.
    """
    stay = sight.stay(viewer, "summary.view", stay_id)
    row = DischargeSummary.objects.filter(stay=stay).first()
    writes = policy.allowed(viewer, "medication.view", stay_subject(stay))
    if not writes and (row is None or row.state != SIGNED):
        raise NotFound()
    sight.looked(viewer, stay)
    if row is None:
        return SummaryRow(stay.pk, stay.patient_id, _drafted(viewer, stay), "", 0, "", None, None)
    return _row(row)


def signed_of(viewer: Viewer, patient_id: UUID) -> list[tuple[BedStay, SummaryRow]]:
    """A patient's signed summaries, newest first: the patient's own view. Raises NotFound."""
    policy.require_sight(viewer, "summary.view", policy.Subject(patient_id=patient_id))
    rows = DischargeSummary.objects.filter(patient_id__in=joined.same(patient_id), state=SIGNED)
    found = list(rows.select_related("stay__facility", "stay__bed__ward").order_by("-signed_at"))
    reads.listed(viewer, "bedside", patient_id, ((row.patient_id, row.stay.facility_id) for row in found))
    return [(row.stay, _row(row)) for row in found]


def _first(actor: Actor, stay: BedStay, body: str) -> DischargeSummary:
    row = DischargeSummary(stay=stay, patient_id=stay.patient_id, saved_by=actor.label, author=sight.author(actor))
    row.body = body
    try:
        with transaction.atomic():
            ledger.create(SUMMARY, "write", row, actor=actor)
    except IntegrityError:
        raise StaleEdit() from None
    return row


def _refuse_signed(row: DischargeSummary) -> None:
    if row.state == SIGNED:
        raise Conflict(_("This summary is signed and is not changed any more."), code="signed")


def _row(row: DischargeSummary) -> SummaryRow:
    parts = bodies.read_parts(row.body) if row.body else {}
    earlier = tuple(
        SignedRow(one.number, bodies.read_parts(one.body) if one.body else {}, one.author, one.signed_at, one.why)
        for one in (row.earlier.order_by("-number") if row.amended else ())
    )
    return SummaryRow(
        row.stay_id, row.patient_id, parts, row.state, row.version, row.author, row.saved_at, row.signed_at,
        row.amended, row.why, earlier,
    )  # fmt: skip


def _drafted(viewer: Viewer, stay: BedStay) -> dict[str, str]:
    """What the records say for each part. What this viewer may not see is left out."""
    note = RoundNote.objects.filter(stay=stay).first()
    given = sheet.orders_of(stay)
    now = clock.now()
    ends = stay.ended_at or now
    on = [one for one in given if one.state == "active" and (one.stops_at is None or one.stops_at > ends)]
    off = [one for one in given if one not in on]
    found = {
        "reason": stay.reason, "diagnoses": _diagnoses(viewer, stay), "course": note.body if note else "",
        "results": _results(viewer, stay), "medicines": "\n".join(_medicine(one) for one in on),
        "stopped": "\n".join(_medicine(one) for one in off), "follow_up": "",
    }  # fmt: skip
    return {name: text for name, text in found.items() if text}


def _medicine(one: OrderRow) -> str:
    said = f"{one.medicine.shown} {one.medicine.strength}: {one.directions}"
    return f"{said} ({one.stopped_because})" if one.stopped_because else said


def _diagnoses(viewer: Viewer, stay: BedStay) -> str:
    if stay.visit_id is None:
        return ""
    with suppress(NotFound):
        found = records.conditions(viewer, stay.visit_id)
        return "\n".join(f"{one.text} ({one.code})" if one.code else one.text for one in found)
    return ""


def _results(viewer: Viewer, stay: BedStay) -> str:
    if stay.visit_id is None:
        return ""
    with suppress(NotFound):
        tests = [test for order in laboratory.orders_of_visit(viewer, stay.visit_id) for test in order.tests]
        told = [(test, test.now) for test in tests if test.now is not None and test.now.verified_at]
        return "\n".join(
            f"{test.name}: {now.report.value} {test.unit}".strip() for test, now in told[:MAX_RESULTS] if now
        )
    return ""
