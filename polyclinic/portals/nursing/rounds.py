"""The ward round's list, and the page of one bed: measuring, the round's note, and what there is to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.nursing import actions, selectors, words
from polyclinic.nursing.rows import RoundRow
from polyclinic.portals import meanwhile
from polyclinic.portals.checker.words import RISKS as ADVICE
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.nursing import house, spark
from polyclinic.records import vitals as signs
from polyclinic.web.access import declare

ORDERS: Final = ("need", "bed")
_SHOWN_AGAIN: Final = (409, 412, 422)


@declare("vitals.record")
@require_GET
def ward_round(request: HttpRequest) -> HttpResponse:
    """Everybody in a ward: who needs somebody first, or by bed."""
    place, places, ward, wards = house.ward_of(request)
    by = _order(request)
    person = person_of(request)
    rows = selectors.ward_round(person, place.id, ward.id, by=by) if ward else []
    left = selectors.without_summary(person, place.id, ward.id) if ward else []
    return show(
        request, "nursing/round.html", place=place, places=places, ward=ward, wards=wards, left=left, by=by,
        **_list(rows, by), nav={"current": "round", "row": None},
    )  # fmt: skip


@declare("vitals.record")
@require_GET
def round_row(request: HttpRequest, stay_id: str) -> HttpResponse:
    """One line of the list; 204 when the patient does not lie in that ward (any more)."""
    row, ward = selectors.round_row(person_of(request), house.key(stay_id)), house.key(request.GET.get("ward"))
    if row.stay.ward_id != ward:
        return HttpResponse(status=204)
    return show(request, "nursing/_round.html", **_list([row], _order(request)))


# Not `vitals.view`, which is the patient's as well: this is a page of the house.
@declare("vitals.record")
@require_GET
def bedside(request: HttpRequest, stay_id: str) -> HttpResponse:
    """The page of one bed; `part` alone for what changes while it is open."""
    return page(request, house.key(stay_id))


def page(
    request: HttpRequest, stay_id: UUID, *, at: str = "", problem: Problem | None = None,
    given: Mapping[str, Any] | None = None,
) -> HttpResponse:  # fmt: skip
    """The whole page. `at` names the form that a problem came from; it is shown again as it was `given`."""
    if problem is not None and problem.status not in _SHOWN_AGAIN:
        raise problem
    person = person_of(request)
    row = selectors.stay(person, stay_id)
    rows = selectors.observations(person, stay_id)
    standing = [one for one in rows if one.status == "recorded"]
    now = _one(person, stay_id)
    shared: dict[str, Any] = {
        "rows": rows[::-1], "latest": standing[-1] if standing else None, "now_row": now,
        "advice": ADVICE.get(now.risk) if now and now.risk else None, "sparks": _sparks([now] if now else []),
        "note": selectors.round_note(person, stay_id),
    }  # fmt: skip
    if request.GET.get("part") and request.method == "GET":
        return show(
            request, "nursing/_bedside.html", **shared, **house.part(row, "bedside"), rights=house.may(request, row)
        )
    return show(
        request, "nursing/bedside.html", meanwhile.status_of(problem) if problem else 200, at=at, given=given or {},
        errors={at: errors_of(meanwhile.explained(problem))} if problem else {},
        unusual=problem.extra.get("unusual", []) if problem and problem.code == "unusual" else [],
        vitals=signs.VITALS, levels=signs.Consciousness.choices, visit=row, before=_before(request, person, stay_id),
        **shared, **house.bedside(request, row, "bedside"),
    )  # fmt: skip


@declare("vitals.record")
@require_POST
def observe(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Write down a set of signs."""
    found, given = house.key(stay_id), request.POST
    try:
        actions.observe(
            actor=person_of(request), stay_id=found, values={name: given.get(name, "") for name in signs.BY_NAME},
            oxygen={"air": False, "oxygen": True}.get(given.get("oxygen", "")),
            consciousness=given.get("consciousness", ""), scale=2 if given.get("scale") == "2" else 1,
            pregnant=given.get("pregnant") == "yes", confirmed=given.getlist("confirmed"),
        )  # fmt: skip
    except Problem as problem:
        return page(request, found, at="vitals", problem=problem, given=given.dict())
    done(request, _("The vital signs are written down."))
    return see(f"/nursing/stays/{found}")


@declare("vitals.record")
@require_POST
def withdraw(request: HttpRequest, observation_id: str) -> HttpResponse:
    """Mark a set as entered in error, and why."""
    found, stay = house.key(observation_id), house.key(request.POST.get("stay"))
    try:
        actions.withdraw(
            actor=person_of(request), observation_id=found, reason=request.POST.get("reason", ""),
            version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        house.refused(request, problem)
    else:
        done(request, _("The vital signs are marked as entered in error."))
    return see(f"/nursing/stays/{stay}")


@declare("note.write")
@require_POST
def note(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Save the round's note; who has not seen the last wording keeps what they typed and sees it first."""
    found, given = house.key(stay_id), request.POST
    try:
        actions.note(
            actor=person_of(request), stay_id=found, text=given.get("text", ""), version=version_of(request) or 0
        )
    except Problem as problem:
        return page(request, found, at="note", problem=problem, given=given.dict())
    done(request, _("The note is saved."))
    return see(f"/nursing/stays/{found}")


def _order(request: HttpRequest) -> str:
    by = request.GET.get("by", "")
    return by if by in ORDERS else ORDERS[0]


def _one(person: Any, stay_id: UUID) -> RoundRow | None:  # noqa: ANN401 - a person
    try:
        return selectors.round_row(person, stay_id)
    except NotFound:
        return None  # has left: there is nothing to look after any more


def _before(request: HttpRequest, person: Any, stay_id: UUID) -> list[Any]:  # noqa: ANN401 - a person
    return selectors.round_note_versions(person, stay_id)[1:] if request.GET.get("wordings") else []


def _list(rows: list[RoundRow], by: str) -> dict[str, Any]:
    """What lines of the list are drawn from, each with the place at which it stands."""
    keys = {row.stay.id: _sort(row, by) for row in rows}
    return {"rows": rows, "keys": keys, "words": words, "sparks": _sparks(rows)}


def _sort(row: RoundRow, by: str) -> str:
    if by == "bed":
        return selectors.by_bed(row)
    *numbers, bed = selectors.in_need(row)
    # As text, so that a browser can put a line where it belongs: high totals first.
    return "-".join(f"{number + 500:04d}" for number in numbers if isinstance(number, int)) + str(bed)


def _sparks(rows: list[RoundRow]) -> dict[UUID, Any]:
    return {
        row.stay.id: spark.line(
            row.trend, _("NEWS2, oldest first: %(totals)s") % {"totals": ", ".join(str(one) for _at, one in row.trend)}
        )
        for row in rows
    }
