"""Opening a visit, and what the desk does with it: the slip, the fee, the way to another doctor, the end."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.billing import selectors as billing
from polyclinic.billing.rows import InvoiceRow
from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.facilities import selectors as facilities
from polyclinic.papers import tickets as papers
from polyclinic.portals.common import allergies_of, done, optional_id, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.reception.desk import frame, id_of, picture_of, place_of
from polyclinic.portals.reception.faces import photo_of
from polyclinic.visits import actions, arranging, choices, selectors
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.states import UNSEEN
from polyclinic.visits.words import Line, Priority
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

_RIGHTS: Final = {
    "pay": "visit.pay", "waive": "fee.waive", "leave": "visit.leave", "cancel": "visit.cancel", "queue": "visit.queue",
    "refund": "payment.refund",
}  # fmt: skip
_FIELDS = ("department", "service", "doctor", "appointment", "priority", "priority_why", "complaint")


@declare("visit.register")
@require_http_methods(["GET", "POST"])
def open_(request: HttpRequest, patient_id: str) -> HttpResponse:
    """A visit for a patient who stands at the desk, with or without a booking."""
    person, place, patient = person_of(request), place_of(request), id_of(patient_id)
    who = choices.patient(person, place.id, patient)
    given = {name: (request.POST or request.GET).get(name, "").strip()[:400] for name in _FIELDS}
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            made = actions.register(
                actor=person, facility_id=place.id, patient_id=patient,
                department_id=optional_id(given["department"], "department"),
                service_id=optional_id(given["service"], "service"),
                doctor_id=optional_id(given["doctor"], "doctor"),
                appointment_id=optional_id(given["appointment"], "appointment"),
                priority=given["priority"], priority_why=given["priority_why"], complaint=given["complaint"],
            )  # fmt: skip
        except Problem as problem:
            if problem.code == "visit_open":
                tell(request, problem)
                return see(f"/reception/visits/{problem.extra['visitId']}")
            if problem.status == 404 and not problem.field:
                raise
            errors = errors_of(problem)
        else:
            done(request, _("Token %(token)s.") % {"token": made.token})
            return see(f"/reception/visits/{made.pk}")
    return show(
        request, "reception/open.html", 422 if errors else 200, who=who, given=given, errors=errors,
        departments=choices.departments(person, place.id), services=facilities.services(person),
        doctors=choices.doctors(person, place.id), priorities=Priority.choices,
        booked=[row for row in selectors.due(person, place.id, 100) if row.patient_id == patient],
        allergies=allergies_of(request, patient), photo=photo_of(request, patient, place.id),
        photographs=place.id in policy.places(person, "portrait.edit"),
        **frame(request, "find", place),
    )  # fmt: skip


@declare("visit.view")
@require_GET
def visit(request: HttpRequest, visit_id: str) -> HttpResponse:
    """One visit at the desk."""
    one = selectors.visit(person_of(request), id_of(visit_id))
    return show(
        request, "reception/visit.html", address=papers.address_of(one.id), qr=picture_of(papers.address_of(one.id)),
        allergies=allergies_of(request, one.patient_id), photo=photo_of(request, one.patient_id, one.facility_id),
        photographs=policy.allowed(person_of(request), "portrait.edit", selectors.subject_of(one)),
        **_shown(request, one),
    )  # fmt: skip


@declare("visit.view")
@require_GET
def state(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Only what others change on that page while it is open; `part=changes`: only what can be done now."""
    one = selectors.visit(person_of(request), id_of(visit_id))
    part = "_changes" if request.GET.get("part") == "changes" else "_state"
    return show(request, f"reception/{part}.html", **_shown(request, one))


