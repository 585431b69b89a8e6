"""What is set for a facility, to look at: what is in force, what is planned, and every version there ever was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities import lettering, ruling
from polyclinic.facilities.declared import SETTINGS, Setting, known
from polyclinic.facilities.hours import Holiday, Stretches
from polyclinic.facilities.models import Department, Facility, SettingVersion


class SettingRow(msgspec.Struct, frozen=True, rename="camel"):
    """A setting of a facility: `value` as a client sends it, `said` as a person reads it.

    `version` is the number of the newest version (0: never set); `planned` what will hold from `planned_from` on.
    """

    key: str
    title: str
    about: str
    kind: str
    value: str
    said: str
    newest: str
    version: int
    planned: str | None
    planned_from: datetime | None
    editable: bool
    low: int | None
    high: int | None


class VersionRow(msgspec.Struct, frozen=True, rename="camel"):
    """One version. `status`: in_force, planned, over, or replaced (before it began)."""

    number: int
    value: str
    said: str
    before: str
    effective_from: datetime
    made_at: datetime
    made_by: str
    note: str
    undoes: int | None
    status: str


class PlaceholderRow(msgspec.Struct, frozen=True, rename="camel"):
    """A value that a letter may name as {name}; `subject`: in its subject too."""

    name: str
    meaning: str
    subject: bool


class LetterRow(msgspec.Struct, frozen=True, rename="camel"):
    """A letter with values that are nobody's, the words it is made of, and whether they are the house's own."""

    key: str
    language: str
    subject: str
    body: str
    subject_words: str
    body_words: str
    own: bool
    placeholders: tuple[PlaceholderRow, ...]


class DayRow(msgspec.Struct, frozen=True, rename="camel"):
    """A day's opening hours: minutes of the day, empty when closed, None where the house does not say."""

    day: date
    open: Stretches | None
    holiday: str


class HoursRow(msgspec.Struct, frozen=True, rename="camel"):
    """What the public is told: the coming days, today first, and the coming holidays."""

    days: tuple[DayRow, ...]
    holidays: tuple[DayRow, ...]


def settings(viewer: Viewer, facility_id: UUID, department_id: UUID | None = None) -> list[SettingRow]:
    """All settings of a facility, or of one of its departments, in the order in which they are declared."""
    place = _place(viewer, facility_id, department_id)
    rows: dict[str, SettingVersion] = {}
    for row in ruling.versions(place.pk, department_id).order_by("number"):
        rows[row.key] = row
    line = ruling.timeline(place.pk, place.version)
    shown = [one for one in SETTINGS.values() if department_id is None or one.departments]
    return [_row(viewer, place, one, rows.get(one.key), line, department_id) for one in shown]


def several(viewer: Viewer, facility_id: UUID, keys: Iterable[str]) -> dict[str, SettingRow]:
    """Settings of the whole house by their names, also those that are not listed among all. Raises NotFound."""
    place = _place(viewer, facility_id, None)
    wanted = list(keys)
    rows = {row.key: row for row in ruling.versions(place.pk).filter(key__in=wanted).order_by("number")}
    line = ruling.timeline(place.pk, place.version)
    return {key: _row(viewer, place, known(key), rows.get(key), line, None) for key in wanted}


def one(viewer: Viewer, facility_id: UUID, key: str, department_id: UUID | None = None) -> SettingRow:
    """One setting. Raises NotFound."""
    known(key)
    if key not in SETTINGS and department_id is None:
        return several(viewer, facility_id, [key])[key]
    rows = settings(viewer, facility_id, department_id)
    found = next((row for row in rows if row.key == key), None)
    if found is None:
        raise Invalid(_("This is set for the whole house."), field="departmentId")
    return found


def history(viewer: Viewer, facility_id: UUID, key: str, department_id: UUID | None = None) -> list[VersionRow]:
    """Every version, newest first, with what changed in words."""
    kind = known(key).kind
    place = _place(viewer, facility_id, department_id)
    usual = known(key).usual if department_id is not None else ruling.usual(place, key)
    rows = ruling.versions(place.pk, department_id).filter(key=key)
    found, before, now = [], kind.said(usual), clock.now()
    ordered = list(rows.select_related("made_by").order_by("number"))
    for row in ordered:
        said = kind.said(kind.read(row.value))
        found.append(
            VersionRow(
                row.number, row.value, said, before, row.effective_from, row.made_at,
                row.made_by.name if row.made_by else "", row.note, row.undoes, _status(row, ordered, now),
            )
        )  # fmt: skip
        before = said
    return found[::-1]


