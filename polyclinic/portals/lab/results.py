"""Results: entering those of an order together; verifying, releasing, correcting, cancelling one or all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Invalid, Problem
from polyclinic.laboratory import actions, entering, selectors
from polyclinic.laboratory.catalogue import ANSWERS
from polyclinic.laboratory.rows import OrderRow, TestRow
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key, nav, show_order
from polyclinic.web.access import declare


@declare("lab.work")
@require_POST
def enter(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """Write what was typed; boxes that are empty or say what is there already are left alone."""
    row = selectors.order(person_of(request), key(lab_order_id))
    try:
        values, comments, versions = _typed(request, row)
        if not values:
            raise Invalid(_("Write at least one result."), code="required")
        entering.enter(actor=person_of(request), order_id=row.id, values=values, comments=comments, versions=versions)
    except Problem as problem:
        return show_order(request, row, errors_of(problem), problem.status)
    done(request, _("Entered. Now to be verified."))
    return see(f"/lab/orders/{row.id}")


def _typed(request: HttpRequest, row: OrderRow) -> tuple[dict[UUID, str], dict[UUID, str], dict[UUID, int]]:
    values, comments, versions = {}, {}, {}
    for test in row.tests:
        value = request.POST.get(f"value-{test.id}", "").strip()[:40]
        comment = request.POST.get(f"comment-{test.id}", "").strip()[:400]
        present = test.now.report if test.now and test.state == "resulted" else None
        if comment and not value and not present:
            raise Invalid(_("Write the result that this comment is about."), code="required", field=f"value-{test.id}")
        if not value or (present and (present.value, present.comment) == (value, comment)):
            continue
        values[test.id], comments[test.id] = value, comment
        version = request.POST.get(f"version-{test.id}", "")
        if version.isdecimal() and len(version) < 9:
            versions[test.id] = int(version)
    return values, comments, versions


@declare("lab.verify")
@require_POST
def verify_all(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """Verify every entered result of an order that this person may verify."""
    return _all(request, lab_order_id, "resulted", entering.verify, _("Verified."))


@declare("lab.release")
@require_POST
def release_all(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """Release every verified result of an order that this person may release."""
    return _all(request, lab_order_id, "verified", entering.release, _("Released. The patient sees them now."))


def _all(
    request: HttpRequest,
    lab_order_id: str,
    state: str,
    act: Callable[..., Any],
    said: Any,  # noqa: ANN401
) -> HttpResponse:
    row = selectors.order(person_of(request), key(lab_order_id))
    refusals: dict[str, Problem] = {}
    taken = 0
    for test in row.tests:
        if test.state != state:
            continue
        try:
            # The version that the page showed: a result that was changed since is not verified unseen.
            version = request.POST.get(f"version-{test.id}", "")
            act(
                actor=person_of(request), test_id=test.id,
                version=int(version) if version.isdecimal() and len(version) < 9 else None,
            )  # fmt: skip
            taken += 1
        except Problem as problem:
            refusals[problem.code] = problem
    if taken:
        done(request, said)
    for refusal in refusals.values():
        tell(request, refusal)
    return see(f"/lab/orders/{row.id}")


@declare("lab.verify")
@require_POST
def verify(request: HttpRequest, lab_test_id: str) -> HttpResponse:
    return _step(request, lab_test_id, entering.verify, _("Verified."))


@declare("lab.release")
@require_POST
def release(request: HttpRequest, lab_test_id: str) -> HttpResponse:
    return _step(request, lab_test_id, entering.release, _("Released. The patient sees it now."))


def _step(request: HttpRequest, lab_test_id: str, act: Callable[..., Any], said: Any) -> HttpResponse:  # noqa: ANN401
    order_id = selectors.order_of_test(person_of(request), key(lab_test_id))
    try:
        act(actor=person_of(request), test_id=key(lab_test_id), version=version_of(request))
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, said)
    return see(f"/lab/orders/{order_id}")


@declare("lab.amend")
@require_http_methods(["GET", "POST"])
def amend(request: HttpRequest, lab_test_id: str) -> HttpResponse:
    """Correct a verified result, with the reason; the old one is kept."""
    row, test = _one(request, lab_test_id)
    if request.method == "GET":
        return _amend(request, row, test)
    try:
        entering.amend(
            actor=person_of(request), test_id=test.id, value=request.POST.get("value", "")[:40],
            reason=request.POST.get("reason", ""), comment=request.POST.get("comment", "")[:400],
            version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        return _amend(request, row, test, problem)
    done(request, _("Corrected. Somebody else verifies it now."))
    return see(f"/lab/orders/{row.id}")


def _amend(request: HttpRequest, row: OrderRow, test: TestRow, refused: Problem | None = None) -> HttpResponse:
    return show(
        request, "lab/amend.html", refused.status if refused else 200, row=row, test=test, given=request.POST,
        errors=errors_of(refused) if refused else {}, answers=ANSWERS, nav=nav(request, "worklist"),
    )  # fmt: skip


@declare("lab.cancel")
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, lab_test_id: str) -> HttpResponse:
    """A test that will not be made, with the reason."""
    row, test = _one(request, lab_test_id)
    refused: Problem | None = None
    if request.method == "POST":
        try:
            actions.cancel(
                actor=person_of(request), test_id=test.id, reason=request.POST.get("reason", "")[:300],
                version=version_of(request),
            )  # fmt: skip
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Cancelled."))
            return see(f"/lab/orders/{row.id}")
    return show(
        request, "lab/cancel.html", refused.status if refused else 200, row=row, test=test, given=request.POST,
        errors=errors_of(refused) if refused else {}, nav=nav(request, "worklist"),
    )  # fmt: skip


def _one(request: HttpRequest, lab_test_id: str) -> tuple[OrderRow, TestRow]:
    row = selectors.order(person_of(request), selectors.order_of_test(person_of(request), key(lab_test_id)))
    return row, next(test for test in row.tests if test.id == key(lab_test_id))
