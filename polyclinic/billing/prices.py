"""The price list of a facility: each change ends the old price and begins a new one."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.billing import books, money, taxes
from polyclinic.billing.models import Price
from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@transactional
def set_price(
    *, actor: Actor, facility_id: UUID, code: str, name: str, kind: str, amount_minor: int, tax_rate: int = 0
) -> Price:
    """Say what a code costs from now on. Invoices keep what they were charged.

    `amount_minor` is what a patient pays; `tax_rate`, in hundredths of a per cent, says how much of it is tax
    (`billing.taxes`). Raises Forbidden, Invalid naming `facility`, `code`, `name`, `kind`, `amount` or `tax_rate`.
    """
    subject = Subject(facility_id=facility_id)
    policy.require(actor, "price.edit", subject)
    code, name = check(code, name, kind, amount_minor, tax_rate)
    if not Facility.objects.filter(pk=facility_id).exists():
        raise Invalid(_("There is no such hospital."), field="facility")
    lock_keys([f"price:{facility_id}:{code}"])
    found = Price.objects.filter(facility_id=facility_id, code=code, valid_to__isnull=True).first()
    if found is not None:
        if (found.name, found.kind, found.amount_minor, found.tax_rate) == (name, kind, amount_minor, tax_rate):
            return found
        Price.objects.filter(pk=found.pk).update(valid_to=clock.now())
    made = Price(
        facility_id=facility_id, code=code, name=name, kind=kind, amount_minor=amount_minor, tax_rate=tax_rate,
        currency=books.currency_of(facility_id),
    )  # fmt: skip
    made.save(force_insert=True)
    before = None if found is None else found.amount_minor
    ledger.record(
        actor=actor, action="price.set", row=made, subject=subject,
        detail={"code": code, "amount": amount_minor, "before": before, "tax_rate": tax_rate},
    )  # fmt: skip
    return made


def check(code: str, name: str, kind: str, amount_minor: int, tax_rate: int) -> tuple[str, str]:
    """Code and name as they are kept. Raises Invalid naming `code`, `name`, `kind`, `amount` or `tax_rate`."""
    code, name = code.strip(), name.strip()
    if not _CODE.fullmatch(code):
        raise Invalid(_("A code has letters, digits, dots and dashes, at most 40."), field="code")
    if not 1 <= len(name) <= 120:
        raise Invalid(_("Give it a name of at most 120 characters."), field="name")
    if kind not in Price.Kind.values:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(Price.Kind.values))
    if not 0 <= amount_minor <= money.MOST:
        raise Invalid(_("Write an amount, for example 12.50."), field="amount")
    if not 0 <= tax_rate <= taxes.WHOLE:
        raise Invalid(_("A tax rate is from 0 to 100 per cent."), field="tax_rate")
    return code, name


@transactional
def end_price(*, actor: Actor, price_id: UUID) -> Price:
    """Take a price off the list. Raises NotFound."""
    row = Price.objects.filter(pk=price_id, valid_to__isnull=True).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    subject = Subject(facility_id=row.facility_id)
    policy.require_sight(actor, "price.view", subject)
    policy.require(actor, "price.edit", subject)
    row.valid_to = clock.now()
    Price.objects.filter(pk=row.pk).update(valid_to=row.valid_to)
    ledger.record(actor=actor, action="price.end", row=row, subject=subject, detail={"code": row.code})
    return row
