"""Saving a part of the note, keeping drafts of it, and showing two wordings side by side."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.portals.checker.views import key, note_parts, page
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.records import drafts, forms, notes
from polyclinic.visits import selectors as visits
from polyclinic.web.access import declare


@declare("note.write")
@require_POST
def save(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """Save a part of the note. Who has not seen the present wording is shown it beside theirs (412)."""
    found, kind = key(visit_id), _kind(note_kind)
    fields = _fields(kind, request.POST)
    try:
        notes.save(actor=person_of(request), visit_id=found, kind=kind, fields=fields, version=version_of(request) or 0)
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at=kind, problem=problem, given=fields)
    done(request, _("%(part)s is saved.") % {"part": forms.Kind(kind).label})
    return see(f"/checker/visits/{found}#{kind}")


@declare("note.write")
@require_POST
def draft(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """Keep what is typed; answers with the draft's version, and whether the note was saved by somebody meanwhile."""
    person, found, kind = person_of(request), key(visit_id), _kind(note_kind)
    kept = drafts.keep(
        actor=person, visit_id=found, kind=kind, fields=_fields(kind, request.POST), base=version_of(request) or 0,
        version=_number(request.POST.get("draft", "")),
    )  # fmt: skip
    return JsonResponse({"version": kept.version, "stale": kept.stale})


@declare("note.write")
@require_POST
def discard(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """Throw one's own draft away; the form shows what is saved."""
    found, kind = key(visit_id), _kind(note_kind)
    drafts.discard(actor=person_of(request), visit_id=found, kind=kind)
    done(request, _("The draft is gone."))
    return see(f"/checker/visits/{found}#{kind}")


@declare("note.write")
@require_GET
def beside(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """What is saved and what this person's draft says, side by side."""
    person, found, kind = person_of(request), key(visit_id), _kind(note_kind)
    part = next(part for part in note_parts(person, found) if part["kind"] == kind)
    return show(request, "checker/_beside.html", part=part, visit=visits.visit(person, found))


def _kind(text: str) -> str:
    if text not in forms.Kind.values:
        raise NotFound()
    return text


def _fields(kind: str, given: QueryDict) -> Mapping[str, str]:
    return {field.name: given.get(field.name, "") for field in forms.fields_of(kind)}


def _number(text: str) -> int:
    if text and not (text.isdecimal() and len(text) < 10):
        raise Invalid(_("This page is out of date. Reload and try again."), field="draft")
    return int(text or 0)
