"""One patient's way through the hospital on a simulated day, from the door to the pharmacy, as everybody's own action.

Nothing here writes a row: each step is the action that the page of that role calls, by somebody who holds the role.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from polyclinic.billing import actions as billing
from polyclinic.billing.models import Invoice
from polyclinic.billing.paying import confirm_card
from polyclinic.core import clock
from polyclinic.core.access import fields
from polyclinic.core.errors import Problem
from polyclinic.demo import dispensary, findings, names, places, sampling
from polyclinic.demo.case import Case
from polyclinic.demo.cast import Cast, station_of
from polyclinic.demo.engine import Asked, Engine, Pause, Process, Rise, Seat
from polyclinic.demo.fates import Comer
from polyclinic.laboratory import actions as laboratory
from polyclinic.people import registering
from polyclinic.people.models import Patient
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing.bodies import Diagnosis
from polyclinic.records import actions as records
from polyclinic.records import notes
from polyclinic.scheduling import actions as scheduling
from polyclinic.visits import actions, fairness, queues
from polyclinic.visits.models import Visit

Part = Generator[Asked, datetime, bool]
_LEFT: Final = "Did not want to wait any longer"
_GONE: Final = "Did not answer when called"


class Course(Case):
    """The process of one patient. `strict` lets a refusal stop the day."""

    def __init__(self, cast: Cast, comer: Comer, tally: Counter[str], engine: Engine, *, strict: bool) -> None:
        super().__init__(cast, comer, tally)
        self._engine, self._strict = engine, strict
        self._sitting: list[str] = []

    def process(self) -> Process:
        """The whole way. A refusal (somebody else has touched the visit) ends it and leaves the visit to people."""
        try:
            yield from self._way()
        except Problem as problem:
            if self._strict:
                raise
            self.tally[f"refused: {problem.code}"] += 1
            for station in self._sitting:
                yield Rise(station)

    def _way(self) -> Part:
        if not (yield from self._desk()):
            return False
        if not (yield from self._check()):
            return False
        while True:
            if self.visit.state == "lab_pending" and not (yield from self._laboratory()):
                return False
            if not (yield from self._doctor()):
                return False
            if self.visit.state != "lab_pending":
                break
        if self.visit.state == "diagnosed":
            yield from self._pharmacy()
        return True

    # The desk: who it is, the visit, the fee.

    def _desk(self) -> Part:
        yield from self._sit("desk", (1, self.fate.arrives))
        yield Pause(self.fate.times.desk)
        person = self.comer.patient_id or self._newcomer()
        urgency = "emergency" if self.fate.emergency else ""
        reasons = places.REASONS.get(self.post.specialty, places.REASONS["general-practice"])
        self.visit = actions.register(
            actor=self.cast.reception, facility_id=self.cast.facility.pk, patient_id=person,
            department_id=self.post.department_id, doctor_id=self.post.doctor_id,
            appointment_id=self.comer.appointment_id, priority=urgency, complaint=self.rng.choice(reasons),
        )  # fmt: skip
        self.tally["registered"] += 1
        if self.visit.priority == "emergency":
            yield from self._stand("desk")
            return True
        yield Pause(0.5)
        going = yield from self._fee()
        yield from self._stand("desk")
        return going

    def _newcomer(self) -> UUID:
        sex = self.rng.choice(("female", "male"))
        family, given = names.draw(self.rng, sex)
        day = clock.now().date() - timedelta(days=self.rng.randint(18 * 365, 80 * 365))
        made = registering.register(
            actor=self.cast.reception, facility_id=self.cast.facility.pk, given_name=given, family_name=family,
            born=day, sex=sex, new_because="Identity card seen",
        )  # fmt: skip
        self.tally["new patients"] += 1
        return made.pk

    def _fee(self) -> Part:
        match self.fate.fee:
            case "mistake":
                self._moved(actions.cancel(actor=self.cast.reception, visit_id=self.visit.pk, reason="Opened twice"))
                self.tally["cancelled"] += 1
                return False
            case "leaves":
                self._leave("Does not want to pay")
                return False
            case "waived":
                self._moved(actions.waive_fee(actor=self.cast.head, visit_id=self.visit.pk, reason="In need"))
                self.tally["fees waived"] += 1
            case "later":
                # The machine takes no card today: they wait to be called to the desk once more.
                yield from self._stand("desk")
                if not (yield from self._called("desk", "desk")):
                    return False
                self._pay("cash")
            case how:
                self._pay(how)
        self._fresh()
        if self.visit.state == "registered":
            self._moved(actions.nothing_owed(actor=self.cast.reception, visit_id=self.visit.pk))
        return True

    def _pay(self, how: str) -> None:
        """Pay what is owed for the visit, at the desk. A refused card is followed by cash."""
        owed = Invoice.objects.filter(subject_kind="visit", subject_id=self.visit.pk, state="open").first()
        if owed is None or owed.due_minor < 1:
            return
        given: dict[str, Any] = {
            "actor": self.cast.reception, "invoice_id": owed.pk, "amount_minor": owed.due_minor,
        }  # fmt: skip
        if how != "cash":
            key = f"card-{owed.version}"
            asked = billing.take_payment(**given, method="card", key=key)
            confirm_card(actor=self.cast.reception, payment_id=asked.pk, approved=how == "card")
        if how == "refused":
            self.tally["cards refused"] += 1
        if how != "card":
            billing.take_payment(**given, method="cash", key=f"cash-{owed.version}")
        self.tally["payments"] += 1

    # The first check: signs, allergies, complaint, perhaps tests.

    def _check(self) -> Part:
        if not (yield from self._called("check", "check")):
            return False
        yield Pause(self.fate.times.check)
        patient = Patient.objects.get(pk=self.visit.patient_id)
        signs = findings.vitals(self.rng, fields.years(patient.born), self.fate.emergency)
        visit_id = self.visit.pk
        records.record_vitals(actor=self.cast.nurse, visit_id=visit_id, values=signs, consciousness="A")
        self._ask_allergies()
        complaint = {"complaint": self.visit.complaint, "since": self.rng.choice(("yesterday", "3 days", "2 weeks"))}
        notes.save(actor=self.cast.checker, visit_id=visit_id, kind="complaint", fields=complaint, version=0)
        if self.fate.tests:
            laboratory.order(actor=self.cast.checker, visit_id=visit_id, codes=self.fate.tests)
            self.tally["lab orders"] += 1
        else:
            actions.check(actor=self.cast.checker, visit_id=visit_id)
        self._fresh()
        yield from self._stand("check")
        return True

    def _ask_allergies(self) -> None:
        draw = self.rng.random()
        try:
            if draw < 0.08:
                substance, reaction = self.rng.choice(findings.ALLERGIES)
                records.note_allergy(
                    actor=self.cast.nurse, visit_id=self.visit.pk, substance=substance, reaction=reaction
                )
            elif draw < 0.6:
                records.no_known_allergies(actor=self.cast.nurse, visit_id=self.visit.pk)
        except Problem as known:
            # Asked before, and the answer stands.
            if known.code not in ("known", "allergies_present"):
                raise

    # The laboratory.

    def _laboratory(self) -> Part:
        if not (yield from self._called("lab", "lab", serve=False)):
            sampling.give_up(self)
            return False
        yield Pause(self.fate.times.draw)
        sampling.collect(self)
        # They sit down again and are not called before the results are there.
        self._queue("hold")
        yield from self._stand("lab")
        yield from sampling.work(self)
        self._fresh()
        return True

    # The doctor.

    def _doctor(self) -> Part:
        station = station_of(self.post.doctor_id)
        if not (yield from self._called("doctor", station)):
            return False
        yield Pause(self.fate.times.doctor)
        sampling.read(self)
        doctor, visit_id = self.post.person, self.visit.pk
        if self.fate.more_tests:
            more, self.fate = self.fate.more_tests, replace(self.fate, more_tests=(), rejected=False, critical=False)
            laboratory.order(actor=doctor, visit_id=visit_id, codes=more)
            self.tally["lab orders"] += 1
        else:
            self._diagnose()
        self._fresh()
        yield from self._stand(station)
        return True

    def _diagnose(self) -> None:
        doctor, visit_id = self.post.person, self.visit.pk
        code, text, plan = findings.case(self.rng, self.post.specialty)
        fields = {"impression": text, "plan": plan}
        notes.save(actor=doctor, visit_id=visit_id, kind="plan", fields=fields, version=0)
        diagnosis = Diagnosis(text, code, "confirmed")
        if self.fate.medicine == "none" or not dispensary.prescribe(self, diagnosis):
            prescribing.conclude(actor=doctor, visit_id=visit_id, diagnoses=[diagnosis])
            self._done("without medicine")
        if self.comer.appointment_id is not None:
            scheduling.take(actor=doctor, appointment_id=self.comer.appointment_id, action="complete")

    # The pharmacy.

    def _pharmacy(self) -> Part:
        if not (yield from self._called("pharmacy", "pharmacy")):
            return False
        yield Pause(self.fate.times.pharmacy)
        dispensary.hand_out(self)
        self._fresh()
        self._done("with medicine")
        yield from self._stand("pharmacy")
        return True

    # What the parts share.

    def _called(self, line: str, station: str, *, serve: bool = True) -> Part:
        """Wait for one's turn and be called; False when the patient has gone instead."""
        priority, since = self.visit.priority, self._engine.now
        while True:
            now = yield from self._sit(station, fairness.key(priority, since))
            if self._impatient(now):
                yield from self._stand(station)
                self._leave(_LEFT)
                return False
            self._queue("call", line)
            now = yield Pause(self.fate.times.walk)
            if not self.fate.missed:
                break
            self.fate = replace(self.fate, missed=self.fate.missed - 1)
            yield from self._unheard(station)
            if self.fate.gone and not self.fate.missed and self.visit.state != "diagnosed":
                self._queue("no_show")
                self._leave(_GONE)
                return False
            since = fairness.after_skip(since, now)
            yield Pause(4)
        if serve:
            self._queue("serve")
        return True

    def _unheard(self, station: str) -> Generator[Asked, datetime, None]:
        self._queue("skip")
        self.tally["calls not heard"] += 1
        yield from self._stand(station)

    def _impatient(self, now: datetime) -> bool:
        waited = (now - self.fate.arrives).total_seconds() / 60
        return waited > self.fate.patience and self.visit.state in ("paid", "checked")

    def _queue(self, action: str, line: str = "") -> None:
        entry = queues.open_entry(self.visit.pk)
        if entry is None:
            return
        counters = self.cast.counters.get(line, [])
        counter = counters[self.fate.number % len(counters)] if counters and action == "call" else None
        queues.take(actor=self._caller(entry.line), entry_id=entry.pk, action=action, counter_id=counter)

    def _caller(self, line: str) -> Any:  # noqa: ANN401 - a Person
        cast = self.cast
        return {
            "desk": cast.reception, "check": cast.nurse, "lab": cast.technician, "doctor": self.post.person,
            "pharmacy": cast.pharmacist,
        }[line]  # fmt: skip

    def _leave(self, reason: str) -> None:
        self._moved(actions.leave(actor=self.cast.reception, visit_id=self.visit.pk, reason=reason))
        self.tally["left"] += 1

    def _done(self, how: str) -> None:
        self.tally["done"] += 1
        self.tally[f"done {how}"] += 1
        # What was done besides the consultation is paid on the way out; a few owe it.
        if self.rng.random() < 0.95:
            self._pay("cash" if self.rng.random() < 0.5 else "card")

    def _moved(self, row: Visit) -> None:
        self.visit = row

    def _fresh(self) -> None:
        self.visit.refresh_from_db()

    def _sit(self, station: str, rank: tuple[Any, ...]) -> Generator[Asked, datetime, datetime]:
        now = yield Seat(station, rank)
        self._sitting.append(station)
        return now

    def _stand(self, station: str) -> Generator[Asked, datetime, None]:
        if station in self._sitting:
            self._sitting.remove(station)
            yield Rise(station)
