"""Whether a simulated time left the hospital in order: nobody stuck, the books balanced, everything told.

Each check gives what is wrong, in words; an empty list is what one hopes for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from polyclinic.billing.models import Invoice, LedgerEntry, Payment
from polyclinic.core.audit import chain
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.pharmacy.models import Batch
from polyclinic.visits.models import QueueEntry, StageTime, Visit


def everything(since: datetime) -> list[str]:
    """All checks of what happened since a moment."""
    return [*stuck(), *books(), *stock(), *told(since), *sealed()]


def stuck() -> list[str]:
    """Visits, places in queues and stage times that were never ended."""
    found = [f"visit {row.token} stuck in {row.state}" for row in Visit.objects.filter(closed_at=None)]
    places = QueueEntry.objects.filter(ended_at=None, visit__closed_at__isnull=False).count()
    times = StageTime.objects.filter(left_at=None, visit__closed_at__isnull=False).count()
    return [*found, *_unless(places, "places in queues outlived their visit"), *_unless(times, "stage times run on")]


def books() -> list[str]:
    """Double entry: what is owed by the accounts is what is owed by the invoices, and no invoice is paid too much."""
    receivable = _sum(LedgerEntry.objects.filter(debit="receivable")) - _sum(
        LedgerEntry.objects.filter(credit="receivable")
    )
    owed = sum(row.due_minor for row in Invoice.objects.exclude(state="void"))
    held = sum(
        _sum(LedgerEntry.objects.filter(debit=side)) - _sum(LedgerEntry.objects.filter(credit=side))
        for side in ("cash", "card")
    )
    taken = _sum(Payment.objects.filter(state="taken"))
    over = Invoice.objects.filter(paid_minor__gt=F("total_minor")).count()
    found = [] if receivable == owed else [f"the books say {receivable} is owed, the invoices {owed}"]
    found += [] if held == taken else [f"the books hold {held}, {taken} was taken"]
    return [*found, *_unless(over, "invoices are paid too much")]


def stock() -> list[str]:
    """No batch of a medicine below nothing, and each as large as its movements say."""
    batches = Batch.objects.annotate(moved=Sum("ledger__hundredths"))
    below = batches.filter(hundredths__lt=0).count()
    other = batches.filter(~Q(hundredths=F("moved"))).count()
    return [*_unless(below, "batches are below nothing"), *_unless(other, "batches differ from their movements")]


def told(since: datetime) -> list[str]:
    """Every step of every visit is in the audit and in the log that all screens follow, once each."""
    found = []
    for row in Visit.objects.filter(opened_at__gte=since):
        # Opening, then one step for each change: each is a revision.
        events = OutboxEvent.objects.filter(stream=f"visit:{row.pk}").count()
        audited = AuditEntry.objects.filter(subject_kind="visit", subject_id=str(row.pk), revision__gt=0).count()
        if events != row.version or audited != row.version:
            found.append(f"visit {row.token}: {row.version} steps, {events} told, {audited} audited")
    return found


def sealed() -> list[str]:
    """The audit chain has no break."""
    return [str(broken) for broken in chain.verify()]


def transitions(since: datetime) -> int:
    """How many steps visits took since a moment."""
    return Visit.objects.filter(opened_at__gte=since).aggregate(sum=Sum("version"))["sum"] or 0


def _sum(rows: QuerySet[Any]) -> int:
    return rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0


def _unless(count: int, sentence: str) -> list[str]:
    return [f"{count} {sentence}"] if count else []
