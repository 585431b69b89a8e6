"""Pure rules of the ward's work: guards, how often to observe, when a dose is due and late, and who it is.

Sources:
- How often to observe: Royal College of Physicians, National Early Warning Score (NEWS) 2, London 2017, chart 4
  (clinical response): 0 minimum 12 hourly; 1-4 minimum 4-6 hourly; 3 in a single parameter minimum 1 hourly; 5 or more
  minimum 1 hourly; 7 or more continuous monitoring. Of 4-6 h the later is what is overdue, the earlier what is due.
- A dose is late an hour after it was due: ISMP Acute Care Guidelines for Timely Administration of Scheduled
  Medications, 2011 (not time-critical, more often than daily: within 60 minutes of the scheduled time).
- Two identifiers before a medicine, never the room or bed: The Joint Commission, NPSG.01.01.01.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.inpatient.states import IN_BED
from polyclinic.prescribing.words import FREQUENCIES
from polyclinic.records.news2 import Risk

# (due after, overdue after). At 7 or more the patient is watched without a break: on the list that is every hour's
# look at the latest, and `continuous` says that it is meant.
_HOUR: Final = timedelta(hours=1)
OBSERVE: Final[dict[str, tuple[timedelta, timedelta]]] = {
    Risk.NONE: (12 * _HOUR, 12 * _HOUR),
    Risk.LOW: (4 * _HOUR, 6 * _HOUR),
    Risk.LOW_MEDIUM: (_HOUR, _HOUR),
    Risk.MEDIUM: (_HOUR, _HOUR),
    Risk.HIGH: (timedelta(0), _HOUR),
}
# Without a score (never measured, a sign missing, a child, a pregnancy) nobody may go unseen for long.
UNSCORED: Final = (4 * _HOUR, 6 * _HOUR)
LATE: Final = timedelta(minutes=60)
# A planned dose is given this long before it is due at the earliest.
EARLY: Final = timedelta(minutes=60)
# How far back a round looks for doses of which nothing is written down.
LOOK_BACK: Final = timedelta(hours=24)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# When a ward's rounds with medicines are, by how often a medicine is given.
TIMES: Final[dict[str, tuple[str, ...]]] = {
    "daily": ("08:00",), "morning": ("08:00",), "night": ("22:00",), "twice": ("08:00", "20:00"),
    "three": ("08:00", "14:00", "20:00"), "four": ("08:00", "12:00", "16:00", "20:00"),
    "every_4h": ("02:00", "06:00", "10:00", "14:00", "18:00", "22:00"),
    "every_6h": ("00:00", "06:00", "12:00", "18:00"), "every_8h": ("06:00", "14:00", "22:00"),
    "every_12h": ("08:00", "20:00"), "alternate": ("08:00",), "weekly": ("08:00",),
}  # fmt: skip
_EVERY_DAYS: Final = {"alternate": 2, "weekly": 7}
# The frequency by which the dose of a medicine that is given when needed is checked: its most in 24 hours.
BY_MOST: Final = {1: "daily", 2: "twice", 3: "three", 4: "four", 5: "every_4h", 6: "every_4h"}


def in_bed(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a row of this app with its stay
    """Beside a bed is where somebody lies."""
    if row.stay.state not in IN_BED:
        raise Conflict(_("This patient does not lie in bed here."), code="not_in_bed")


def admitted(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a DischargeSummary
    """A summary is of a stay that has begun; it may be written after the patient has left."""
    if row.stay.admitted_at is None:
        raise Conflict(_("This patient has not been admitted."), code="not_in_bed")


def not_oneself(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a Handover
    """Who hands over cannot be the one who takes over."""
    if row.signed_by == actor.label:
        raise Conflict(_("You signed this handover. The nurse who takes over reads it."), code="own_handover")


def says_enough(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a DischargeSummary
    """Nobody leaves with a summary that does not say what they had."""
    from polyclinic.nursing.bodies import read_parts

    enough(read_parts(row.body) if row.body else {})


def enough(said: Mapping[str, str]) -> None:
    """Raise Invalid naming the part without which a summary is not signed."""
    for name in ("diagnoses", "course", "follow_up"):
        if not said.get(name, "").strip():
            raise Invalid(_("Fill this in before you sign."), code="required", field=name)


@dataclass(frozen=True, slots=True)
class Due:
    """When the next observation is due and from when it is overdue; `continuous` for 7 or more."""

    at: datetime
    overdue_at: datetime
    continuous: bool

    def state(self, now: datetime) -> str:
        """`overdue`, `due` or `later`."""
        if now > self.overdue_at:
            return "overdue"
        return "due" if now >= self.at else "later"


def next_observation(risk: str | None, taken_at: datetime | None, admitted_at: datetime) -> Due:
    """When this patient is observed next. Who has not been since they came is due at once."""
    if taken_at is None:
        return Due(admitted_at, admitted_at + _HOUR, False)
    due, overdue = OBSERVE[risk] if risk else UNSCORED
    return Due(taken_at + due, taken_at + overdue, risk == Risk.HIGH)


def times_of(frequency: str, given: str) -> tuple[str, ...]:
    """The hours at which a medicine is given: those typed ("08:00 20:00"), else the usual ones. Raises Invalid."""
    usual = TIMES.get(frequency, ())
    typed = tuple(sorted(given.replace(",", " ").split()))
    if not typed:
        return usual
    if any(not _CLOCK.fullmatch(one) for one in typed) or len(set(typed)) != len(typed):
        raise Invalid(_("Write times as 08:00 20:00."), field="times")
    if len(typed) != len(usual):
        raise Invalid(
            _("%(frequency)s has %(count)s times.") % {"frequency": FREQUENCIES[frequency].label, "count": len(usual)},
            field="times",
        )  # fmt: skip
    return typed


def planned(
    frequency: str, times: tuple[str, ...], starts: datetime, stops: datetime | None, zone: str, since: datetime,
    until: datetime,
) -> list[datetime]:  # fmt: skip
    """When doses of an order are due from `since` until before `until`, in UTC.

    The hours are the facility's: over a change to or from summer time a dose keeps its hour.
    """
    end = min(until, stops) if stops is not None else until
    if frequency == "once":
        return [starts] if since <= starts < end else []
    local, every = ZoneInfo(zone), _EVERY_DAYS.get(frequency, 1)
    first = starts.astimezone(local).date()
    day, found = max(since, starts).astimezone(local).date(), []
    while day <= end.astimezone(local).date():
        if (day - first).days % every == 0:
            found += [_moment(day, one, local) for one in times]
        day += timedelta(days=1)
    return [one for one in sorted(found) if max(since, starts) <= one < end]


def _moment(day: date, clock_: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock_), zone).astimezone(UTC)


def identified(*, family: str, born: str, wristband: str, real: tuple[str, date, str]) -> None:
    """Let pass when two of family name, date of birth and wristband number are this patient's, and none is another's.

    Raises Invalid (`required`) for fewer than two, Conflict (`wrong_patient`) when one does not match; which one it was
    is not said: whoever stands at a wrong bed looks at the wristband again.
    """
    given = {name: text.strip() for name, text in (("family", family), ("born", born), ("wristband", wristband))}
    if sum(1 for text in given.values() if text) < 2:
        raise Invalid(
            _("Ask for two: family name, date of birth, or the number on the wristband."), code="required",
            field=next(name for name in ("wristband", "family", "born") if not given[name]),
        )  # fmt: skip
    name, birth, mrn = real
    right = {"family": _folded(name), "born": birth.isoformat(), "wristband": _folded(mrn)}
    if any(text and (text if key == "born" else _folded(text)) != right[key] for key, text in given.items()):
        raise Conflict(
            _("This is not the patient of this bed. Nothing is written down. Look at the wristband again."),
            code="wrong_patient", field="wristband",
        )  # fmt: skip


def _folded(text: str) -> str:
    """A name or number as it is compared: without case, accents, spaces and hyphens."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if letter.isalnum()).casefold()
