"""T15: with two hospitals loaded, no function that reads shows anyone a row of the other one.

The functions are found by introspection: a new one without a line here fails the test.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from polyclinic import (
    analytics,
    billing,
    consent,
    facilities,
    factors,
    files,
    imports,
    inpatient,
    laboratory,
    notify,
    nursing,
    papers,
    people,
    pharmacy,
    prescribing,
    privacy,
    reminders,
    scheduling,
    transport,
    visits,
    webhooks,
)
from polyclinic import records as written
from polyclinic.billing import figures
from polyclinic.billing import selectors as bills
from polyclinic.consent import actions as consenting
from polyclinic.consent import selectors as shared
from polyclinic.consent.models import EmergencyAccess
from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person, Viewer
from polyclinic.core.errors import NotFound, Problem
from polyclinic.facilities import catalogue, invitations, roles, sessions, settings, staff
from polyclinic.facilities import selectors as directory
from polyclinic.facilities.models import Equipment, Membership, Service
from polyclinic.factors import selectors as second
from polyclinic.factors.models import SmsNumber
from polyclinic.files import actions as photos
from polyclinic.files import portraits
from polyclinic.files import selectors as file_selectors
from polyclinic.notify import failed
from polyclinic.notify import selectors as told_of
from polyclinic.papers import tickets as slips
from polyclinic.people import merge, own, registering
from polyclinic.people import search as finding
from polyclinic.people import selectors as persons
from polyclinic.privacy import actions as privacy_actions
from polyclinic.privacy import closing, copies, erasure, lookup, records, research, restrictions, retention
from polyclinic.privacy import selectors as watched
from polyclinic.privacy.lookup import Identifiers
from polyclinic.reminders import selectors as reminding
from polyclinic.scheduling import (
    actions,
    asked,
    availability,
    care,
    held,
    leaves,
    offering,
    overbooking,
    patients,
    rota,
    schedules,
    selectors,
    series,
    stats,
    travel,
)
from polyclinic.scheduling import house as house_rules
from polyclinic.scheduling.models import DoctorInvitation
from polyclinic.scheduling.rows import ExceptionRow
from polyclinic.visits import actions as visiting
from polyclinic.visits import arranging, choices, earnings, following
from polyclinic.visits import house as whole_house
from polyclinic.visits import selectors as visits_seen
from tests.analytics import foreign as charts
from tests.billing import desk as money
from tests.files.hostile import picture
from tests.house import House, account
from tests.imports import foreign as lists
from tests.inpatient import foreign as wings
from tests.laboratory import foreign as tubes
from tests.nursing import foreign as bedsides
from tests.papers import foreign as sheets
from tests.pharmacy import foreign as shelves
from tests.prescribing import foreign as desks
from tests.records import foreign
from tests.transport import foreign as yards
from tests.webhooks import foreign as hooks

# The filter behind the selectors: it takes a viewer and returns no rows.
TOOLS = (
    "polyclinic.nursing.sight",
    "polyclinic.records.sight",
    "polyclinic.scheduling.sight",
)


class Side:
    """One of the two hospitals: what a caller could ask for by id, and what nobody of the other may be shown."""

    def __init__(self, house: House, doctor: Any, schedule: Any, patient: Any, *others: Any) -> None:
        self.doctor, self.schedule, self.patient = doctor.pk, schedule.pk, patient.pk
        self.facility, self.slug = schedule.facility_id, schedule.facility.slug
        person = house.person(patient)
        free = availability.first_free(Anonymous(), schedule_id=schedule.pk, limit=4)
        made = actions.book(actor=person, patient_id=patient.pk, schedule_id=schedule.pk, starts=free[0].starts)
        self.day, self.appointment = free[0].starts.date(), made.pk
        self.photo = photos.set_photo(actor=person, data=picture())
        self.service = Service.objects.create(
            slug=f"scan-{self.slug}", name="Scan", specialty=doctor.specialty, facility=schedule.facility
        ).pk
        self.equipment = Equipment.objects.create(facility=schedule.facility, name="Scanner").pk
        self.hold = actions.hold(actor=person, schedule_id=schedule.pk, starts=free[3].starts).pk
        chief, colleague = (
            account(f"{name}@{self.slug}.example.net", f"{name.title()} of {self.slug}")
            for name in ("chief", "colleague")
        )
        Membership.objects.create(account=chief, facility=schedule.facility, role="admin")
        Membership.objects.create(account=colleague, facility=schedule.facility, role="nurse")
        self.colleague, runs = colleague.pk, house.person(chief)
        own = roles.define(
            actor=runs, facility_id=self.facility, name=f"Desk of {self.slug}", permissions=["staff.list"]
        )
        asked = invitations.invite(
            actor=runs, facility_id=self.facility, email=f"asked@{self.slug}.example.net", name="Asked", role="nurse"
        )
        officer = account(f"privacy@{self.slug}.example.net", "Privacy")
        Membership.objects.create(account=officer, facility=schedule.facility, role="privacy_officer")
        self.people = [house.person(one) for one in (patient, doctor, *others, chief, officer)]
        self.opened = visiting.register(
            actor=house.person(others[0]), facility_id=self.facility, patient_id=self.patient
        ).pk
        self.portrait = portraits.take(
            actor=house.person(others[0]), facility_id=self.facility, patient_id=self.patient, data=picture()
        )
        finding.catch_up()
        self._decide(person, house.person(officer), schedule.facility)
        self._bill(house, others[0])
        self._join(house.person(others[0]))
        self._ask(house, doctor, schedule, chief)
        self.who = Identifiers(patient.born, patient.mrn)
        # What would give a person away wherever it stood in an answer.
        self.secret = {str(self.patient), str(made.pk), str(self.hold), patient.mrn, patient.family_name.upper()}
        telephone = SmsNumber(account_id=person.account_id, name=f"Phone of {self.slug}", verified_at=clock.now())
        telephone.number = "+49151234567"
        telephone.save(force_insert=True)
        self.secret |= self.merged
        self.secret |= {str(self.portrait)} | self.opened_for_work
        self.secret |= {str(self.photo), str(telephone.pk), telephone.name, *self.bills}
        self.secret |= {str(colleague.pk), colleague.email, str(own.pk), own.name, str(asked.pk), asked.email}
        self.chart = foreign.Chart(house.person(doctor), self.patient, self.facility, self.slug)
        self.secret |= self.chart.secret
        self.tubes = tubes.Tubes(house, self)
        self.secret |= self.tubes.secret
        self.sheets = sheets.Sheets(house, self)
        self.secret |= self.sheets.secret
        self.desk = desks.Desk(house, self)
        self.secret |= self.desk.secret
        self.shelves = shelves.Shelves(house, self)
        self.secret |= self.shelves.secret
        self.wards = wings.Wards(house, self)
        self.secret |= self.wards.secret
        self.lists = lists.Lists(house, self)
        self.secret |= self.lists.secret
        self.hooks = hooks.Hooks(self)
        self.secret |= self.hooks.secret
        bedsides.write(self)
        self.yard = yards.Yard(house, self)
        self.secret |= self.yard.secret

    def _decide(self, person: Person, officer: Person, facility: Any) -> None:
        """What the patient decides about their record: shared, delegated, asked for; and an emergency that is over."""
        given: Any = {"actor": person, "patient_id": self.patient}
        shares = consenting.grant(**given, facility_id=facility.pk, purpose="treatment", categories=["notes"])
        consenting.propose(**given, email=f"aunt@{self.slug}.example.net", kind="carer", rights="view")
        asked = privacy_actions.request(**given, facility_id=facility.pk, kind="access")
        privacy_actions.answer(actor=officer, request_id=asked.pk)
        now = clock.now()
        opened = EmergencyAccess.objects.create(
            patient_id=self.patient, account_id=self.colleague, facility=facility, reason="Unconscious",
            state="closed", opened_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1),
        )  # fmt: skip
        self.consent, self.request, self.opening = shares.pk, asked.pk, opened.pk

    def _join(self, desk: Person) -> None:
        """Somebody else of the place, written down twice and merged."""
        given: Any = {"actor": desk, "facility_id": self.facility, "given_name": "Twice", "sex": "female"}
        stays, gone = (
            registering.register(**given, family_name=f"Known {self.slug}", born=date(1950, 1, day), new_because="New")
            for day in (1, 2)
        )
        merge.merge(actor=desk, facility_id=self.facility, patient_id=stays.pk, gone_id=gone.pk, reason="Same passport")
        self.merged = {str(stays.pk), stays.mrn, gone.mrn}

    def _bill(self, house: House, desk: Any) -> None:
        """An invoice of the patient, paid in part in cash, and who looks after the money of the place."""
        boss = account(f"boss@{self.slug}.example.net", f"Boss of {self.slug}")
        Membership.objects.create(account=boss, facility_id=self.facility, role="manager")
        self.people.append(house.person(boss))
        price = money.price(house.person(boss), self.facility)
        bill = money.bill(house.person(desk), self.facility, self.patient)
        self.invoice, self.visit, self.paid = bill.pk, bill.subject_id, money.paid(bill, house.person(desk), 1_00)
        self.bills = str(bill.pk), str(price.pk), str(self.paid.till_id)

    def _ask(self, house: House, doctor: Any, schedule: Any, chief: Any) -> None:
        """A doctor whom the place has invited and who has not answered, and leave that its own doctor asks for."""
        self.invited = DoctorInvitation.objects.create(
            facility_id=self.facility, doctor=doctor, state="sent", invited_by=chief, weekly=[],
            expires_at=clock.now() + timedelta(days=9),
        ).pk  # fmt: skip
        begin = clock.now() + timedelta(days=70)
        self.away = leaves.ask(
            actor=house.person(doctor), schedule_id=schedule.pk, kind="annual", starts=begin,
            ends=begin + timedelta(days=1),
        ).pk  # fmt: skip
        slot = availability.first_free(house.person(doctor), schedule_id=schedule.pk, limit=40)[-1]
        self.series = series.book(
            actor=house.person(doctor), patient_id=self.patient, schedule_id=schedule.pk, starts=slot.starts, every=1,
            unit="week", count=2,
        ).pk  # fmt: skip
        found = series.get(house.person(doctor), self.series)
        self.in_series = found.occurrences[0].appointment_id
        self.opened_for_work = {str(self.invited), str(self.away), str(self.series), str(self.in_series)}

    def leave(self) -> ExceptionRow:
        now = clock.now()
        return ExceptionRow(self.hold, "leave", now, now + timedelta(days=60), "")


Call = Callable[[Viewer, Side], Any]
# Asked for a thing of the other hospital, these answer that it does not exist.
CLOSED: dict[str, Call] = {
    **charts.CLOSED,
    **tubes.CLOSED,
    **sheets.CLOSED,
    **desks.CLOSED,
    **shelves.CLOSED,
    **wings.CLOSED,
    **lists.CLOSED,
    **hooks.CLOSED,
    **bedsides.CLOSED,
    **yards.CLOSED,
    **foreign.CLOSED,
    "billing.figures.methods": lambda v, s: figures.methods(v, s.facility, s.day, s.day),
    "billing.figures.owed": lambda v, s: figures.owed(v, s.facility),
    "billing.figures.reductions": lambda v, s: figures.reductions(v, s.facility, s.day, s.day),
    "billing.figures.services": lambda v, s: figures.services(v, s.facility, s.day, s.day),
    "billing.figures.subjects": lambda v, s: figures.subjects(v, s.facility, s.day, s.day),
    "visits.earnings.by_doctor": lambda v, s: earnings.by_doctor(v, s.facility, s.day, s.day),
    "billing.selectors.currency": lambda v, s: bills.currency(v, s.facility),
    "billing.selectors.invoice": lambda v, s: bills.invoice(v, s.invoice),
    "billing.selectors.invoice_of": lambda v, s: bills.invoice_of(v, "thing", s.visit),
    "billing.selectors.invoices": lambda v, s: bills.invoices(v, s.facility),
    "billing.selectors.invoices_of": lambda v, s: bills.invoices_of(v, s.patient),
    "billing.selectors.own_till": lambda v, s: bills.own_till(v, s.facility),
    "billing.selectors.payment": lambda v, s: bills.payment(v, s.paid.pk),
    "billing.selectors.prices": lambda v, s: bills.prices(v, s.facility),
    "billing.selectors.revenue": lambda v, s: bills.revenue(v, s.facility, s.day, s.day),
    "billing.selectors.till": lambda v, s: bills.till(v, s.paid.till_id),
    "billing.selectors.till_moves": lambda v, s: bills.till_moves(v, s.paid.till_id),
    "billing.selectors.tills_of": lambda v, s: bills.tills_of(v, s.facility),
    "people.merge.merges": lambda v, s: merge.merges(v, s.facility),
    "people.merge.pair": lambda v, s: merge.pair(v, s.facility, s.patient, s.patient),
    "people.selectors.patient": lambda v, s: persons.patient(v, s.patient),
    "consent.selectors.consents": lambda v, s: shared.consents(v, s.patient),
    "consent.selectors.consent": lambda v, s: shared.consent(v, s.consent),
    "consent.selectors.carers": lambda v, s: shared.carers(v, s.patient),
    "consent.selectors.openings": lambda v, s: shared.openings(v, s.patient),
    "privacy.copies.copy_for": lambda v, s: copies.copy_for(v, s.request),
    "privacy.lookup.look_up": lambda v, s: lookup.look_up(v, s.who),
    "privacy.records.record": lambda v, s: records.record(v, s.patient),
    "privacy.selectors.opening": lambda v, s: watched.opening(v, s.opening),
    "privacy.selectors.request": lambda v, s: watched.request(v, s.request),
    "privacy.selectors.requests_of": lambda v, s: watched.requests_of(v, s.patient),
    "privacy.selectors.seen_during": lambda v, s: watched.seen_during(v, s.opening),
    "scheduling.care.doctors_of_patient": lambda v, s: care.doctors_of_patient(v, s.patient),
    "scheduling.selectors.appointment": lambda v, s: selectors.appointment(v, s.appointment),
    "scheduling.selectors.doctor_day": lambda v, s: selectors.doctor_day(v, s.doctor, s.day),
    "scheduling.patients.doctor_patients": lambda v, s: patients.doctor_patients(v, s.doctor),
    "scheduling.patients.new_patient_count": lambda v, s: patients.new_patient_count(v, s.doctor),
    "scheduling.patients.patient_of_doctor": lambda v, s: patients.patient_of_doctor(v, s.patient),
    "scheduling.selectors.schedule": lambda v, s: selectors.schedule(v, s.schedule),
    "scheduling.selectors.schedules_of_doctor": lambda v, s: selectors.schedules_of_doctor(v, s.doctor),
    "scheduling.selectors.schedules_of_facility": lambda v, s: selectors.schedules_of_facility(v, s.facility),
    "scheduling.overbooking.reasons": lambda v, s: list(overbooking.reasons(v, s.patient)),
    "scheduling.overbooking.taken_times": lambda v, s: overbooking.taken_times(v, s.schedule, s.day),
    "scheduling.series.get": lambda v, s: series.get(v, s.series),
    "scheduling.series.of_appointment": lambda v, s: series.of_appointment(v, s.in_series),
    "scheduling.selectors.places_of_doctor": lambda v, s: selectors.places_of_doctor(v, s.doctor),
    "scheduling.schedules.affected_by": lambda v, s: schedules.affected_by(v, s.schedule, exception=s.leave()),
    "scheduling.asked.doctor_invitation": lambda v, s: asked.doctor_invitation(v, s.invited),
    "scheduling.asked.invitations_to": lambda v, s: asked.invitations_to(v, s.doctor),
    "scheduling.asked.leave_of": lambda v, s: asked.leave_of(v, s.doctor),
    "scheduling.asked.leave_request": lambda v, s: asked.leave_request(v, s.away),
    "scheduling.rota.departments": lambda v, s: rota.departments(v, s.facility),
    "scheduling.rota.members": lambda v, s: rota.members(v, s.facility),
    "scheduling.rota.rooms": lambda v, s: rota.rooms(v, s.facility),
    "scheduling.rota.rota": lambda v, s: rota.rota(v, s.facility, s.day),
    "scheduling.travel.minutes_of": lambda v, s: travel.minutes_of(v, s.doctor),
    "scheduling.held.hold": lambda v, s: held.hold(v, s.hold),
    "facilities.settings.settings": lambda v, s: settings.settings(v, s.facility),
    "facilities.settings.one": lambda v, s: settings.one(v, s.facility, "notice_hours"),
    "facilities.settings.history": lambda v, s: settings.history(v, s.facility, "notice_hours"),
    "facilities.settings.preview": lambda v, s: settings.preview(v, s.facility, "mail_reminder_en"),
    "reminders.selectors.answer": lambda v, s: reminding.answer(v, s.appointment),
    "facilities.settings.departments": lambda v, s: settings.departments(v, s.facility),
    "facilities.settings.several": lambda v, s: settings.several(v, s.facility, ["notice_hours"]),
    "facilities.catalogue.services": lambda v, s: catalogue.services(v, s.facility),
    "facilities.catalogue.service": lambda v, s: catalogue.service(v, s.facility, s.service),
    "facilities.catalogue.equipment": lambda v, s: catalogue.equipment(v, s.facility),
    "facilities.catalogue.require_kind": lambda v, s: catalogue.require_kind(v, s.facility, s.equipment),
    "facilities.catalogue.choices": lambda v, s: catalogue.choices(v, s.facility, s.service),
    "scheduling.house.affected_by": lambda v, s: house_rules.affected_by(v, s.facility, "notice_hours", "48"),
    "facilities.staff.member": lambda v, s: staff.member(v, s.colleague),
    "facilities.staff.roles_to_give": lambda v, s: staff.roles_to_give(v, s.facility),
    "facilities.staff.rights_to_give": lambda v, s: sorted(staff.rights_to_give(v, s.facility)),
    "files.portraits.content": lambda v, s: [portraits.content(v, s.portrait).size, s.portrait],
    "files.portraits.of": lambda v, s: portraits.of(v, s.patient, s.facility),
    "papers.tickets.print_": lambda v, s: [len(slips.print_(v, s.opened)), s.patient],
    "files.selectors.content": lambda v, s: [file_selectors.content(v, s.photo).size, s.photo],
    "files.selectors.photo_of_patient": lambda v, s: file_selectors.photo_of_patient(v, s.patient),
    "scheduling.stats.facility_stats": lambda v, s: stats.facility_stats(v, s.facility, s.day),
}
CLOSED |= {
    "visits.arranging.boards": lambda v, s: arranging.boards(v, s.facility),
    "visits.arranging.counters": lambda v, s: arranging.counters(v, s.facility),
    "visits.choices.departments": lambda v, s: choices.departments(v, s.facility),
    "visits.choices.doctors": lambda v, s: choices.doctors(v, s.facility),
    "visits.choices.patient": lambda v, s: choices.patient(v, s.facility, s.patient),
    "visits.house.day": lambda v, s: whole_house.day(v, s.facility),
    "visits.selectors.board": lambda v, s: visits_seen.board(v, s.facility),
    "visits.selectors.due": lambda v, s: visits_seen.due(v, s.facility),
    "visits.selectors.figures": lambda v, s: visits_seen.figures(v, s.facility),
    "visits.selectors.stages": lambda v, s: visits_seen.stages(v, s.opened),
    "visits.selectors.visit": lambda v, s: visits_seen.visit(v, s.opened),
    "visits.following.journey": lambda v, s: following.journey(v, s.opened),
    "visits.following.now": lambda v, s: following.now(v, s.patient),
    "visits.selectors.visits_of": lambda v, s: visits_seen.visits_of(v, s.patient),
}
# These answer with what is left after the other hospital's rows are taken out, or with what is public anyway.
FILTERED: dict[str, Call] = {
    **tubes.FILTERED,
    **sheets.FILTERED,
    **desks.FILTERED,
    **yards.FILTERED,
    **wings.FILTERED,
    **lists.FILTERED,
    **bedsides.FILTERED,
    **foreign.FILTERED,
    **charts.FILTERED,
    "consent.selectors.acting_for": lambda v, s: shared.acting_for(v),
    "consent.selectors.kinds_to_ask": lambda v, s: shared.kinds_to_ask(v),
    "consent.selectors.doctor_account": lambda v, s: shared.doctor_account(v, s.doctor),
    "privacy.lookup.may_see": lambda v, s: lookup.may_see(v, s.patient),
    "privacy.closing.shuts_out": lambda v, s: closing.shuts_out(v, s.patient),
    "privacy.records.opened_until": lambda v, s: records.opened_until(v, s.patient),
    "privacy.research.exports": lambda v, s: research.exports(v),
    "privacy.retention.due": lambda v, s: retention.due(v),
    "privacy.retention.places": lambda v, s: retention.places(v),
    "privacy.retention.holds": lambda v, s: retention.holds(v),
    "privacy.erasure.standing": lambda v, s: erasure.standing(v, s.request),
    "privacy.restrictions.since": lambda v, s: restrictions.since(v, s.patient),
    "privacy.restrictions.restrictions": lambda v, s: restrictions.restrictions(v),
    "privacy.selectors.openings": lambda v, s: watched.openings(v),
    "privacy.selectors.requests_to_answer": lambda v, s: watched.requests_to_answer(v),
    "scheduling.selectors.appointments": lambda v, s: [
        selectors.appointments(v, **more)
        for more in ({}, {"doctor_id": s.doctor}, {"patient_id": s.patient}, {"facility_id": s.facility})
    ],
    "scheduling.availability.free_slots": lambda v, s: availability.free_slots(
        v, doctor_id=s.doctor, first_day=s.day, days=3
    ),
    "scheduling.availability.first_free": lambda v, s: availability.first_free(v, facility_id=s.facility),
    "scheduling.asked.doctor_invitations": lambda v, s: [
        asked.doctor_invitations(v),
        asked.doctor_invitations(v, facility_id=s.facility),
    ],
    "scheduling.asked.leave_requests": lambda v, s: [
        asked.leave_requests(v),
        asked.leave_requests(v, facility_id=s.facility),
    ],
    "scheduling.asked.waiting_invitations": lambda v, s: asked.waiting_invitations(v),
    "scheduling.availability.next_free_by_schedule": lambda v, s: sorted(
        map(str, availability.next_free_by_schedule(v, [s.schedule]))
    ),
    "scheduling.availability.next_free_by_doctor": lambda v, s: availability.next_free_by_doctor(v, [s.doctor]),
    "scheduling.offering.given_in": lambda v, s: offering.given_in(v, s.schedule),
    "facilities.settings.opening_hours": lambda v, s: settings.opening_hours(v, s.facility),
    "facilities.selectors.facilities": lambda v, s: directory.facilities(v),
    "facilities.selectors.facility": lambda v, s: directory.facility(v, s.slug),
    "facilities.selectors.doctors": lambda v, s: directory.doctors(v, facility_id=s.facility),
    "facilities.selectors.doctor": lambda v, s: directory.doctor(v, s.doctor),
    "facilities.selectors.services": lambda v, s: directory.services(v),
    "facilities.selectors.specialties": lambda v, s: directory.specialties(v),
    "facilities.staff.places": lambda v, s: staff.places(v),
    "facilities.staff.people": lambda v, s: [staff.people(v), staff.people(v, facility_id=s.facility)],
    "facilities.staff.own_roles": lambda v, s: staff.own_roles(v),
    "facilities.staff.invitations": lambda v, s: staff.invitations(v),
    # These ask for nothing but the viewer's own, and nobody's when nobody is signed in.
    "facilities.sessions.sessions": lambda v, s: sessions.sessions(v),
    "facilities.sessions.seconds_left": lambda v, s: sessions.seconds_left(v),
    "facilities.sessions.used": lambda v, s: sessions.used(v),
    "reminders.selectors.choice": lambda v, s: reminding.choice(v),
    "reminders.selectors.feed": lambda v, s: reminding.feed(v),
    "reminders.selectors.may_answer": lambda v, s: reminding.may_answer(v, selectors.appointment(v, s.appointment)),
    # Mails of the whole installation by their kind alone.
    "notify.failed.failed_mails": lambda v, s: failed.failed_mails(v),
    "notify.selectors.notices": lambda v, s: told_of.notices(v),
    "notify.selectors.unread": lambda v, s: told_of.unread(v),
    "factors.selectors.factors": lambda v, s: second.factors(v),
    "factors.selectors.devices": lambda v, s: second.devices(v),
    "factors.selectors.recovery_left": lambda v, s: second.recovery_left(v),
    "factors.selectors.must_have": lambda v, s: second.must_have(v),
    "files.selectors.photo_of": lambda v, s: file_selectors.photo_of(v),
    "people.search.search": lambda v, s: finding.search(v, s.who.mrn),
    "people.own.own_account": lambda v, s: own.own_account(v),
}


def readers() -> set[str]:
    """Every public function of the domain apps that takes a viewer first, by its own module's name."""
    found = set()
    for app in (
        analytics,
        billing,
        consent,
        facilities,
        factors,
        files,
        imports,
        inpatient,
        laboratory,
        notify,
        nursing,
        papers,
        people,
        pharmacy,
        prescribing,
        privacy,
        reminders,
        written,
        scheduling,
        transport,
        visits,
        webhooks,
    ):
        for info in pkgutil.walk_packages(app.__path__, app.__name__ + "."):
            if info.name in TOOLS or ".migrations" in info.name:
                continue
            module = importlib.import_module(info.name)
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if function.__module__ != module.__name__ or name.startswith("_"):
                    continue
                if next(iter(inspect.signature(function).parameters), "") == "viewer":
                    found.add(f"{info.name.removeprefix('polyclinic.')}.{name}")
    return found


