"""Putting tests on the visit's invoice, and taking them off again."""

from __future__ import annotations

from django.db import transaction

from polyclinic.billing import actions as billing
from polyclinic.billing.models import InvoiceLine, Price
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, SystemActor
from polyclinic.core.errors import Conflict
from polyclinic.laboratory.models import LabOrder, OrderedTest
from polyclinic.laboratory.reports import test_of
from polyclinic.laboratory.states import subject

SOURCE = "lab_test"


def charge(actor: Actor, made: LabOrder, row: OrderedTest) -> None:
    """Charge a test at the facility's price; what has no price in the list is not charged."""
    code = test_of(row.test).price_code
    if not Price.objects.filter(facility_id=made.facility_id, code=code, valid_to__isnull=True).exists():
        return
    by = _hand(actor, made)
    invoice = billing.open_invoice(
        actor=by, facility_id=made.facility_id, patient_id=made.patient_id, subject_kind="visit",
        subject_id=made.visit_id,
    )  # fmt: skip
    billing.charge(actor=by, invoice_id=invoice.pk, source_kind=SOURCE, source_id=row.pk, code=code)


def drop(actor: Actor, row: OrderedTest, reason: str) -> None:
    """A test that will not be made costs nothing. What is paid already the cash desk gives back by hand."""
    line = InvoiceLine.objects.filter(source_kind=SOURCE, source_id=row.pk, dropped_at__isnull=True).first()
    if line is None:
        return
    try:
        with transaction.atomic():
            billing.drop(actor=_hand(actor, row.order), line_id=line.pk, reason=reason)
    except Conflict:
        return


def _hand(actor: Actor, made: LabOrder) -> Actor:
    """Whoever orders tests need not be somebody who may charge: then the laboratory does."""
    return actor if policy.allowed(actor, "invoice.charge", subject(made)) else SystemActor("laboratory")
