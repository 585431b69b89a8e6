"""What a row of each list means: read, checked by the rules of the domain it belongs to, and brought in by its action.

`read` turns cells into what the action takes, `check` refuses what the action would refuse and changes nothing, and
`apply` is the action itself, done as whoever wants the import: what they may not do by hand they may not bring in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.billing import books, money, prices, taxes
from polyclinic.billing.models import Price
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.facilities import granting, invitations
from polyclinic.facilities.actions import own_role, role_name
from polyclinic.facilities.models import CustomRole
from polyclinic.imports.words import Dates, Kind
from polyclinic.medicines.models import Medicine
from polyclinic.people import registering
from polyclinic.people.models import Sex
from polyclinic.pharmacy import amounts, keeping, stock
from polyclinic.pharmacy.keeping import Came
from polyclinic.scheduling import schedules
from polyclinic.scheduling.models import Schedule
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.scheduling.rows import WeeklyRow

Cells = dict[str, str]
_SEXES: Final = {
    "m": Sex.MALE, "w": Sex.FEMALE, "f": Sex.FEMALE, "d": Sex.OTHER, "x": Sex.OTHER, "man": Sex.MALE,
    "woman": Sex.FEMALE, "u": Sex.UNKNOWN, "": Sex.UNKNOWN,
}  # fmt: skip
_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN: Final = re.compile(r"(\()?(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})(\))?")


@dataclass(frozen=True, slots=True)
class Work:
    """For whom and where rows are read: the person who wants the import, the facility, the order of dates in it."""

    person: Person
    facility_id: UUID
    dates: str
    # What stands on the delivery note of a row of stock: the import's own, so that no row is received twice.
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Sort:
    """How one kind of row is checked and brought in. `right`: what else one must be allowed to do."""

    right: str
    check: Callable[[Work, Cells], Any]
    apply: Callable[[Work, Cells, int], UUID]
    # What makes two rows of one file the same thing.
    same: Callable[[Cells], tuple[str, ...]]


def day(text: str, dates: str, field: str) -> date:
    """A calendar day as written in the file. Raises Invalid naming the field."""
    parts = re.fullmatch(r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})", text)
    order = {Dates.DAY: (2, 1, 0), Dates.MONTH: (2, 0, 1)}.get(Dates(dates), (0, 1, 2))
    try:
        if parts is None:
            raise ValueError
        year, month, number = (parts.groups()[at] for at in order)
        if len(year) != 4:
            raise ValueError
        return date(int(year), int(month), int(number))
    except ValueError:
        raise Invalid(
            _("This is no date as the file writes them. Write it like the others, or choose another order of dates."),
            code="date", field=field,
        ) from None  # fmt: skip


def _patient(work: Work, cells: Cells) -> dict[str, Any]:
    sex = cells["sex"].casefold()
    return {
        "family_name": cells["family_name"], "given_name": cells["given_name"],
        "born": day(cells["born"], work.dates, "born"), "sex": _SEXES.get(sex, sex), "phone": cells["phone"],
    }  # fmt: skip


def _check_patient(work: Work, cells: Cells) -> None:
    registering.check(work.facility_id, _patient(work, cells), cells["new_because"])


def _take_patient(work: Work, cells: Cells, _number: int) -> UUID:
    return registering.take_over(
        actor=work.person, facility_id=work.facility_id, given=_patient(work, cells), new_because=cells["new_because"]
    ).pk


def _role(work: Work, text: str) -> tuple[str, UUID | None]:
    """A role by its name in the program, in words, or as the facility's own role is called."""
    wanted = text.casefold()
    for role in granting.grantable_roles(work.person, work.facility_id):
        if wanted in (role.casefold(), str(role_name(role)).casefold()):
            return role, None
    own = CustomRole.objects.filter(facility_id=work.facility_id, ended_at__isnull=True, name__iexact=text).first()
    if own is not None:
        return "", own.pk
    known = sorted(str(role_name(role)) for role in granting.grantable_roles(work.person, work.facility_id))
    raise Invalid(
        _("There is no such role that you may give. Write one of: %(roles)s.") % {"roles": ", ".join(known)},
        code="role", field="role",
    )  # fmt: skip


