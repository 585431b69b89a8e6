"""Looking a record up by two identifiers, and the record itself as this viewer may see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import allergies_of, person_of, see, show
from polyclinic.portals.forms import errors_of, identifiers_of
from polyclinic.privacy import lookup, records
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("record.look_up")
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Two identifiers, sent and never put into an address. Whatever may not be opened is answered like nothing."""
    person = person_of(request)
    breaks = policy.ever(person, "record.break_glass")
    if request.method == "GET":
        return show(request, "records/find.html", errors={}, given={}, breaks=breaks, nav=nav(request, "find"))
    try:
        ratelimit.check("record-look-up", account=person.label)
        found = lookup.look_up(person, identifiers_of(request.POST))
    except Problem as problem:
        return show(
            request, "records/find.html", problem.status, errors=errors_of(problem), given=request.POST,
            breaks=breaks, missed=isinstance(problem, NotFound), nav=nav(request, "find"),
        )  # fmt: skip
    return see(f"/records/{found}")


@declare("record.look_up")
@require_GET
def record(request: HttpRequest, patient_id: str) -> HttpResponse:
    """The record, with what is shared of it; opened by break-glass it says until when."""
    shown = records.record(person_of(request), key(patient_id))
    known = allergies_of(request, key(patient_id))
    return show(request, "records/record.html", record=shown, allergies=known, nav=nav(request, "find"))


@declare("record.look_up")
@require_GET
def state(request: HttpRequest, patient_id: str) -> HttpResponse:
    """What the open page shows now: the record, or that it is not the viewer's to see any more.

    The second is said of any record alike, so it tells nothing about one that never was.
    """
    try:
        shown = records.record(person_of(request), key(patient_id))
    except NotFound:
        return show(request, "records/_gone.html")
    return show(request, "records/_record.html", record=shown, allergies=allergies_of(request, key(patient_id)))


def nav(request: HttpRequest, current: str) -> dict[str, Any]:
    """What the bar of these pages offers this person."""
    person = person_of(request)
    return {
        "current": current,
        "doctor": person.doctor_id is not None,
        "find": policy.ever(person, "record.look_up"),
        "carer": bool(policy.places(person, "delegation.appoint")),
        "privacy": bool(policy.places(person, "breakglass.review")),
    }


def key(text: str) -> UUID:
    """The id in an address; a malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found
