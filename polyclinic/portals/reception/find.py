"""Search first, then register: the way to a patient's record at the desk, without writing anybody down twice."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Problem
from polyclinic.people import registering, search
from polyclinic.portals.common import done, person_of, see, show, tell
from polyclinic.portals.forms import birth_of, errors_of
from polyclinic.portals.reception.desk import frame, id_of, place_of
from polyclinic.web.access import declare

WHY = {
    "name": _("name"),
    "born": _("date of birth"),
    "born_nearly": _("date of birth, but for a slip"),
    "phone": _("phone"),
}
_FIELDS = ("given_name", "family_name", "sex", "phone", "new_because")


@declare("patient.register")
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Everybody the text may mean. What is looked for is sent in the body: an address is written down everywhere."""
    place = place_of(request)
    text = request.POST.get("q", "").strip()[:100]
    hits = search.search(person_of(request), text) if text else []
    return show(request, "reception/find.html", text=text, hits=hits, **frame(request, "find", place))


@declare("patient.register")
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """A new patient. Somebody very like them on file is shown first, and kept apart only with a reason."""
    place = place_of(request)
    given = {name: request.POST.get(name, "").strip()[:200] for name in _FIELDS}
    errors: dict[str, list[str]] = {}
    twins: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            made = registering.register(
                actor=person_of(request), facility_id=place.id, born=birth_of(request.POST), **given
            )
        except Problem as problem:
            twins = [{**twin, "born": date.fromisoformat(twin["born"])} for twin in problem.extra.get("twins", [])]
            errors = errors_of(problem)
        else:
            done(request, _("The patient is registered."))
            return see(f"/reception/open/{made.pk}?place={place.id}")
    return show(
        request, "reception/register.html", 422 if errors else 200, given=given, errors=errors, twins=twins, WHY=WHY,
        born={part: request.POST.get(f"born_{part}", "")[:12] for part in ("day", "month", "year")},
        **frame(request, "find", place),
    )  # fmt: skip


@declare("patient.register")
@require_POST
def unknown(request: HttpRequest) -> HttpResponse:
    """Somebody who cannot say who they are, by what one sees."""
    place = place_of(request)
    years = request.POST.get("years", "").strip()
    try:
        made = registering.register_unknown(
            actor=person_of(request), facility_id=place.id, zone=place.time_zone,
            sex=request.POST.get("sex", "unknown"),
            years=int(years) if years.isdecimal() and len(years) < 4 else None,
        )  # fmt: skip
    except Problem as problem:
        tell(request, problem)
        return see(f"/reception/register?place={place.id}")
    return see(f"/reception/open/{made.pk}?place={place.id}")


@declare("patient.edit")
@require_http_methods(["GET", "POST"])
def identify(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Say who an unknown patient is."""
    place = place_of(request, "patient.edit")
    found = id_of(patient_id)
    given = {name: request.POST.get(name, "").strip()[:200] for name in ("given_name", "family_name", "sex")}
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            registering.identify(
                actor=person_of(request), facility_id=place.id, patient_id=found, born=birth_of(request.POST), **given
            )
        except Problem as problem:
            if problem.status == 404:
                raise
            errors = errors_of(problem)
        else:
            done(request, _("The patient has their name now."))
            return see(f"/reception?place={place.id}")
    return show(
        request, "reception/identify.html", 422 if errors else 200, given=given, errors=errors,
        born={part: request.POST.get(f"born_{part}", "")[:12] for part in ("day", "month", "year")},
        **frame(request, "find", place),
    )  # fmt: skip
