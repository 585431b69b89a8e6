"""Bringing a list in: the file, its columns, what is wrong with its rows, and how far the import is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.files.problems import FileRefused
from polyclinic.imports import actions, fields, selectors, words
from polyclinic.imports.cells import table
from polyclinic.imports.reading import DELIMITERS, ENCODINGS
from polyclinic.imports.rows import ImportPlace, ImportRow
from polyclinic.portals import meanwhile
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, optional_id, page_of, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


def key(text: str) -> UUID:
    """The id in an address. A malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def place_of(request: HttpRequest) -> tuple[ImportPlace, list[ImportPlace]]:
    """The facility asked for, else the first one, and all of this person's. Raises NotFound."""
    places = selectors.places(person_of(request))
    asked = optional_id(request.POST.get("place") or request.GET.get("place"), "place")
    found = next((place for place in places if asked in (None, place.id)), None)
    if found is None:
        raise NotFound()
    return found, places


@declare("import.run")
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """The imports of a house, and the form for another file; a POST takes the file in."""
    place, places = place_of(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            made = _upload(request, place)
        except Problem as caught:
            problem = caught
        else:
            return see(f"/imports/{made}/columns")
    return show(
        request, "imports/list.html", problem.status if problem else 200, places=places, given=request.POST,
        errors=errors_of(problem) if problem else {}, megabytes=settings.MAX_UPLOAD_BYTES >> 20,
        most=settings.IMPORT_MAX_ROWS, days=settings.IMPORT_KEEP_DAYS, fields=fields.FIELDS,
        kinds=[(kind, words.Kind(kind).label) for kind in place.kinds], **_rows(request, place), **_frame(request),
    )  # fmt: skip


def _upload(request: HttpRequest, place: ImportPlace) -> UUID:
    person = person_of(request)
    ratelimit.check("upload", account=person.label)
    given = request.FILES.get("file")
    if given is None:
        raise FileRefused(_("Choose a file first."), code="required", field="file")
    return actions.upload(
        actor=person, facility_id=place.id, kind=request.POST.get("kind", "")[:20], data=given.read(),
        name=given.name or "",
    ).pk  # fmt: skip


@declare("import.run")
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """Only the list of imports, drawn anew as they go on."""
    place, _places = place_of(request)
    return show(request, "imports/_list.html", **_rows(request, place), words=words)


@declare("import.run")
@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, import_id: str) -> HttpResponse:
    """Which column holds what, with the first rows beside it; a POST has every row checked."""
    person = person_of(request)
    row = selectors.one(person, key(import_id))
    headings, first = selectors.sample(person, row.id)
    chosen, dates = row.columns, row.dates
    problem: Problem | None = None
    if request.method == "POST":
        dates = request.POST.get("dates", "")[:4]
        try:
            chosen = _chosen(request, row.kind)
            actions.check(
                actor=person, import_id=row.id, columns=chosen, dates=dates, headings=headings,
                version=version_of(request),
            )  # fmt: skip
        except Problem as caught:
            if caught.status in (403, 404):
                raise
            problem = caught
        else:
            return see(f"/imports/{row.id}")
    return show(
        request, "imports/columns.html", meanwhile.status_of(problem) if problem else 200, row=row, headings=headings,
        first=first, chosen=chosen, dates=dates, fields=fields.FIELDS[row.kind], encoding=ENCODINGS[row.encoding],
        delimiter=DELIMITERS[row.delimiter], errors=errors_of(problem) if problem else {}, **_frame(request),
    )  # fmt: skip


def _chosen(request: HttpRequest, kind: str) -> dict[str, int]:
    found = {}
    for field in fields.FIELDS[kind]:
        text = request.POST.get(field.name, "")
        if text:
            if not (text.isascii() and text.isdigit() and len(text) < 4):
                raise Invalid(_("There is no such column."), code="unknown_column", field=field.name)
            found[field.name] = int(text)
    return found


@declare("import.run")
@require_GET
def one(request: HttpRequest, import_id: str) -> HttpResponse:
    """One import: how far it is, what is wrong, and what can be done next."""
    row = selectors.one(person_of(request), key(import_id))
    return show(request, "imports/one.html", **_state(request, row), **_frame(request))


@declare("import.run")
@require_GET
def state(request: HttpRequest, import_id: str) -> HttpResponse:
    """Only what moves, for while it is open."""
    row = selectors.one(person_of(request), key(import_id))
    return show(request, "imports/_state.html", **_state(request, row), words=words)


@declare("import.run")
@require_POST
def apply(request: HttpRequest, import_id: str) -> HttpResponse:
    """Bring the good rows in; wrong ones are left out when the box says so."""
    row = selectors.one(person_of(request), key(import_id))
    try:
        actions.apply(
            actor=person_of(request), import_id=row.id, skip_bad=bool(request.POST.get("skip_bad")),
            version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        _refused(request, problem)
    return see(f"/imports/{row.id}")


@declare("import.run")
@require_POST
def cancel(request: HttpRequest, import_id: str) -> HttpResponse:
    """End it; what is in stays."""
    row = selectors.one(person_of(request), key(import_id))
    try:
        actions.cancel(actor=person_of(request), import_id=row.id)
    except Problem as problem:
        _refused(request, problem)
    else:
        done(request, _("Cancelled. Rows that are in stay in."))
    return see(f"/imports/{row.id}")


@declare("import.run")
@require_POST
def errors(request: HttpRequest, import_id: str) -> HttpResponseBase:
    """The wrong rows as a file, each with what is wrong with it; that they were taken out is on record first."""
    person, found = person_of(request), key(import_id)
    ratelimit.check("export", account=person.label)
    selectors.begin_errors(person, found)
    response = StreamingHttpResponse(table(selectors.errors(person, found)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="errors.csv"'
    return response


def _refused(request: HttpRequest, problem: Problem) -> None:
    if problem.status in (403, 404):
        raise problem
    meanwhile.told(request, problem)


def _state(request: HttpRequest, row: ImportRow) -> dict[str, Any]:
    page = page_of(request)
    person = person_of(request)
    zone = next((place.time_zone for place in selectors.places(person) if place.id == row.facility_id), "UTC")
    return {"row": row, "problems": selectors.problems(person, row.id, page), "zone": zone}


def _rows(request: HttpRequest, place: ImportPlace) -> dict[str, Any]:
    return {"rows": selectors.imports(person_of(request), place.id), "place": place, "zone": place.time_zone}


def _frame(request: HttpRequest) -> dict[str, Any]:
    return {"nav": nav(request, "lists"), "words": words}
