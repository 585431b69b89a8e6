"""The write door of stays: a bed reserved, taken, changed for another and left.

Of rivals for one bed one wins: they wait for each other at the bed (`beds.hold`), and the database has the last word by
its constraints: one patient a bed, one bed a patient. Every step moves stay and bed together or neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.inpatient import beds, placing
from polyclinic.inpatient.models import Bed, BedStay
from polyclinic.inpatient.requests import cancel, plan, request, seen
from polyclinic.inpatient.states import AVAILABLE, IN_BED, RESERVED, STAY, stay_subject
from polyclinic.visits import wishes

MAX_DESPITE = 200


@transactional
def reserve(*, actor: Actor, stay_id: UUID, bed_id: UUID, despite: str = "", version: int | None = None) -> BedStay:
    """Keep a free bed for a patient who waits. `despite`: why it must be this one although it does not fit.

    Raises NotFound, Forbidden, IllegalTransition, StaleEdit, or Conflict: `bed_taken`, `does_not_fit` (with reasons).
    """
    row = seen(actor, stay_id)
    bed = _wanted(actor, row, "reserve", bed_id, despite)
    _take(actor, row, "reserve", bed, version=version, reason=despite)
    beds.step(actor, bed, "reserve", stay=row)
    return row


@transactional
def release(*, actor: Actor, stay_id: UUID, version: int | None = None) -> BedStay:
    """Give the reserved bed back; the patient waits for another one. Raises as `reserve`."""
    row = seen(actor, stay_id)
    STAY.row(row.state, "release")
    bed = _own(row)
    ledger.apply(STAY, "release", row, actor=actor, version=version, changes={"bed": None})
    beds.step(actor, bed, "release")
    return row


@transactional
def admit(
    *, actor: Actor, stay_id: UUID, bed_id: UUID | None = None, despite: str = "", version: int | None = None
) -> BedStay:
    """The patient lies in the bed that was reserved, or, unreserved, in the free one that is named.

    Raises as `reserve`; Invalid without a bed; Conflict `in_bed_elsewhere` for who lies in another hospital's bed.
    """
    row = seen(actor, stay_id)
    changes: dict[str, object] = {"admitted_at": clock.now()}
    if row.state == RESERVED:
        policy.require(actor, "stay.admit", stay_subject(row))
        bed = _own(row)
        if bed_id not in (None, bed.pk):
            raise Conflict(
                _("Another bed is reserved for this patient. Give that one back first."), code="other_bed",
                field="bedId", bedId=str(bed.pk),
            )  # fmt: skip
        despite = ""
    else:
        STAY.row(row.state, "admit")
        if bed_id is None:
            raise Invalid(_("Choose a bed."), code="required", field="bedId")
        bed = _wanted(actor, row, "admit", bed_id, despite)
    _take(actor, row, "admit", bed, version=version, reason=despite, changes=changes)
    beds.step(actor, bed, "occupy", stay=row)
    return row


@transactional
def transfer(*, actor: Actor, stay_id: UUID, bed_id: UUID, despite: str = "", version: int | None = None) -> BedStay:
    """Move a patient into another bed; the one they leave is to be cleaned. Both or neither. Raises as `reserve`."""
    row = seen(actor, stay_id)
    STAY.row(row.state, "transfer")
    old = row.bed_id
    if bed_id == old:
        raise Invalid(_("The patient lies in this bed."), field="bedId")
    new = _wanted(actor, row, "transfer", bed_id, despite, also=old)
    left = beds.hold(row.facility_id, [old])[old] if old else None
    _take(actor, row, "transfer", new, version=version, reason=despite)
    beds.step(actor, new, "occupy", stay=row)
    if left is not None:
        beds.step(actor, left, "vacate")
    return row


@transactional
def order_discharge(*, actor: Actor, stay_id: UUID, version: int | None = None) -> BedStay:
    """The patient may leave. They are in bed until somebody says that they have gone (`depart`)."""
    row = seen(actor, stay_id)
    ledger.apply(STAY, "order_discharge", row, actor=actor, version=version, changes={"ordered_at": clock.now()})
    return row


@transactional
def withdraw_discharge(*, actor: Actor, stay_id: UUID, reason: str, version: int | None = None) -> BedStay:
    """The patient stays after all, and why."""
    row = seen(actor, stay_id)
    policy.require(actor, "stay.discharge", stay_subject(row))
    ledger.apply(
        STAY, "withdraw_discharge", row, actor=actor, version=version, changes={"ordered_at": None},
        reason=wishes.reason_of(reason),
    )  # fmt: skip
    return row


@transactional
def depart(*, actor: Actor, stay_id: UUID, reason: str = "", version: int | None = None) -> BedStay:
    """The patient has gone, and the bed is to be cleaned. Without a discharge order `reason` says why.

    Raises NotFound, Forbidden, Invalid (`reason`), IllegalTransition, StaleEdit.
    """
    row = seen(actor, stay_id)
    policy.require(actor, "stay.depart", stay_subject(row))
    early = row.state == IN_BED[0]
    said = wishes.reason_of(reason) if early else wishes.text_of(reason, 200, "reason")
    action = "leave" if early else "depart"
    STAY.row(row.state, action)
    bed = _own(row)
    ledger.apply(STAY, action, row, actor=actor, version=version, changes={"ended_at": clock.now()}, reason=said)
    beds.step(actor, bed, "vacate")
    return row


def _own(row: BedStay) -> Bed:
    """The bed that this stay has, held."""
    assert row.bed_id is not None
    return beds.hold(row.facility_id, [row.bed_id])[row.bed_id]


def _wanted(actor: Actor, row: BedStay, action: str, bed_id: UUID, despite: str, also: UUID | None = None) -> Bed:
    """The bed that is asked for, held with `also`: free, and fit for this patient unless somebody says why not."""
    policy.require(actor, STAY.row(row.state, action).who, stay_subject(row))
    bed = beds.hold(row.facility_id, [bed_id, also] if also else [bed_id])[bed_id]
    if bed.state != AVAILABLE:
        raise _taken(row, bed)
    against = [one for one in placing.reasons_of(row, [bed])[bed.pk] if one.kind == "against"]
    if against and not wishes.text_of(despite, MAX_DESPITE, "despite"):
        raise Conflict(
            _("This bed does not fit: %(why)s. Choose another one, or say why it must be this one.")
            % {"why": ", ".join(str(one.words) for one in against)},
            code="does_not_fit", field="despite", reasons=[one.code for one in against],
        )  # fmt: skip
    return bed


def _take(
    actor: Actor,
    row: BedStay,
    action: str,
    bed: Bed,
    *,
    version: int | None,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
) -> None:
    """The stay's step into a bed. The constraints answer whoever got past the look before."""
    try:
        with transaction.atomic():
            ledger.apply(
                STAY, action, row, actor=actor, version=version, changes={**(changes or {}), "bed": bed},
                reason=reason.strip(),
            )  # fmt: skip
    except IntegrityError:
        raise _taken(row, bed) from None


def _taken(row: BedStay, bed: Bed) -> Conflict:
    elsewhere = BedStay.objects.filter(patient_id=row.patient_id, state__in=IN_BED).exclude(pk=row.pk)
    if bed.state in (AVAILABLE, RESERVED) and elsewhere.exists():
        return Conflict(
            _("This patient lies in a bed of another hospital, and must have left it before."),
            code="in_bed_elsewhere", field="stayId",
        )  # fmt: skip
    return Conflict(
        _("Bed %(bed)s is not free any more. Choose another one.") % {"bed": bed.name}, code="bed_taken",
        field="bedId", state=bed.state,
    )  # fmt: skip


__all__ = [
    "admit", "cancel", "depart", "order_discharge", "plan", "release", "request", "reserve", "transfer",
    "withdraw_discharge",
]  # fmt: skip
