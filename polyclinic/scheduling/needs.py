"""What an appointment of a service takes beside the doctor and the patient: a permitted room, devices, a second person.

Each is a pool of resources of which one must be free for the whole time. Slot search and booking ask the same pools;
booking chooses under the locks of all members, so that of two rivals the second takes another device or is refused.
That nothing is promised twice is the database's rule as for doctors and rooms (`Reservation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, db
from polyclinic.core.actors import Actor
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.outbox import log
from polyclinic.facilities import offers, ruling
from polyclinic.facilities.models import Facility, Membership, Service
from polyclinic.facilities.offers import Offer
from polyclinic.people.models import Doctor
from polyclinic.scheduling import frames, travel
from polyclinic.scheduling.events import AvailabilityChanged
from polyclinic.scheduling.frames import Frame
from polyclinic.scheduling.models import Reservation, Schedule
from polyclinic.scheduling.slots import minute_of

# (id, kind, from, until)
Taken = tuple[UUID, str, datetime, datetime]
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A service as the catalogue has it."""

    id: UUID
    minutes: int | None
    specialty: str
    facility_id: UUID | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Resources of a kind of which one is needed, the preferred one first. None: the time cannot be had at all."""

    kind: str
    members: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """Pools of one service with one doctor. `hours` are those of a second doctor, who must be at work here."""

    pools: tuple[Pool, ...]
    hours: Frame | None = None

    @property
    def own_room(self) -> bool:
        """Whether the doctor's own room is used, for no other is named."""
        return all(pool.kind != Reservation.Kind.ROOM for pool in self.pools)

    def members(self) -> set[UUID]:
        return {key for pool in self.pools for key in pool.members}


def asked(service_id: UUID) -> Asked:
    """Raises NotFound for an unknown service."""
    row = Service.objects.filter(pk=service_id).values_list("minutes", "specialty", "facility_id").first()
    if row is None:
        raise NotFound(field="serviceId")
    return Asked(service_id, *row)


def terms(facility: Facility, service_id: UUID, moment: datetime) -> Offer:
    """On what terms a facility gives a service at a moment. Nothing is looked up where nothing was ever set."""
    if facility.version == ruling.UNTOUCHED:
        return offers.USUAL
    return ruling.timeline(facility.pk, facility.version).offer(service_id, moment)


def plain(offer: Offer) -> bool:
    """Whether these terms take nothing beside doctor and patient."""
    return not (offer.rooms or offer.equipment or offer.second)


def given(offer: Offer, wanted: Asked, doctor_id: UUID, specialty: str, facility_id: UUID) -> bool:
    """Whether this doctor gives the service here at all, whenever."""
    return (
        offer.offered
        and wanted.specialty == specialty
        and wanted.facility_id in (None, facility_id)
        and (not offer.doctors or doctor_id in offer.doctors)
    )


def require_given(offer: Offer, wanted: Asked, frame: Frame, starts: datetime) -> None:
    """Refuse a service that this doctor does not give here, or not on this day. Raises NotFound, Invalid."""
    if wanted.facility_id not in (None, frame.facility_id):
        raise NotFound(field="serviceId")
    if wanted.specialty != frame.specialty or (offer.doctors and frame.doctor_id not in offer.doctors):
        raise Invalid(_("This doctor does not give this service."), code="other_specialty", field="serviceId")
    if not (offer.offered and on_day(offer, starts, frame.plan.zone)):
        raise Invalid(_("This service is not given here at this time."), code="not_offered", field="serviceId")


def on_day(offer: Offer, starts: datetime, zone: ZoneInfo) -> bool:
    """Whether the day of `starts`, by the calendar of the house, is one on which the service is given."""
    day = starts.astimezone(zone).date()
    return (offer.first is None or offer.first <= day) and (offer.last is None or day <= offer.last)


def zone_of(facility: Facility) -> ZoneInfo:
    return ZoneInfo(facility.time_zone)


