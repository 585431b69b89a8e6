"""What a visit costs before anybody looks at the patient, and what happens when it is settled."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.billing import actions as billing
from polyclinic.billing import lapsing
from polyclinic.billing.models import Invoice, Price
from polyclinic.core.actors import Actor, SystemActor
from polyclinic.visits.models import StageTime, Visit
from polyclinic.visits.states import OPEN, UNSEEN

# The price of the consultation, unless the service has one of its own under its short name.
USUAL: Final = "consultation"
CASH_DESK: Final = SystemActor("cash-desk")


def bill(visit: Visit) -> None:
    """Put the consultation on the visit's invoice. Without a price in the list nothing is billed, and the desk says
    itself that nothing is owed. Whoever may open a visit causes its fee, so this needs no right of theirs."""
    codes = [visit.service.slug, USUAL] if visit.service else [USUAL]
    listed = Price.objects.filter(facility_id=visit.facility_id, code__in=codes, valid_to__isnull=True)
    there = set(listed.values_list("code", flat=True))
    code = next((code for code in codes if code in there), None)
    if code is None:
        return
    invoice = billing.open_invoice(
        actor=CASH_DESK, facility_id=visit.facility_id, patient_id=visit.patient_id, subject_kind="visit",
        subject_id=visit.pk,
    )  # fmt: skip
    billing.charge(actor=CASH_DESK, invoice_id=invoice.pk, source_kind="visit", source_id=visit.pk, code=code)


def waive(actor: Actor, visit: Visit, reason: str) -> None:
    """Let go what is owed for the visit, if anything is."""
    owed = _open(visit)
    if owed is not None:
        billing.waive(actor=actor, invoice_id=owed.pk, reason=reason)


def hold(visit_id: UUID) -> None:
    """Let no payment of the fee come in between a step of the visit and what follows from it for the fee."""
    lapsing.hold("visit", visit_id)


def let_go(visit: Visit) -> None:
    """The visit has ended. Whom nobody has seen owes nothing for being seen: what is not paid of the fee falls away,
    and what is paid can be given back. Whoever may end a visit causes this, so it needs no right of theirs."""
    if visit.state not in OPEN and _unseen(visit.pk):
        # Why the visit ended, which can be about the patient, stands with the visit alone.
        reason = _("The visit ended before anybody saw the patient.")
        lapsing.lapse(actor=CASH_DESK, source_kind="visit", source_id=visit.pk, reason=reason)


def payment_failed(_actor: Actor, visit_id: UUID) -> None:
    """A payment that was under way will not come (`billing.hooks`): a fee that waited for it may fall away now."""
    visit = Visit.objects.filter(pk=visit_id).first()
    if visit is not None:
        let_go(visit)


def is_owed(visit: Visit) -> bool:
    """Whether something is still to be paid for the visit."""
    return _open(visit) is not None


def _open(visit: Visit) -> Invoice | None:
    return Invoice.objects.filter(subject_kind="visit", subject_id=visit.pk, state="open").first()


def _unseen(visit_id: UUID) -> bool:
    return not StageTime.objects.filter(visit_id=visit_id).exclude(stage__in=UNSEEN).exists()
