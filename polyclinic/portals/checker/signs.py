"""Measuring, and asking about allergies: what the forms of the visit's page send."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.portals.checker.views import charted, key, page
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.records import actions, selectors
from polyclinic.records.vitals import BY_NAME
from polyclinic.visits import selectors as visits
from polyclinic.web.access import declare


@declare("vitals.record")
@require_http_methods(["GET", "POST"])
def vitals(request: HttpRequest, visit_id: str) -> HttpResponse:
    """GET: chart and table alone, for when somebody else has measured. POST: write down a set."""
    person, found = person_of(request), key(visit_id)
    if request.method == "GET":
        one = visits.visit(person, found)
        return show(request, "checker/_chart.html", visit=one, **charted(one, selectors.vital_sets(person, found)))
    given = request.POST
    try:
        actions.record_vitals(
            actor=person, visit_id=found, values={name: given.get(name, "") for name in BY_NAME},
            oxygen={"air": False, "oxygen": True}.get(given.get("oxygen", "")),
            consciousness=given.get("consciousness", ""), scale=2 if given.get("scale") == "2" else 1,
            pregnant=given.get("pregnant") == "yes", confirmed=given.getlist("confirmed"),
        )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="vitals", problem=problem, given=given.dict())
    done(request, _("The vital signs are written down."))
    return see(f"/checker/visits/{found}")


@declare("vitals.record")
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, visit_id: str, vitals_id: str) -> HttpResponse:
    """Ask why, then mark a set as entered in error."""
    person, found, chosen = person_of(request), key(visit_id), key(vitals_id)
    row = next((row for row in selectors.vital_sets(person, found) if row.id == chosen), None)
    if row is None:
        raise NotFound()
    back = f"/checker/visits/{found}"
    if request.method == "POST":
        try:
            actions.withdraw_vitals(
                actor=person, vitals_id=chosen, reason=request.POST.get("reason", ""), version=version_of(request)
            )
        except NotFound:
            raise
        except Problem as problem:
            if problem.field != "reason":
                tell(request, problem)
                return see(back)
            errors = {"reason": [str(problem.sentence)]}
            return show(
                request, "checker/withdraw.html", problem.status, row=row, visit=visits.visit(person, found),
                errors=errors, back=back, nav={"current": "visit"},
            )  # fmt: skip
        done(request, _("The vital signs are marked as entered in error."))
        return see(back)
    return show(
        request, "checker/withdraw.html", row=row, visit=visits.visit(person, found), errors={}, back=back,
        nav={"current": "visit"},
    )  # fmt: skip


@declare("allergy.edit")
@require_POST
def allergies(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Write an allergy down."""
    found, given = key(visit_id), request.POST
    try:
        actions.note_allergy(
            actor=person_of(request), visit_id=found, substance=given.get("substance", ""),
            reaction=given.get("reaction", ""), severity=given.get("severity") or "unknown",
        )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="allergies", problem=problem, given=given.dict())
    done(request, _("The allergy is written down."))
    return see(f"/checker/visits/{found}")


@declare("allergy.edit")
@require_POST
def none_known(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The patient was asked and knows of none."""
    found = key(visit_id)
    try:
        actions.no_known_allergies(actor=person_of(request), visit_id=found, version=version_of(request))
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="allergies", problem=problem)
    done(request, _("Written down: no known allergies."))
    return see(f"/checker/visits/{found}")


@declare("allergy.edit")
@require_POST
def remove_allergy(request: HttpRequest, visit_id: str, allergy_id: str) -> HttpResponse:
    """It turned out not to be one, and why."""
    person, found, chosen = person_of(request), key(visit_id), key(allergy_id)
    if all(row.id != chosen for row in selectors.allergies_at(person, found).allergies):
        raise NotFound()
    try:
        actions.remove_allergy(
            actor=person, allergy_id=chosen, reason=request.POST.get("reason", ""), version=version_of(request)
        )
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="remove", problem=problem, given={"allergy": str(chosen)})
    done(request, _("The allergy is removed; the history keeps it."))
    return see(f"/checker/visits/{found}")
