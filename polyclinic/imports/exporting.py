"""Lists taken out: the columns that an import reads, so that what went out comes in elsewhere as it was.

That a list leaves is put on record before its first row does, with the reason; for lists of people whose they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.billing import money
from polyclinic.billing.models import Price
from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import transactional
from polyclinic.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility, Membership
from polyclinic.imports import fields
from polyclinic.imports.rows import ImportPlace
from polyclinic.imports.words import Kind
from polyclinic.people import joined
from polyclinic.people.erasing import ERASED
from polyclinic.people.models import Patient
from polyclinic.pharmacy import amounts
from polyclinic.pharmacy.models import Batch, Delivery, StockMove
from polyclinic.scheduling.models import Appointment, Schedule

APPOINTMENTS: Final = "appointments"
# What can be taken out, and the right to see it that is needed besides.
RIGHTS: Final = {
    Kind.PATIENTS: "export.run", Kind.STAFF: "staff.list", Kind.SCHEDULES: "schedule.view", Kind.PRICES: "price.view",
    Kind.STOCK: "stock.view", APPOINTMENTS: "appointment.view",
}  # fmt: skip
_AT_A_TIME: Final = 500
_REASON: Final = 200
_phone = column(Patient, "phone")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def places(viewer: Viewer) -> list[ImportPlace]:
    """Where the viewer may take lists out, and which, by name. Raises NotFound for whom there is no such place."""
    person = _person(viewer)
    rows = Facility.objects.filter(pk__in=policy.places(person, "export.run")).order_by("name", "pk")
    found = [
        ImportPlace(pk, name, zone, tuple(map(str, (kind for kind in RIGHTS if _may(person, pk, kind)))))
        for pk, name, zone in rows.values_list("id", "name", "time_zone")
    ]
    if not found:
        raise NotFound()
    return found


@transactional
def begin(viewer: Viewer, facility_id: UUID, kind: str, reason: str) -> None:
    """Put on record that the list leaves, why, and whom it names. Raises NotFound, Forbidden, Invalid."""
    person = _person(viewer)
    policy.require_sight(person, "export.run", Subject(facility_id=facility_id))
    if person.seen_by is not None:
        raise Forbidden()
    if kind not in RIGHTS:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(map(str, RIGHTS)))
    policy.require(person, RIGHTS[kind], Subject(facility_id=facility_id))
    said = " ".join(reason.split())
    if not 1 <= len(said) <= _REASON:
        raise Invalid(_("Say what the list is for, in at most 200 characters."), code="required", field="reason")
    if kind == Kind.PATIENTS:
        ids = _patients(facility_id).values_list("pk", flat=True).iterator(_AT_A_TIME)
        reads.listed(person, "patient", None, ((pk, facility_id) for pk in ids))
    elif kind == APPOINTMENTS:
        whose = Appointment.objects.filter(facility_id=facility_id).values_list("patient_id", flat=True).distinct()
        reads.listed(person, "appointment", None, ((pk, facility_id) for pk in whose.iterator(_AT_A_TIME)))
    ledger.record(
        actor=person, action="list.export", row=Facility(pk=facility_id), subject=Subject(facility_id=facility_id),
        reason=said, detail={"kind": str(kind)},
    )  # fmt: skip


def rows(viewer: Viewer, facility_id: UUID, kind: str) -> Iterator[list[str]]:
    """The list, headings first. Whoever reads it has begun it with `begin`. Raises NotFound, Forbidden."""
    person = _person(viewer)
    policy.require_sight(person, "export.run", Subject(facility_id=facility_id))
    policy.require(person, RIGHTS.get(kind, "export.run"), Subject(facility_id=facility_id))
    return _LISTS[kind](facility_id)


def _person(viewer: Viewer) -> Person:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer


def _may(person: Person, facility_id: UUID, kind: str) -> bool:
    return policy.allowed(person, RIGHTS[kind], Subject(facility_id=facility_id))


def _headings(kind: str, *more: str) -> list[str]:
    return [*(field.name for field in fields.FIELDS[kind]), *more]


def _parts(query: QuerySet[Any], *columns: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in parts by their key; each part is one query of its own, so none holds the database."""
    last: Any = None
    while True:
        part = list(
            (query if last is None else query.filter(pk__gt=last)).order_by("pk").values_list(*columns)[:_AT_A_TIME]
        )
        if part:
            yield part
            last = part[-1][0]
        if len(part) < _AT_A_TIME:
            return


def _patients(facility_id: UUID) -> QuerySet[Patient]:
    """Who is known there by a name of their own."""
    known = Patient.objects.filter(places__facility_id=facility_id, temporary=False)
    return known.exclude(family_name=ERASED)


