"""In an emergency: the nearest department with a free bed, the way there, and an ambulance without an account.

Where somebody is and how they are reached travels in the bodies of forms alone: an address in a browser's history, in a
server's log or told to the next page would say it to others.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, Problem
from polyclinic.inpatient import nearest
from polyclinic.inpatient.nearest import DepartmentRow
from polyclinic.portals.ambulance import drawing
from polyclinic.portals.ambulance.words import TRIP_KINDS, coordinates_of
from polyclinic.portals.common import done, optional_id, see, show, tell, version_of, viewer_of
from polyclinic.portals.forms import errors_of
from polyclinic.transport import asking, calling, selectors
from polyclinic.transport.roads import Point
from polyclinic.transport.words import TRIP_STATES
from polyclinic.web import ratelimit
from polyclinic.web.access import declare
from polyclinic.web.headers import with_position

_SALT: Final = "ambulance-call"
# A form may lie open for so long; whoever sends it later gets a new one.
_FORM_SECONDS: Final = 24 * 3600
_TEXTS: Final = ("phone", "address", "problem", "who")
_BEDS: Final = {"free": "ok", "few": "warn", "none": "bad", "unknown": ""}


@declare("public")
@require_http_methods(["GET", "POST"])
def emergency(request: HttpRequest) -> HttpResponse:
    """What to do and whom to call; with a place, the departments by the road to them."""
    at, errors = None, {}
    if request.method == "POST":
        ratelimit.check("nearest", ip=ratelimit.address(request))
        try:
            at = _place(request)
        except Problem as problem:
            errors = errors_of(problem)
    rows = nearest.departments(viewer_of(request), at)
    best = next((row for row in rows if row.best), None)
    answer = show(
        request, "public/emergency.html", 422 if errors else 200, departments=rows, at=at, best=best, errors=errors,
        exact=_exact(request, at), map=_way(best, at), BEDS=_BEDS,
    )  # fmt: skip
    return _unkept(with_position(answer))


def _place(request: HttpRequest) -> Point | None:
    """Where somebody is: the position of their device, or what they wrote."""
    found = coordinates_of(request.POST)
    at = asking.place_of(found["latitude"], found["longitude"])
    at = at or nearest.place_of(viewer_of(request), request.POST.get("where", "")[:200])
    if at is None:
        raise Invalid(_("Write where you are, or press the button that fills in your position."), field="where")
    return at


def _exact(request: HttpRequest, at: Point | None) -> bool:
    """Whether the place is somebody's own and not a town's: only then an ambulance can be sent to it."""
    text = request.POST.get("where", "")[:200].strip()
    return at is not None and (bool(request.POST.get("latitude", "").strip()) or bool(nearest.coordinates_in(text)))


def _way(best: DepartmentRow | None, at: Point | None) -> Any:  # noqa: ANN401 - markup, or nothing
    if best is None or at is None or best.latitude is None or best.longitude is None:
        return ""
    words = _("Map: the straight line from you to %(name)s") % {"name": best.name}
    return drawing.way((best.name, Point(best.latitude, best.longitude)), at, words=words)


@declare("public")
@require_GET
def beds(request: HttpRequest, slug: str) -> HttpResponse:
    """Only whether one department has free beds, for the open page."""
    row = next((row for row in nearest.departments(viewer_of(request)) if row.slug == slug), None)
    return show(request, "public/_beds.html", 200 if row else 404, row=row, BEDS=_BEDS)


@declare("public")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for an ambulance without an account: the form, then the same to be confirmed, then the link to follow it."""
    errors: dict[str, list[str]] = {}
    step = request.POST.get("step", "") if request.method == "POST" else ""
    status = 200
    if step in ("check", "send"):
        try:
            checked = _checked(request)
            if step == "send":
                return _send(request, checked)
        except Problem as problem:
            errors, status = errors_of(problem), problem.status
        else:
            return _confirm(request, checked)
    stations = selectors.stations(viewer_of(request))
    return _unkept(
        with_position(
            show(
                request, "public/ambulance.html", status, errors=errors, given=request.POST, stations=stations,
                key=_form(request),
            )
        )
    )  # fmt: skip


