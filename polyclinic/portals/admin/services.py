"""The services of a house, on what terms it gives each, and its equipment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.billing import selectors as billing
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import catalogue, offers, settings
from polyclinic.facilities.catalogue import ServiceTerms
from polyclinic.facilities.offers import Offer
from polyclinic.facilities.setting import Overtaken
from polyclinic.portals import meanwhile
from polyclinic.portals.admin.doctors import place_of
from polyclinic.portals.admin.house import STANDING, from_when, whole_number
from polyclinic.portals.admin.leave import Affected
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import FIRST_DAY, LAST_DAY, done, person_of, see, show
from polyclinic.portals.doctor.schedule import acknowledged, repeated, resolution
from polyclinic.scheduling import house
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.web.access import declare

# Which input a refusal of the domain is about.
_FIELDS: Final = {"effectiveFrom": "from_day", "first": "first_day", "last": "last_day"}


@declare("setting.view")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    return _overview(request)


def _overview(request: HttpRequest, refused: Problem | None = None, form: str = "") -> HttpResponse:
    place, places = place_of(request, "setting.view")
    errors = {refused.field or "__all__": [str(refused.sentence)]} if refused else {}
    return show(
        request, "admin/services.html", refused.status if refused else 200, nav=nav(request, "services"),
        places=places, errors=errors, form=form, given=request.POST, **_listed(request, place),
    )  # fmt: skip


@declare("setting.view")
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """Only the lists, for when somebody changes them while the page is open."""
    place, _places = place_of(request, "setting.view")
    return show(request, "admin/_services.html", **_listed(request, place))


def _listed(request: HttpRequest, place: Any) -> dict[str, Any]:  # noqa: ANN401 - a PlaceRow of staff
    person = person_of(request)
    rows = catalogue.services(person, place.id)
    return {
        "place": place, "rows": rows, "equipment": catalogue.equipment(person, place.id),
        "specialties": sorted({row.specialty for row in rows}),
        "editable": policy.allowed(person, "service.edit", Subject(facility_id=place.id)),
    }  # fmt: skip


@declare("setting.view")
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """A service that only this house gives."""
    place, _places = place_of(request, "setting.view")
    given = request.POST
    try:
        made = catalogue.add_service(
            actor=person_of(request), facility_id=place.id, name=given.get("name", "")[:200],
            specialty=given.get("specialty", "")[:60], about=given.get("about", "")[:400],
        )  # fmt: skip
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        return _overview(request, refused, "service")
    done(request, _("The service is added. Now say on what terms it is given."))
    return see(f"/admin/services/{made.pk}?place={place.id}")


@declare("setting.view")
@require_POST
def equip(request: HttpRequest) -> HttpResponse:
    """A kind of device and how many the house has."""
    place, _places = place_of(request, "setting.view")
    given = request.POST
    try:
        catalogue.add_equipment(
            actor=person_of(request), facility_id=place.id, name=given.get("device", "")[:200],
            count=whole_number(given, "count"),
        )  # fmt: skip
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        refused.field = {"name": "device"}.get(refused.field or "", refused.field)
        return _overview(request, refused, "equipment")
    done(request, _("The equipment is added. Services can ask for it now."))
    return see(f"/admin/services?place={place.id}")


@declare("setting.view")
@require_POST
def count(request: HttpRequest, equipment_id: str) -> HttpResponse:
    """How many of a kind can be used; whoever is booked with one that goes is shown first."""
    place, _places = place_of(request, "setting.view")
    key, given = parse_id(equipment_id), request.POST
    if key is None:
        raise NotFound()
    row = catalogue.require_kind(person_of(request), place.id, key)
    back = f"/admin/services?place={place.id}"
    try:
        house.set_devices(
            actor=person_of(request), equipment_id=row.id, count=whole_number(given, "count"),
            version=whole_number(given, "version"), acknowledged=acknowledged(given), resolution=resolution(given),
        )  # fmt: skip
    except PatientsStranded as stranded:
        return _affected(request, stranded, back)
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        return _overview(request, refused, "equipment")
    done(request, _("It is set."))
    return see(back)


@declare("setting.view")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, service_id: str) -> HttpResponse:
    """The terms of a service with their history; a POST sets them, after whoever they affect was shown."""
    place, _places = place_of(request, "setting.view")
    row = _service(request, place.id, service_id)
    if request.method == "GET":
        return _page(request, place, row)
    given = request.POST

    def save() -> None:
        house.change(
            actor=person_of(request), facility_id=place.id, key=offers.key_of(row.id),
            value=offers.write(_terms(given)), seen=whole_number(given, "seen"),
            effective_from=from_when(given, place.time_zone), note=given.get("note", ""),
            acknowledged=acknowledged(given), resolution=resolution(given),
        )  # fmt: skip

    return _try(request, place, row, save, _("It is set."))


@declare("setting.view")
@require_POST
def undo(request: HttpRequest, service_id: str) -> HttpResponse:
    """The terms of an old version once more (`number`)."""
    place, _places = place_of(request, "setting.view")
    row, given = _service(request, place.id, service_id), request.POST

    def save() -> None:
        house.undo(
            actor=person_of(request), facility_id=place.id, key=offers.key_of(row.id),
            number=whole_number(given, "number"), seen=whole_number(given, "seen"),
            acknowledged=acknowledged(given), resolution=resolution(given),
        )  # fmt: skip

    return _try(request, place, row, save, _("It is undone: it is set as it was."))


def _service(request: HttpRequest, place_id: UUID, service_id: str) -> ServiceTerms:
    key = parse_id(service_id)
    if key is None:
        raise NotFound()
    return catalogue.service(person_of(request), place_id, key)


def _try(
    request: HttpRequest, place: Any, row: ServiceTerms, save: Callable[[], None], sentence: Any,  # noqa: ANN401
) -> HttpResponse:  # fmt: skip
    """Save; or ask about the patients it concerns; or show what is wrong with everything still filled in."""
    back = f"/admin/services/{row.id}?place={place.id}"
    try:
        save()
    except PatientsStranded as stranded:
        return _affected(request, stranded, back)
    except Overtaken as late:
        return _page(request, place, _service(request, place.id, str(row.id)), late=late)
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        return _page(request, place, row, refused=refused)
    done(request, sentence)
    return see(back)


def _affected(request: HttpRequest, stranded: PatientsStranded, back: str) -> HttpResponse:
    return show(
        request, "admin/house_stranded.html", 409, sent=repeated(request.POST), action=request.path, back=back,
        rows=msgspec.convert(stranded.extra["appointments"], list[Affected]), nav=nav(request, "services"),
        why=_("These booked patients would be without what the service asks for."),
    )  # fmt: skip


def _page(
    request: HttpRequest, place: Any, row: ServiceTerms, *,  # noqa: ANN401
    refused: Problem | None = None, late: Overtaken | None = None,
) -> HttpResponse:  # fmt: skip
    person, given = person_of(request), request.POST
    errors: dict[str, list[str]] = {}
    if refused is not None:
        errors = {_FIELDS.get(refused.field or "", refused.field or "__all__"): [str(refused.sentence)]}
    status = meanwhile.CHANGED if late else refused.status if refused else 200
    when = datetime.fromisoformat(late.extra["at"]) if late and late.extra["at"] else None
    prices = []
    if policy.allowed(person, "price.view", Subject(facility_id=place.id)):
        prices = [(one.code, f"{one.name} ({one.code})") for one in billing.prices(person, place.id)]
    if row.newest.price and row.newest.price not in dict(prices):
        prices.append((row.newest.price, row.newest.price))
    return show(
        request, "admin/service.html", status, nav=nav(request, "services"), place=place, row=row, errors=errors,
        given=given, late=late.extra if late else None, late_at=when, standing=STANDING, prices=prices,
        versions=settings.history(person, place.id, offers.key_of(row.id)), shown=_shown(given, row.newest),
        choices=catalogue.choices(person, place.id, row.id),
    )  # fmt: skip


def _shown(given: QueryDict, newest: Offer) -> dict[str, Any]:
    """What the form is filled with: as it was sent, else the newest terms."""
    if "seen" in given and "number" not in given:
        lists = {name: given.getlist(name) for name in ("doctors", "rooms", "equipment")}
        names = ("offered", "minutes", "price", "second", "first_day", "last_day")
        return {**lists, **{name: given.get(name, "") for name in names}}
    return {
        "offered": "yes" if newest.offered else "no", "minutes": newest.minutes or "", "price": newest.price,
        "doctors": newest.doctors, "rooms": newest.rooms, "equipment": newest.equipment, "second": newest.second,
        "first_day": newest.first or "", "last_day": newest.last or "",
    }  # fmt: skip


def _terms(given: QueryDict) -> Offer:
    """The terms that the form was filled in with. Raises Invalid naming the field."""
    return offers.checked(
        Offer(
            offered=given.get("offered", "yes") != "no",
            minutes=whole_number(given, "minutes", _("Write a whole number.")) if given.get("minutes") else None,
            price=given.get("price", "")[:60], second=given.get("second", "")[:60],
            doctors=_ids(given, "doctors"), rooms=_ids(given, "rooms"), equipment=_ids(given, "equipment"),
            first=_day(given, "first_day"), last=_day(given, "last_day"),
        )
    )  # fmt: skip


def _ids(given: QueryDict, name: str) -> tuple[UUID, ...]:
    found = [parse_id(text) for text in given.getlist(name)[: offers.MOST_NAMED + 1]]
    if None in found:
        raise Invalid(_("Choose one of the listed values."), field=name)
    return tuple(key for key in found if key is not None)


def _day(given: QueryDict, name: str) -> date | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not FIRST_DAY <= found <= LAST_DAY:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field=name)
    return found
