"""A stay: which bed would fit, taking one, and every step until the patient has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.inpatient import actions, selectors
from polyclinic.inpatient.rows import StayRow
from polyclinic.portals import meanwhile
from polyclinic.portals.beds.house import at, back_of, frame, key, may, refused
from polyclinic.portals.common import FIRST_DAY, allergies_of, day_of, done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.web.access import declare

# How a bed is taken, and in which stages it can be.
WAYS: Final = {"reserve": ("requested",), "admit": ("requested",), "transfer": ("admitted", "discharge_ordered")}
_DONE: Final = {
    "reserve": _("The bed is reserved."),
    "admit": _("The patient is admitted."),
    "transfer": _("The patient lies in the other bed; the old one is to be cleaned."),
}


# Not `stay.view`, which is the patient's as well: these are pages of the house.
@declare("stay.request")
@require_GET
def stay(request: HttpRequest, stay_id: str) -> HttpResponse:
    """One stay, what can be done next, and the beds there are for it."""
    row = selectors.stay(person_of(request), key(stay_id))
    return show(
        request, "beds/stay.html", **_context(request, row), allergies=allergies_of(request, row.patient_id),
        **_frame(request, row),
    )  # fmt: skip


@declare("stay.request")
@require_GET
def state(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    row = selectors.stay(person_of(request), key(stay_id))
    return show(request, "beds/_stay.html", **_context(request, row), **_frame(request, row))


@declare("stay.reserve")
@require_http_methods(["GET", "POST"])
def take(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Take a bed: at once where it fits; where it does not, with the reason why it must be this one."""
    row = selectors.stay(person_of(request), key(stay_id))
    given = request.POST if request.method == "POST" else request.GET
    how, bed = given.get("how", ""), key(given.get("bed"))
    if how not in WAYS:
        raise Invalid(_("Choose one of the listed values."), field="how", possible=list(WAYS))
    problem: Problem | None = None
    if request.method == "POST":
        act = {"reserve": actions.reserve, "admit": actions.admit, "transfer": actions.transfer}[how]
        try:
            act(
                actor=person_of(request), stay_id=row.id, bed_id=bed, despite=request.POST.get("despite", "")[:300],
                version=version_of(request),
            )  # fmt: skip
        except Problem as caught:
            if caught.field != "despite":
                refused(request, caught)
                return see(f"/beds/stays/{row.id}")
            problem = caught
        else:
            done(request, _DONE[how])
            return see(f"/beds/stays/{row.id}")
    offered = next((one for one in selectors.suggestions(person_of(request), row.id) if one.bed.id == bed), None)
    if offered is None:
        raise NotFound()
    return show(
        request, "beds/take.html", problem.status if problem else 200, one=offered, how=how, given=given,
        errors=errors_of(problem) if problem else {}, row=row, **_frame(request, row),
    )  # fmt: skip


@declare("stay.admit")
@require_POST
def admit(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Into the bed that was reserved."""
    return _step(request, stay_id, actions.admit, _("The patient is admitted."))


@declare("stay.reserve")
@require_POST
def release(request: HttpRequest, stay_id: str) -> HttpResponse:
    return _step(request, stay_id, actions.release, _("The bed is free again; the patient waits for another one."))


@declare("stay.discharge")
@require_POST
def order_discharge(request: HttpRequest, stay_id: str) -> HttpResponse:
    return _step(request, stay_id, actions.order_discharge, _("The patient may leave."))


@declare("stay.depart")
@require_POST
def depart(request: HttpRequest, stay_id: str) -> HttpResponse:
    return _step(request, stay_id, actions.depart, _("The patient has left; the bed is to be cleaned."))


@declare("stay.plan")
@require_POST
def plan(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Set the day of leaving, or take it back by leaving it empty."""
    text = request.POST.get("expected_on", "").strip()[:20]

    def act(**given: Any) -> object:  # noqa: ANN401 - what the action takes
        return actions.plan(**given, expected_on=day_of(text, FIRST_DAY) if text else None)

    return _step(request, stay_id, act, _("The day of leaving is kept."))


@declare("stay.cancel")
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, stay_id: str) -> HttpResponse:
    """No bed is needed any more, and why."""
    return _because(request, stay_id, "cancel", actions.cancel)


@declare("stay.depart")
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, stay_id: str) -> HttpResponse:
    """The patient has gone without a discharge order, and why."""
    return _because(request, stay_id, "leave", actions.depart)


@declare("stay.discharge")
@require_http_methods(["GET", "POST"])
def stay_on(request: HttpRequest, stay_id: str) -> HttpResponse:
    """The patient stays after all, and why."""
    return _because(request, stay_id, "stay_on", actions.withdraw_discharge)


BECAUSE: Final = {
    "cancel": (_("No bed is needed"), _("Cancel the request"), _("The request is cancelled.")),
    "leave": (_("Has left without a discharge order"), _("Has left"), _("The stay is over; the bed is to be cleaned.")),
    "stay_on": (_("The patient stays after all"), _("Withdraw the order"), _("The discharge order is withdrawn.")),
}


def _because(request: HttpRequest, stay_id: str, what: str, act: Callable[..., Any]) -> HttpResponse:
    """Ask for a reason, then take the step."""
    row = selectors.stay(person_of(request), key(stay_id))
    title, label, said = BECAUSE[what]
    problem: Problem | None = None
    if request.method == "POST":
        try:
            act(
                actor=person_of(request), stay_id=row.id, reason=request.POST.get("reason", "")[:300],
                version=version_of(request),
            )  # fmt: skip
        except Problem as caught:
            if caught.status in (403, 404):
                raise
            problem = caught
        else:
            done(request, said)
            return see(f"/beds?place={row.facility_id}")
    return show(
        request, "beds/because.html", meanwhile.status_of(problem) if problem else 200, row=row, title=title,
        label=label, given=request.POST, errors=errors_of(meanwhile.explained(problem)) if problem else {},
        **_frame(request, row),
    )  # fmt: skip


def _step(request: HttpRequest, stay_id: str, act: Callable[..., Any], said: Any) -> HttpResponse:  # noqa: ANN401
    row = selectors.stay(person_of(request), key(stay_id))
    try:
        act(actor=person_of(request), stay_id=row.id, version=version_of(request))
    except Problem as problem:
        refused(request, problem)
    else:
        done(request, said)
    return see(back_of(request, f"/beds/stays/{row.id}"))


def _context(request: HttpRequest, row: StayRow) -> dict[str, Any]:
    """What the page of a stay is drawn from: its steps that this person may take, and beds to choose from."""
    rights = may(request, selectors.subject_of(row))
    ways = [how for how, stages in WAYS.items() if row.stage in stages and rights[how]]
    offered = selectors.suggestions(person_of(request), row.id) if ways and rights["reserve"] else []
    return {"row": row, "rights": rights, "ways": ways, "offered": offered}


def _frame(request: HttpRequest, row: StayRow) -> dict[str, Any]:
    return frame(request, "", at(request, row.facility_id))
