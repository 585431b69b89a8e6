"""The home of those who run a facility, and the list of its people."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from polyclinic.billing import money
from polyclinic.billing import selectors as billing
from polyclinic.core.access import policy
from polyclinic.core.access.rules import HELD_AT_FACILITY
from polyclinic.facilities import staff
from polyclinic.facilities.actions import role_name
from polyclinic.portals.admin import words
from polyclinic.portals.common import optional_id, page_of, person_of, show
from polyclinic.visits import house
from polyclinic.visits.words import Line
from polyclinic.web.access import declare

PER_PAGE = 50


def zone_of(places: list[Any]) -> str:
    """The zone in which dates about staff are read: that of the first place."""
    return str(places[0].time_zone) if places else "UTC"


def nav(request: HttpRequest, current: str) -> dict[str, Any]:
    """What the bar needs: which part is shown, and which parts this person has."""
    person = person_of(request)
    return {
        "current": current,
        "invite": policy.ever(person, "staff.invite"),
        "doctors": policy.ever(person, "rota.view"),
        "leave": policy.ever(person, "leave.decide"),
        "partners": policy.ever(person, "key.manage"),
        "house": policy.ever(person, "setting.view"),
        "lists": policy.ever(person, "import.run"),
        "exports": policy.ever(person, "export.run"),
        "system": policy.ever(person, "system.view"),
        "define": policy.ever(person, "role.define"),
    }


@declare("staff.list")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return show(request, "admin/home.html", nav=nav(request, "home"), **_figures(request), **_days(request))


@declare("staff.list")
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Only the figures of the home page, for when they change while it is open."""
    return show(request, "admin/_figures.html", **_figures(request))


@declare("staff.list")
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """Only the day of the house, for each visit that comes, moves on or goes, and each payment."""
    return show(request, "admin/_day.html", **_days(request))


def _days(request: HttpRequest) -> dict[str, Any]:
    """Each place whose day this person may see in numbers; who only looks after accounts has none."""
    person = person_of(request)
    counted = policy.places(person, "facility.stats")
    places = [place for place in staff.places(person) if place.id in counted]
    days = [(place, house.day(person, place.id)) for place in places]
    return {
        "days": [(place, found, _taken(person, place.id, found.day)) for place, found in days],
        "LINE_WORDS": dict(Line.choices),
    }


def _taken(person: Any, facility_id: UUID, day: date) -> list[dict[str, Any]]:  # noqa: ANN401 - a Person
    """What was taken that day, one number for each currency, for whoever may know."""
    if facility_id not in policy.places(person, "revenue.view"):
        return []
    rows = billing.revenue(person, facility_id, day, day)
    return [
        {
            "label": _("Taken"),
            "value": money.shown(row.cash_minor + row.card_minor + row.online_minor - row.returned_minor, row.currency),
        }
        for row in rows
    ]


def _figures(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    places = staff.places(person)
    waiting = staff.invitations(person, state="sent") if policy.ever(person, "staff.invite") else []
    return {
        "places": places,
        "waiting": waiting,
        "zone": zone_of(places),
        "active": staff.people(person, state="active", limit=1).total,
        "closed": staff.people(person, state="closed", limit=1).total,
        "own_roles": len(staff.own_roles(person)),
    }


@declare("staff.list")
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who works here, or did. Without JavaScript the filters are a form like any other."""
    found = _found(request)
    return show(request, "admin/people.html", nav=nav(request, "people"), **found)


@declare("staff.list")
@require_GET
def people_list(request: HttpRequest) -> HttpResponse:
    """Only the list, drawn anew when somebody comes, goes or changes roles."""
    return show(request, "admin/_people.html", **_found(request))


def _found(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    asked = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "role", "state", "place")}
    places = staff.places(person)
    page = staff.people(
        person, facility_id=optional_id(asked["place"], "place"), role=asked["role"], state=asked["state"],
        search=asked["q"], page=page_of(request), limit=PER_PAGE,
    )  # fmt: skip
    roles = sorted((role_name(role), role) for role in {*HELD_AT_FACILITY, "doctor"})
    own = [(row.name, str(row.id)) for row in staff.own_roles(person)]
    return {
        "page": page, "asked": asked, "places": places, "zone": zone_of(places), "states": words.STATES,
        "roles": [(value, name) for name, value in [*roles, *own]],
        "query": urlencode({name: value for name, value in asked.items() if value}),
    }  # fmt: skip
