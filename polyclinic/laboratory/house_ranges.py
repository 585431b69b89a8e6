"""A laboratory's own reference ranges: what it has confirmed for its methods, in place of the published ones.

A row is never changed. Setting a range anew ends the row of the same group of people and begins another, so that what
was in force when a result was judged can be found again; the result keeps the limits themselves.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.laboratory import ranges
from polyclinic.laboratory.catalogue import TESTS, Test
from polyclinic.laboratory.models import HouseRange
from polyclinic.laboratory.ranges import FIRST, SECOND, THIRD, Range, years

OLDEST: Final = 150
LONGEST: Final = 120
SEXES: Final = ("", "female", "male")


class HouseRow(msgspec.Struct, frozen=True, rename="camel"):
    """One range in force. Ages are completed years, `to_years` not included; None is an open end."""

    id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    test: str
    sex: str
    from_years: int
    to_years: int
    pregnancy: str
    low: str | None
    high: str | None
    source: str
    valid_from: datetime


def find(facility_id: UUID, test: str, *, sex: str, age_days: int, pregnancy: str = "") -> Range | None:
    """The range for this person here: the most particular one that fits, and of two alike the house's own."""
    own = [_range(row) for row in HouseRange.objects.filter(facility_id=facility_id, test=test, valid_to__isnull=True)]
    mine = [row for row in own if row.fits(sex, age_days, pregnancy)]
    published = ranges.find(test, sex=sex, age_days=age_days, pregnancy=pregnancy)
    # The published one is last: `max` keeps the first of equals.
    fitting = [*mine, *([published] if published else [])]
    return max(fitting, key=lambda row: (bool(row.pregnancy), bool(row.sex)), default=None)