def _checked(request: HttpRequest) -> dict[str, Any]:
    """What the form says, as far as it can be looked at before anything is written."""
    given: dict[str, Any] = {name: request.POST.get(name, "")[:400] for name in _TEXTS}
    for name, text in given.items():
        given[name] = asking.text_of(name, text)
    given |= coordinates_of(request.POST)
    at = asking.place_of(given["latitude"], given["longitude"])
    given["facility_id"] = optional_id(request.POST.get("facilityId"), "facilityId")
    calling.check(phone=given["phone"], address=given["address"], at=at)
    asking.station(given["facility_id"], at)
    return given


def _confirm(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    at = asking.place_of(given["latitude"], given["longitude"])
    house = asking.station(given["facility_id"], at)
    row = next(row for row in selectors.stations(viewer_of(request)) if row.facility_id == house.pk)
    words = _("Map: the place you gave and %(name)s") % {"name": row.name}
    drawn = drawing.way((row.name, Point(row.latitude, row.longitude)), at, words=words) if at else ""
    return _unkept(show(request, "public/ambulance_check.html", given=given, house=row, map=drawn, key=_form(request)))


def _send(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    key = _key(request)
    if key is None:
        raise Invalid(_("This page is out of date. Please check what you wrote and send it again."))
    ratelimit.check("ambulance-call", ip=ratelimit.address(request), account=calling.number_of(given["phone"]))
    _trip, code = calling.call(key=key, **given)
    done(request, _("We have your request. Somebody sends an ambulance now. Stay where you are."))
    return see(f"/a/{code}")


@declare("public")
@require_GET
def follow(request: HttpRequest, call_code: str) -> HttpResponse:
    """How far the ambulance is."""
    return _followed(request, call_code, "public/following.html")


@declare("public")
@require_GET
def follow_state(request: HttpRequest, call_code: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    return _followed(request, call_code, "public/_following.html")


def _followed(request: HttpRequest, code: str, template: str, status: int = 200) -> HttpResponse:
    ratelimit.check("watch", ip=ratelimit.address(request))
    row = calling.follow(code)
    words = _("Map: you, the hospital and the ambulance") if row.crew else _("Map: you and the hospital")
    crew = (row.call_sign, row.crew) if row.crew else None
    drawn = drawing.way((row.facility_name, row.home), row.at, crew, words=words) if row.at else ""
    answer = show(
        request, template, status, row=row, code=code, map=drawn, TRIP_STATES=TRIP_STATES, TRIP_KINDS=TRIP_KINDS
    )
    # The address is a key: it must not be kept, nor told to the next page.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return _unkept(answer)


@declare("public")
@require_POST
def cancel(request: HttpRequest, call_code: str) -> HttpResponse:
    """No ambulance is needed any more."""
    ratelimit.check("watch", ip=ratelimit.address(request))
    try:
        calling.cancel(code=call_code, version=version_of(request))
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
    else:
        done(request, _("Cancelled. No ambulance comes."))
    return _followed(request, call_code, "public/following.html")


def _form(request: HttpRequest) -> str:
    """What makes one form one call, however often it is sent. Signed: only forms of ours make calls."""
    same = _key(request) is not None
    return request.POST["key"] if same else signing.dumps(secrets.token_urlsafe(16), salt=_SALT)


def _key(request: HttpRequest) -> str | None:
    try:
        found = signing.loads(request.POST.get("key", ""), salt=_SALT, max_age=_FORM_SECONDS)
    except signing.BadSignature:
        return None
    return str(found)


def _unkept(answer: HttpResponse) -> HttpResponse:
    """A page on which somebody's place may stand is not to be found again in a browser's cache."""
    answer.headers["Cache-Control"] = "no-store"
    return answer