def _check_staff(work: Work, cells: Cells) -> None:
    role, own = _role(work, cells["role"])
    custom = own_role(work.facility_id, own)
    invitations.check(work.person, work.facility_id, cells["email"], cells["name"], role, custom)


def _take_staff(work: Work, cells: Cells, _number: int) -> UUID:
    role, own = _role(work, cells["role"])
    return invitations.invite(
        actor=work.person, facility_id=work.facility_id, email=cells["email"], name=cells["name"], role=role,
        custom_role_id=own,
    ).pk  # fmt: skip


def _schedule(work: Work, cells: Cells) -> tuple[Schedule, dict[str, Any]]:
    row = Schedule.objects.filter(
        facility_id=work.facility_id, doctor__account__email__iexact=cells["doctor"]
    ).first()  # fmt: skip
    if row is None:
        raise Invalid(
            _("No doctor with this address has hours here. Invite them first, or correct the address."),
            code="doctor", field="doctor",
        )  # fmt: skip
    weekly = [part for number, name in enumerate(_WEEK) for part in _spans(cells[name], number, name)]
    minutes = {
        name: _minutes(cells[name], name) if cells[name] else None for name in ("slot_minutes", "buffer_minutes")
    }
    return row, {"weekly": weekly, **minutes}


def _spans(text: str, weekday: int, field: str) -> list[WeeklyRow]:
    """ "08:00-17:00 (12:00-13:00)": hours, and in brackets a break."""
    rest, found = re.sub(r"[,;]", " ", text).strip(), []
    while rest:
        span = _SPAN.match(rest)
        try:
            if span is None or bool(span[1]) != bool(span[6]):
                raise ValueError
            kind = "break" if span[1] else "hours"
            found.append(
                WeeklyRow(weekday, time(int(span[2]), int(span[3])), time(int(span[4]), int(span[5])), kind)
            )  # fmt: skip
            rest = rest[span.end() :].strip()
        except ValueError:
            raise Invalid(
                _("Write hours as 08:00-17:00, several with a space between, and a break in brackets."),
                code="hours", field=field,
            ) from None  # fmt: skip
    return found


