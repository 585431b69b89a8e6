"""Taking a doctor, a room and a patient for a time. The database refuses overlaps; this says which one and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, db
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.db import Asked, Statement, adapt, run_sql, run_together
from polyclinic.core.errors import Invalid, Problem
from polyclinic.scheduling import frames, needs, problems, travel
from polyclinic.scheduling.frames import Frame
from polyclinic.scheduling.models import Hold, Reservation
from polyclinic.scheduling.needs import Needs, Taken
from polyclinic.scheduling.problems import NotASlot, PatientBusy, SlotTaken, Wish
from polyclinic.scheduling.slots import minute_of

_COLUMNS = ("resource_id", "kind", "starts", "ends", "appointment_id", "hold_id")


@dataclass(frozen=True, slots=True)
class Place:
    """A checked time in a schedule: what is about to be reserved."""

    frame: Frame
    service_id: UUID | None
    starts: datetime
    ends: datetime
    needs: Needs | None = None

    @property
    def wish(self) -> Wish:
        return Wish(self.frame.schedule_id, self.service_id, self.starts)

    def subject(self, patient_id: UUID | None) -> Subject:
        return Subject(patient_id, self.frame.doctor_id, self.frame.facility_id)

    def resources(self, patient_id: UUID | None) -> list[Taken]:
        """(id, kind, from, until) to reserve, but for what is chosen of the pools. The buffer keeps the doctor, not the
        room or the patient."""
        buffer = timedelta(minutes=self.frame.plan.buffer)
        taken = [(self.frame.doctor_id, "doctor", self.starts, self.ends + buffer)]
        if self.frame.room_id and (self.needs is None or self.needs.own_room):
            taken.append((self.frame.room_id, "room", self.starts, self.ends))
        if patient_id:
            taken.append((patient_id, "patient", self.starts, self.ends))
        return taken

    def lockable(self, patient_id: UUID | None) -> set[UUID]:
        """Everything that a booking of this place may take."""
        pools = self.needs.members() if self.needs else set()
        return pools | {key for key, *_rest in self.resources(patient_id)}


def moment(value: datetime, field: str = "starts") -> datetime:
    """`value` in UTC, refused when it does not say in which zone it is meant."""
    if value.tzinfo is None or value.utcoffset() is None:
        raise Invalid(_("Give the time with its offset, for example 09:00+02:00."), code="naive_time", field=field)
    return value.astimezone(UTC)


def place(actor: Actor, frame: Frame, starts: datetime, service_id: UUID | None) -> Place:
    """Check that `starts` begins a slot the schedule offers to this actor.

    Raises Invalid (naive_time, slot_in_past, too_soon, beyond_horizon, other_specialty, not_offered), NotASlot,
    NotFound for an unknown service.
    """
    starts = moment(starts)
    length, wants = _given(frame, service_id, starts) if service_id else (frame.plan.slot, None)
    found = Place(frame, service_id, starts, starts + timedelta(minutes=length), wants)
    now = clock.now()
    if starts <= now:
        raise problems.wished(
            Invalid(_("This time has passed. Choose a later one."), code="slot_in_past", field="starts"), found.wish
        )
    if starts > now + timedelta(days=frame.horizon_days):
        raise Invalid(_("This is further ahead than the clinic takes bookings."), code="beyond_horizon", field="starts")
    lead = timedelta(minutes=frame.lead_minutes)
    if starts < now + lead and not policy.allowed(actor, "appointment.override_notice", found.subject(None)):
        raise problems.wished(
            Invalid(_("This time is too soon to book online."), code="too_soon", field="starts"), found.wish
        )
    on_the_minute = not (starts.second or starts.microsecond)
    if not (frame.bookable and on_the_minute and frame.plan.offers(minute_of(starts), length)):
        raise problems.wished(NotASlot(field="starts"), found.wish)
    return found


def _given(frame: Frame, service_id: UUID, starts: datetime) -> tuple[int, Needs | None]:
    """How long the service takes in this schedule, and what it takes besides."""
    wanted = needs.asked(service_id)
    offer = needs.terms(frame.facility, service_id, starts)
    needs.require_given(offer, wanted, frame, starts)
    return offer.minutes or wanted.minutes or frame.plan.slot, needs.Crew().needs(frame, offer)


class Reserved(NamedTuple):
    """The room that was taken, if any; and the rows of what was asked besides, each question's, if it was asked."""

    room_id: UUID | None
    answers: list[list[Any]] | None = None


