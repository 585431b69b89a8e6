"""Two records that are one person's: found, laid side by side, merged with a reason, and parted again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Problem
from polyclinic.core.ids import parse_id
from polyclinic.people import merge, search
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.reception.desk import frame, id_of, place_of
from polyclinic.visits import choices
from polyclinic.web.access import declare

_RIGHT = "patient.merge"


@declare(_RIGHT)
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Which two, by number or name; and what was merged before. What is looked for is sent in the body."""
    person, place = person_of(request), place_of(request, _RIGHT)
    given = {name: request.POST.get(name, "").strip()[:100] for name in ("one", "other")}
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        found = {name: _one(person, text, name, errors) for name, text in given.items()}
        if not errors and found["one"] == found["other"]:
            errors["other"] = [str(_("This is the same record, or merged with it already."))]
        if not errors:
            return see(f"/reception/merge/{found['one']}/{found['other']}?place={place.id}")
    elif (chosen := parse_id(request.GET.get("one", ""))) is not None:
        given["one"] = choices.patient(person, place.id, chosen).mrn
    return show(
        request, "reception/merge.html", 422 if errors else 200, given=given, errors=errors,
        merges=merge.merges(person, place.id), **frame(request, "find", place),
    )  # fmt: skip


@declare(_RIGHT)
@require_http_methods(["GET", "POST"])
def pair(request: HttpRequest, patient_id: str, other_id: str) -> HttpResponse:
    """The two side by side. The first one stays; the reason is asked for."""
    person, place = person_of(request), place_of(request, _RIGHT)
    stays, gone = id_of(patient_id), id_of(other_id)
    reason, errors, refusal = request.POST.get("reason", "").strip()[:400], {}, ""
    if request.method == "POST":
        try:
            merge.merge(actor=person, facility_id=place.id, patient_id=stays, gone_id=gone, reason=reason)
        except Problem as problem:
            if problem.status == 404:
                raise
            errors = errors_of(problem) if problem.field == "reason" else {}
            refusal = "" if errors else str(problem.sentence)
        else:
            done(request, _("The two records are read as one from now on."))
            return see(f"/reception/merge?place={place.id}")
    sides = merge.pair(person, place.id, stays, gone)
    return show(
        request, "reception/pair.html", 422 if errors or refusal else 200, sides=sides, differing=_differing(sides),
        reason=reason, errors=errors, refusal=refusal, **frame(request, "find", place),
    )  # fmt: skip


@declare(_RIGHT)
@require_POST
def part(request: HttpRequest, merge_id: str) -> HttpResponse:
    """Undo a merge: the records are two again."""
    place = place_of(request, _RIGHT)
    try:
        merge.undo(
            actor=person_of(request), merge_id=id_of(merge_id), reason=request.POST.get("reason", "")[:400],
            version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
    else:
        done(request, _("The two records are apart again."))
    return see(f"/reception/merge?place={place.id}")


def _one(person: Any, text: str, name: str, errors: dict[str, list[str]]) -> UUID | None:  # noqa: ANN401 - a Person
    """The one patient whom a text means; an error beside the field for none and for several."""
    hits = search.search(person, text) if text else []
    exact = [hit for hit in hits if hit.mrn.casefold() == text.casefold()] or hits
    # A number that was merged away finds the record that stays, whose number is another one.
    if len(exact) == 1:
        return exact[0].id
    if hits:
        errors[name] = [str(_("Several patients are like this. Write the record number."))]
    else:
        errors[name] = [str(_("Nobody like this is known here. Write the record number."))]
    return None


def _differing(sides: tuple[merge.Side, merge.Side]) -> set[str]:
    names = ("name", "born", "sex", "phone")
    return {name for name in names if getattr(sides[0], name) != getattr(sides[1], name)}