@dataclass(slots=True)
class Crew:
    """Resolves terms to pools. Whoever can be second is looked up once for each search or booking."""

    _known: dict[tuple[UUID, str], tuple[tuple[UUID, ...], Frame | None]] = field(default_factory=dict)

    def needs(self, frame: Frame, offer: Offer) -> Needs | None:
        """What these terms take for an appointment in this schedule; None when nothing more than ever."""
        if plain(offer):
            return None
        known = ruling.timeline(frame.facility_id, frame.facility.version).devices
        pools = self.pools(frame.facility_id, frame.doctor_id, frame.room_id, offer, known)
        return Needs(pools, self.second(frame.facility_id, offer.second)[1] if offer.second else None)

    def pools(
        self, facility_id: UUID, doctor_id: UUID, room_id: UUID | None, offer: Offer,
        devices: Mapping[UUID, tuple[UUID, ...]],
    ) -> tuple[Pool, ...]:  # fmt: skip
        """One pool for each thing that these terms take, with the doctor's own room first: nobody has to walk."""
        pools = []
        if offer.rooms:
            ordered = sorted(offer.rooms, key=lambda room: (room != room_id, room))
            pools.append(Pool(Reservation.Kind.ROOM.value, tuple(ordered)))
        pools += [Pool(Reservation.Kind.DEVICE.value, devices.get(key, ())) for key in offer.equipment]
        if offer.second:
            people, _hours = self.second(facility_id, offer.second)
            pools.append(Pool(Reservation.Kind.SECOND.value, tuple(key for key in people if key != doctor_id)))
        return tuple(pools)

    def second(self, facility_id: UUID, second: str) -> tuple[tuple[UUID, ...], Frame | None]:
        """Who can be the second person here, and their hours where it is a doctor who is named."""
        found = self._known.get((facility_id, second))
        if found is None:
            found = self._known[facility_id, second] = _second(facility_id, second)
        return found


def _second(facility_id: UUID, second: str) -> tuple[tuple[UUID, ...], Frame | None]:
    """Who can be the second person, and a doctor's hours here. A doctor is what their own patients reserve."""
    kind, who = offers.second_of(second) or ("", "")
    if kind == "doctor":
        there = Schedule.objects.filter(doctor_id=who, facility_id=facility_id, bookable=True)
        found = frames.frames(there.filter(doctor__account__is_active=True))
        return ((found[0].doctor_id,), found[0]) if found else ((), None)
    rows = Membership.objects.filter(
        Q(role=who) if kind == "role" else Q(account_id=who, role__in=offers.HELPING),
        facility_id=facility_id, ended_at__isnull=True, account__is_active=True,
    ).order_by("account__name", "account_id")  # fmt: skip
    found_ids = rows.values_list("account_id", "account__doctor__pk")
    return tuple(dict.fromkeys(doctor or account for account, doctor in found_ids)), None


def choose(actor: Actor, needs: Needs, starts: datetime, ends: datetime) -> list[Taken] | None:
    """One free member of each pool, None when a pool has none. Under the locks of all members.

    Holds that have expired, and the actor's own, do not count: booking removes them.
    """
    gone = _taken(actor, needs.members(), starts, ends)
    if needs.hours is not None and not _at_work(actor, needs.hours, starts, ends):
        gone.add(needs.hours.doctor_id)
    chosen: list[Taken] = []
    for pool in needs.pools:
        free = next((key for key in pool.members if key not in gone), None)
        if free is None:
            return None
        gone.add(free)
        chosen.append((free, pool.kind, starts, ends))
    return chosen


def _taken(actor: Actor, members: Iterable[UUID], starts: datetime, ends: datetime) -> set[UUID]:
    rows = Reservation.objects.filter(
        resource_id__in=list(members), starts__lt=ends, starts__gt=starts - _DAY, ends__gt=starts
    )
    rows = rows.exclude(hold__expires_at__lte=clock.now()).exclude(hold__holder=actor.label)
    return set(rows.values_list("resource_id", flat=True))


def _at_work(actor: Actor, hours: Frame, starts: datetime, ends: datetime) -> bool:
    """Whether the second doctor works here then and can be here in time."""
    if db.is_postgres() and not frames.unchanged(hours):
        return False
    if not hours.plan.covers(minute_of(starts), minute_of(ends)):
        return False
    return not (
        hours.travel and travel.in_the_way(actor, hours.doctor_id, hours.facility_id, starts, ends, hours.travel)
    )


def tell_others(facility: Facility, service_id: UUID | None, doctor_id: UUID, starts: datetime) -> None:
    """What a service takes was taken or given back: the free times of the others who give it have changed too."""
    if service_id is None:
        return
    offer = terms(facility, service_id, starts)
    if plain(offer):
        return
    for other in _giving(facility.pk, service_id, offer):
        if other != doctor_id:
            log.append(AvailabilityChanged.at(other, facility.pk, starts, facility.time_zone))


def _giving(facility_id: UUID, service_id: UUID, offer: Offer) -> Sequence[UUID]:
    if offer.doctors:
        return offer.doctors
    specialty = Service.objects.filter(pk=service_id).values("specialty")
    here = Doctor.objects.filter(schedules__facility_id=facility_id, specialty__in=specialty)
    return list(here.order_by("pk").values_list("pk", flat=True).distinct())
