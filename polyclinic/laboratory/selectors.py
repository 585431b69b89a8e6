"""What the laboratory lets people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.laboratory import reports
from polyclinic.laboratory.catalogue import KINDS, TESTS
from polyclinic.laboratory.models import AlertCall, CriticalAlert, LabOrder, OrderedTest, Result, Specimen
from polyclinic.laboratory.reports import Report, test_of
from polyclinic.laboratory.rows import AlertRow, Entry, LineRow, OrderRow, SpecimenRow, TestRow
from polyclinic.laboratory.states import COLLECTED, ORDERED, RECEIVED, RESULTED, VERIFIED, WAITING, subject
from polyclinic.people import joined
from polyclinic.people.models import Account
from polyclinic.scheduling.sight import visible

MAX_LINES: Final = 300
# What waits at each step of the bench, by the state of its tests.
STAGES: Final[dict[str, tuple[str, ...]]] = {
    "collect": (ORDERED,),
    "receive": (COLLECTED,),
    "enter": (RECEIVED,),
    "verify": (RESULTED,),
    "release": (VERIFIED,),
}
_PLACES: Final = {code: place for place, code in enumerate(TESTS)}
_waiting = CompiledQuery(
    lambda account: AlertCall.objects.filter(account_id=account, alert__state=WAITING).values_list("alert_id"),
    new_id(),
)
_URGENCY: Final = {"stat": 0, "urgent": 1, "routine": 2}


def order(viewer: Viewer, order_id: UUID) -> OrderRow:
    """One order with all of its results, for those who treat and for the laboratory. Raises NotFound."""
    row = _orders().filter(pk=order_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "lab.view", subject(row))
    reads.opened(viewer, "lab_order", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _order(row, unverified=_works(viewer, row.facility_id))


def orders_of_visit(viewer: Viewer, visit_id: UUID) -> list[OrderRow]:
    """A visit's orders, newest first. Raises NotFound when there are none that the viewer may see."""
    rows = list(_orders().filter(visible(viewer, "lab.view"), visit_id=visit_id).order_by("-ordered_at"))
    if not rows:
        raise NotFound()
    reads.listed(viewer, "lab_order", visit_id, ((row.patient_id, row.facility_id) for row in rows))
    return [_order(row, unverified=_works(viewer, row.facility_id)) for row in rows]