def _patient_rows(facility_id: UUID) -> Iterator[list[str]]:
    yield [name for name in _headings(Kind.PATIENTS, "mrn") if name != "new_because"]
    columns = ("id", "family_name", "given_name", "born", "sex", "phone", "mrn")
    for part in _parts(_patients(facility_id), *columns):
        # Who was merged is there once, as the record that stays.
        away = joined.survivors([row[0] for row in part])
        phones = _phone.open_each([row[0] for row in part], [row[5] for row in part])
        for row, phone in zip(part, phones, strict=True):
            if row[0] not in away:
                yield [row[1], row[2], row[3].isoformat(), row[4], phone, row[6]]


def _staff_rows(facility_id: UUID) -> Iterator[list[str]]:
    yield _headings(Kind.STAFF)
    held = Membership.objects.filter(facility_id=facility_id, ended_at__isnull=True, account__is_active=True)
    for part in _parts(held, "pk", "account__email", "account__name", "role", "custom_role__name"):
        yield from ([email, name, own or role] for _pk, email, name, role, own in part)


def _schedule_rows(facility_id: UUID) -> Iterator[list[str]]:
    yield _headings(Kind.SCHEDULES)
    found = (
        Schedule.objects.filter(facility_id=facility_id).select_related("doctor__account").prefetch_related("weekly")
    )
    for row in found.order_by("pk"):
        days: list[list[str]] = [[] for _day in _DAYS]
        for part in sorted(row.weekly.all(), key=lambda part: (part.kind != "hours", part.starts)):
            span = f"{part.starts:%H:%M}-{part.ends:%H:%M}"
            days[part.weekday].append(span if part.kind == "hours" else f"({span})")
        minutes = ["" if value is None else str(value) for value in (row.slot_minutes, row.buffer_minutes)]
        yield [row.doctor.account.email, *map(" ".join, days), *minutes]


def _price_rows(facility_id: UUID) -> Iterator[list[str]]:
    yield _headings(Kind.PRICES)
    found = Price.objects.filter(facility_id=facility_id, valid_to__isnull=True)
    for part in _parts(found, "pk", "code", "name", "kind", "amount_minor", "currency", "tax_rate"):
        for _pk, code, name, kind, amount, currency, rate in part:
            yield [code, name, kind, money.plain(amount, currency), f"{rate // 100}.{rate % 100:02d}"]


def _stock_rows(facility_id: UUID) -> Iterator[list[str]]:
    yield _headings(Kind.STOCK)
    found = Batch.objects.filter(facility_id=facility_id, hundredths__gt=0)
    for part in _parts(found, "pk", "medicine__code", "lot", "expires", "hundredths", "unit_cost"):
        suppliers = _suppliers([row[0] for row in part])
        for pk, code, lot, expires, hundredths, cost in part:
            yield [code, lot, expires.isoformat(), amounts.plain(amounts.quantity(hundredths)), f"{cost.normalize():f}",
                   suppliers.get(pk, str(_("Unknown")))]  # fmt: skip


def _suppliers(batches: list[UUID]) -> dict[UUID, str]:
    """By whom the last delivery of each batch came."""
    came = StockMove.objects.filter(batch_id__in=batches, kind="receive").order_by("pk")
    by = {batch: source for batch, source in came.values_list("batch_id", "source_id") if source is not None}
    named = dict(Delivery.objects.filter(pk__in=by.values()).values_list("pk", "supplier__name"))
    return {batch: named[source] for batch, source in by.items() if source in named}


def _appointment_rows(facility_id: UUID) -> Iterator[list[str]]:
    """When, with whom, whose and in which state; never what for."""
    yield ["starts", "ends", "doctor", "mrn", "state"]
    zone = ZoneInfo(Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id))
    found = Appointment.objects.filter(facility_id=facility_id)
    for part in _parts(found, "pk", "starts", "ends", "doctor__account__email", "patient__mrn", "state"):
        for _pk, starts, ends, doctor, mrn, state in part:
            span = (moment.astimezone(zone).isoformat(timespec="minutes") for moment in (starts, ends))
            yield [*span, doctor, mrn, state]


_LISTS: Final[dict[str, Callable[[UUID], Iterator[list[str]]]]] = {
    Kind.PATIENTS: _patient_rows, Kind.STAFF: _staff_rows, Kind.SCHEDULES: _schedule_rows, Kind.PRICES: _price_rows,
    Kind.STOCK: _stock_rows, APPOINTMENTS: _appointment_rows,
}  # fmt: skip