def reserve(
    actor: Actor,
    wanted: Place,
    patient_id: UUID | None,
    *,
    appointment_id: UUID | None = None,
    hold_id: UUID | None = None,
    also: Sequence[Asked] = (),
) -> Reserved:
    """Take everything the place needs, for an appointment or for a hold. The owner's row may follow in the transaction.

    Holds that have expired, and the actor's own, give way. Raises SlotTaken or PatientBusy and has then
    written nothing of its own. `also` is asked under the same locks, when that costs no journey to the database of its
    own.
    """
    resources = wanted.resources(patient_id)
    if wanted.needs is not None:
        # One order for all that it may take, chosen only when nobody else can choose.
        db.lock_keys(wanted.lockable(patient_id))
        chosen = needs.choose(actor, wanted.needs, wanted.starts, wanted.ends)
        if chosen is None:
            raise problems.wished(SlotTaken(), wanted.wish)
        resources += chosen
    answers = None
    # What is asked besides was worded before the room was chosen, and would speak of another one.
    if wanted.needs is None and db.is_postgres():
        answers = _straight(wanted, resources, appointment_id, hold_id, also)
    if answers is None:
        take(actor, wanted, resources, appointment_id=appointment_id, hold_id=hold_id)
    return Reserved(next((key for key, kind, *_span in resources if kind == Reservation.Kind.ROOM), None), answers)


def _straight(
    wanted: Place,
    resources: list[Taken],
    appointment_id: UUID | None,
    hold_id: UUID | None,
    also: Sequence[Asked],
) -> list[list[Any]] | None:
    """Lock, look and take in one journey. None when something is in the way, or may be: `take` finds out what."""
    if wanted.frame.travel:
        return None
    cells = [value for key, kind, start, end in resources for value in (key, kind, start, end, appointment_id, hold_id)]
    unless, given = _unless(wanted, resources)
    asked = (db.locking(resource for resource, *_rest in resources), (_taking(len(resources), unless), cells + given))
    try:
        _locked, taken, *answers = run_together(*asked, *also)
    except IntegrityError as failure:
        raise _overlapping(failure, wanted) from failure
    return answers if taken else None


def _unless(wanted: Place, resources: list[Taken]) -> tuple[str, list[Any]]:
    """What speaks against taking them, as PostgreSQL sees it under the locks: a rival, or hours changed meanwhile."""
    frame = wanted.frame
    return f"EXISTS ({_overlap(len(resources))}) OR NOT EXISTS ({frames.SAME})", [
        *_bounds(resources), *frames.sameness(frame)
    ]  # fmt: skip


def take(
    actor: Actor,
    wanted: Place,
    resources: list[Taken],
    *,
    appointment_id: UUID | None = None,
    hold_id: UUID | None = None,
) -> None:
    """`reserve` for resources that are named: (id, kind, from, until) each."""
    db.lock_keys(resource for resource, *_rest in resources)
    if db.is_postgres() and not frames.unchanged(wanted.frame):
        # The hours changed while we waited for the doctor's lock; what we checked against is no longer true.
        raise problems.wished(SlotTaken(), wanted.wish)
    clear(actor, wanted, resources)
    if wanted.frame.travel:
        _require_way(actor, wanted, resources)
    owner = [adapt(appointment_id), adapt(hold_id)]
    try:
        _insert([[adapt(key), kind, adapt(start), adapt(end), *owner] for key, kind, start, end in resources])
    except IntegrityError as failure:
        raise _overlapping(failure, wanted) from failure


def _overlapping(failure: IntegrityError, wanted: Place) -> Exception:
    """The last word is the database's: this is what a rival meets who slipped past the look before."""
    if "reservation_overlap" not in str(failure):
        return failure
    return problems.wished(SlotTaken(), wanted.wish, broken=True)


