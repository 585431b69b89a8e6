"""The follow-up: a time with the visit's doctor in some weeks or from a day on, booked from the visit's page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.access import policy
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.portals.common import day_of, done, person_of, see, show, today_in
from polyclinic.portals.consulting.reading import number_of
from polyclinic.portals.consulting.views import key, nav_of, seen
from polyclinic.portals.forms import errors_of
from polyclinic.portals.patient import strip
from polyclinic.portals.ui import formats
from polyclinic.records import selectors as records
from polyclinic.scheduling import actions, availability
from polyclinic.visits import selectors as visits
from polyclinic.web.access import declare

WEEKS: Final = (1, 2, 4, 12)


@declare("visit.diagnose")
@require_http_methods(["GET", "POST"])
def follow_up(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Free times of the visit's doctor in the seven days from a day on, and the booking of one of them."""
    person, found = person_of(request), key(visit_id)
    one = seen(person, found)
    policy.require(person, "appointment.book", visits.subject_of(one))
    if one.doctor_id is None:
        raise NotFound()
    refused: Problem | None = None
    if request.method == "POST":
        try:
            schedule, starts = strip.read_slot(request.POST.get("slot", "")[:80])
            made = actions.book(
                actor=person, patient_id=one.patient_id, schedule_id=schedule, starts=starts, reason=str(_("Follow-up"))
            )
        except NotFound:
            # A walk-in is no patient of the doctor's book yet; a time that nobody offered is told the same.
            refused = Invalid(_("This cannot be booked from here. The front desk can."), field="slot")
        except Problem as problem:
            if problem.status == 403:
                raise
            refused = problem
        else:
            moment = f"{formats.clinical_date(made.starts, one.time_zone)}, {formats.clock(made.starts, one.time_zone)}"
            done(request, _("The follow-up is booked: %(moment)s.") % {"moment": moment})
            return see(f"/consulting/{found}")
    today = today_in(one.time_zone)
    weeks, first = _asked(request, today)
    slots = availability.free_slots(
        person, doctor_id=one.doctor_id, facility_id=one.facility_id, first_day=first, days=strip.DAYS
    )
    return show(
        request, "consulting/follow_up.html", refused.status if refused else 200, visit=one, weeks=weeks, choices=WEEKS,
        first=first, today=today,
        days=strip.week(slots, first, one.time_zone), errors=errors_of(refused) if refused else {},
        allergies=records.allergies_at(person, found), nav=nav_of(person, "visit"),
    )  # fmt: skip


def _asked(request: HttpRequest, today: date) -> tuple[int, date]:
    """From which day on: the day that was typed (0 weeks), never a past one, else some weeks from today."""
    if text := request.GET.get("day", ""):
        return 0, max(day_of(text, today), today)
    ahead = number_of(request.GET.get("weeks", ""), "weeks")
    weeks = ahead if ahead in WEEKS else WEEKS[0]
    return weeks, today + timedelta(weeks=weeks)
