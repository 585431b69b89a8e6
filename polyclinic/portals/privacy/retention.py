"""What is kept for how long: records past their time, to be erased or held, and the table of years."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import Invalid, Problem, StaleEdit
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, optional_id, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.records.views import key, nav
from polyclinic.privacy import retention
from polyclinic.web import stepup
from polyclinic.web.access import declare


@declare("patient.shred")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, errors: dict[str, list[str]] | None = None, status: int = 200) -> HttpResponse:
    person = person_of(request)
    return show(
        request, "privacy/retention.html", status, due=retention.due(person), holds=retention.holds(person),
        places=retention.places(person), kept=retention.table(), shorter=retention.SHORTER, errors=errors or {},
        given=request.POST, nav=nav(request, "privacy"),
    )  # fmt: skip


@declare("patient.shred")
@require_POST
def erase(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Erase one record for good, after a tick that says so and a fresh factor."""
    stepup.require(request)
    try:
        if request.POST.get("sure") != patient_id:
            raise Invalid(_("Tick that this record is to be erased for good."), field=f"sure-{patient_id}")
        place = optional_id(request.POST.get("facility"), "facility")
        if place is None:
            raise Invalid(_("Choose a hospital."), field="facility")
        retention.approve(actor=person_of(request), patient_id=key(patient_id), facility_id=place)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _page(request, errors_of(problem), problem.status)
    done(request, _("Erased. Nothing that was sealed for this patient can be read again."))
    return see("/privacy/retention")


@declare("patient.shred")
@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Put a legal hold on a record."""
    given = request.POST
    try:
        place = optional_id(given.get("facility"), "facility")
        if place is None:
            raise Invalid(_("Choose a hospital."), field="facility")
        retention.place_hold(
            actor=person_of(request), facility_id=place, mrn=given.get("mrn", "")[:16],
            reason=given.get("reason", "")[:400],
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise
        return _page(request, errors_of(problem), problem.status)
    done(request, _("This record is kept until the hold is lifted."))
    return see("/privacy/retention")


@declare("patient.shred")
@require_POST
def lift(request: HttpRequest, legal_hold_id: str) -> HttpResponse:
    """End a hold."""
    try:
        retention.lift_hold(actor=person_of(request), hold_id=key(legal_hold_id), version=version_of(request))
    except StaleEdit as stale:
        meanwhile.told(request, stale)
        return _page(request, status=meanwhile.CHANGED)
    done(request, _("The hold is lifted."))
    return see("/privacy/retention")
