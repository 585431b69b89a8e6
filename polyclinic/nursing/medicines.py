"""Medicines in bed: ordered by a doctor, given by a nurse to who they are for, each planned dose once.

Of two who record the same dose one wins: they wait for each other at the order, and the database has the last word.
Stopping or changing an order never touches what was given: a change stops one order and begins another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.inpatient.models import BedStay
from polyclinic.inpatient.states import stay_subject
from polyclinic.nursing import bodies, rules, sight
from polyclinic.nursing.actions import text_of
from polyclinic.nursing.bodies import OrderBody
from polyclinic.nursing.models import Dose, MedicineOrder, Observation
from polyclinic.nursing.states import ACTIVE, DOSE, MEDICINE_ORDER, RECORDED
from polyclinic.nursing.words import Outcome
from polyclinic.prescribing import checking, patients, writing
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.checking import Warning_
from polyclinic.prescribing.words import FREQUENCIES
from polyclinic.prescribing.writing import Written
from polyclinic.records import bodies as signs

MAX_NOTE: Final = 200
MAX_DAYS: Final = 60
_DAY: Final = timedelta(hours=24)


class Wanted(msgspec.Struct, frozen=True):
    """An order as a doctor asks for it. Empty `route` is the medicine's own; `most` is for when needed only."""

    medicine_id: UUID
    dose: Decimal
    frequency: str = "daily"
    route: str = ""
    times: str = ""
    as_needed: bool = False
    most: int = 0
    days: int | None = None
    note: str = ""


@transactional
def order(
    *,
    actor: Actor,
    stay_id: UUID,
    wanted: Wanted,
    overrides: Mapping[str, str] | None = None,
    seen: Collection[str] | None = None,
    replaces: UUID | None = None,
) -> MedicineOrder:
    """Order a medicine for a patient in bed, from now on; with `replaces` in place of an order that ends now.

    Raises NotFound, Forbidden, Conflict (`not_in_bed`, `warnings`: those that need a reason, `new_warnings`,
    `order_over`), or Invalid naming the field.
    """
    stay = sight.to_write(actor, "medication.order", stay_id, see="medication.view")
    lock_keys([f"stay-medicines:{stay.pk}"])
    before = _replaced(actor, stay, replaces)
    line = written(wanted)
    body = _body(wanted, line)
    found = against(stay, line, without=before)
    kept = checking.cleared(found, overrides or {}, seen)
    now = clock.now()
    row = MedicineOrder(
        stay=stay, patient_id=stay.patient_id, medicine_id=line.medicine.id, replaces=before, starts_at=now,
        stops_at=now + timedelta(days=wanted.days) if wanted.days else None, made_by=actor.label,
        author=sight.author(actor),
    )  # fmt: skip
    row.body = bodies.write(
        msgspec.structs.replace(body, overrides=tuple(one for all_ in kept.values() for one in all_))
    )
    ledger.create(MEDICINE_ORDER, "order", row, actor=actor)
    if before is not None:
        _stop(actor, before, str(_("Changed")), None)
    return row


@transactional
def stop(*, actor: Actor, order_id: UUID, reason: str, version: int | None = None) -> MedicineOrder:
    """It is not given any more, and why. Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit."""
    row = sight.entry(actor, "medication.view", MedicineOrder, order_id)
    policy.require(actor, "medication.order", stay_subject(row.stay))
    said = text_of(reason, "reason", required=True, longest=MAX_NOTE)
    lock_keys([f"medicine-order:{row.pk}"])
    _stop(actor, row, said, version)
    return row


@transactional
def record(
    *,
    actor: Actor,
    order_id: UUID,
    outcome: str,
    due_at: datetime | None = None,
    number: int | None = None,
    reason: str = "",
    family: str = "",
    born: str = "",
    wristband: str = "",
) -> Dose:
    """Write down what became of a dose: the planned one of `due_at`, or without it one that was needed.

    `number` is which of those that were needed it is (the first is 1): who has not seen the last cannot give the next.

    Giving asks for two identifiers of the patient; anything else for the reason. Raises NotFound, Forbidden, Invalid
    naming the field, or Conflict: `wrong_patient`, `already_recorded`, `too_early`, `order_over`, `most_reached`,
    `new_warnings` when an allergy or interaction has come up since the order.
    """
    row = sight.entry(actor, "medication.view", MedicineOrder, order_id)
    policy.require(actor, "medication.give", stay_subject(row.stay))
    if outcome not in Outcome.values:
        raise Invalid(_("Choose one of the listed values."), field="outcome", possible=Outcome.values)
    given = outcome == Outcome.GIVEN
    said = text_of(reason, "reason", required=not given, longest=MAX_NOTE)
    body = bodies.read_order(row.body)
    lock_keys([f"medicine-order:{row.pk}"])
    row.refresh_from_db(fields=["state", "stops_at"])
    place = _number(row, body, given, number) if due_at is None else _planned(row, body, due_at)
    if given:
        who = row.stay.patient
        rules.identified(family=family, born=born, wristband=wristband, real=(who.family_name, who.born, who.mrn))
        _still_safe(row, body)
    made = Dose(
        order=row, patient_id=row.patient_id, due_at=due_at, number=place, outcome=outcome, body=said,
        recorded_by=actor.label, author=sight.author(actor),
    )  # fmt: skip
    try:
        with transaction.atomic():
            ledger.create(DOSE, "record", made, actor=actor)
    except IntegrityError:
        raise _again() from None
    return made


