"""Fill an empty database with the demo hospital: the same people every time, around the day it is loaded on.

All in one transaction: a load that is stopped half-way leaves nothing. Every appointment is made through the actions
that portals call, each at its own past moment, so that audit, log and constraints are what they would be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Conflict
from polyclinic.demo import accounts, crowd, fleet, money, morning, places, scanning, wards, working
from polyclinic.demo.diary import COMING_DAYS, PAST_DAYS, VISITS, Desk, Diary, Opening, Step, Visit
from polyclinic.demo.install import Hospital, Installer
from polyclinic.demo.seed import Seeded
from polyclinic.facilities.models import Facility
from polyclinic.notify.models import Delivery
from polyclinic.people.models import Account, Patient
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Schedule, ScheduleException
from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.scheduling.slots import Plan, minute_of, moment_of
from polyclinic.visits import known

ACTOR: Final = SystemActor("demo")
_PANEL: Final = 130
_REPORT_EVERY: Final = 3_000
# A demo doctor looked at the patient list this long ago: whoever came since is new.
_LAST_LOOK: Final = timedelta(hours=3)

Progress = Callable[[str], None]


def is_loaded() -> bool:
    """Whether this database holds the demo hospital."""
    return Account.objects.filter(email=accounts.account("patient").email).exists()


def load(progress: Progress, *, patients: int = crowd.SIZE, visits: int = VISITS) -> bool:
    """Load the demo. Returns False, and changes nothing, when it is there already.

    `progress` gets one line per step. Raises Conflict when the database holds other facilities or patients: the demo
    never mixes with real people.
    """
    if is_loaded():
        progress("The demo hospital is already loaded; nothing was changed.")
        return False
    if Facility.objects.exists() or Patient.objects.exists():
        raise Conflict("This database already holds data. Load the demo into an empty one.", code="not_empty")
    began = time.monotonic()
    with transaction.atomic():
        seeded, now = Seeded(), clock.now().replace(second=0, microsecond=0)
        hospital = _install(Installer(seeded), patients, progress)
        planned = _plan(seeded, now, hospital, visits)
        progress(f"Planned {len(planned):,} appointments; booking them as people did")
        with clock.fixed(min(step.at for visit in planned for step in visit.steps)):
            progress(f"Prices: {money.set_prices(hospital)}, counters: {morning.set_up(hospital)}")
            progress(f"Beds: {wards.set_up(hospital)}")
            progress(f"Ambulances: {fleet.set_up(hospital)}")
        mornings = morning.Mornings(hospital, now, max(6, min(visits // 200, 30)))
        stays, rounds = wards.Stays(hospital, now), fleet.Rounds(hospital, now)
        _live_through(planned, hospital, stays, mornings, rounds, now, progress)
        known.from_bookings()
        money.bill(hospital)
        progress(f"Invitations and leave waiting: {working.open_matters(hospital)}")
        progress(f"Services with devices: {scanning.set_up(hospital)}")
        _drop_mails()
        progress(f"This morning: {mornings.told()}; in the wards: {stays.told()}")
    progress(f"Demo hospital ready in {time.monotonic() - began:.0f} s")
    return True


def _drop_mails() -> None:
    """Nobody is written to about a day that was only played: the first start would send dozens at once."""
    Delivery.objects.filter(state=Delivery.State.WAITING).update(
        state=Delivery.State.DROPPED, to="", detail={}, done_at=clock.now()
    )


def _install(installer: Installer, patients: int, progress: Progress) -> Hospital:
    hospital = installer.hospital
    installer.places()
    progress(
        f"Facilities: {len(hospital.facilities)}, departments: {len(hospital.departments)}, "
        f"services: {len(places.OFFERS)}"
    )
    installer.staff()
    progress(f"Doctors: {len(hospital.doctors)} with {len(hospital.schedules)} schedules")
    installer.crowd(patients)
    progress(f"Patients: {len(hospital.patients):,}")
    return hospital


def _plan(seeded: Seeded, now: datetime, hospital: Hospital, visits: int) -> list[Visit]:
    """The diary over all desks, with the demo patient's own visits first."""
    diary = Diary(seeded, now, [_desk(seeded, now, hospital, schedule) for schedule in hospital.schedules])
    assert hospital.meera is not None
    for account, day, fate in (
        ("doctor", -41, "completed"), ("doctor2", -24, "cancelled"), ("doctor", -12, "completed"),
        ("doctor", 3, "confirmed"), ("doctor2", 9, "booked"),
    ):  # fmt: skip
        diary.wish(account, hospital.meera.pk, day, fate)
    return diary.plan(visits)


