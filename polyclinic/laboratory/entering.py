"""Results: entering, verifying, releasing, correcting. Each entry is kept; a correction is the next number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.laboratory import critical, house_ranges, ranges, reports
from polyclinic.laboratory.actions import find_test, reopen, settle
from polyclinic.laboratory.calculating import FORMULAS, NotValid, Whom, calculate
from polyclinic.laboratory.catalogue import TESTS
from polyclinic.laboratory.flags import Flag, Value, delta, flag, read
from polyclinic.laboratory.models import LabOrder, OrderedTest, Result
from polyclinic.laboratory.reports import Report
from polyclinic.laboratory.states import RECEIVED, RELEASED, RESULTED, TEST, VERIFIED, subject
from polyclinic.people import joined

MAX_COMMENT = 300


@transactional
def enter(
    *,
    actor: Actor,
    order_id: UUID,
    values: Mapping[UUID, str],
    comments: Mapping[UUID, str] | None = None,
    versions: Mapping[UUID, int] | None = None,
) -> list[OrderedTest]:
    """Write results of tests of one order, by test id; then whatever can be calculated from them.

    All or nothing. Raises NotFound, Forbidden, IllegalTransition, StaleEdit, or Invalid naming `value-<test id>`.
    """
    made = _order(actor, order_id)
    policy.require(actor, "lab.work", subject(made))
    done = []
    for test_id, text in values.items():
        row = _test_of(made, actor, test_id)
        if TESTS[row.test].calculated:
            raise Invalid(_("This one is calculated."), field=f"value-{test_id}", code="calculated")
        value = read(TESTS[row.test], text, field=f"value-{test_id}")
        report = _judge(made, row, value, _comment((comments or {}).get(test_id, ""), test_id))
        _keep(actor, row, report, "enter", (versions or {}).get(test_id))
        done.append(row)
    _calculate(actor, made)
    return done


@transactional
def verify(*, actor: Actor, test_id: UUID, version: int | None = None) -> OrderedTest:
    """The result is right: those who treat see it now. A critical one is told to a named person at once.

    Raises NotFound, Forbidden, IllegalTransition, StaleEdit, Conflict (`second_person`).
    """
    row = find_test(actor, test_id)
    ledger.apply(TEST, "verify", row, actor=actor, version=version, changes={"verified_number": row.number})
    result = Result.objects.get(ordered_test_id=row.pk, number=row.number)
    Result.objects.filter(pk=result.pk).update(verified_at=clock.now(), verified_by=actor.label)
    report = reports.open_(result.report)
    if report is not None and report.critical:
        critical.raise_(actor, row, result)
    settle(actor, row.order)
    return row


@transactional
def release(*, actor: Actor, test_id: UUID, version: int | None = None) -> OrderedTest:
    """Let the patient see the verified result. Raises as `verify`; Forbidden (`clinician_releases`)."""
    row = find_test(actor, test_id)
    ledger.apply(TEST, "release", row, actor=actor, version=version, changes={"released_number": row.number})
    Result.objects.filter(ordered_test_id=row.pk, number=row.number).update(released_at=clock.now())
    return row


@transactional
def amend(
    *, actor: Actor, test_id: UUID, value: str, reason: str, comment: str = "", version: int | None = None
) -> OrderedTest:
    """Correct a verified result. The old one is kept and shown until the new one is verified (and released) again.

    A corrected result is always verified by a second person. Raises as `enter`; Invalid without a reason.
    """
    row = find_test(actor, test_id)
    said = reason.strip()[:200]
    if not said:
        raise Invalid(_("Say why it is corrected."), code="required", field="reason")
    if TESTS[row.test].calculated:
        raise Invalid(_("This one is calculated. Correct what it is made from."), field="value", code="calculated")
    report = _judge(row.order, row, read(TESTS[row.test], value), _comment(comment, test_id))
    reopen(actor, row.order)
    critical.withdraw(actor, row)
    _keep(actor, row, report, "amend", version, reason=said, second=True)
    _calculate(actor, row.order, reason=said)
    return row


def _keep(
    actor: Actor,
    row: OrderedTest,
    report: Report,
    action: str,
    version: int | None = None,
    *,
    reason: str = "",
    second: bool = False,
) -> None:
    """Write the next result of a test and take the test its step."""
    test = TESTS[row.test]
    number = row.number + 1
    changes = {
        "number": number,
        "entered_by_id": actor.account_id if isinstance(actor, Person) else None,
        "needs_second": second or test.second or report.critical or report.delta,
    }
    ledger.apply(TEST, action, row, actor=actor, version=version, changes=changes, reason=reason)
    Result.objects.create(
        ordered_test=row, patient_id=row.patient_id, number=number, report=reports.write(report),
        entered_at=clock.now(), entered_by=actor.label,
    )  # fmt: skip


def _judge(made: LabOrder, row: OrderedTest, value: Value, comment: str = "") -> Report:
    """The report of a value: its range for this person, its flag, and whether it jumps from the last one."""
    test, taken = TESTS[row.test], _taken(row)
    within = house_ranges.find(
        row.facility_id, row.test, sex=made.patient.sex, age_days=max(0, (taken.date() - made.patient.born).days),
        pregnancy=made.pregnancy,
    )  # fmt: skip
    found = flag(test, value, within.low if within else None, within.high if within else None)
    before, jumps = _last(row, taken), False
    if before is not None:
        jumps = delta(test, value, before[0].read(), (taken - before[1]).total_seconds() / 86_400)
    return reports.made(
        test, value, found, within, comment=comment, delta=jumps, before=before[0].value if before else ""
    )


def _taken(row: OrderedTest) -> datetime:
    return row.specimen.collected_at or row.order.ordered_at


def _last(row: OrderedTest, taken: datetime) -> tuple[Report, datetime] | None:
    """The patient's last verified result of this test at this facility, and when its specimen was taken."""
    found = (
        OrderedTest.objects.filter(
            patient_id__in=joined.same(row.patient_id), facility_id=row.facility_id, test=row.test,
            verified_number__isnull=False, specimen__collected_at__lte=taken,
        )
        .exclude(pk=row.pk)
        .select_related("specimen")
        .order_by("-specimen__collected_at")
        .first()
    )  # fmt: skip
    if found is None or found.specimen.collected_at is None:
        return None
    result = Result.objects.get(ordered_test_id=found.pk, number=found.verified_number or 0)
    report = reports.open_(result.report)
    return None if report is None else (report, found.specimen.collected_at)