@transactional
def withdraw(*, actor: Actor, dose_id: UUID, reason: str, version: int | None = None) -> Dose:
    """It was written down wrongly, and why: it stays, crossed out, and its place on the plan is free again.

    Whoever then gives that dose is asked the same as the first time. Raises NotFound, Forbidden, Invalid (`reason`),
    IllegalTransition when it is withdrawn already, StaleEdit.
    """
    row = sight.entry(actor, "medication.view", Dose, dose_id, through="order__stay")
    policy.require(actor, "medication.give", stay_subject(row.stay))
    said = text_of(reason, "reason", required=True, longest=MAX_NOTE)
    # Whoever gives this dose anew waits here, and sees what became of it.
    lock_keys([f"medicine-order:{row.order_id}"])
    sealed = column(Dose, "withdrawn_because").seal(row.pk, ring.patient(row.patient_id), said)
    ledger.apply(
        DOSE, "withdraw", row, actor=actor, version=version,
        changes={
            "withdrawn_because": sealed, "withdrawn_by": sight.author(actor)[:160], "withdrawn_at": clock.now(),
        },
    )  # fmt: skip
    return row


def written(wanted: Wanted) -> Written:
    """The order as prescribing's checks take it. Raises NotFound for an unknown medicine, Invalid naming the field."""
    if wanted.as_needed and wanted.most not in rules.BY_MOST:
        raise Invalid(
            _("Say how often it may be given in 24 hours: 1 to 6 times."), field="most", possible=list(rules.BY_MOST)
        )
    frequency = rules.BY_MOST[wanted.most] if wanted.as_needed else wanted.frequency
    if wanted.days is not None and not 1 <= wanted.days <= MAX_DAYS:
        raise Invalid(_("Write the days as a number from 1 to 60."), field="days")
    line = Line(
        wanted.medicine_id, wanted.dose, frequency, route=wanted.route, as_needed=wanted.as_needed,
        note=wanted.note, quantity=Decimal(1),
    )  # fmt: skip
    try:
        return writing.complete(line)
    except Invalid as problem:
        # It is one medicine here, and not a line of a list.
        problem.field = (problem.field or "").removeprefix("lines.0.")
        raise


def against(stay: BedStay, line: Written, *, without: MedicineOrder | None = None) -> list[Warning_]:
    """What prescribing's checks say of this medicine, beside the others of the stay and those of prescriptions."""
    others = MedicineOrder.objects.filter(stay=stay, state=ACTIVE).order_by("made_at")
    beside = [_line_of(one) for one in others if one != without and one.body and not _over(one)]
    lines = [*beside, line]
    found = checking.warnings(patients.in_bed(stay.patient, *_measured(stay)), lines)
    return [one for one in found if one.place == len(lines) - 1]


def previewed(viewer: Viewer, stay_id: UUID, wanted: Wanted) -> list[Warning_]:
    """The same for whoever prepares an order. Raises NotFound, Invalid."""
    stay = sight.stay(viewer, "medication.order", stay_id)
    sight.looked(viewer, stay)
    return against(stay, written(wanted))


def _body(wanted: Wanted, line: Written) -> OrderBody:
    how = line.line
    times = () if wanted.as_needed else rules.times_of(wanted.frequency, wanted.times)
    return OrderBody(
        how.dose, how.unit, how.route, how.frequency, times, wanted.as_needed, wanted.most if wanted.as_needed else 0,
        how.note,
    )  # fmt: skip


def _line_of(row: MedicineOrder) -> Written:
    body = bodies.read_order(row.body)
    return writing.complete(
        Line(row.medicine_id, body.dose, body.frequency, as_needed=body.as_needed, quantity=Decimal(1))
    )