def _desk(seeded: Seeded, now: datetime, hospital: Hospital, schedule: Schedule) -> Desk:
    facility, doctor = schedule.facility, schedule.doctor
    zone = ZoneInfo(facility.time_zone)
    slot = schedule.slot_minutes or facility.slot_minutes
    today = now.astimezone(zone).date()
    exceptions = list(schedule.exceptions.all())
    plan = Plan(
        zone=zone,
        weekly=tuple(WeeklyRow(row.weekday, row.starts, row.ends, row.kind) for row in schedule.weekly.all()),
        leave=_spans(exceptions, ScheduleException.Kind.LEAVE),
        openings=_spans(exceptions, ScheduleException.Kind.OPENING),
        slot=slot,
        buffer=facility.buffer_minutes,
    )
    lengths = {service.pk: service.minutes or slot for service in hospital.services[doctor.specialty]}
    # The demo patient has her own visits and takes part in nobody's panel.
    suitable = [p.pk for p in hospital.patients[1:] if crowd.suits(doctor.specialty, p, today)]
    return Desk(
        schedule_id=schedule.pk,
        specialty=doctor.specialty,
        zone=zone,
        buffer=timedelta(minutes=facility.buffer_minutes),
        openings=list(_openings(seeded, plan, today, lengths)),
        panel=seeded.rng.sample(suitable, min(_PANEL, len(suitable))),
        account=hospital.keys[schedule.pk],
    )


def _openings(seeded: Seeded, plan: Plan, today: date, lengths: dict[UUID, int]) -> Iterator[Opening]:
    """Every bookable time around today, each with one of the services; a long service takes every fourth."""
    usual = [service for service, minutes in lengths.items() if minutes == plan.slot]
    for offset in range(-PAST_DAYS, COMING_DAYS + 1):
        day = today + timedelta(days=offset)
        for start in plan.starts(day, plan.slot):
            yield _opening(start, plan.slot, seeded.rng.choice(usual))
        for service, minutes in lengths.items():
            if minutes != plan.slot:
                for start in plan.starts(day, minutes)[::4]:
                    yield _opening(start, minutes, service)


def _opening(start: int, minutes: int, service_id: UUID) -> Opening:
    return Opening(moment_of(start), moment_of(start + minutes), service_id)


def _spans(exceptions: list[ScheduleException], kind: str) -> tuple[tuple[int, int], ...]:
    return tuple((minute_of(row.starts), minute_of(row.ends)) for row in exceptions if row.kind == kind)


def _live_through(
    visits: list[Visit],
    hospital: Hospital,
    stays: wards.Stays,
    mornings: morning.Mornings,
    rounds: fleet.Rounds,
    now: datetime,
    progress: Progress,
) -> None:
    """Do every step of every appointment in the order of its time, with the clock at that time.

    What the hospital does this morning with those who are there goes on between the steps.
    """
    steps = sorted(
        ((step, place) for place, visit in enumerate(visits) for step in visit.steps),
        key=lambda entry: (entry[0].at, entry[1]),
    )
    made: dict[int, UUID] = {}
    looked = False
    for number, (step, place) in enumerate(steps):
        if not looked and step.at > now - _LAST_LOOK:
            looked = _look(hospital, now - _LAST_LOOK)
        stays.advance(step.at)
        rounds.advance(step.at, mornings)
        mornings.advance(step.at)
        if place in made and step is visits[place].steps[-1] and mornings.receives(step, visits[place], made[place]):
            continue
        with clock.fixed(step.at):
            _do(step, place, visits[place], made)
        if (number + 1) % _REPORT_EVERY == 0:
            progress(f"  {len(made):,} booked, {number + 1:,} of {len(steps):,} steps done")
    stays.advance(now)
    rounds.advance(now, mornings)
    mornings.advance(now)
    progress(f"Appointments: {len(made):,} booked, {len(steps):,} steps in all")


def _look(hospital: Hospital, at: datetime) -> bool:
    """Every doctor opens the patient list: nobody in it is new any more."""
    with clock.fixed(at):
        for doctor in hospital.doctors:
            actions.mark_patients_seen(actor=ACTOR, doctor_id=doctor.pk)
    return True


def _do(step: Step, place: int, visit: Visit, made: dict[int, UUID]) -> None:
    match step.action:
        case "book":
            opening = visit.first or visit.opening
            reasons = places.REASONS[visit.desk.specialty]
            made[place] = actions.book(
                actor=ACTOR,
                patient_id=visit.patient_id,
                schedule_id=visit.desk.schedule_id,
                starts=opening.starts,
                service_id=opening.service_id,
                reason=reasons[place % len(reasons)],
            ).pk
        case "reschedule":
            actions.reschedule(actor=ACTOR, appointment_id=made[place], starts=visit.opening.starts)
        case action:
            actions.take(actor=ACTOR, appointment_id=made[place], action=action)
