"""The laboratory's part of a patient's course: taking, refusing, measuring, verifying, calling and giving results."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any
from uuid import UUID

from polyclinic.core import clock
from polyclinic.demo import findings
from polyclinic.demo.case import Case
from polyclinic.demo.engine import Asked, Pause
from polyclinic.laboratory import actions, critical, entering
from polyclinic.laboratory.catalogue import TESTS
from polyclinic.laboratory.models import CriticalAlert, LabOrder, OrderedTest, Specimen


def collect(case: Case) -> None:
    """Take every specimen that is waited for."""
    for specimen in _specimens(case, "expected"):
        actions.collect(actor=case.cast.technician, specimen_id=specimen)


def give_up(case: Case) -> None:
    """The patient left before anything was taken: nothing is made of what was asked for."""
    waiting = OrderedTest.objects.filter(order__visit_id=case.visit.pk, state="ordered").order_by("pk")
    for test in list(waiting.values_list("pk", flat=True)):
        actions.cancel(actor=case.cast.technician, test_id=test, reason="The patient left")


def work(case: Case) -> Generator[Asked, datetime, None]:
    """From the tube on the bench to the verified result; a tube that is no good is asked for once more."""
    yield Pause(4)
    taken = _specimens(case, "collected")
    if case.fate.rejected and taken:
        actions.reject(actor=case.cast.technician, specimen_id=taken[0], why="haemolysed")
        case.tally["specimens rejected"] += 1
        yield Pause(8)
        collect(case)
        yield Pause(4)
    for specimen in _specimens(case, "collected"):
        actions.receive(actor=case.cast.technician, specimen_id=specimen)
    yield Pause(case.fate.times.bench)
    for order in list(LabOrder.objects.filter(visit_id=case.visit.pk, state="open").order_by("pk")):
        _enter(case, order)
    yield Pause(3)
    _verify(case)
    if CriticalAlert.objects.filter(ordered_test__order__visit_id=case.visit.pk, state="waiting").exists():
        case.tally["critical results"] += 1
        if not case.fate.unheard:
            yield Pause(2)
            _acknowledge(case)


def read(case: Case) -> None:
    """The doctor has seen the results and gives them to the patient."""
    verified = OrderedTest.objects.filter(order__visit_id=case.visit.pk, state="verified").order_by("pk")
    for test in list(verified.values_list("pk", flat=True)):
        entering.release(actor=case.post.person, test_id=test)
        case.tally["results released"] += 1


def _enter(case: Case, order: LabOrder) -> None:
    tests = list(order.tests.filter(state="received").order_by("pk").values_list("pk", "test"))
    codes = [code for _key, code in tests if not TESTS[code].calculated]
    striking = findings.first_critical(codes) if case.fate.critical else None
    days = (clock.now().date() - order.patient.born).days
    values: dict[UUID, str] = {
        key: findings.result(case.rng, code, order.patient.sex, max(days, 0), code == striking)
        for key, code in tests
        if not TESTS[code].calculated
    }
    if values:
        entering.enter(actor=case.cast.technician, order_id=order.pk, values=values)


def _verify(case: Case) -> None:
    """The technician verifies; what needs other eyes the head doctor does."""
    rows = OrderedTest.objects.filter(order__visit_id=case.visit.pk, state="resulted").order_by("pk")
    for key, second in list(rows.values_list("pk", "needs_second")):
        who: Any = case.cast.head if second else case.cast.technician
        entering.verify(actor=who, test_id=key)
        case.tally["results verified"] += 1


def _acknowledge(case: Case) -> None:
    rows = CriticalAlert.objects.filter(ordered_test__order__visit_id=case.visit.pk, state="waiting").order_by("pk")
    for alert in list(rows.values_list("pk", flat=True)):
        critical.acknowledge(actor=case.post.person, alert_id=alert, comment="Seen; the patient comes in now.")


def _specimens(case: Case, state: str) -> list[UUID]:
    rows = Specimen.objects.filter(order__visit_id=case.visit.pk, state=state).order_by("number")
    return list(rows.values_list("pk", flat=True))