def _calculate(actor: Actor, made: LabOrder, reason: str = "") -> None:
    """Work out the order's calculated tests whose parts are all there, and again when a part has changed."""
    rows = {row.test: row for row in OrderedTest.objects.filter(order_id=made.pk).select_related("specimen", "order")}
    known = _numbers(list(rows.values()))
    for code, formula in FORMULAS.items():
        row = rows.get(code)
        if row is None or not set(formula.needs) <= set(known):
            continue
        report = _worked_out(made, row, code, known)
        if row.state in (RECEIVED, RESULTED):
            _keep(actor, row, report, "enter") if _differs(row, report) else None
        elif row.state in (VERIFIED, RELEASED) and _differs(row, report):
            critical.withdraw(actor, row)
            _keep(actor, row, report, "amend", reason=reason or "recalculated", second=True)


def _worked_out(made: LabOrder, row: OrderedTest, code: str, known: Mapping[str, Decimal]) -> Report:
    test, formula = TESTS[code], FORMULAS[code]
    born, day = made.patient.born, _taken(row).date()
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    whom = Whom(made.patient.sex, age, made.pregnancy in ranges.PREGNANCY[1:])
    try:
        value = Value(calculate(code, known, whom, test.decimals))
    except NotValid as refusal:
        return Report(value="", unit=test.unit, flag=Flag.NONE.value, source=formula.source,
                      why_none=str(refusal.sentence))  # fmt: skip
    return _judge(made, row, value)


def _differs(row: OrderedTest, report: Report) -> bool:
    result = Result.objects.filter(ordered_test_id=row.pk, number=row.number).first()
    present = reports.open_(result.report) if result is not None else None
    return present is None or present.value != report.value


def _numbers(rows: list[OrderedTest]) -> dict[str, Decimal]:
    """The exact numbers of an order's tests; "<0.1" is no number to calculate with."""
    found = {}
    for row in rows:
        if TESTS[row.test].calculated or row.state not in (RESULTED, VERIFIED, RELEASED):
            continue
        result = Result.objects.get(ordered_test_id=row.pk, number=row.number)
        report = reports.open_(result.report)
        value = report.read() if report is not None else Value()
        if value.number is not None and not value.beyond:
            found[row.test] = value.number
    return found


def _order(actor: Actor, order_id: UUID) -> LabOrder:
    found = LabOrder.objects.select_related("patient").filter(pk=order_id).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "lab.view", subject(found))
    return found


def _test_of(made: LabOrder, actor: Actor, test_id: UUID) -> OrderedTest:
    row = find_test(actor, test_id)
    if row.order_id != made.pk:
        raise NotFound(field=f"value-{test_id}")
    return row


def _comment(text: str, test_id: UUID) -> str:
    text = text.strip()
    if len(text) > MAX_COMMENT:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field=f"comment-{test_id}",
            maxLength=MAX_COMMENT,
        )  # fmt: skip
    return text
