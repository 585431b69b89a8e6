"""Seven days of free times as a page shows them: by day and part of the day, in the facility's zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import moment_of

DAYS = 7
# Hours of the wall clock at which a part of the day begins.
PARTS = ((0, _("Morning")), (12, _("Afternoon")), (17, _("Evening")))


@dataclass(frozen=True, slots=True)
class Choice:
    """One time that can be chosen. `value` goes into the form, `text` is the wall clock there."""

    value: str
    text: str
    starts: datetime
    time_zone: str
    doctor_id: UUID
    facility_id: UUID
    picked: bool = False

    @property
    def day(self) -> date:
        """The calendar day there."""
        return self.starts.astimezone(ZoneInfo(self.time_zone)).date()


@dataclass(slots=True)
class Part:
    name: Any
    choices: list[Choice] = field(default_factory=list)


@dataclass(slots=True)
class Day:
    """One column of the strip."""

    day: date
    parts: list[Part]

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The parts that have times, in the words of the slot picker."""
        return [
            {
                "label": part.name,
                "times": [{"value": one.value, "label": one.text, "checked": one.picked} for one in part.choices],
            }
            for part in self.parts
            if part.choices
        ]


def slot_value(schedule_id: UUID, starts: datetime) -> str:
    """How a form names a time: whose schedule, and the moment in UTC."""
    return f"{schedule_id}@{starts.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def read_slot(text: str) -> tuple[UUID, datetime]:
    """The schedule and moment in a form's value; anything else is refused as a time that was not offered."""
    schedule, _at, moment = text.partition("@")
    found = parse_id(schedule)
    if found is None:
        raise Invalid(_("Please choose one of the times offered."), field="slot")
    return found, moment_of(moment, "slot")


def choice(slot: Any, picked: str = "") -> Choice:  # noqa: ANN401 - a scheduling Slot
    """A slot as the page shows it."""
    value = slot_value(slot.schedule_id, slot.starts)
    local = slot.starts.astimezone(ZoneInfo(slot.time_zone))
    return Choice(
        value, f"{local:%H:%M}", slot.starts, slot.time_zone, slot.doctor_id, slot.facility_id, value == picked
    )


def week(slots: Iterable[Any], first_day: date, zone: str, picked: str = "") -> list[Day]:
    """`slots` laid out over seven days from `first_day`. Of several doctors free at one time the first is offered.

    The picked one wins over the first, so that a page drawn again keeps what the person chose.
    """
    there = ZoneInfo(zone)
    days = {
        first_day + timedelta(days=ahead): Day(first_day + timedelta(days=ahead), [Part(name) for _hour, name in PARTS])
        for ahead in range(DAYS)
    }
    seen: dict[datetime, Choice] = {}
    for slot in sorted(slots, key=lambda slot: slot.starts):
        offered = choice(slot, picked)
        if slot.starts not in seen or offered.picked:
            seen[slot.starts] = offered
    for starts, offered in seen.items():
        local = starts.astimezone(there)
        if local.date() in days:
            part = max(number for number, (hour, _name) in enumerate(PARTS) if local.hour >= hour)
            days[local.date()].parts[part].choices.append(offered)
    return list(days.values())
