"""Money in figures for whoever runs a house: by service, by way of paying, by what made it less, and how old debts are.

A stretch is of days of the facility's own calendar. What was charged counts on the day it was charged and as it stands
now: what was taken off or voided since is not in it, a later discount is. Names of things and no names of patients, so
reading them leaves no entry about anybody.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Count, F, Max, Q, Sum
from django.utils.translation import gettext_lazy as _

from polyclinic.billing.models import Invoice, InvoiceLine, LedgerEntry, Payment, Refund
from polyclinic.billing.rows import FigureRow
from polyclinic.billing.states import DONE, OPEN, SURPLUS, TAKEN, VOID
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Invalid
from polyclinic.facilities.models import Facility

Side = LedgerEntry.Side
MOST_DAYS: Final = 400
# Until how many days after it was begun an invoice counts as so old; older ones are the last row.
AGES: Final = (30, 60, 90)
LESS: Final = (Side.DISCOUNTS, Side.WAIVED, Side.CREDITED, Side.WRITTEN_OFF)
Sums = tuple[int, int, int, int]


def stretch(facility_id: UUID, first: date, last: date) -> tuple[datetime, datetime]:
    """The moments at which the first day begins and the last one ends. Raises Invalid naming `last`."""
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS + 1):
        raise Invalid(_("Ask for 1 to 400 days."), field="last")
    zone = ZoneInfo(Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id))
    since, until = (datetime.combine(day, time(0), zone) for day in (first, last + timedelta(days=1)))
    return since, until


def services(viewer: Viewer, facility_id: UUID, first: date, last: date) -> list[FigureRow]:
    """What was charged, by the thing charged, the most first. Raises NotFound, Invalid."""
    rows = _lines(viewer, facility_id, first, last).values("code", "invoice__currency", "kind")
    found = [
        FigureRow(
            row["code"], row["name"], row["kind"], row["count"], row["amount"], row["less"], row["tax"],
            row["invoice__currency"],
        )
        for row in rows.annotate(name=Max("text"), count=Sum("quantity"), **_sums())
    ]  # fmt: skip
    return sorted(found, key=lambda row: (-row.amount_minor, row.key))


def subjects(viewer: Viewer, facility_id: UUID, first: date, last: date) -> dict[tuple[str, UUID, str], Sums]:
    """What was charged, by what it was charged for: (kind, id, currency) → lines, amount, taken off it, tax in it.

    For the apps whose things those are (`visits.earnings`). Raises NotFound, Invalid.
    """
    rows = _lines(viewer, facility_id, first, last).values(
        "invoice__subject_kind", "invoice__subject_id", "invoice__currency"
    )
    return {
        (row["invoice__subject_kind"], row["invoice__subject_id"], row["invoice__currency"]): (
            row["count"], row["amount"], row["less"], row["tax"],
        )
        for row in rows.annotate(count=Count("pk"), **_sums())
    }  # fmt: skip


def methods(viewer: Viewer, facility_id: UUID, first: date, last: date) -> list[FigureRow]:
    """What came in by each way to pay, and what of any payment went back in these days. Raises NotFound, Invalid."""
    since, until = _may(viewer, facility_id, first, last)
    taken = Payment.objects.filter(
        facility_id=facility_id, state__in=(TAKEN, SURPLUS), taken_at__gte=since, taken_at__lt=until
    )
    given = Refund.objects.filter(facility_id=facility_id, state=DONE, done_at__gte=since, done_at__lt=until)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    came = taken.values_list("method", "invoice__currency").annotate(Count("pk"), Sum("amount_minor"))
    for method, unit, count, amount in came:
        sums[method, unit][:2] = count, amount
    went = given.values_list("payment__method", "payment__invoice__currency").annotate(Sum("amount_minor"))
    for method, unit, amount in went:
        sums[method, unit][2] = amount
    order = list(Payment.Method.values)
    return [
        FigureRow(method, str(Payment.Method(method).label), "", count, amount, back, 0, unit)
        for (method, unit), (count, amount, back) in sorted(
            sums.items(), key=lambda one: (order.index(one[0][0]), one[0][1])
        )
    ]


def reductions(viewer: Viewer, facility_id: UUID, first: date, last: date) -> list[FigureRow]:
    """What made invoices less in these days, from the books: discounts, waivers, credits, write-offs, tax and all.

    Raises NotFound, Invalid.
    """
    since, until = _may(viewer, facility_id, first, last)
    entries = LedgerEntry.objects.filter(
        Q(debit__in=LESS) | Q(debit=Side.TAX), facility_id=facility_id, credit=Side.RECEIVABLE, at__gte=since,
        at__lt=until,
    )  # fmt: skip
    batches: dict[UUID, list[tuple[str, int, str]]] = defaultdict(list)
    for batch, debit, amount, unit in entries.values_list("batch", "debit", "amount_minor", "currency"):
        batches[batch].append((debit, amount, unit))
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for legs in batches.values():
        # A thing that was all tax leaves no leg of its own; it can only have fallen away.
        side = next((debit for debit, _amount, _unit in legs if debit != Side.TAX), Side.CREDITED.value)
        kept = sums[side, legs[0][2]]
        kept[0] += 1
        kept[1] += sum(amount for _debit, amount, _unit in legs)
        kept[2] += sum(amount for debit, amount, _unit in legs if debit == Side.TAX)
    found = []
    for side in LESS:
        for unit in sorted({unit for one, unit in sums if one == side}):
            count, amount, tax = sums[side.value, unit]
            found.append(FigureRow(side.value, str(side.label), "", count, amount, 0, tax, unit))
    return found


def owed(viewer: Viewer, facility_id: UUID) -> list[FigureRow]:
    """What is owed now, by how long ago the invoice was begun: a row for each age, whether or not there is any.

    `key` is from and until how many days, such as 31-60; the last is 91-. Raises NotFound.
    """
    policy.require_sight(viewer, "revenue.view", Subject(facility_id=facility_id))
    now = clock.now()
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    rows = Invoice.objects.filter(facility_id=facility_id, state=OPEN)
    for row in rows.only(
        "opened_at", "currency", "total_minor", "credited_minor", "written_off_minor", "paid_minor", "refunded_minor"
    ):
        if row.due_minor:
            days = (now - row.opened_at).days
            kept = sums[sum(days > age for age in AGES), row.currency]
            kept[0] += 1
            kept[1] += row.due_minor
    found = []
    for unit in sorted({unit for _age, unit in sums}):
        for age in range(len(AGES) + 1):
            count, due = sums[age, unit]
            found.append(FigureRow(_age_key(age), "", "", count, due, 0, 0, unit))
    return found


def _age_key(age: int) -> str:
    first = AGES[age - 1] + 1 if age else 0
    return f"{first}-{AGES[age] if age < len(AGES) else ''}"


def _may(viewer: Viewer, facility_id: UUID, first: date, last: date) -> tuple[datetime, datetime]:
    policy.require_sight(viewer, "revenue.view", Subject(facility_id=facility_id))
    return stretch(facility_id, first, last)


def _lines(viewer: Viewer, facility_id: UUID, first: date, last: date) -> Any:  # noqa: ANN401 - a queryset
    since, until = _may(viewer, facility_id, first, last)
    return InvoiceLine.objects.filter(
        invoice__facility_id=facility_id, added_at__gte=since, added_at__lt=until, dropped_at__isnull=True
    ).exclude(invoice__state=VOID)


def _sums() -> dict[str, Any]:
    amount = Sum(F("quantity") * F("unit_minor"), output_field=BigIntegerField())
    return {"amount": amount, "less": Sum("discount_minor"), "tax": Sum("tax_minor")}