@pytest.fixture
def sides(house: House) -> tuple[Side, Side]:
    return (
        Side(house, house.doctor, house.schedule, house.patient, house.receptionist, house.manager),
        Side(
            house, house.stranger_doctor, house.stranger_schedule, house.stranger_patient, house.stranger_receptionist
        ),
    )


NOTHING_THERE = object()


def answer(call: Call, viewer: Viewer, side: Side) -> Any:
    """The answer as text with everything in it; empty when refused, and NOTHING_THERE when it is said not to exist."""
    try:
        return msgspec.json.encode(call(viewer, side)).decode()
    except NotFound:
        return NOTHING_THERE
    except Problem:
        return ""


def told(call: Call, viewer: Viewer, side: Side) -> str:
    """The answer as text with everything in it; empty when refused."""
    text = answer(call, viewer, side)
    return "" if text is NOTHING_THERE else str(text)


def shown(text: str, side: Side) -> set[str]:
    return {secret for secret in side.secret if secret in text}


def test_t15_every_reader_has_a_line_here() -> None:
    assert readers() == CLOSED.keys() | FILTERED.keys()


def test_t15_nobody_is_shown_a_foreign_row(sides: tuple[Side, Side]) -> None:
    """And the control: each closed reader answers its own people, and those with names in them show the names."""
    for near, other in (sides, sides[::-1]):
        own: dict[str, str] = dict.fromkeys(CLOSED, "")
        for viewer in near.people:
            for name, call in {**CLOSED, **FILTERED}.items():
                across, here = answer(call, viewer, other), told(call, viewer, near)
                assert (across is NOTHING_THERE) if name in CLOSED else shown(str(across), other) == set(), name
                assert shown(here, other) == set(), name
                if name in CLOSED:
                    own[name] += here
        assert {name for name, text in own.items() if not text} == set()
        assert {name for name, text in own.items() if shown(text, near)} == CLOSED.keys() - without_names()


