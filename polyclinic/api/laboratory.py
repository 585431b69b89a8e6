"""The laboratory over REST: catalogue, orders, specimens, results, and critical calls."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.laboratory import actions, catalogue, critical, entering, selectors
from polyclinic.laboratory.rows import AlertRow, OrderRow
from polyclinic.web.access import declare

router = Router(tags=["Laboratory"])


class CatalogueRow(msgspec.Struct, frozen=True, rename="camel"):
    """One test of the catalogue. `answers` are what a test without a number can say."""

    code: str
    loinc: str
    name: str
    unit: str
    specimen: str
    decimals: int
    answers: tuple[str, ...]
    calculated: bool


_ORDER = {200: described(OrderRow), **PROBLEMS}


class OrderWish(Body):
    """Tests and panels to be asked for, by their codes."""

    codes: Annotated[list[Annotated[Text, Field(max_length=12)]], Field(min_length=1, max_length=200)]
    priority: Literal["routine", "urgent", "stat"] = "routine"
    pregnancy: Literal["", "no", "first", "second", "third"] = ""
    note: Annotated[Text, Field(max_length=300)] = ""
    version: Version | None = None


class Entered(Body):
    """One result: a number as text ("4.2", "<0.1"), or one of the test's answers."""

    test_id: UUID
    value: Annotated[Text, Field(max_length=40)]
    comment: Annotated[Text, Field(max_length=300)] = ""
    version: Version | None = None


class Results(Body):
    """Results of one order, written together or not at all."""

    results: Annotated[list[Entered], Field(min_length=1, max_length=200)]


class Step(Body):
    """A step, of the version last seen."""

    version: Version | None = None


class Rejection(Step):
    """Why a specimen cannot be used."""

    why: Annotated[Text, Field(max_length=12)]
    reason: Annotated[Text, Field(max_length=200)] = ""


class Correction(Step):
    """A corrected result, and why."""

    value: Annotated[Text, Field(max_length=40)]
    reason: Annotated[Text, Field(max_length=200)]
    comment: Annotated[Text, Field(max_length=300)] = ""


class Cancelling(Step):
    """Why a test will not be made."""

    reason: Annotated[Text, Field(max_length=200)]


class Seen(Step):
    """What is done about a critical result."""

    comment: Annotated[Text, Field(max_length=300)]


@router.get("/lab/tests", response={200: list_of(CatalogueRow), **PROBLEMS}, summary="The catalogue")
@declare("lab.view")
def list_tests(request: HttpRequest, page: PageNumber = 1, limit: Limit = 100) -> HttpResponse:
    """Every test that can be asked for."""
    rows = [
        CatalogueRow(
            test.code, test.loinc, str(test.name), test.unit, test.kind, test.decimals, test.answers, test.calculated
        )
        for test in catalogue.TESTS.values()
    ]
    return answers.cut(request, rows, page, limit, None)


