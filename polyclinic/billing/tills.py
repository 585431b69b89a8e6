"""Cash boxes: each person at the desk has their own, from opening it to counting it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from polyclinic.billing import books, money
from polyclinic.billing.models import LedgerEntry, Payment, Refund, TillShift
from polyclinic.billing.states import DONE, OPEN, TILL
from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated

Side = LedgerEntry.Side


def lock_name(actor: Actor, facility_id: UUID) -> str:
    """The key under which this person's box at this facility is written to."""
    return f"till:{facility_id}:{actor.label}"


@transactional
def open_till(*, actor: Actor, facility_id: UUID, float_minor: int = 0, counter: str = "") -> TillShift:
    """Open one's box with the change that is in it. Raises Forbidden, Invalid (`float`), Conflict (till_open)."""
    if not isinstance(actor, Person):
        raise Forbidden()
    policy.require(actor, "till.use", Subject(facility_id=facility_id))
    lock_keys([lock_name(actor, facility_id)])
    if not 0 <= float_minor <= money.MOST:
        raise Invalid(_("Write what is in the box, or 0."), field="float")
    if _own(actor, facility_id) is not None:
        raise Conflict(_("Your box is open already. Count and close it first."), code="till_open")
    return _open(actor, facility_id, float_minor, counter)


def current(actor: Actor, facility_id: UUID) -> TillShift | None:
    """The box this person's cash goes into, opened empty if they have none open; a job of ours has none.

    A queue at the desk does not wait for a form: what is taken is counted at the end either way. The caller holds
    `lock_name`.
    """
    if not isinstance(actor, Person):
        return None
    return _own(actor, facility_id) or _open(actor, facility_id, 0, "")


@transactional
def close_till(
    *, actor: Actor, till_id: UUID, counted_minor: int, reason: str = "", version: int | None = None
) -> TillShift:
    """Count the box and close it. A difference needs a reason and is written into the books.

    Raises NotFound, Forbidden, Invalid (`counted`, `reason`), IllegalTransition when it is closed already.
    """
    row = _till(actor, till_id)
    if not 0 <= counted_minor <= money.MOST:
        raise Invalid(_("Write what you have counted."), field="counted")
    expected = expected_minor(row)
    why, difference = reason.strip(), counted_minor - expected
    if difference and not why:
        raise Invalid(
            _("The box does not hold what it should. Count again, or say why."), code="difference", field="reason",
            differenceMinor=difference,
        )  # fmt: skip
    if len(why) > 300:
        raise Invalid(_("Please keep it under 300 characters."), field="reason", maxLength=300)
    sealed = column(TillShift, "difference_reason").seal(row.pk, ring.purpose("billing"), why)
    ledger.apply(
        TILL, "close", row, actor=actor, version=version,
        changes={
            "closed_at": clock.now(), "expected_minor": expected, "counted_minor": counted_minor,
            "difference_reason": sealed,
        },
    )  # fmt: skip
    movement = (Side.CASH, Side.TILL, difference) if difference > 0 else (Side.TILL, Side.CASH, -difference)
    books.post(row.facility_id, books.currency_of(row.facility_id), movement, till=row)
    return row


def expected_minor(row: TillShift) -> int:
    """What should be in the box: the change it was opened with, and what was taken less what was given back."""
    taken = Payment.objects.filter(till=row).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    given = Refund.objects.filter(till=row, state=DONE).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return row.float_minor + int(taken) - int(given)


def _own(actor: Person, facility_id: UUID) -> TillShift | None:
    return TillShift.objects.filter(facility_id=facility_id, account_id=actor.account_id, state=OPEN).first()


def _open(actor: Person, facility_id: UUID, float_minor: int, counter: str) -> TillShift:
    made = TillShift(
        facility_id=facility_id, account_id=actor.account_id, float_minor=float_minor, counter=counter.strip()[:40]
    )
    ledger.create(TILL, "open", made, actor=actor)
    return made


def _till(actor: Actor, till_id: UUID) -> TillShift:
    row = TillShift.objects.filter(pk=till_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "till.use", Subject(facility_id=row.facility_id))
    # Whose box it is, takes cash under this key: nothing comes in while it is counted.
    lock_keys([f"till:{row.facility_id}:account:{row.account_id}"])
    row.refresh_from_db()
    return row
