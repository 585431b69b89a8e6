"""The wards of the demo's home hospital, and the days of those who lie in them, up to the morning that is under way.

All of it is over before the doors open this morning, so that history is written in the order in which it happened.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.db import transactional
from polyclinic.demo import bedside, places
from polyclinic.demo.cast import gather
from polyclinic.demo.install import Hospital
from polyclinic.demo.morning import OPEN_FOR
from polyclinic.facilities.models import Facility
from polyclinic.inpatient import actions, beds, placing, rules, wards
from polyclinic.inpatient.models import Bed, BedStay

ACTOR: Final = SystemActor("demo")
# Name, kind, who may lie there, and its rooms: the name of each and of its beds.
WARDS: Final = (
    ("Medical ward", "general", "room", (("Room 11", "11A 11B 11C"), ("Room 12", "12A 12B 12C"), ("Room 13", "13A"))),
    ("Surgical ward", "surgical", "room", (("Room 21", "21A 21B"), ("Room 22", "22A 22B"), ("Room 23", "23A"))),
    ("Children’s ward", "children", "any", (("Room 31", "31A 31B"), ("Room 32", "32A"))),
    ("Intensive care", "intensive", "any", (("", "IC1 IC2 IC3"),)),
)
# The emergency departments: how many beds each has. What the public page tells is made of them.
EMERGENCY: Final = {places.HOME: 4, "northgate-city-hospital": 2}
WHY: Final = (
    "Pneumonia", "Observation after a fall", "Heart failure, water retention", "Infection of the skin of the leg",
    "Planned operation of a hernia", "Gallstones", "Asthma attack", "Kidney stone",
)  # fmt: skip
# Days ago somebody came, in how many days they will probably leave (None: nobody knows), and the need of a bed.
_LYING: Final = (
    (5, 1, ""), (4, 0, ""), (4, 2, "oxygen"), (3, 1, ""), (3, None, "isolation"), (2, 2, ""), (2, 4, "intensive"),
    (2, 0, ""), (1, 3, "oxygen"), (1, None, ""),
)  # fmt: skip
_WAITING: Final = (("urgent", "oxygen"), ("emergency", ""), ("routine", ""))
_LEFT: Final = 2


def set_up(hospital: Hospital) -> int:
    """The wards and their beds. Returns how many beds there are."""
    place = hospital.facilities[places.HOME]
    for name, kind, sex, rooms in WARDS:
        ward = wards.add_ward(actor=ACTOR, facility_id=place.pk, name=name, kind=kind, sex=sex)
        for room, names in rooms:
            for one in names.split():
                alone = len(names.split()) == 1 or kind == "intensive"
                wards.add_bed(
                    actor=ACTOR, ward_id=ward.pk, name=one, room=room, isolation=alone,
                    oxygen=alone or one.endswith("A"),
                )  # fmt: skip
    for slug, many in EMERGENCY.items():
        ward = wards.add_ward(
            actor=ACTOR, facility_id=hospital.facilities[slug].pk, name="Emergency department", kind="emergency"
        )
        for number in range(1, many + 1):
            wards.add_bed(actor=ACTOR, ward_id=ward.pk, name=f"E{number}", oxygen=True)
    return Bed.objects.filter(facility=place).count()


class Stays:
    """What happened in the wards, day by day; each step is done when the loading comes to its moment."""

    def __init__(self, hospital: Hospital, now: datetime) -> None:
        self._place: Facility = hospital.facilities[places.HOME]
        self._now, self._ends = now, now - OPEN_FOR
        # From the end of the town, and never the patient of the demo account.
        grown = [row.pk for row in hospital.patients[1:] if row.born.year < now.year - 18]
        self._whom: list[UUID] = grown
        self._made = 0
        self._steps = sorted(self._planned(), key=lambda step: step[0])

    def advance(self, until: datetime) -> None:
        """Do whatever happened up to a moment."""
        while self._steps and self._steps[0][0] <= until:
            at, do = self._steps.pop(0)
            with clock.fixed(at):
                transactional(do)()

    def told(self) -> str:
        """How many stays there are."""
        return f"{self._made} stays"

    def _planned(self) -> list[tuple[datetime, Callable[[], object]]]:
        found: list[tuple[datetime, Callable[[], object]]] = []
        for number in range(_LEFT):
            # Somebody who came and left, and whose bed was clean half an hour later.
            at, bed = self._ends - timedelta(days=6, minutes=40 * number), f"2{number + 1}A"
            found += [
                (at, partial(self._lies, None, "", bed)),
                (at + timedelta(minutes=2), partial(self._leaves, bed)),
                (at + timedelta(minutes=12), partial(self._bed, beds.start_cleaning, bed)),
                (at + timedelta(minutes=29), partial(self._bed, beds.finish_cleaning, bed)),
            ]
        for number, (ago, stays, need) in enumerate(_LYING):
            found.append((self._ends - timedelta(days=ago, minutes=7 * number), partial(self._lies, stays, need)))
        for number, (priority, need) in enumerate(_WAITING):
            found.append((self._ends - timedelta(minutes=110 - 25 * number), partial(self._waits, priority, need)))
        cast = gather(self._place)
        for turn, hours in enumerate((30, 18, 6, 1)):
            found.append((self._ends - timedelta(hours=hours), partial(bedside.measure, cast, turn)))
        found.append((self._ends - timedelta(hours=29), partial(bedside.order, cast)))
        found += [(self._ends - timedelta(hours=hours), partial(bedside.give, cast)) for hours in (17, 9)]
        found += [
            (self._ends - timedelta(minutes=50), partial(bedside.give, cast, but_one=True)),
            (self._ends - timedelta(minutes=40), partial(bedside.hand_over, cast, cast.nurse)),
        ]
        found.append((self._ends - timedelta(minutes=5), self._this_morning))
        return found

    def _ask(self, priority: str, need: str, days: int | None = None) -> UUID:
        self._made += 1
        today = self._now.date()
        return actions.request(
            actor=ACTOR, facility_id=self._place.pk, patient_id=self._whom.pop(), priority=priority,
            reason=WHY[self._made % len(WHY)], expected_on=None if days is None else today + timedelta(days=days),
            oxygen=need == "oxygen", isolation=need == "isolation", intensive=need == "intensive",
        ).pk  # fmt: skip

    def _best(self, stay: UUID) -> UUID | None:
        free = list(
            Bed.objects.select_related("ward")
            .filter(facility=self._place, state="available")
            .exclude(ward__kind="emergency")
            .order_by("name")
        )
        reasons = placing.reasons_of(BedStay.objects.select_related("patient").get(pk=stay), free)
        fitting = sorted((rules.badness(reasons[one.pk]), one.name, one.pk) for one in free)
        return fitting[0][2] if fitting and not fitting[0][0][0] else None

    def _bed(self, do: Callable[..., object], name: str, **more: str) -> None:
        do(actor=ACTOR, bed_id=Bed.objects.values_list("pk", flat=True).get(facility=self._place, name=name), **more)

    def _lies(self, days: int | None, need: str, name: str = "") -> None:
        stay = self._ask("urgent", need, days)
        named = Bed.objects.filter(facility=self._place, name=name).values_list("pk", flat=True).first()
        if bed := named or self._best(stay):
            actions.admit(actor=ACTOR, stay_id=stay, bed_id=bed)

    def _leaves(self, name: str) -> None:
        stay = BedStay.objects.get(bed__name=name, facility=self._place, state="admitted")
        actions.depart(actor=ACTOR, stay_id=stay.pk, reason="Short stay")

    def _waits(self, priority: str, need: str) -> None:
        stay = self._ask(priority, need, 3)
        if priority == "routine" and (bed := self._best(stay)):
            actions.reserve(actor=ACTOR, stay_id=stay, bed_id=bed)

    def _this_morning(self) -> None:
        """Two may leave, two have left, and two beds are out of use."""
        lie = BedStay.objects.filter(facility=self._place, state="admitted", expected_on__isnull=False)
        for number, row in enumerate(lie.select_related("bed").order_by("expected_on", "requested_at")[:4]):
            actions.order_discharge(actor=ACTOR, stay_id=row.pk)
            if number < 2:
                actions.depart(actor=ACTOR, stay_id=row.pk)
            if number == 1 and row.bed:
                beds.start_cleaning(actor=ACTOR, bed_id=row.bed.pk)
        free = Bed.objects.filter(facility=self._place, state="available").exclude(ward__kind="emergency")
        free = free.order_by("-name")[:2]
        for bed, why in zip(free, ("repair", "staff"), strict=False):
            beds.block(actor=ACTOR, bed_id=bed.pk, why=why)
