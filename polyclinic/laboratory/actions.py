"""The write door of the laboratory: ordering tests, and what becomes of specimens. Results: `entering`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.laboratory import catalogue, prices
from polyclinic.laboratory.calculating import FORMULAS
from polyclinic.laboratory.catalogue import TESTS
from polyclinic.laboratory.models import LabNumber, LabOrder, OrderedTest, Specimen
from polyclinic.laboratory.states import (
    CANCELLED,
    DONE,
    EXPECTED,
    OPEN,
    ORDER,
    REJECTED,
    SETTLED,
    SPECIMEN,
    TEST,
    subject,
)
from polyclinic.laboratory.words import Pregnancy, Priority, Reject
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from polyclinic.visits.states import LAB_PENDING, visit_subject

MAX_NOTE = 300
# The laboratory's own hand for what follows from the last verified result, whoever verified it.
LABORATORY = SystemActor("laboratory")


@transactional
def order(
    *,
    actor: Actor,
    visit_id: UUID,
    codes: Collection[str],
    priority: str = Priority.ROUTINE,
    note: str = "",
    pregnancy: str = "",
    version: int | None = None,
) -> LabOrder:
    """Ask for tests and panels by their codes; the visit goes to `lab_pending`. What it waits for already is left out.

    `version` is the visit's. Raises NotFound, Forbidden, Invalid naming the field, Conflict (`already_ordered`),
    IllegalTransition or StaleEdit of the visit.
    """
    visit = Visit.objects.select_related("patient").filter(pk=visit_id).first()
    if visit is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "visit.view", visit_subject(visit))
    policy.require(actor, "lab.order", visit_subject(visit))
    wanted = _wanted(visit_id, codes)
    visits.lab_ordered(actor=actor, visit_id=visit_id, version=version)
    made = LabOrder(
        visit=visit,
        facility_id=visit.facility_id,
        patient_id=visit.patient_id,
        doctor_id=visit.main_doctor_id,
        ordered_by_id=actor.account_id if isinstance(actor, Person) else None,
        priority=_one_of(priority, Priority.values, "priority"),
        note=_text(note, MAX_NOTE, "note"),
        pregnancy=_one_of(pregnancy, Pregnancy.values, "pregnancy"),
    )
    ledger.create(ORDER, "order", made, actor=actor)
    for kind in dict.fromkeys(TESTS[code].kind for code in wanted):
        specimen = _expect(actor, made, kind)
        for code in wanted:
            if TESTS[code].kind == kind:
                row = OrderedTest(
                    order=made, facility_id=made.facility_id, patient_id=made.patient_id, specimen=specimen, test=code
                )
                ledger.create(TEST, "order", row, actor=actor)
                prices.charge(actor, made, row)
    return made


@transactional
def collect(*, actor: Actor, specimen_id: UUID, version: int | None = None) -> Specimen:
    """The specimen was taken from the patient. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    row = _specimen(actor, specimen_id)
    changes = {"collected_at": clock.now(), "collected_by": actor.label}
    ledger.apply(SPECIMEN, "collect", row, actor=actor, version=version, changes=changes)
    _move(actor, row, "collect")
    return row


@transactional
def receive(*, actor: Actor, specimen_id: UUID, version: int | None = None) -> Specimen:
    """The specimen is in the laboratory and fit to work with."""
    row = _specimen(actor, specimen_id)
    ledger.apply(SPECIMEN, "receive", row, actor=actor, version=version, changes={"received_at": clock.now()})
    _move(actor, row, "receive")
    return row


@transactional
def reject(*, actor: Actor, specimen_id: UUID, why: str, reason: str = "", version: int | None = None) -> Specimen:
    """The specimen cannot be used. A new one of its kind is asked for, for the tests that had no verified result.

    Returns the new one. Raises as `collect`, Invalid for `why`.
    """
    row = _specimen(actor, specimen_id)
    if why not in Reject.values:
        raise Invalid(_("Say why it cannot be used."), field="why", possible=list(Reject.values))
    said = _text(reason, 200, "reason")
    ledger.apply(SPECIMEN, "reject", row, actor=actor, version=version, changes={"why": why}, reason=said or why)
    _move(actor, row, "reject")
    again = [test for test in _tests(row) if test.state == REJECTED]
    if not again:
        return row
    fresh = _expect(actor, row.order, row.kind)
    for test in again:
        ledger.apply(TEST, "repeat", test, actor=actor, changes={"specimen_id": fresh.pk})
    return fresh