def test_t15_someone_not_signed_in_is_shown_nobody(sides: tuple[Side, Side]) -> None:
    for side in sides:
        for name, call in {**CLOSED, **FILTERED}.items():
            assert shown(told(call, Anonymous(), side), side) == set(), name
        assert all(told(call, Anonymous(), side) == "" for call in CLOSED.values())


def without_names() -> set[str]:
    """Closed readers whose answers name nobody, so that nothing in them could be recognised."""
    counts = {"scheduling.patients.new_patient_count", "scheduling.stats.facility_stats"}
    bare = {f"scheduling.selectors.{name}" for name in ("schedule", "schedules_of_doctor", "places_of_doctor")}
    bare |= {"scheduling.selectors.schedules_of_facility"}
    bare |= {f"scheduling.overbooking.{name}" for name in ("taken_times", "reasons")}
    # Times and doctors alone; and a list of what was seen while nobody looked.
    bare |= {"consent.selectors.openings", "privacy.selectors.seen_during", "scheduling.care.doctors_of_patient"}
    # Sums, and numbers of receipts and invoices.
    bare |= {f"billing.selectors.{name}" for name in ("currency", "revenue", "till_moves")}
    bare |= {f"billing.figures.{name}" for name in ("methods", "owed", "reductions", "services", "subjects")}
    bare |= {"visits.earnings.by_doctor"}
    # What may be given there: names of rights and standard roles; a role of one's own names itself.
    bare |= {"facilities.staff.rights_to_give", "scheduling.house.affected_by"}
    bare |= {
        f"facilities.settings.{name}" for name in ("settings", "several", "one", "history", "departments", "preview")
    }
    # What the house gives and has: names of things. Who could help is named only where it is chosen.
    bare |= {f"facilities.catalogue.{name}" for name in ("services", "service", "equipment", "require_kind")}
    # When somebody said that they come.
    bare |= {"reminders.selectors.answer"}
    # Doctors and their hours, which are public, with how many are booked.
    bare |= {f"scheduling.rota.{name}" for name in ("departments", "members", "rooms", "rota")}
    bare |= {"scheduling.travel.minutes_of"}
    # Counters, doctors, figures and times; nobody is booked for the next hours.
    bare |= {f"visits.arranging.{name}" for name in ("boards", "counters")}
    bare |= {f"visits.choices.{name}" for name in ("departments", "doctors")}
    bare |= {"visits.house.day"}
    bare |= {f"visits.selectors.{name}" for name in ("due", "figures", "stages")}
    bare |= shelves.BARE | desks.BARE | wings.BARE | bedsides.BARE | yards.BARE | charts.BARE | lists.BARE
    return counts | bare


def test_t15_sees_a_leak(sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the policy out of the way the same comparison finds the foreign rows."""
    from polyclinic.core.access import policy

    monkeypatch.setattr(policy, "allowed", lambda *_given: True)
    viewer, other = sides[0].people[0], sides[1]
    assert isinstance(viewer, Person)
    assert shown(told(CLOSED["scheduling.selectors.appointment"], viewer, other), other)
    assert shown(told(CLOSED["scheduling.selectors.doctor_day"], viewer, other), other)
