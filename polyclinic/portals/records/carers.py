"""The front desk writes down who acts for a patient: for a child, or for whom has no account."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.consent import actions
from polyclinic.core.access import policy
from polyclinic.core.errors import Invalid, Problem
from polyclinic.facilities import selectors as places
from polyclinic.portals.common import done, optional_id, person_of, see, show
from polyclinic.portals.forms import end_of, errors_of, identifiers_of
from polyclinic.portals.patient import words
from polyclinic.portals.records.views import nav
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("delegation.appoint")
@require_http_methods(["GET", "POST"])
def appoint(request: HttpRequest) -> HttpResponse:
    """Record number and date of birth of the patient, the e-mail address of who will act for them."""
    if request.method == "GET":
        return _page(request, {}, {})
    given, person = request.POST, person_of(request)
    try:
        ratelimit.check("record-look-up", account=person.label)
        who = identifiers_of(given)
        place = optional_id(given.get("facility"), "facility") or _only_place(request)
        actions.appoint(
            actor=person, facility_id=place, mrn=who.mrn, born=who.born, email=given.get("email", "")[:255],
            kind=given.get("kind", ""), rights=given.get("rights", ""), ends_at=end_of(given.get("until", "")),
        )  # fmt: skip
    except Problem as problem:
        return _page(request, errors_of(problem), given, 422 if problem.status == 404 else problem.status)
    done(request, _("Written down. Both have been told."))
    return see("/records/carers")


def _only_place(request: HttpRequest) -> Any:  # noqa: ANN401 - an id
    where = policy.places(person_of(request), "delegation.appoint")
    if len(where) != 1:
        raise Invalid(_("Say where you are at work now."), code="required", field="facility")
    return next(iter(where))


def _page(request: HttpRequest, errors: dict[str, list[str]], given: Any, status: int = 200) -> HttpResponse:  # noqa: ANN401
    known = policy.places(person_of(request), "delegation.appoint")
    here = [(row.id, row.name) for row in places.facilities(person_of(request)) if row.id in known]
    return show(
        request, "records/carers.html", status, errors=errors, given=given, places=here, words=words,
        nav=nav(request, "carer"),
    )  # fmt: skip
