"""The queue: who waits at the counter, whether what they were prescribed is in stock, and calling them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.pharmacy import counter
from polyclinic.portals.common import done, person_of, see, show, tell
from polyclinic.portals.pharmacy.shop import frame, key, place_of
from polyclinic.prescribing import selectors as prescriptions
from polyclinic.prescribing.rows import PrescriptionRow
from polyclinic.visits import queues
from polyclinic.visits import selectors as visits
from polyclinic.web.access import declare


@declare("prescription.dispense")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Prescriptions that wait, the oldest first, and those of which a part is still owed."""
    place, places = place_of(request, "prescription.dispense")
    return show(
        request, "pharmacy/queue.html", places=places, **frame(request, "queue", place), **_waiting(request, place)
    )


@declare("prescription.dispense")
@require_GET
def lines(request: HttpRequest) -> HttpResponse:
    """Only the lists, for when something moves while the page is open."""
    place, _places = place_of(request, "prescription.dispense")
    return show(request, "pharmacy/_queue.html", **frame(request, "queue", place), **_waiting(request, place))


def _waiting(request: HttpRequest, place: UUID) -> dict[str, Any]:
    person = person_of(request)
    rows = prescriptions.waiting(person, place)
    open_ = {row.id: _open(row) for row in rows}
    there = counter.stocked(person, place, open_)
    called = {row.id: row.place for row in visits.board(person, place, line="pharmacy") if row.place}
    here = [row for row in rows if row.visit_state == "diagnosed"]
    later = [row for row in rows if row.visit_state != "diagnosed"]
    # Nobody waits in the hall for a repeat: its visit was over before it was asked for.
    again = [row for row in later if row.repeat_of and row.state == "signed"]
    owed = [row for row in later if row not in again]
    return {"waiting": here, "repeats": again, "owed": owed, "there": there, "called": called}


def _open(row: PrescriptionRow) -> dict[UUID, Decimal]:
    found: dict[UUID, Decimal] = {}
    for line in row.lines:
        if line.state == "open":
            found[line.medicine.id] = found.get(line.medicine.id, Decimal(0)) + line.left
    return found


@declare("prescription.dispense")
@require_GET
def scan(request: HttpRequest) -> HttpResponse:
    """A scanner types the number that is on the paper and presses Enter: to the prescription."""
    try:
        found = counter.by_label(person_of(request), request.GET.get("code", "")[:40])
    except NotFound:
        tell(request, Problem(_("There is no prescription with this number here.")))
        return see("/pharmacy")
    return see(f"/pharmacy/prescriptions/{found}")


@declare("prescription.dispense")
@require_POST
def call(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Call a token to the counter: hall screens show it, and the ticket on the patient's telephone."""
    person = person_of(request)
    row = visits.visit(person, key(visit_id))
    back = f"/pharmacy?place={row.facility_id}"
    try:
        if row.place is None or row.place.line != "pharmacy":
            raise Problem(_("Nobody waits at the pharmacy with this token any more."))
        queues.take(
            actor=person, entry_id=row.place.id, action="recall" if row.place.state == "called" else "call",
            version=row.place.version,
        )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Token %(token)s is called.") % {"token": row.token})
    return see(back)


@declare("prescription.dispense")
@require_GET
def given(request: HttpRequest) -> HttpResponse:
    """What was handed over today."""
    place, places = place_of(request, "prescription.dispense")
    rows = counter.today(person_of(request), place)
    return show(request, "pharmacy/given.html", places=places, rows=rows, **frame(request, "given", place))
