"""The auditor's pages: search, one entry with its proof, and taking entries out of the house."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.portals.audit import words
from polyclinic.portals.common import day_of, optional_id, person_of, see, show, viewer_of
from polyclinic.portals.forms import errors_of
from polyclinic.trail import selectors
from polyclinic.trail.rows import EntryRow
from polyclinic.trail.selectors import Search
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare

PER_PAGE: Final = 50
# Auditors compare what happened at several places: one clock for all, and the page says which.
ZONE: Final = "UTC"
_FIELDS: Final = ("person_id", "patient_id", "action", "subject", "facility", "from", "until", "via", "request")
_COLUMNS: Final = EntryRow.__struct_fields__[:-1]


def search_of(given: Any) -> Search:  # noqa: ANN401 - a QueryDict
    """What the form asks for. Raises Invalid naming the field."""
    until = _midnight(given.get("until"))
    return Search(
        person_id=optional_id(given.get("person_id"), "person_id"),
        patient_id=optional_id(given.get("patient_id"), "patient_id"),
        action=given.get("action", "").strip()[:64],
        subject=given.get("subject", "").strip()[:64],
        facility_id=optional_id(given.get("facility"), "facility"),
        from_=_midnight(given.get("from")),
        # The last day is part of the period.
        until=until + timedelta(days=1) if until else None,
        via=given.get("via", "").strip()[:16],
        request_id=given.get("request", "").strip()[:64],
    )


def _midnight(text: str | None) -> datetime | None:
    day = day_of(text, date.min) if text else None
    return datetime.combine(day, time(0), ZoneInfo(ZONE)) if day else None


@declare("audit.search")
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """The form and what it finds; without a form, the newest. The form is posted: names are not for addresses."""
    viewer = viewer_of(request)
    if request.method == "POST":
        return see(f"/audit?{urlencode(_without_names(request))}")
    given = request.GET
    places = selectors.places(viewer)
    page, errors, status = None, {}, 200
    try:
        page = selectors.entries(viewer, search_of(given), cursor=given.get("cursor", ""), limit=PER_PAGE)
    except Problem as problem:
        if problem.status != 422:
            raise
        errors, status = errors_of(problem), 422
    kept = {name: given[name] for name in _FIELDS if given.get(name)}
    return show(
        request, "audit/search.html", status, page=page, given=given, errors=errors, places=places, words=words,
        zone=ZONE, kept=kept, onward=urlencode(kept), verified=selectors.verified(viewer),
    )  # fmt: skip


def _without_names(request: HttpRequest) -> dict[str, str]:
    """The form's filters with ids in place of the address and the record number that were typed."""
    given = request.POST
    person, patient = selectors.understood(
        viewer_of(request), given.get("person", "").strip()[:254], given.get("patient", "").strip()[:16]
    )
    kept = {name: given[name][:64] for name in _FIELDS if given.get(name)}
    typed = {"person_id": person, "patient_id": patient}
    return {**kept, **{name: str(value) for name, value in typed.items() if value}}


@declare("audit.search")
@require_GET
def verified(request: HttpRequest) -> HttpResponse:
    """Only the line that says until when the chains are checked and signed."""
    return show(request, "audit/_verified.html", verified=selectors.verified(viewer_of(request)), zone=ZONE)


@declare("audit.search")
@require_GET
def entry(request: HttpRequest, entry_id: str) -> HttpResponse:
    if not (entry_id.isascii() and entry_id.isdigit() and len(entry_id) < 19):
        raise NotFound()
    found = selectors.entry(viewer_of(request), int(entry_id))
    return show(request, "audit/entry.html", row=found.row, proof=found.proof, mrns=found.mrns, words=words, zone=ZONE)


@declare("audit.export")
@require_POST
@stepup.needed
def export(request: HttpRequest) -> HttpResponseBase:
    """Everything that matches, as a file, part by part; that it was taken is on record before it leaves."""
    person, wanted = person_of(request), search_of(request.POST)
    ratelimit.check("export", account=person.label)
    selectors.begin_export(person, wanted)
    parts = selectors.export(person, wanted)
    as_json = request.POST.get("format") == "jsonl"
    lines = _json_lines(parts) if as_json else _csv(parts)
    kind, name = ("application/jsonl", "audit.jsonl") if as_json else ("text/csv; charset=utf-8", "audit.csv")
    response = StreamingHttpResponse(lines, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _json_lines(parts: Iterable[list[EntryRow]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for rows in parts:
        yield encoder.encode_lines(rows)


def _csv(parts: Iterable[list[EntryRow]]) -> Iterator[bytes]:
    yield (",".join(_COLUMNS) + "\r\n").encode()
    for rows in parts:
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerows([_cell(getattr(row, name)) for name in _COLUMNS] for row in rows)
        yield file.getvalue().encode()


def _cell(value: object) -> str:
    """A spreadsheet runs what begins like a formula; a quote before it keeps it text."""
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
