"""Putting what was handed over on the visit's invoice, and taking off what came back."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import transaction

from polyclinic.billing import actions as billing
from polyclinic.billing.models import InvoiceLine, Price
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, SystemActor
from polyclinic.core.errors import Conflict
from polyclinic.pharmacy.models import Dispense, DispenseLine
from polyclinic.pharmacy.states import dispense_subject

SOURCE: Final = "dispense_line"
PHARMACY: Final = SystemActor("pharmacy")


def priced(facility_id: UUID, codes: Collection[str]) -> set[str]:
    """Which of these codes have a price at a facility. One question to the database."""
    rows = Price.objects.filter(facility_id=facility_id, code__in=set(codes), valid_to__isnull=True)
    return set(rows.values_list("code", flat=True))


def charged(line_ids: Collection[UUID]) -> set[UUID]:
    """Which lines of handings over came on an invoice, also when they were taken off it later."""
    rows = InvoiceLine.objects.filter(source_kind=SOURCE, source_id__in=line_ids)
    return set(rows.values_list("source_id", flat=True))


def charge(actor: Actor, made: Dispense, row: DispenseLine) -> bool:
    """Charge a line, for as many units as are with the patient; part of a unit is charged as a whole one.

    The price is that of one dispensing unit. What has no price in the facility's list is not charged: False then.
    """
    code = row.medicine.price_code
    if not priced(made.facility_id, [code]):
        return False
    by = _hand(actor, made)
    invoice = billing.open_invoice(
        actor=by, facility_id=made.facility_id, patient_id=made.patient_id, subject_kind="visit",
        subject_id=made.visit_id,
    )  # fmt: skip
    billing.charge(
        actor=by, invoice_id=invoice.pk, source_kind=SOURCE, source_id=row.pk, code=code,
        quantity=math.ceil((row.hundredths - row.returned_hundredths) / 100),
    )  # fmt: skip
    return True


def less(actor: Actor, made: Dispense, row: DispenseLine, reason: str) -> bool:
    """Some of a line came back: charge only what stays. False when it is paid, and the cash desk gives money back."""
    line = InvoiceLine.objects.filter(source_kind=SOURCE, source_id=row.pk, dropped_at__isnull=True).first()
    if line is None:
        return True
    try:
        with transaction.atomic():
            billing.drop(actor=_hand(actor, made), line_id=line.pk, reason=reason)
    except Conflict:
        return False
    if row.returned_hundredths < row.hundredths:
        charge(actor, made, row)
    return True


def _hand(actor: Actor, made: Dispense) -> Actor:
    """Whoever hands out medicines need not be somebody who may charge: then the pharmacy does."""
    return actor if policy.allowed(actor, "invoice.charge", dispense_subject(made)) else PHARMACY
