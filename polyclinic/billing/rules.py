"""Guards of billing's state tables."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.errors import Conflict, Forbidden


def nothing_owed(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Invoice
    """An invoice is settled when nothing is owed, and by nobody's word."""
    if row.due_minor != 0:
        raise Conflict(_("This invoice is not paid yet."), code="still_owed", dueMinor=row.due_minor)


def something_owed(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Invoice
    if row.due_minor == 0:
        raise Conflict(_("Nothing is owed on this invoice."), code="nothing_owed")


def nothing_kept(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an Invoice
    """An invoice for which money is held cannot vanish: the money goes back first."""
    if row.paid_minor != row.refunded_minor:
        raise Conflict(_("Give the money back first; then this invoice can be voided."), code="refund_first")


def own_till(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a TillShift
    """Who opened the box counts it, or whoever looks after all boxes of the place."""
    if not isinstance(actor, Person) or actor.account_id == row.account_id:
        return
    if not policy.allowed(actor, "till.view", Subject(facility_id=row.facility_id)):
        raise Forbidden()