def in_force(viewer: Viewer, test: str) -> list[HouseRow]:
    """The own ranges of a test at the viewer's laboratories. Says nothing about anybody, so no entry in the audit."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    places = policy.places(viewer, "lab.work") | policy.places(viewer, "lab.set_range")
    rows = HouseRange.objects.filter(facility_id__in=places, test=test, valid_to__isnull=True).select_related(
        "facility"
    )
    return [
        HouseRow(
            row.pk, row.facility_id, row.facility.name, row.facility.time_zone, row.test, row.sex,
            row.from_years, row.to_years, row.pregnancy,
            _text(row.low), _text(row.high), row.source, row.valid_from,
        )
        for row in rows.order_by("facility__name", "pregnancy", "sex", "from_years")
    ]  # fmt: skip


@transactional
def set_range(
    *,
    actor: Actor,
    facility_id: UUID,
    test: str,
    low: str,
    high: str,
    source: str,
    sex: str = "",
    from_years: str = "0",
    to_years: str = str(OLDEST),
    pregnancy: str = "",
) -> HouseRange:
    """Say what is usual here from now on, for one group of people. Results that were judged keep their limits.

    Limits are in the test's unit, ages in years; an empty limit is an open end. `source` says how it was confirmed.
    Raises Forbidden, NotFound, or Invalid naming the field.
    """
    policy.require(actor, "lab.set_range", Subject(facility_id=facility_id))
    known = TESTS.get(test)
    if known is None or not Facility.objects.filter(pk=facility_id).exists():
        raise NotFound()
    if known.answers:
        raise Invalid(_("This test says words. It has no range."), field="test")
    row = HouseRange(
        facility_id=facility_id, test=test, sex=_one_of(sex, SEXES, "sex"),
        pregnancy=_one_of(pregnancy, ("", FIRST, SECOND, THIRD), "pregnancy"),
        from_years=_age(from_years or "0", "from_years"), to_years=_age(to_years or str(OLDEST), "to_years"),
        low=_limit(known, low, "low"), high=_limit(known, high, "high"), source=_source(source), made_by=actor.label,
    )  # fmt: skip
    _require_sense(row)
    lock_keys([f"lab-range:{facility_id}:{test}"])
    _require_place(row)
    same = _standing(row).filter(
        sex=row.sex, pregnancy=row.pregnancy, from_years=row.from_years, to_years=row.to_years
    )  # fmt: skip
    same.update(valid_to=clock.now())
    row.save(force_insert=True)
    ledger.record(
        actor=actor, action="lab_range.set", row=row, subject=Subject(facility_id=facility_id), revision=1,
        detail={"test": test, "low": _text(row.low), "high": _text(row.high)},
    )  # fmt: skip
    return row


@transactional
def end_range(*, actor: Actor, range_id: UUID) -> str:
    """From now on the published range counts again. Returns the test. Raises NotFound, also for one that has ended."""
    row = HouseRange.objects.select_for_update().filter(pk=range_id, valid_to__isnull=True).first()
    policy.require_sight(actor, "lab.set_range", Subject(facility_id=row.facility_id if row else None))
    if row is None:
        raise NotFound()
    HouseRange.objects.filter(pk=row.pk).update(valid_to=clock.now())
    ledger.record(
        actor=actor, action="lab_range.end", row=row, subject=Subject(facility_id=row.facility_id), revision=2,
        detail={"test": row.test},
    )  # fmt: skip
    return row.test


def _range(row: HouseRange) -> Range:
    # The column holds four digits after the point; people read as many as the test is given with.
    digits = TESTS[row.test].decimals if row.test in TESTS else 4
    low, high = (None if end is None else round(end, digits) for end in (row.low, row.high))
    source = f"house {row.valid_from:%Y-%m-%d}"
    if row.pregnancy:
        return Range(row.test, low, high, source, "", 0, ranges.FOREVER, (row.pregnancy,))
    to_days = ranges.FOREVER if row.to_years >= OLDEST else years(row.to_years)
    return Range(row.test, low, high, source, row.sex, years(row.from_years), to_days)


def _standing(row: HouseRange) -> QuerySet[HouseRange]:
    return HouseRange.objects.filter(facility_id=row.facility_id, test=row.test, valid_to__isnull=True)


def _require_sense(row: HouseRange) -> None:
    if row.low is None and row.high is None:
        raise Invalid(_("Write at least one end of the range."), code="required", field="low")
    if row.low is not None and row.high is not None and row.low >= row.high:
        raise Invalid(_("The upper end must be above the lower."), field="high")
    if row.from_years >= row.to_years:
        raise Invalid(_("The age it ends with must be above the age it begins with."), field="to_years")
    if row.pregnancy and row.sex:
        raise Invalid(_("A range for pregnancy is for nobody else; leave the sex open."), field="sex")


def _require_place(row: HouseRange) -> None:
    """Two ranges of one group that overlap would make the age decide by chance which of them counts."""
    if row.pregnancy:
        return
    for other in _standing(row).filter(sex=row.sex, pregnancy=""):
        if (other.from_years, other.to_years) == (row.from_years, row.to_years):
            continue
        if other.from_years < row.to_years and row.from_years < other.to_years:
            raise Invalid(
                _("There is one from %(low)s to %(high)s years already. End it first, or choose ages beside it.")
                % {"low": other.from_years, "high": other.to_years},
                code="overlaps", field="from_years",
            )  # fmt: skip


def _limit(test: Test, text: str, field: str) -> Decimal | None:
    text = text.strip()
    if not text:
        return None
    try:
        value = Decimal(text) if len(text) <= 10 and "e" not in text.lower() else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    low, high = test.possible
    if not value.is_finite() or not low <= value <= high:
        raise Invalid(
            _("Write a number from %(low)s to %(high)s, with a point and no comma.") % {"low": low, "high": high},
            field=field,
        )  # fmt: skip
    if value != round(value, test.decimals):
        raise Invalid(
            _("%(test)s is given with %(digits)s digits after the point.")
            % {"test": test.name, "digits": test.decimals}, field=field, code="too_exact",
        )  # fmt: skip
    return round(value, test.decimals)


def _age(text: str, field: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= OLDEST):
        raise Invalid(_("Write an age in whole years, at most 150."), field=field)
    return int(text)


def _source(text: str) -> str:
    text = text.strip()
    if not 3 <= len(text) <= LONGEST:
        raise Invalid(_("Say in 3 to 120 characters where it comes from."), field="source")
    return text


def _one_of(text: str, possible: tuple[str, ...], field: str) -> str:
    if text not in possible:
        raise Invalid(_("Choose one of the listed values."), field=field, possible=list(possible))
    return text


def _text(end: Decimal | None) -> str | None:
    return None if end is None else f"{end.normalize():f}"
