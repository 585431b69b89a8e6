"""The plan of six thousand visits: who comes when and what became of it. Pure: it books nothing.

Days near the present are full and thin out to both sides. What is planned is only what people could really have done:
booked before it began, confirmed after it was booked, checked in on the day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.demo.seed import Seeded

VISITS: Final = 6_000
PAST_DAYS: Final = 45
COMING_DAYS: Final = 45
_FADE_DAYS: Final = 9.0
_MINUTE: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(days=60)
# From the end of somebody's appointment to the start of their next, whichever hospital it is at.
_APART: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Opening:
    """A time that can be booked at a desk, for one service."""

    starts: datetime
    ends: datetime
    service_id: UUID


@dataclass(eq=False, slots=True)
class Desk:
    """One doctor at one facility: the times on offer and the patients who come here."""

    schedule_id: UUID
    specialty: str
    zone: ZoneInfo
    buffer: timedelta
    openings: list[Opening]
    panel: list[UUID]
    account: str = ""
    taken: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))

    def day(self, moment: datetime, now: datetime) -> int:
        """Days from today to `moment` by the facility's calendar."""
        return (moment.astimezone(self.zone).date() - now.astimezone(self.zone).date()).days

    def free(self, day: int, opening: Opening) -> bool:
        ends = opening.ends + self.buffer
        return all(ends <= other[0] or opening.starts >= other[1] for other in self.taken[day])


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that someone did to the visit, and when."""

    at: datetime
    action: str


@dataclass(eq=False, slots=True)
class Visit:
    """One appointment from booking to its end. `first` is the time it had before it was moved, if it was."""

    desk: Desk
    opening: Opening
    patient_id: UUID
    first: Opening | None = None
    steps: list[Step] = field(default_factory=list)


class Diary:
    """Fills desks with visits. `plan` gives them; each visit's steps are in order of time."""

    def __init__(self, seeded: Seeded, now: datetime, desks: list[Desk]) -> None:
        self._rng, self._now, self._desks = seeded.rng, now, desks
        self._busy: dict[UUID, list[Opening]] = defaultdict(list)
        self.visits: list[Visit] = []

    def wish(self, account: str, patient_id: UUID, day: int, fate: str) -> None:
        """A visit of a chosen patient to the desk of a demo account, on the first day with room from `day` on."""
        desk = next(desk for desk in self._desks if desk.account == account)
        for opening in desk.openings:
            offset = desk.day(opening.starts, self._now)
            if offset >= day and self._fits(desk, offset, opening, patient_id):
                self._tell(self._take(desk, offset, opening, patient_id), fate)
                return

    def plan(self, count: int = VISITS) -> list[Visit]:
        """Fill up to `count` visits in all and return them."""
        for desk in self._desks:
            if desk.account:
                self._fill_today(desk)
        leftovers: list[tuple[int, Desk, Opening]] = []
        for offset, desk, opening in self._drawn():
            patient_id = self._patient(desk, offset, opening) if len(self.visits) < count else None
            if patient_id is None:
                leftovers.append((offset, desk, opening))
                continue
            visit = self._take(desk, offset, opening, patient_id)
            self._tell(visit, self._fate(offset))
        self._move_some(leftovers)
        return self.visits

    def _drawn(self) -> list[tuple[int, Desk, Opening]]:
        """Every opening, likeliest first: near days before far ones, long services rarely, and chance."""
        ranked = []
        for desk in self._desks:
            popularity = self._rng.uniform(0.6, 1.4)
            for opening in desk.openings:
                offset = desk.day(opening.starts, self._now)
                if desk.account and offset == 0:
                    continue  # `_fill_today` left the rest of that day free on purpose
                weight = popularity * math.exp(-abs(offset) / _FADE_DAYS)
                # Weighted sampling without replacement: the largest log(u)/w come first.
                ranked.append((math.log(self._rng.random()) / weight, offset, desk, opening))
        ranked.sort(key=lambda entry: -entry[0])
        return [entry[1:] for entry in ranked]

    def _fits(self, desk: Desk, offset: int, opening: Opening, patient_id: UUID) -> bool:
        return desk.free(offset, opening) and all(
            opening.starts >= other.ends + _APART or other.starts >= opening.ends + _APART
            for other in self._busy[patient_id]
        )

    def _patient(self, desk: Desk, offset: int, opening: Opening) -> UUID | None:
        """Someone of the desk's patients who has time, or None when the time cannot be used."""
        if not -PAST_DAYS <= offset <= COMING_DAYS or not desk.free(offset, opening):
            return None
        for _attempt in range(6):
            patient_id = self._rng.choice(desk.panel)
            if self._fits(desk, offset, opening, patient_id):
                return patient_id
        return None

    def _take(self, desk: Desk, offset: int, opening: Opening, patient_id: UUID) -> Visit:
        desk.taken[offset].append((opening.starts, opening.ends + desk.buffer))
        self._busy[patient_id].append(opening)
        visit = Visit(desk, opening, patient_id)
        self.visits.append(visit)
        return visit

    def _fill_today(self, desk: Desk) -> None:
        """The present hours of a demo doctor: something of every state, and two patients who are new to them."""
        today = [opening for opening in desk.openings if desk.day(opening.starts, self._now) == 0]
        over = [opening for opening in today if opening.ends <= self._now][-9:]
        coming = [opening for opening in today if opening.starts > self._now + 5 * _MINUTE]
        running = [opening for opening in today if opening.starts <= self._now < opening.ends]
        fates = ["completed", "completed", "no_show", "completed", "cancelled", "completed"]
        plans = [(opening, fates[place % len(fates)]) for place, opening in enumerate(over)]
        plans += [(opening, "checked_in") for opening in running]
        # Every third coming time stays free, so that a visitor can book for today.
        kept = [opening for place, opening in enumerate(coming) if place % 3 != 2]
        fates = ["checked_in", "confirmed", "new", "confirmed", "booked", "cancelled", "new"]
        fates += ["confirmed", "booked"] * 3
        plans += list(zip(kept, fates, strict=False))
        for opening, fate in plans:
            patient_id = self._patient(desk, 0, opening)
            if patient_id is not None:
                self._tell(self._take(desk, 0, opening, patient_id), fate)
                if fate == "new":
                    # Their first visit with this doctor stays the only one.
                    desk.panel.remove(patient_id)

    def _fate(self, offset: int) -> str:
        """What becomes of a visit, in the shares a clinic sees."""
        draw = self._rng.random()
        if offset < 0:
            return _pick(draw, completed=0.83, cancelled=0.09, no_show=0.06, declined=0.02)
        if offset == 0:
            return "of_today"
        return _pick(draw, confirmed=0.55, booked=0.38, cancelled=0.05, declined=0.02)

    def _tell(self, visit: Visit, fate: str) -> None:
        """Write the steps that lead to `fate`."""
        starts, ends, now, rng = visit.opening.starts, visit.opening.ends, self._now, self._rng
        if fate == "of_today":
            fate = self._of_today(starts, ends)
        new = fate == "new"
        latest = min(now - 20 * _MINUTE, starts - 90 * _MINUTE)
        earliest = max(starts - _LONGEST_WAIT, latest - timedelta(days=20))
        booked = now - rng.randint(8, 170) * _MINUTE if new else earliest + (latest - earliest) * rng.random() ** 0.7
        booked = booked.replace(second=rng.randint(0, 59), microsecond=0)
        steps = [Step(booked, "book")]
        until = min(now, starts) - 2 * _MINUTE
        between = booked + (until - booked) * rng.uniform(0.1, 0.9)
        if fate in {"cancelled", "declined"}:
            steps.append(Step(between, "cancel" if fate == "cancelled" else "decline"))
        elif fate == "confirmed" or (fate not in {"booked", "new"} and rng.random() < 0.7):
            steps.append(Step(between, "confirm"))
        if fate in {"completed", "checked_in"}:
            arrived = min(starts - rng.randint(-4, 15) * _MINUTE, now - 3 * _MINUTE)
            midnight = starts.astimezone(visit.desk.zone).replace(hour=0, minute=0, second=0)
            steps.append(Step(max(arrived, between + _MINUTE, midnight), "check_in"))
        if fate == "completed":
            steps.append(Step(min(ends + rng.randint(-3, 8) * _MINUTE, now - _MINUTE), "complete"))
        if fate == "no_show":
            steps.append(Step(min(ends + rng.randint(0, 9) * _MINUTE, now - _MINUTE), "no_show"))
        visit.steps = steps

    def _of_today(self, starts: datetime, ends: datetime) -> str:
        draw = self._rng.random()
        if ends <= self._now:
            return _pick(draw, completed=0.86, no_show=0.07, cancelled=0.07)
        if starts <= self._now + 10 * _MINUTE:
            return _pick(draw, checked_in=0.8, confirmed=0.2)
        return _pick(draw, confirmed=0.7, booked=0.25, cancelled=0.05)

    def _move_some(self, leftovers: list[tuple[int, Desk, Opening]]) -> None:
        """Give one visit in thirty another time before: they were booked for a time left over and moved later."""
        spare: dict[UUID, list[tuple[int, Opening]]] = defaultdict(list)
        for offset, desk, opening in leftovers:
            spare[desk.schedule_id].append((offset, opening))
        for visit in self.visits[::30]:
            begun = visit.steps[0].at
            second = visit.steps[1].at if len(visit.steps) > 1 else min(self._now, visit.opening.starts)
            at = begun + (second - begun) / 2
            for offset, opening in spare[visit.desk.schedule_id]:
                if (
                    opening.starts > at + 60 * _MINUTE
                    and opening.starts < begun + timedelta(days=60)
                    and opening.service_id == visit.opening.service_id
                    and self._fits(visit.desk, offset, opening, visit.patient_id)
                    and abs(opening.starts - visit.opening.starts) > timedelta(hours=2)
                ):
                    visit.desk.taken[offset].append((opening.starts, opening.ends + visit.desk.buffer))
                    self._busy[visit.patient_id].append(opening)
                    visit.first = opening
                    visit.steps.insert(1, Step(at, "reschedule"))
                    break


def _pick(draw: float, **shares: float) -> str:
    """The name whose share of 0..1 `draw` falls in; the last one for whatever rounding leaves."""
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return name
