"""Breaking the glass: the form behind a step-up, and closing the record again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import FactorNeeded, Problem
from polyclinic.facilities import selectors as places
from polyclinic.portals.common import done, optional_id, person_of, see, show
from polyclinic.portals.forms import errors_of, identifiers_of
from polyclinic.portals.records.views import key, nav
from polyclinic.privacy import breakglass
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare


@declare("record.break_glass")
@require_http_methods(["GET", "POST"])
def break_glass(request: HttpRequest) -> HttpResponse:
    """Two identifiers and a reason open a record for sixty minutes. Whether it exists is said only then, and noted."""
    person, given = person_of(request), request.POST
    try:
        # Before the password is asked for in vain.
        breakglass.require_two_factors(person)
    except FactorNeeded as needed:
        messages.warning(request, str(needed.sentence))
        return see("/account/security")
    stepup.require(request)
    if request.method == "GET":
        return _page(request, {}, {})
    try:
        ratelimit.check("break-glass", account=person.label)
        made = breakglass.open_record(
            actor=person,
            who=identifiers_of(given),
            reason=given.get("reason", "")[:600],
            facility_id=optional_id(given.get("facility"), "facility"),
        )
    except Problem as problem:
        if problem.code == "not_needed":
            return see(f"/records/{problem.extra['patientId']}")
        return _page(request, errors_of(problem), given, problem.status)
    return see(f"/records/{made.patient_id}")


@declare("record.break_glass")
@require_POST
def close(request: HttpRequest, patient_id: str) -> HttpResponse:
    """The need is over before the hour is."""
    breakglass.close(actor=person_of(request), patient_id=key(patient_id))
    done(request, _("The record is closed."))
    return see("/records")


def _page(request: HttpRequest, errors: dict[str, list[str]], given: Any, status: int = 200) -> HttpResponse:  # noqa: ANN401
    known = breakglass.workplaces(person_of(request))
    here = [(row.id, row.name) for row in places.facilities(person_of(request)) if row.id in known]
    return show(
        request, "records/break_glass.html", status, errors=errors, given=given, places=here, nav=nav(request, "glass")
    )