def _measured(stay: BedStay) -> tuple[Decimal | None, bool]:
    """The last weight of this stay or of its visit, and whether a pregnancy was told with the last signs."""
    weight, pregnant = patients.measured(stay.visit_id) if stay.visit_id else (None, False)
    for row in Observation.objects.filter(stay=stay, state=RECORDED).order_by("taken_at", "pk"):
        if row.body:
            body = signs.read_vitals(row.body)
            weight, pregnant = body.values.get("weight", weight), body.pregnant
    return weight, pregnant


def _replaced(actor: Actor, stay: BedStay, replaces: UUID | None) -> MedicineOrder | None:
    if replaces is None:
        return None
    row = sight.entry(actor, "medication.view", MedicineOrder, replaces)
    if row.stay_id != stay.pk:
        raise sight.missing(actor)
    lock_keys([f"medicine-order:{row.pk}"])
    row.refresh_from_db(fields=["state", "stops_at"])
    if row.state != ACTIVE:
        raise _ended()
    return row


def _stop(actor: Actor, row: MedicineOrder, reason: str, version: int | None) -> None:
    field = MedicineOrder._meta.get_field("stopped_because")
    sealed = field.sealer().seal(row.pk, field.owner_of(row), reason)
    now = clock.now()
    ends = now if row.stops_at is None else min(now, row.stops_at)
    ledger.apply(
        MEDICINE_ORDER, "stop", row, actor=actor, version=version,
        changes={"stops_at": ends, "stopped_because": sealed},
    )  # fmt: skip


def _over(row: MedicineOrder) -> bool:
    return row.stops_at is not None and row.stops_at <= clock.now()


def _planned(row: MedicineOrder, body: OrderBody, due_at: datetime) -> int:
    """A dose of the plan that is due by now, and of which nothing is written down yet."""
    if body.as_needed or due_at not in rules.planned(
        body.frequency, body.times, row.starts_at, row.stops_at, row.stay.facility.time_zone, due_at,
        due_at + timedelta(minutes=1),
    ):  # fmt: skip
        raise Conflict(_("No dose of this medicine is planned for that time."), code="not_planned", field="dueAt")
    if due_at > clock.now() + rules.EARLY:
        raise Conflict(_("It is too early: a dose is given an hour before it is due at most."), code="too_early")
    if Dose.objects.filter(order=row, due_at=due_at, state=RECORDED).exists():
        raise _again()
    return 0


def _number(row: MedicineOrder, body: OrderBody, given: bool, seen: int | None) -> int:
    """The number of a dose that is given when needed, while the most of 24 hours is not reached."""
    if not body.as_needed:
        raise Invalid(_("Say which planned dose it is."), code="required", field="dueAt")
    if row.state != ACTIVE or _over(row):
        raise _ended()
    had = Dose.objects.filter(order=row)
    place = had.count() + 1
    if seen is not None and seen != place:
        raise _again()
    lately = had.filter(outcome=Outcome.GIVEN, state=RECORDED, recorded_at__gt=clock.now() - _DAY)
    if given and lately.count() >= body.most:
        next_at = lately.order_by("-recorded_at")[body.most - 1].recorded_at + _DAY
        raise Conflict(
            _("The most of 24 hours has been given. A doctor decides about more."), code="most_reached",
            nextAt=next_at.isoformat(),
        )  # fmt: skip
    return place


def _still_safe(row: MedicineOrder, body: OrderBody) -> None:
    """What has come up since the order, an allergy above all, is a doctor's to decide about before it is given."""
    decided = {one.key for one in body.overrides}
    found = against(row.stay, _line_of(row), without=row)
    new = [one for one in found if one.interrupts and one.kind in ("allergy", "interaction") and one.key not in decided]
    # Of two orders the later was checked against the earlier, and its reason stands there.
    others = MedicineOrder.objects.filter(stay=row.stay, state=ACTIVE).exclude(pk=row.pk)
    decided |= {one.key for other in others if other.body for one in bodies.read_order(other.body).overrides}
    new = [one for one in new if one.key not in decided]
    if new:
        raise Conflict(
            _("Do not give it: %(what)s. Ask the doctor.") % {"what": f"{new[0].title}: {new[0].says}"},
            code="new_warnings", warnings=msgspec.to_builtins(new),
        )  # fmt: skip


def _again() -> Conflict:
    return Conflict(_("Somebody has written this dose down already."), code="already_recorded")


def _ended() -> Conflict:
    return Conflict(_("This medicine was stopped."), code="order_over")


__all__ = ["FREQUENCIES", "Wanted", "against", "order", "previewed", "record", "stop", "withdraw", "written"]
