"""Booking, the part after signing in: keep a time for five minutes, look once more, book."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.consent import selectors as consent
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.core.ledger import idempotency
from polyclinic.facilities import selectors as places
from polyclinic.portals.common import (
    done,
    moment_of,
    optional_id,
    person_of,
    see,
    show,
    sign_in_first,
    tell,
    viewer_of,
)
from polyclinic.portals.patient import strip
from polyclinic.scheduling import actions, held
from polyclinic.scheduling.problems import alternatives
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("public")
@require_POST
def hold(request: HttpRequest) -> HttpResponse:
    """Keep the chosen time. Someone who is not signed in does that first and comes back to the same page and time."""
    text = request.POST.get("slot", "")
    back = f"/book/time?{request.POST.get('wish', '')[:300]}"
    if not isinstance(viewer_of(request), Person):
        return sign_in_first(f"{back}&pick={text[:80]}")
    person = person_of(request)
    if not _choices(person):
        raise NotFound()
    try:
        schedule_id, starts = strip.read_slot(text)
    except Invalid as problem:
        tell(request, problem)
        return see(back)
    ratelimit.check("booking", account=person.label)
    try:
        kept = actions.hold(
            actor=person,
            schedule_id=schedule_id,
            starts=starts,
            service_id=optional_id(request.POST.get("service"), "service"),
        )
    except (Conflict, Invalid) as problem:
        return lost(request, problem, request.POST.get("service", ""))
    whom = parse_id(QueryDict(request.POST.get("wish", "")[:300]).get("for"))
    return see(f"/book/check/{kept.pk}?for={whom}" if whom else f"/book/check/{kept.pk}")


@declare("appointment.book")
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Look once more, and book. A second click with the same key finds the first one's answer."""
    person = person_of(request)
    choices = _choices(person)
    if not choices:
        raise NotFound()
    wanted = parse_id(request.POST.get("patient") or request.GET.get("for"))
    patient = wanted if wanted in dict(choices) else choices[0][0]
    if request.method == "POST":
        if request.POST.get("patient") and wanted != patient:
            raise NotFound()
        return _book(request, hold_id, patient)
    kept = held.hold(person, _id(hold_id))
    return show(
        request, "patient/book_check.html", key=uuid4().hex, choices=choices, patient=patient,
        **_details(request, kept),
    )  # fmt: skip


def _choices(person: Person) -> list[tuple[UUID, Any]]:
    """For whom this person may book: themselves first, then those who let them, by name."""
    own = [(person.patient_id, _("Myself"))] if person.patient_id else []
    acting = consent.acting_for(person) if person.books_for else []
    return own + [(row.patient_id, row.patient_name) for row in acting if row.patient_id in person.books_for]


def _book(request: HttpRequest, hold_id: str, patient: UUID) -> HttpResponse:
    person = person_of(request)
    reason = request.POST.get("reason", "").strip()
    key = request.POST.get("key", "")

    def effect() -> idempotency.Answer:
        made = actions.book(actor=person, patient_id=patient, hold_id=_id(hold_id), reason=reason)
        return idempotency.Answer(201, str(made.pk))

    print_ = idempotency.fingerprint(b"book", hold_id.encode(), patient.bytes, reason.encode())
    try:
        with alternatives():
            answer = idempotency.once(person.label, key, print_, effect)
    except (Conflict, NotFound) as problem:
        return lost(request, problem, request.POST.get("service", ""))
    except Problem as problem:
        tell(request, problem)
        return see(f"/book/check/{hold_id}")
    return see(f"/my/appointments/{answer.body}/booked")


@declare("appointment.hold")
@require_POST
def extend(request: HttpRequest, hold_id: str) -> HttpResponse:
    try:
        actions.extend_hold(actor=person_of(request), hold_id=_id(hold_id))
    except Conflict as problem:
        tell(request, problem)
    return see(f"/book/check/{hold_id}")


@declare("appointment.hold")
@require_POST
def release(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Give the time back and choose another."""
    person = person_of(request)
    kept = held.hold(person, _id(hold_id))
    actions.release_hold(actor=person, hold_id=kept.id)
    done(request, _("The time is free again. Choose another one."))
    service = f"&service={kept.service_id}" if kept.service_id else ""
    return see(f"/book/time?doctor={kept.doctor_id}{service}")


def lost(request: HttpRequest, problem: Problem, service: str, move: Any = None) -> HttpResponse:  # noqa: ANN401
    """Someone else was quicker: say so, and offer the next three free times as buttons.

    `move` is the appointment (its row) that was to be moved; without it the buttons keep a time for a new one.
    """
    viewer = viewer_of(request)
    slots = [_offer(viewer, slot) for slot in problem.extra.get("slots", [])]
    return show(
        request, "patient/book_lost.html", problem.status, problem=problem, offers=slots, move=move,
        service=str(parse_id(service) or ""),
    )  # fmt: skip


def _offer(viewer: Any, slot: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a Viewer
    """A slot of an error's extra, with what a button needs."""
    starts = slot["starts"]
    moment = moment_of(starts) if isinstance(starts, str) else starts
    schedule = UUID(str(slot["scheduleId"]))
    return {
        "value": strip.slot_value(schedule, moment),
        "starts": moment,
        "zone": slot["timeZone"],
        "doctor": places.doctor(viewer, UUID(str(slot["doctorId"]))).name,
    }


def _details(request: HttpRequest, kept: Any) -> dict[str, Any]:  # noqa: ANN401 - a hold row
    viewer = viewer_of(request)
    doctor = places.doctor(viewer, kept.doctor_id)
    facility = next((row for row in places.facilities(viewer) if row.id == kept.facility_id), None)
    service = next((row for row in places.services(viewer, specialty=None) if row.id == kept.service_id), None)
    return {"hold": kept, "doctor": doctor, "facility": facility, "service": service}


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found