def orders(viewer: Viewer, *, patient_id: UUID | None = None, facility_id: UUID | None = None) -> list[OrderRow]:
    """The hundred newest orders that the viewer may see."""
    query = _orders().filter(visible(viewer, "lab.view"))
    if patient_id is not None:
        query = query.filter(patient_id__in=joined.same(patient_id))
    if facility_id is not None:
        query = query.filter(facility_id=facility_id)
    rows = list(query.order_by("-ordered_at")[:100])
    reads.listed(viewer, "lab_order", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return [_order(row, unverified=_works(viewer, row.facility_id)) for row in rows]


def worklist(viewer: Viewer, stage: str) -> list[LineRow]:
    """Orders with tests waiting at a step of the bench, the most urgent and then the oldest first.

    Raises Invalid for an unknown step. What does not stand at the viewer's own facilities is not in it.
    """
    if stage not in STAGES:
        raise Invalid(field="stage", possible=list(STAGES))
    right = "lab.collect" if stage == "collect" else "lab.work"
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    places = policy.places(viewer, right)
    tests = OrderedTest.objects.filter(facility_id__in=places, state__in=STAGES[stage])
    found = _orders().filter(pk__in=tests.values("order_id")).order_by("ordered_at")[:MAX_LINES]
    lines = [_line(row) for row in found]
    reads.listed(viewer, "lab_order", None, ((line.patient_id, line.facility_id) for line in lines))
    return sorted(lines, key=lambda line: (_URGENCY[line.priority], line.ordered_at))


def stage_counts(viewer: Viewer) -> dict[str, int]:
    """How many orders wait at each step of the bench. No names, so no entry in the audit."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    found = {}
    for stage, states in STAGES.items():
        places = policy.places(viewer, "lab.collect" if stage == "collect" else "lab.work")
        rows = OrderedTest.objects.filter(facility_id__in=places, state__in=states)
        found[stage] = rows.values("order_id").distinct().count()
    return found


def by_barcode(viewer: Viewer, barcode: str) -> UUID:
    """The order a label belongs to, at one of the viewer's facilities. Raises NotFound."""
    text = barcode.strip().upper()
    number = int(text[1:]) if text[:1] == "L" and text[1:].isdecimal() and len(text) == 9 and text.isascii() else 0
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    places = policy.places(viewer, "lab.collect")
    found = Specimen.objects.filter(facility_id__in=places, number=number).values_list("order_id", flat=True).first()
    if found is None:
        raise NotFound(field="barcode")
    return found


def released(viewer: Viewer, patient_id: UUID) -> list[OrderRow]:
    """A patient's orders that have released results, with these alone, newest first: the patient's own view."""
    policy.require_sight(viewer, "lab.released", Subject(patient_id=patient_id))
    given = OrderedTest.objects.filter(patient_id__in=joined.same(patient_id), released_number__isnull=False)
    rows = list(_orders().filter(pk__in=given.values("order_id")).order_by("-ordered_at")[:100])
    reads.listed(viewer, "lab_result", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return [_order(row, unverified=False, patient=True) for row in rows]


def copied(viewer: Viewer, patient_id: UUID) -> list[OrderRow]:
    """All of a patient's orders with every test, for the copy they have asked for; results as far as released.

    What is not released yet is named as asked for: its result somebody explains first. Raises NotFound.
    """
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    rows = list(_orders().filter(patient_id__in=joined.same(patient_id)).order_by("-ordered_at"))
    reads.listed(viewer, "lab_result", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return [_order(row, unverified=False, patient=True, every=True) for row in rows]


def released_order(viewer: Viewer, order_id: UUID) -> OrderRow:
    """One order as its patient sees it. Raises NotFound, also while nothing of it is released."""
    row = _orders().filter(pk=order_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "lab.released", subject(row))
    found = _order(row, unverified=False, patient=True)
    if not found.tests:
        raise NotFound()
    reads.opened(viewer, "lab_order", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return found


def alerts(viewer: Viewer) -> list[AlertRow]:
    """Critical results that wait, and the fifty last that do not any more, as far as the viewer may see them."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    seen = _alerts().filter(visible(viewer, "lab.view"))
    rows = [*seen.filter(state=WAITING).order_by("raised_at"), *seen.exclude(state=WAITING).order_by("-raised_at")[:50]]
    reads.listed(viewer, "critical_alert", None, ((row.patient_id, row.facility_id) for row in rows))
    return [_alert(viewer, row) for row in rows]


def alert(viewer: Viewer, alert_id: UUID) -> AlertRow:
    """One critical result and its ladder. Raises NotFound."""
    row = _alerts().filter(pk=alert_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "lab.view", subject(row))
    reads.opened(viewer, "critical_alert", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _alert(viewer, row)


def waiting_for(viewer: Viewer) -> int:
    """How many critical results this person was called for that still wait. One keyed read: boards ask."""
    if not isinstance(viewer, Person):
        return 0
    return len(_waiting.rows(viewer.account_id))


def _works(viewer: Viewer, facility_id: UUID) -> bool:
    """The laboratory sees what is not verified yet; those who treat wait for it."""
    return policy.allowed(viewer, "lab.verify", Subject(facility_id=facility_id))


def _orders() -> Any:  # noqa: ANN401 - a queryset
    return LabOrder.objects.select_related("patient", "facility", "visit", "doctor", "ordered_by").prefetch_related(
        "specimens", "tests", "tests__results"
    )


def _alerts() -> Any:  # noqa: ANN401 - a queryset
    return CriticalAlert.objects.select_related(
        "patient", "facility", "ordered_test__order__visit", "result", "closed_by"
    ).prefetch_related("calls__account")


def _order(row: LabOrder, *, unverified: bool, patient: bool = False, every: bool = False) -> OrderRow:
    """`patient`: as its patient sees it; `every`: with the tests that are not released, without their results."""
    tests = sorted(row.tests.all(), key=lambda test: _place(test.test))
    names = _names(one for test in tests for one in test.results.all())
    shown = [
        _test(test, unverified, patient, names)
        for test in tests
        if not patient or every or test.released_number is not None
    ]
    return OrderRow(
        id=row.pk, visit_id=row.visit_id, token=row.visit.token, facility_id=row.facility_id,
        facility_name=row.facility.name, time_zone=row.facility.time_zone, patient_id=row.patient_id,
        patient_name=str(row.patient), mrn=row.patient.mrn, born=row.patient.born, sex=row.patient.get_sex_display(),
        doctor_id=row.doctor_id, doctor_name=str(row.doctor) if row.doctor else "",
        ordered_by=row.ordered_by.name if row.ordered_by else "", priority=row.priority,
        note="" if patient else row.note, pregnancy="" if patient else row.pregnancy, state=row.state,
        version=row.version, ordered_at=row.ordered_at,
        specimens=() if patient else tuple(_specimen(one, tests) for one in _in_order(row.specimens.all())),
        tests=tuple(shown),
    )  # fmt: skip


def _place(code: str) -> int:
    return _PLACES.get(code, len(_PLACES))


def _in_order(specimens: Iterable[Specimen]) -> list[Specimen]:
    return sorted(specimens, key=lambda one: one.number)


def _specimen(row: Specimen, tests: Iterable[OrderedTest]) -> SpecimenRow:
    names = tuple(str(test_of(test.test).name) for test in tests if test.specimen_id == row.pk)
    return SpecimenRow(
        id=row.pk, barcode=row.barcode, kind=row.kind, kind_name=str(KINDS.get(row.kind, row.kind)), state=row.state,
        version=row.version, why=row.why, collected_at=row.collected_at, received_at=row.received_at, tests=names,
    )  # fmt: skip


def _test(row: OrderedTest, unverified: bool, patient: bool, names: dict[str, str]) -> TestRow:
    test = test_of(row.test)
    last = row.number if unverified else (row.released_number if patient else row.verified_number) or 0
    found = sorted((one for one in row.results.all() if one.number <= last), key=lambda one: -one.number)
    if not unverified:
        # What was entered and corrected before anybody verified it is the laboratory's own affair.
        found = [one for one in found if (one.released_at if patient else one.verified_at)]
    entries = tuple(entry for one in found if (entry := _entry(one, names)) is not None)
    return TestRow(
        id=row.pk, test=row.test, name=str(test.name), loinc=test.loinc, state=row.state, version=row.version,
        specimen_id=row.specimen_id, number=row.number, needs_second=row.needs_second, calculated=test.calculated,
        sensitive=test.sensitive, unit=test.unit,
        decimals=test.decimals, answers=test.answers, entries=entries,
    )  # fmt: skip


def _entry(row: Result, names: dict[str, str]) -> Entry | None:
    report = reports.open_(row.report)
    if report is None:
        return None
    return Entry(
        row.number, report, row.entered_at, names.get(row.entered_by, ""), row.verified_at,
        names.get(row.verified_by, ""), row.released_at,
    )  # fmt: skip


def _names(results: Iterable[Result]) -> dict[str, str]:
    """Who entered and verified, by the labels that results keep."""
    labels = {label for one in results for label in (one.entered_by, one.verified_by) if label.startswith("account:")}
    rows = Account.objects.filter(pk__in=[label.removeprefix("account:") for label in labels])
    return {f"account:{pk}": name for pk, name in rows.values_list("pk", "name")}


def _line(row: LabOrder) -> LineRow:
    tests = sorted(row.tests.all(), key=lambda test: _place(test.test))
    return LineRow(
        id=row.pk, token=row.visit.token, patient_id=row.patient_id, patient_name=str(row.patient),
        mrn=row.patient.mrn, born=row.patient.born, priority=row.priority, ordered_at=row.ordered_at,
        time_zone=row.facility.time_zone, facility_id=row.facility_id,
        stages=dict(Counter(test.state for test in tests)),
        kinds=tuple(dict.fromkeys(str(KINDS.get(one.kind, one.kind)) for one in _in_order(row.specimens.all()))),
        names=tuple(str(test_of(test.test).name) for test in tests),
    )  # fmt: skip


def _alert(viewer: Viewer, row: CriticalAlert) -> AlertRow:
    calls = sorted(row.calls.all(), key=lambda call: (call.level, call.pk))
    report: Report | None = reports.open_(row.result.report)
    account = viewer.account_id if isinstance(viewer, Person) else None
    return AlertRow(
        id=row.pk, order_id=row.ordered_test.order_id, facility_id=row.facility_id,
        time_zone=row.facility.time_zone, patient_id=row.patient_id, patient_name=str(row.patient),
        mrn=row.patient.mrn, born=row.patient.born, token=row.ordered_test.order.visit.token,
        test=row.ordered_test.test, name=str(test_of(row.ordered_test.test).name), report=report, state=row.state,
        version=row.version, level=row.level, raised_at=row.raised_at, next_at=row.next_at,
        called=tuple(call.account.name for call in calls), mine=any(call.account_id == account for call in calls),
        closed_at=row.closed_at, closed_by=row.closed_by.name if row.closed_by else "", comment=row.comment,
    )  # fmt: skip


def order_of_test(viewer: Viewer, test_id: UUID) -> UUID:
    """The order a test belongs to. Raises NotFound."""
    row = OrderedTest.objects.select_related("order").filter(pk=test_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "lab.view", subject(row))
    return row.order_id


def order_of_specimen(viewer: Viewer, specimen_id: UUID) -> UUID:
    """The order a specimen belongs to. Raises NotFound."""
    row = Specimen.objects.select_related("order").filter(pk=specimen_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "lab.view", subject(row))
    return row.order_id
