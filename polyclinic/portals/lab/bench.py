"""Specimens: collected, received, rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Problem
from polyclinic.laboratory import actions, selectors, words
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key, nav
from polyclinic.web.access import declare


@declare("lab.collect")
@require_POST
def collect(request: HttpRequest, specimen_id: str) -> HttpResponse:
    return _step(request, specimen_id, actions.collect, _("Collected."))


@declare("lab.work")
@require_POST
def receive(request: HttpRequest, specimen_id: str) -> HttpResponse:
    return _step(request, specimen_id, actions.receive, _("Received."))


def _step(request: HttpRequest, specimen_id: str, act: Callable[..., Any], said: Any) -> HttpResponse:  # noqa: ANN401
    order_id = selectors.order_of_specimen(person_of(request), key(specimen_id))
    try:
        act(actor=person_of(request), specimen_id=key(specimen_id), version=version_of(request))
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, said)
    return see(f"/lab/orders/{order_id}")


@declare("lab.work")
@require_http_methods(["GET", "POST"])
def reject(request: HttpRequest, specimen_id: str) -> HttpResponse:
    """Ask why, then reject it; a new specimen is asked for."""
    order_id = selectors.order_of_specimen(person_of(request), key(specimen_id))
    refused: Problem | None = None
    if request.method == "POST":
        try:
            actions.reject(
                actor=person_of(request), specimen_id=key(specimen_id), why=request.POST.get("why", ""),
                reason=request.POST.get("reason", "")[:300], version=version_of(request),
            )  # fmt: skip
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Rejected. A new specimen is asked for."))
            return see(f"/lab/orders/{order_id}")
    row = selectors.order(person_of(request), order_id)
    one = next(part for part in row.specimens if part.id == key(specimen_id))
    return show(
        request, "lab/reject.html", refused.status if refused else 200, row=row, one=one, given=request.POST,
        errors=errors_of(refused) if refused else {}, words=words, nav=nav(request, "worklist"),
    )  # fmt: skip
