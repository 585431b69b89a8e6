"""What all portals share: who is looking, where they may be sent, and how a refusal becomes a sentence on the page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person, Viewer
from polyclinic.core.errors import Invalid, NotFound, Problem, Unauthenticated
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.records.selectors import allergies
from polyclinic.web.pages import render

# Calendars end at the years 1 and 9999, and moving a time there to another zone falls off the edge.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2200, 1, 1)


def viewer_of(request: HttpRequest) -> Viewer:
    """Who looks at this page; the viewer middleware has worked it out."""
    return cast("Viewer", getattr(request, "viewer", Anonymous()))


def person_of(request: HttpRequest) -> Person:
    """The signed-in person, or Unauthenticated."""
    viewer = viewer_of(request)
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer


def show(request: HttpRequest, template: str, status: int = 200, **context: object) -> HttpResponse:
    """A page of the portals, with the sentences that earlier requests left for this person."""
    return render(request, template, {"messages": messages.get_messages(request), **context}, status)


def patient_of(request: HttpRequest) -> UUID:
    """The patient who looks. Someone who is no patient gets the answer of a page that does not exist."""
    found = person_of(request).patient_id
    if found is None:
        raise NotFound()
    return found


def doctor_of(request: HttpRequest) -> UUID:
    """The doctor who looks; for anyone else the page does not exist."""
    found = person_of(request).doctor_id
    if found is None:
        raise NotFound()
    return found


def local_path(text: str, default: str = "/home") -> str:
    """`text` when it is a path of this very site, else `default`: a link must not lead a signed-in person away."""
    safe = text.startswith("/") and url_has_allowed_host_and_scheme(text, allowed_hosts=None)
    return text if safe and "\\" not in text else default


def sign_in_first(back: str) -> HttpResponseRedirect:
    """To the sign-in page, and from there back to `back`."""
    return HttpResponseRedirect(f"/sign-in?{urlencode({'next': local_path(back)})}")


def optional_id(text: str | None, field: str) -> UUID | None:
    """An id given in a query; nothing given is None, something unreadable is a clear refusal."""
    if not text:
        return None
    found = parse_id(text)
    if found is None:
        raise Invalid(_("This link is not complete. Please start again."), field=field)
    return found


def day_of(text: str | None, default: date) -> date:
    """A calendar day given as 2026-11-21; an unreadable one is a clear refusal and not today by surprise."""
    if not text:
        return default
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not FIRST_DAY <= found <= LAST_DAY:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field="day")
    return found


def today_in(zone: str) -> date:
    """The calendar day it is now at a facility."""
    return clock.now().astimezone(ZoneInfo(zone)).date()


def zone_of(viewer: Viewer) -> str:
    """The zone for moments of no single facility: where this person works, else where most facilities are."""
    rows = places.facilities(viewer)
    if isinstance(viewer, Person):
        own = viewer.workplaces | {grant.facility_id for grant in viewer.grants}
        rows = [row for row in rows if row.id in own] or rows
    zones = sorted(row.time_zone for row in rows)
    return max(zones, key=zones.count) if zones else "UTC"


def moment_of(text: str, field: str = "starts") -> datetime:
    """An aware moment in ISO format, as our own pages write it into forms."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(_("Please choose one of the times offered."), field=field) from None
    if found.tzinfo is None or not FIRST_DAY <= found.date() <= LAST_DAY:
        raise Invalid(_("Please choose one of the times offered."), field=field)
    return found


def version_of(request: HttpRequest) -> int | None:
    """The version a form was made from, so that a stale page cannot overwrite what it has not seen."""
    text = request.POST.get("version", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(_("This page is out of date. Reload and try again."), field="version")
    return int(text)


def page_of(request: HttpRequest) -> int:
    """The page number asked for; anything that is no number is the first page."""
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def explain(form: BaseForm, problem: Problem) -> None:
    """Put a refusal beside the field it is about, or above the form."""
    field = problem.field if problem.field in form.fields else None
    form.add_error(field, str(problem.sentence))


def tell(request: HttpRequest, problem: Problem) -> None:
    """Show a refusal on the next page."""
    messages.error(request, str(problem.sentence))


def done(request: HttpRequest, sentence: Any) -> None:  # noqa: ANN401 - a lazy translation or text
    """Show on the next page that something worked."""
    messages.success(request, str(sentence))


def see(path: str) -> HttpResponse:
    """After a POST, look at `path` (303: reloading does not send the form again)."""
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


def allergies_of(request: HttpRequest, patient_id: UUID) -> Any:  # noqa: ANN401 - what the banner's macro takes
    """A patient's allergies for the banner: their names, None when nobody has asked, or "hidden" from this viewer.

    Never silent: a banner that left them out would read as "none known".
    """
    try:
        return allergies(viewer_of(request), patient_id).banner
    except NotFound:
        return "hidden"
