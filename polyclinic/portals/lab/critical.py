"""Critical results: what waits, who was called, and saying what one does about it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.access import policy
from polyclinic.core.errors import Problem
from polyclinic.laboratory import critical, selectors, words
from polyclinic.laboratory.flags import NAMES
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key, nav
from polyclinic.web.access import declare


@declare("lab.view")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return show(request, "lab/critical.html", nav=nav(request, "critical"), **_waiting(request))


@declare("lab.view")
@require_GET
def lines(request: HttpRequest) -> HttpResponse:
    """Only the list, for when one is raised, climbs or ends while the page is open."""
    return show(request, "lab/_critical.html", **_waiting(request))


@declare("lab.view")
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """Only how many wait for this person, as boards show it."""
    return show(request, "lab/_mine.html", count=selectors.waiting_for(person_of(request)))


def _waiting(request: HttpRequest) -> dict[str, Any]:
    rows = selectors.alerts(person_of(request))
    return {
        "waiting": [row for row in rows if row.state == "waiting"],
        "over": [row for row in rows if row.state != "waiting"], "words": words, "flag_names": NAMES,
    }  # fmt: skip


@declare("lab.view")
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, alert_id: str) -> HttpResponse:
    """One critical result; a POST acknowledges it, with what is done about it."""
    row = selectors.alert(person_of(request), key(alert_id))
    refused: Problem | None = None
    if request.method == "POST":
        try:
            critical.acknowledge(
                actor=person_of(request), alert_id=row.id, comment=request.POST.get("comment", "")[:400],
                version=version_of(request),
            )  # fmt: skip
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Acknowledged. Nobody else is called."))
            return see(f"/lab/orders/{row.order_id}")
    return show(
        request, "lab/critical_one.html", refused.status if refused else 200, row=row, words=words,
        errors=errors_of(refused) if refused else {}, given=request.POST, flag_names=NAMES,
        may=policy.ever(person_of(request), "lab.acknowledge"), nav=nav(request, "critical"),
    )  # fmt: skip