def _minutes(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise Invalid(_("Write a whole number of minutes."), code="minutes", field=field)
    return int(text)


def _check_schedule(work: Work, cells: Cells) -> None:
    row, given = _schedule(work, cells)
    try:
        stranded = schedules.would_strand(work.person, row.pk, given["weekly"])
        schedules.check_minutes(given["slot_minutes"], "slot_minutes", 5, 480)
        schedules.check_minutes(given["buffer_minutes"], "buffer_minutes", 0, 120)
    except Invalid as refused:
        raise _of_day(refused, given["weekly"]) from None
    if stranded:
        raise _stranding(stranded)


def _take_schedule(work: Work, cells: Cells, _number: int) -> UUID:
    row, given = _schedule(work, cells)
    try:
        return schedules.set_weekly(actor=work.person, schedule_id=row.pk, version=row.version, **given).pk
    except PatientsStranded as refused:
        raise _stranding(len(refused.extra.get("appointments", ()))) from None
    except Invalid as refused:
        raise _of_day(refused, given["weekly"]) from None


def _of_day(refused: Invalid, weekly: list[WeeklyRow]) -> Invalid:
    """The refusal of a row of the week, named by its day."""
    number = re.match(r"weekly\.(\d+)\.", refused.field or "")
    if number:
        refused.field = _WEEK[weekly[int(number[1])].weekday] if weekly[int(number[1])].weekday < 7 else "doctor"
    return refused


def _stranding(many: int) -> Conflict:
    return Conflict(
        _("%(many)s booked patients would be outside these hours. Change this doctor's hours on their page, where each "
          "can be kept or cancelled.") % {"many": many}, code="patients_stranded", field="doctor",
    )  # fmt: skip


def _price(work: Work, cells: Cells) -> dict[str, Any]:
    kind = cells["kind"].casefold()
    words = {str(label).casefold(): value for value, label in Price.Kind.choices}
    text = cells["tax_rate"].removesuffix("%").strip().replace(",", ".")
    try:
        rate = Decimal(text or "0") * 100
        if not re.fullmatch(r"\d{0,3}(\.\d{1,2})?", text) or rate > taxes.WHOLE:
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid(_("Write a rate in per cent, such as 19 or 5.5."), field="tax_rate") from None
    return {
        "code": cells["code"], "name": cells["name"], "kind": words.get(kind, kind),
        "amount_minor": money.read(cells["amount"], books.currency_of(work.facility_id)), "tax_rate": int(rate),
    }  # fmt: skip


def _check_price(work: Work, cells: Cells) -> None:
    prices.check(**_price(work, cells))


def _take_price(work: Work, cells: Cells, _number: int) -> UUID:
    return prices.set_price(actor=work.person, facility_id=work.facility_id, **_price(work, cells)).pk


@lru_cache(maxsize=4)
def _products(_version: str) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for row in Medicine.objects.filter(active=True):
        for name in {row.code.casefold(), str(row).casefold()}:
            found.setdefault(name, []).append(row.pk)
    return found


def _came(work: Work, cells: Cells) -> Came:
    wanted = cells["medicine"].casefold()
    exact = list(Medicine.objects.filter(code__iexact=cells["medicine"]).values_list("pk", flat=True)[:2])
    found = exact or _products(work.reference).get(wanted, [])
    if len(found) != 1:
        raise Invalid(
            _("No one medicine of the formulary has this code or name. Write its code."), code="medicine",
            field="medicine",
        )  # fmt: skip
    try:
        cost = Decimal(cells["unit_cost"].replace(",", ".") or "0")
        if not cost.is_finite() or cost < 0 or cost != round(cost, 4):
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid(_("Write what one costs, for example 0.12."), field="unit_cost") from None
    if not 1 <= len(cells["supplier"]) <= 120:
        raise Invalid(_("Give the supplier a name of at most 120 characters."), field="supplier")
    expires = day(cells["expires"], work.dates, "expires")
    return Came(found[0], cells["lot"], expires, amounts.read(cells["quantity"], "quantity"), cost)


def _check_stock(work: Work, cells: Cells) -> None:
    try:
        keeping.check(_came(work, cells), 0, stock.today(work.facility_id))
    except Invalid as refused:
        raise _of_line(refused) from None


def _take_stock(work: Work, cells: Cells, number: int) -> UUID:
    given: dict[str, Any] = {"actor": work.person, "facility_id": work.facility_id}
    came = _came(work, cells)
    supplier = keeping.add_supplier(**given, name=cells["supplier"])
    try:
        return keeping.receive(
            **given, supplier_id=supplier.pk, reference=f"{work.reference}-{number}", lines=[came]
        ).pk  # fmt: skip
    except Invalid as refused:
        raise _of_line(refused) from None


def _of_line(refused: Invalid) -> Invalid:
    field = (refused.field or "").removesuffix("-0")
    refused.field = "unit_cost" if field == "cost" else field
    return refused


def _by(*names: str) -> Callable[[Cells], tuple[str, ...]]:
    return lambda cells: tuple(cells[name].casefold() for name in names)


SORTS: Final[dict[str, Sort]] = {
    Kind.PATIENTS: Sort("import.run", _check_patient, _take_patient, _by("family_name", "given_name", "born")),
    Kind.STAFF: Sort("staff.invite", _check_staff, _take_staff, _by("email", "role")),
    Kind.SCHEDULES: Sort("schedule.edit", _check_schedule, _take_schedule, _by("doctor")),
    Kind.PRICES: Sort("price.edit", _check_price, _take_price, _by("code")),
    Kind.STOCK: Sort("stock.receive", _check_stock, _take_stock, _by("medicine", "lot", "expires")),
}  # fmt: skip


def may(person: Person, facility_id: UUID, kind: str) -> bool:
    """Whether this person may bring in such a list here."""
    subject = Subject(facility_id=facility_id)
    return policy.allowed(person, "import.run", subject) and policy.allowed(person, SORTS[kind].right, subject)