@router.get("/lab/orders", response={200: list_of(OrderRow), **PROBLEMS}, summary="List orders")
@declare("lab.view")
def list_orders(
    request: HttpRequest,
    patientId: UUID | None = None,
    hospitalId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """The hundred newest orders that the caller may see."""
    rows = selectors.orders(answers.viewer_of(request), patient_id=patientId, facility_id=hospitalId)
    return answers.cut(request, rows, page, limit, fields)


@router.get("/lab/orders/{labOrderId}", response=_ORDER, summary="Read an order")
@declare("lab.view")
def read_order(request: HttpRequest, labOrderId: str) -> HttpResponse:
    """One order with its specimens and results. What is not verified yet only the laboratory sees."""
    return _order(request, answers.key(labOrderId))


@router.post("/visits/{visitId}/lab-orders", response={201: described(OrderRow), **PROBLEMS}, summary="Order tests")
@declare("lab.order")
def order_tests(request: HttpRequest, visitId: str, body: OrderWish) -> HttpResponse:
    """Ask for tests and panels in a visit; it goes to `lab_pending`."""
    person, visit = answers.person_of(request), answers.key(visitId)

    def effect() -> tuple[int, object]:
        made = actions.order(
            actor=person, visit_id=visit, codes=body.codes, priority=body.priority, note=body.note,
            pregnancy=body.pregnancy, version=body.version,
        )  # fmt: skip
        return 201, selectors.order(person, made.pk)

    return answers.once(request, effect, kind="lab_order")


@router.put("/lab/orders/{labOrderId}/results", response=_ORDER, summary="Enter results")
@declare("lab.work")
def enter_results(request: HttpRequest, labOrderId: str, body: Results) -> HttpResponse:
    """Write results of an order, all or none. A refusal names its field as `value-<test id>`."""
    rows = {row.test_id: row for row in body.results}
    entering.enter(
        actor=answers.person_of(request), order_id=answers.key(labOrderId),
        values={key: row.value for key, row in rows.items()},
        comments={key: row.comment for key, row in rows.items()},
        versions={key: row.version for key, row in rows.items() if row.version is not None},
    )  # fmt: skip
    return _order(request, answers.key(labOrderId))


@router.post("/lab/specimens/{specimenId}/collect", response=_ORDER, summary="Collect a specimen")
@declare("lab.collect")
def collect(request: HttpRequest, specimenId: str, body: Step) -> HttpResponse:
    """The specimen was taken from the patient."""
    row = actions.collect(
        actor=answers.person_of(request), specimen_id=answers.key(specimenId), version=_version(request, body)
    )
    return _order(request, row.order_id)


@router.post("/lab/specimens/{specimenId}/receive", response=_ORDER, summary="Receive a specimen")
@declare("lab.work")
def receive(request: HttpRequest, specimenId: str, body: Step) -> HttpResponse:
    """The specimen is in the laboratory."""
    row = actions.receive(
        actor=answers.person_of(request), specimen_id=answers.key(specimenId), version=_version(request, body)
    )
    return _order(request, row.order_id)


@router.post("/lab/specimens/{specimenId}/reject", response=_ORDER, summary="Reject a specimen")
@declare("lab.work")
def reject(request: HttpRequest, specimenId: str, body: Rejection) -> HttpResponse:
    """The specimen cannot be used; a new one is asked for."""
    row = actions.reject(
        actor=answers.person_of(request), specimen_id=answers.key(specimenId), why=body.why, reason=body.reason,
        version=_version(request, body),
    )  # fmt: skip
    return _order(request, row.order_id)


@router.post("/lab/results/{labTestId}/verify", response=_ORDER, summary="Verify a result")
@declare("lab.verify")
def verify(request: HttpRequest, labTestId: str, body: Step) -> HttpResponse:
    """The result is right. 409 `second_person` when the caller entered it and another must verify."""
    row = entering.verify(
        actor=answers.person_of(request), test_id=answers.key(labTestId), version=_version(request, body)
    )
    return _order(request, row.order_id)


@router.post("/lab/results/{labTestId}/release", response=_ORDER, summary="Release a result")
@declare("lab.release")
def release(request: HttpRequest, labTestId: str, body: Step) -> HttpResponse:
    """Let the patient see a verified result."""
    row = entering.release(
        actor=answers.person_of(request), test_id=answers.key(labTestId), version=_version(request, body)
    )
    return _order(request, row.order_id)


@router.post("/lab/results/{labTestId}/amend", response=_ORDER, summary="Correct a result")
@declare("lab.amend")
def amend(request: HttpRequest, labTestId: str, body: Correction) -> HttpResponse:
    """Correct a verified result; the old one is kept."""
    row = entering.amend(
        actor=answers.person_of(request), test_id=answers.key(labTestId), value=body.value, reason=body.reason,
        comment=body.comment, version=_version(request, body),
    )  # fmt: skip
    return _order(request, row.order_id)


@router.post("/lab/results/{labTestId}/cancel", response=_ORDER, summary="Cancel a test")
@declare("lab.cancel")
def cancel(request: HttpRequest, labTestId: str, body: Cancelling) -> HttpResponse:
    """The test will not be made."""
    row = actions.cancel(
        actor=answers.person_of(request), test_id=answers.key(labTestId), reason=body.reason,
        version=_version(request, body),
    )  # fmt: skip
    return _order(request, row.order_id)


@router.get("/lab/critical", response={200: list_of(AlertRow), **PROBLEMS}, summary="Critical results")
@declare("lab.view")
def list_critical(request: HttpRequest, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Critical results that wait, then the last that do not any more."""
    return answers.cut(request, selectors.alerts(answers.viewer_of(request)), page, limit, None)


@router.post(
    "/lab/critical/{alertId}/acknowledge", response={200: described(AlertRow), **PROBLEMS}, summary="Acknowledge"
)
@declare("lab.acknowledge")
def acknowledge(request: HttpRequest, alertId: str, body: Seen) -> HttpResponse:
    """Say what one does about a critical result; nobody else is called then."""
    person = answers.person_of(request)
    row = critical.acknowledge(
        actor=person, alert_id=answers.key(alertId), comment=body.comment, version=_version(request, body)
    )
    return answers.one(request, selectors.alert(person, row.pk))


@router.get("/patients/{patientId}/results", response={200: list_of(OrderRow), **PROBLEMS}, summary="Own results")
@declare("lab.released")
def released(request: HttpRequest, patientId: str, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """What the laboratory has released to a patient: for the patient and whoever acts for them."""
    rows = selectors.released(answers.viewer_of(request), answers.key(patientId))
    return answers.cut(request, rows, page, limit, None)


def _order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The order as it is now. No ETag: its version does not move with its results."""
    return answers.reply(selectors.order(answers.viewer_of(request), order_id))


def _version(request: HttpRequest, body: Step) -> int | None:
    return answers.expected_version(request, body.version)