def _shown(request: HttpRequest, one: VisitRow) -> dict[str, Any]:
    person, subject = person_of(request), selectors.subject_of(one)
    stages, invoice = selectors.stages(person, one.id), _invoice(person, one)
    return {
        "one": one, "stages": stages, "invoice": invoice, "priorities": Priority.choices,
        "may": {name: policy.allowed(person, right, subject) for name, right in _RIGHTS.items()},
        "doctors": choices.doctors(person, one.facility_id),
        "sees_money": policy.allowed(person, "invoice.view", subject),
        "unseen": all(stage.stage in UNSEEN for stage in stages),
        "kept": sum(paid.amount_minor - paid.refunded_minor for paid in invoice.payments if paid.taken_at)
        if invoice else 0,
        **frame(request, "board", _place(request, one)),
    }  # fmt: skip


@declare("visit.view")
@require_GET
def slip(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The ticket to print and hand over: token, time and QR code, and no name."""
    one = selectors.visit(person_of(request), id_of(visit_id))
    address = papers.address_of(one.id)
    return show(request, "reception/slip.html", one=one, address=address, qr=picture_of(address))


@declare("visit.view")
@require_GET
def slip_pdf(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The same for the roll of a ticket printer."""
    ratelimit.check("paper", account=person_of(request).label)
    response = HttpResponse(papers.print_(person_of(request), id_of(visit_id)), content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="ticket.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@declare("visit.view")
@require_http_methods(["POST"])
def act(request: HttpRequest, visit_id: str, what: str) -> HttpResponse:
    """A step that the desk takes with a visit."""
    person, found = person_of(request), id_of(visit_id)
    reason = request.POST.get("reason", "").strip()[:200]
    given: dict[str, Any] = {"actor": person, "visit_id": found}
    steps: dict[str, Any] = {
        "paid": lambda: actions.nothing_owed(**given),
        "waive": lambda: actions.waive_fee(**given, reason=reason),
        "leave": lambda: actions.leave(**given, reason=reason, version=version_of(request)),
        "cancel": lambda: actions.cancel(**given, reason=reason, version=version_of(request)),
        "transfer": lambda: actions.transfer(
            **given, doctor_id=optional_id(request.POST.get("doctor"), "doctor"), version=version_of(request)
        ),
        "prioritise": lambda: actions.prioritise(
            **given, priority=request.POST.get("priority", ""), why=request.POST.get("why", ""),
            version=version_of(request),
        ),
    }  # fmt: skip
    if what not in steps:
        raise NotFound()
    try:
        steps[what]()
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
    return see(f"/reception/visits/{found}")


@declare("visit.arrange")
@require_http_methods(["GET", "POST"])
def arrange(request: HttpRequest) -> HttpResponse:
    """Counters and hall screens."""
    person, place = person_of(request), place_of(request, "visit.arrange")
    if request.method == "POST":
        try:
            _arrange(request, person, place)
        except Problem as problem:
            tell(request, problem)
        return see(f"/reception/arrange?place={place.id}")
    return show(
        request, "reception/arrange.html", boards=arranging.boards(person, place.id), lines=Line.choices,
        **frame(request, "arrange", place),
    )  # fmt: skip


def _arrange(request: HttpRequest, person: Any, place: Any) -> None:  # noqa: ANN401 - a Person, a facility's row
    what, name = request.POST.get("what", ""), request.POST.get("name", "")
    match what:
        case "counter":
            arranging.add_counter(actor=person, facility_id=place.id, name=name, line=request.POST.get("line", ""))
        case "board":
            arranging.open_board(
                actor=person, facility_id=place.id, name=name, lines=request.POST.getlist("lines"),
                names=request.POST.get("names") == "yes",
            )  # fmt: skip
        case "end_counter":
            arranging.end_counter(actor=person, counter_id=id_of(request.POST.get("id", "")))
        case "close_board":
            arranging.close_board(actor=person, board_id=id_of(request.POST.get("id", "")))
        case _:
            raise Invalid(field="what")


def _place(request: HttpRequest, one: VisitRow) -> Any:  # noqa: ANN401 - a facility's row
    return next(row for row in facilities.facilities(person_of(request)) if row.id == one.facility_id)


def _invoice(person: Person, one: VisitRow) -> InvoiceRow | None:
    try:
        return billing.invoice_of(person, "visit", one.id)
    except Problem:
        return None