def preview(viewer: Viewer, facility_id: UUID, key: str, value: str | None = None) -> LetterRow:
    """A letter as it would be read, with values that are nobody's: with these words, or with those in force.

    Changes nothing. Raises NotFound for a setting that is no letter, Invalid as setting it would.
    """
    found = lettering.of_key(key)
    place = _place(viewer, facility_id, None)
    if found is None:
        raise NotFound(field="key")
    kind, language = found
    own: lettering.Words = ruling.value(place, key) if value is None else lettering.read(kind, value)
    with translation.override(language):
        shown = lettering.example(kind, own)
        words = own if own.subject else lettering.usual(kind)
        named = tuple(PlaceholderRow(name, str(one.meaning), one.subject) for name, one in kind.values.items())
    return LetterRow(key, language, shown.subject, shown.body, words.subject, words.body, bool(own.subject), named)


def departments(viewer: Viewer, facility_id: UUID) -> list[tuple[UUID, str]]:
    """The departments of a facility, by name."""
    policy.require_sight(viewer, "setting.view", Subject(facility_id=facility_id))
    return list(Department.objects.filter(facility_id=facility_id).order_by("name").values_list("pk", "name"))


def opening_hours(viewer: Viewer, facility_id: UUID, days: int = 7) -> HoursRow:
    """The hours of the coming days and the holidays of half a year. Public. Raises NotFound."""
    place = Facility.objects.filter(pk=facility_id).first()
    if place is None:
        raise NotFound()
    opening = ruling.opening(place)
    today = clock.now().astimezone(ZoneInfo(place.time_zone)).date()
    if opening is None:
        return HoursRow((), ())
    coming = tuple(_day(opening, today + timedelta(days=number)) for number in range(days))
    half_a_year = (today + timedelta(days=number) for number in range(183))
    return HoursRow(
        () if all(row.open is None for row in coming) else coming,
        tuple(_day(opening, row.day) for row in _holidays(opening, half_a_year)),
    )


def _day(opening: ruling.Opening, day: date) -> DayRow:
    special = opening.holiday(day)
    return DayRow(day, opening.on(day), special.name if special else "")


def _holidays(opening: ruling.Opening, days: Iterable[date]) -> list[Holiday]:
    return [found for day in days if (found := opening.holiday(day)) is not None]


def _place(viewer: Viewer, facility_id: UUID, department_id: UUID | None) -> Facility:
    policy.require_sight(viewer, "setting.view", Subject(facility_id=facility_id))
    place = Facility.objects.filter(pk=facility_id).first()
    if place is None:
        raise NotFound()
    if department_id is not None and not place.departments.filter(pk=department_id).exists():
        raise NotFound(field="departmentId")
    return place


def _row(
    viewer: Viewer, place: Facility, one: Setting, last: SettingVersion | None, line: ruling.Timeline,
    department_id: UUID | None,
) -> SettingRow:  # fmt: skip
    now = clock.now()
    value = line.at(one.key, now, department_id)
    if value is None:
        value = one.usual if department_id is not None else ruling.usual(place, one.key)
    planned = last is not None and last.effective_from > now
    newest = one.kind.read(last.value) if last is not None else value
    said = one.kind.said(value) if department_id is None or value != one.usual else str(_("As the house"))
    return SettingRow(
        one.key, str(one.title), str(one.about), one.kind.name, one.kind.write(value), said,
        one.kind.write(newest), last.number if last else 0, one.kind.said(newest) if planned else None,
        last.effective_from if last and planned else None,
        policy.allowed(viewer, one.permission, Subject(facility_id=place.pk)),
        one.kind.low if one.kind.high else None, one.kind.high or None,
    )  # fmt: skip


def _status(row: SettingVersion, rows: list[SettingVersion], now: datetime) -> str:
    """A later version outweighs this one from its own beginning on, whether this one had begun or not."""
    later = [one for one in rows if one.number > row.number]
    if any(one.effective_from <= row.effective_from for one in later):
        return "replaced"
    if row.effective_from > now:
        return "planned"
    return "over" if any(one.effective_from <= now for one in later) else "in_force"
