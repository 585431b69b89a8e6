"""Telling a patient that an invoice, a receipt or money given back is there: without an amount, without a reason."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from polyclinic.billing.models import Invoice
from polyclinic.consent.models import Delegation
from polyclinic.consent.states import ACTIVE
from polyclinic.core import clock
from polyclinic.notify import actions as notify
from polyclinic.people.models import Patient


def tell(row: Invoice, kind: str) -> None:
    """Leave the notice `kind` for the patient, in the caller's transaction; who has no account is told through those
    who act for them, such as a child's parents."""
    for account in _readers(row.patient_id):
        notify.tell(account, kind)


def _readers(patient_id: UUID) -> list[UUID]:
    own = Patient.objects.filter(pk=patient_id).values_list("account_id", flat=True).first()
    if own is not None:
        return [own]
    now = clock.now()
    acting = Delegation.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), patient_id=patient_id, state=ACTIVE, carer__isnull=False
    )
    return [one for one in acting.order_by("pk").values_list("carer_id", flat=True) if one is not None]
