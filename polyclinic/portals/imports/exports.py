"""Taking a list out: which, why, and the file itself."""

from __future__ import annotations

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.errors import NotFound, Problem
from polyclinic.imports import exporting, words
from polyclinic.imports.cells import table
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import optional_id, person_of, show
from polyclinic.portals.forms import errors_of
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare


@declare("export.run")
@require_http_methods(["GET", "POST"])
def export(request: HttpRequest) -> HttpResponseBase:
    """The form; a POST, by whoever has just shown who they are, gives the list, part by part."""
    person = person_of(request)
    places = exporting.places(person)
    asked = optional_id(request.POST.get("place") or request.GET.get("place"), "place")
    place = next((one for one in places if asked in (None, one.id)), None)
    if place is None:
        raise NotFound()
    problem: Problem | None = None
    if request.method == "POST":
        stepup.require(request)
        kind, reason = request.POST.get("kind", "")[:20], request.POST.get("reason", "")[:300]
        try:
            exporting.begin(person, place.id, kind, reason)
        except Problem as caught:
            if caught.status != 422:
                raise
            problem = caught
        else:
            ratelimit.check("export", account=person.label)
            rows = exporting.rows(person, place.id, kind)
            response = StreamingHttpResponse(table(rows), content_type="text/csv; charset=utf-8")
            response.headers["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
            return response
    labels = {**dict(words.Kind.choices), exporting.APPOINTMENTS: _("Appointments")}
    return show(
        request, "imports/export.html", problem.status if problem else 200, places=places, place=place,
        kinds=[(kind, labels[kind]) for kind in place.kinds], given=request.POST,
        errors=errors_of(problem) if problem else {}, nav=nav(request, "lists"),
    )  # fmt: skip