def _require_way(actor: Actor, wanted: Place, resources: list[Taken]) -> None:
    """Refuse a time that the doctor cannot reach, or leave in time, for what they have at another facility."""
    frame = wanted.frame
    _doctor, _kind, starts, ends = resources[0]
    if travel.in_the_way(actor, frame.doctor_id, frame.facility_id, starts, ends, frame.travel):
        raise problems.wished(SlotTaken(), wanted.wish)


def clear(actor: Actor, wanted: Place, resources: list[Taken]) -> None:
    """See who else has the time; remove holds that no longer count, refuse when anybody real is left."""
    refused: Problem | None = None
    obsolete: set[UUID] = set()
    for kind, hold_id, expires, holder in _rivals(resources):
        if hold_id is not None and (expires <= clock.now() or holder == actor.label):
            obsolete.add(hold_id)
        elif kind != Reservation.Kind.PATIENT:
            # The doctor's or the room's time is gone for everybody: it outweighs the patient's own clash.
            refused = SlotTaken()
        elif refused is None:
            refused = PatientBusy()
    if refused is not None:
        raise problems.wished(refused, wanted.wish)
    if obsolete:
        drop_holds(obsolete)


def drop_holds(hold_ids: set[UUID]) -> None:
    """Remove holds and what they reserve."""
    Reservation.objects.filter(hold_id__in=hold_ids).delete()
    Hold.objects.filter(pk__in=hold_ids).delete()


def _rivals(resources: list[Taken]) -> list[tuple[str, UUID | None, datetime, str]]:
    """(kind, hold, its expiry, its holder) of what overlaps one of the resources, in one statement."""
    rows = run_sql(_search(len(resources)), _bounds(resources)).fetchall()
    return [
        (kind, UUID(str(hold_id)) if hold_id else None, _aware(expires), holder or "")
        for kind, hold_id, expires, holder in rows
    ]


def _bounds(resources: list[Taken]) -> list[Any]:
    params: list[Any] = []
    for key, _kind, start, end in resources:
        # At most a day long, so a rival begins less than a day before: the index range stays short.
        params += [adapt(key), adapt(end), adapt(start - timedelta(days=1)), adapt(start)]
    return params


def _aware(value: datetime | None) -> datetime:
    """SQLite hands back UTC without saying so; no expiry means "never"."""
    if value is None:
        return datetime.max.replace(tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _insert(rows: list[list[Any]]) -> None:
    run_sql(_insertion(len(rows)), [cell for row in rows for cell in row])


@cache
def _search(resources: int) -> Statement:
    """What overlaps one of so many resources."""
    return Statement(_overlap(resources))


@cache
def _overlap(resources: int) -> str:
    part = "(r.resource_id = %s AND r.starts < %s AND r.starts > %s AND r.ends > %s)"
    return (
        "SELECT r.kind, r.hold_id, h.expires_at, h.holder FROM scheduling_reservation r "  # noqa: S608 - constants
        f"LEFT JOIN scheduling_hold h ON h.id = r.hold_id WHERE {' OR '.join([part] * resources)}"
    )


@cache
def _insertion(rows: int) -> Statement:
    marks = ", ".join(["(" + ", ".join(["%s"] * len(_COLUMNS)) + ")"] * rows)
    return Statement(f"INSERT INTO scheduling_reservation ({', '.join(_COLUMNS)}) VALUES {marks}")  # noqa: S608


@cache
def _taking(rows: int, unless: str) -> Statement:
    """PostgreSQL's insertion of so many rows, or of none when something speaks against it."""
    row = "(%s::uuid, %s, %s::timestamptz, %s::timestamptz, %s::uuid, %s::uuid)"
    columns = ", ".join(_COLUMNS)
    return Statement(
        f"INSERT INTO scheduling_reservation ({columns}) "  # noqa: S608 - constants
        f"SELECT {columns} FROM (VALUES {', '.join([row] * rows)}) AS wanted ({columns}) WHERE NOT ({unless}) "
        "RETURNING true"
    )