@transactional
def cancel(*, actor: Actor, test_id: UUID, reason: str, version: int | None = None) -> OrderedTest:
    """A test will not be made, with the reason. Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit."""
    row = find_test(actor, test_id)
    said = _text(reason, 200, "reason")
    if not said:
        raise Invalid(_("Say why."), code="required", field="reason")
    ledger.apply(TEST, "cancel", row, actor=actor, version=version, reason=said)
    prices.drop(actor, row, said)
    specimen = row.specimen
    if specimen.state == EXPECTED and all(test.state == CANCELLED for test in _tests(specimen)):
        ledger.apply(SPECIMEN, "cancel", specimen, actor=actor)
    settle(actor, row.order)
    return row


def settle(actor: Actor, made: LabOrder) -> None:
    """Finish an order whose tests are all settled, and then the visit's stay with the laboratory."""
    made.refresh_from_db()
    if made.state != OPEN or OrderedTest.objects.filter(order_id=made.pk).exclude(state__in=SETTLED).exists():
        return
    ledger.apply(ORDER, "finish", made, actor=actor)
    if LabOrder.objects.filter(visit_id=made.visit_id, state=OPEN).exists():
        return
    # A visit that the patient left, or that went on before a correction, stays where it is.
    visit = Visit.objects.select_for_update().get(pk=made.visit_id)
    if visit.state == LAB_PENDING:
        able = policy.allowed(actor, "visit.results", visit_subject(visit))
        visits.results_done(actor=actor if able else LABORATORY, visit_id=visit.pk)


def reopen(actor: Actor, made: LabOrder) -> None:
    """A result of a finished order is being corrected."""
    made.refresh_from_db()
    if made.state == DONE:
        ledger.apply(ORDER, "reopen", made, actor=actor)


def find_test(actor: Actor, test_id: UUID) -> OrderedTest:
    """The test, locked. Raises NotFound for one that is missing or not the actor's to see."""
    found = OrderedTest.objects.select_for_update().filter(pk=test_id).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "lab.view", subject(found))
    return found


def _specimen(actor: Actor, specimen_id: UUID) -> Specimen:
    found = Specimen.objects.select_for_update().filter(pk=specimen_id).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "lab.view", subject(found))
    return found


def _tests(specimen: Specimen) -> list[OrderedTest]:
    return list(OrderedTest.objects.filter(specimen_id=specimen.pk).order_by("pk"))


def _move(actor: Actor, specimen: Specimen, action: str) -> None:
    """Take along the specimen's tests; those that cannot (cancelled, verified by then) stay."""
    for test in _tests(specimen):
        if (test.state, action) in TEST.table:
            ledger.apply(TEST, action, test, actor=actor)


def _expect(actor: Actor, made: LabOrder, kind: str) -> Specimen:
    """A specimen to be taken, with the facility's next number."""
    lock_keys([f"lab-number:{made.facility_id}"])
    LabNumber.objects.get_or_create(pk=made.facility_id)
    LabNumber.objects.filter(pk=made.facility_id).update(last=F("last") + 1)
    number = LabNumber.objects.values_list("last", flat=True).get(pk=made.facility_id)
    row = Specimen(order=made, facility_id=made.facility_id, patient_id=made.patient_id, kind=kind, number=number)
    ledger.create(SPECIMEN, "expect", row, actor=actor)
    return row


def _wanted(visit_id: UUID, codes: Collection[str]) -> list[str]:
    """The tests that these codes stand for, without those the visit waits for already."""
    if not codes:
        raise Invalid(_("Choose at least one test."), code="required", field="codes")
    try:
        asked = catalogue.expand(list(codes))
    except KeyError as unknown:
        raise Invalid(_("There is no such test."), field="codes", unknown=str(unknown.args[0])) from None
    lock_keys([f"lab-order:{visit_id}"])
    awaited = set(
        OrderedTest.objects.filter(order__visit_id=visit_id).exclude(state__in=SETTLED).values_list("test", flat=True)
    )
    left = [code for code in asked if code not in awaited]
    if not left:
        raise Conflict(_("These tests are ordered already."), code="already_ordered", field="codes")
    return _with_parts(left, awaited)


def _with_parts(codes: Iterable[str], awaited: set[str]) -> list[str]:
    """A calculated test needs its parts in the same order: those that are missing are asked for too."""
    found = set(codes)
    for code in list(found):
        if code in FORMULAS:
            found |= set(FORMULAS[code].needs)
    return [code for code in TESTS if code in found]


def _one_of(text: str, possible: Collection[str], field: str) -> str:
    if text not in possible:
        raise Invalid(_("Choose one of the listed values."), field=field, possible=sorted(possible))
    return text


def _text(text: str, longest: int, field: str) -> str:
    text = text.strip()
    if len(text) > longest:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field=field, maxLength=longest)
    return text
