"""What of a visit, and of a patient, there is to print: links, as far as the reader may follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from polyclinic.billing import selectors as bills
from polyclinic.billing.rows import InvoiceRow
from polyclinic.core.access import policy
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.laboratory import selectors as laboratory
from polyclinic.laboratory.rows import OrderRow
from polyclinic.papers import selectors
from polyclinic.papers.rows import LetterRow, Printable
from polyclinic.papers.words import PaperKind
from polyclinic.prescribing import selectors as prescribing
from polyclinic.prescribing.rows import PrescriptionRow
from polyclinic.visits import selectors as visits
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.selectors import subject_of

Row = TypeVar("Row")
_FURTHER: list[Callable[[Viewer, UUID], list[Printable]]] = []
_NOT_SEEN = frozenset({"registered", "paid", "cancelled"})


def register(further: Callable[[Viewer, UUID], list[Printable]]) -> None:
    """Name who knows further papers of a patient that they can print themselves, of a domain above this one."""
    if further not in _FURTHER:
        _FURTHER.append(further)


def of_visit(viewer: Viewer, visit_id: UUID) -> list[Printable]:
    """What can be printed of one visit, letters apart. Raises NotFound for a visit that is not the viewer's to see."""
    row = visits.visit(viewer, visit_id)
    found = _summary(viewer, row)
    found += [_prescription(one) for one in _none_of(lambda: prescribing.of_visit(viewer, visit_id))]
    found += [_report(one) for one in _none_of(lambda: laboratory.orders_of_visit(viewer, visit_id)) if _done(one)]
    with suppress(NotFound):
        found += _bill(bills.invoice_of(viewer, "visit", visit_id))
    return found


def of_patient(viewer: Viewer, patient_id: UUID) -> list[Printable]:
    """What a patient, or who decides for them, can print for themselves, newest first. Raises NotFound."""
    found = [one for row in visits.visits_of(viewer, patient_id) for one in _summary(viewer, row)]
    found += [_report(one) for one in laboratory.released(viewer, patient_id)]
    found += [_prescription(one) for one in prescribing.of_patient(viewer, patient_id)]
    for brief in bills.invoices_of(viewer, patient_id):
        found.append(
            Printable(PaperKind.INVOICE, brief.id, brief.facility_name, brief.time_zone, brief.opened_at,
                      str(brief.number))
        )  # fmt: skip
    found += [_letter(one) for one in selectors.sick_notes(viewer, patient_id)]
    found += [_letter(one) for one in selectors.referrals(viewer, patient_id)]
    found += [one for further in _FURTHER for one in further(viewer, patient_id)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _none_of(read: Callable[[], list[Row]]) -> list[Row]:
    """What a reader may not see is no part of the list."""
    try:
        return read()
    except NotFound:
        return []


def _summary(viewer: Viewer, row: VisitRow) -> list[Printable]:
    if row.stage in _NOT_SEEN or not policy.allowed(viewer, "condition.view", subject_of(row)):
        return []
    return [Printable(PaperKind.VISIT_SUMMARY, row.id, row.facility_name, row.time_zone, row.opened_at, row.token)]


def _prescription(row: PrescriptionRow) -> Printable:
    return Printable(
        PaperKind.PRESCRIPTION, row.id, row.facility_name, row.time_zone, row.signed_at, row.label, row.state
    )


def _done(row: OrderRow) -> bool:
    return any(one.verified_at for test in row.tests for one in test.entries)


def _report(row: OrderRow) -> Printable:
    return Printable(PaperKind.LAB_REPORT, row.id, row.facility_name, row.time_zone, row.ordered_at, row.token)


def _bill(row: InvoiceRow) -> Iterator[Printable]:
    yield Printable(PaperKind.INVOICE, row.id, row.facility_name, row.time_zone, row.opened_at, str(row.number))
    for one in row.payments:
        if one.receipt is not None and one.taken_at is not None:
            yield Printable(PaperKind.RECEIPT, one.id, row.facility_name, row.time_zone, one.taken_at, str(one.receipt))


def _letter(row: LetterRow) -> Printable:
    return Printable(row.kind, row.id, row.facility_name, row.time_zone, row.issued_at, row.author, row.status)
