"""The services of a hospital over REST: on what terms it gives each, and the equipment that they share."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, Moment, PageNumber, Text, Words, described, list_of
from polyclinic.api.settings import Number, Stranding, Undoing
from polyclinic.facilities import catalogue, offers
from polyclinic.facilities.catalogue import EquipmentRow, ServiceTerms
from polyclinic.facilities.offers import Offer
from polyclinic.scheduling import house
from polyclinic.web.access import declare

router = Router(tags=["Services"])
_ONE: Final = {200: described(ServiceTerms), **PROBLEMS}
_MADE: Final = {201: described(ServiceTerms), **PROBLEMS}
_KIND: Final = {200: described(EquipmentRow), **PROBLEMS}
_KIND_MADE: Final = {201: described(EquipmentRow), **PROBLEMS}
Ids = Annotated[list[UUID], Field(max_length=offers.MOST_NAMED)]


class Terms(Stranding):
    """The terms as a whole, and from when on (now): what is left out is as ever. `second` is `role:nurse`, or `doctor:`
    or `staff:` and an id. `first` and `last` are days of the hospital's calendar, both included.
    """

    offered: bool = True
    minutes: Annotated[int, Field(ge=5, le=480)] | None = None
    price: Annotated[Text, Field(max_length=40)] = ""
    doctors: Ids = []
    rooms: Ids = []
    equipment: Ids = []
    second: Annotated[Text, Field(max_length=60)] = ""
    first: date | None = None
    last: date | None = None
    effective_from: Moment | None = None
    note: Annotated[Text, Field(max_length=200)] = ""


class NewService(Body):
    """A service that only this hospital gives."""

    name: Annotated[Text, Field(max_length=80)]
    specialty: Annotated[Text, Field(max_length=40)]
    about: Annotated[Text, Field(max_length=200)] = ""


class NewEquipment(Body):
    """A kind of device and how many there are."""

    name: Annotated[Text, Field(max_length=60)]
    count: Annotated[int, Field(ge=0, le=catalogue.MOST_DEVICES)] = 1


class Count(Body):
    """How many can be used. `acknowledged`: the appointments of a 409 that the caller has seen, and what becomes of
    them."""

    count: Annotated[int, Field(ge=0, le=catalogue.MOST_DEVICES)]
    version: Number
    acknowledged: Annotated[list[UUID], Field(max_length=1000)] = []
    resolution: Literal["keep", "cancel"] = "keep"


@router.get(
    "/hospitals/{hospitalId}/services", response={200: list_of(ServiceTerms), **PROBLEMS}, summary="Terms of services"
)
@declare("setting.view")
def list_terms(
    request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Every service that a doctor of the hospital could give, on what terms it is given, and what is planned."""
    return answers.cut(
        request, catalogue.services(answers.viewer_of(request), answers.key(hospitalId)), page, limit, fields
    )


@router.post("/hospitals/{hospitalId}/services", response=_MADE, summary="Add a service")
@declare("setting.view")
def add_service(request: HttpRequest, hospitalId: str, body: NewService) -> HttpResponse:
    """A service that only this hospital gives, on usual terms until others are set."""
    person, place = answers.person_of(request), answers.key(hospitalId)

    def effect() -> tuple[int, object]:
        made = catalogue.add_service(
            actor=person, facility_id=place, name=body.name, specialty=body.specialty, about=body.about
        )
        return 201, catalogue.service(person, place, made.pk)

    return answers.once(request, effect)


@router.put("/hospitals/{hospitalId}/services/{serviceId}", response=_ONE, summary="Set the terms of a service")
@declare("setting.view")
def change_terms(request: HttpRequest, hospitalId: str, serviceId: str, body: Terms) -> HttpResponse:
    """A new version, from now or from a coming moment on; the old one is kept (`…/settings/service.<id>/versions`).

    Whoever has not seen the newest version gets 412 with both (`mine`, `theirs`). Booked patients who would be without
    what the service asks for are listed in a 409 (`appointments`); send their ids as `acknowledged` to go ahead.
    """
    person, place, service = answers.person_of(request), answers.key(hospitalId), answers.key(serviceId)
    terms = Offer(
        offered=body.offered, minutes=body.minutes, price=body.price, doctors=tuple(body.doctors),
        rooms=tuple(body.rooms), equipment=tuple(body.equipment), second=body.second, first=body.first, last=body.last,
    )  # fmt: skip
    house.change(
        actor=person, facility_id=place, key=offers.key_of(service), value=offers.write(offers.checked(terms)),
        seen=body.seen, effective_from=body.effective_from, note=body.note, acknowledged=frozenset(body.acknowledged),
        resolution=body.resolution,
    )  # fmt: skip
    return answers.one(request, catalogue.service(person, place, service))


@router.post("/hospitals/{hospitalId}/services/{serviceId}/undo", response=_ONE, summary="Undo the terms of a service")
@declare("setting.view")
def undo_terms(request: HttpRequest, hospitalId: str, serviceId: str, body: Undoing) -> HttpResponse:
    """A new version equal to an old one, from now on. Answers as setting the terms does."""
    person, place, service = answers.person_of(request), answers.key(hospitalId), answers.key(serviceId)

    def effect() -> tuple[int, object]:
        house.undo(
            actor=person, facility_id=place, key=offers.key_of(service), number=body.number, seen=body.seen,
            acknowledged=frozenset(body.acknowledged), resolution=body.resolution,
        )  # fmt: skip
        return 200, catalogue.service(person, place, service)

    return answers.once(request, effect)


@router.get("/hospitals/{hospitalId}/equipment", response={200: list_of(EquipmentRow), **PROBLEMS}, summary="Equipment")
@declare("setting.view")
def list_equipment(
    request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Kinds of devices and how many of each the hospital can use."""
    rows = catalogue.equipment(answers.viewer_of(request), answers.key(hospitalId))
    return answers.cut(request, rows, page, limit, fields)


@router.post("/hospitals/{hospitalId}/equipment", response=_KIND_MADE, summary="Add equipment")
@declare("setting.view")
def add_equipment(request: HttpRequest, hospitalId: str, body: NewEquipment) -> HttpResponse:
    """A kind of device that services can ask for."""
    person, place = answers.person_of(request), answers.key(hospitalId)

    def effect() -> tuple[int, object]:
        made = catalogue.add_equipment(actor=person, facility_id=place, name=body.name, count=body.count)
        return 201, EquipmentRow(made.pk, made.name, made.count, made.version)

    return answers.once(request, effect)


@router.put("/hospitals/{hospitalId}/equipment/{equipmentId}", response=_KIND, summary="Set how many devices there are")
@declare("setting.view")
def set_devices(request: HttpRequest, hospitalId: str, equipmentId: str, body: Count) -> HttpResponse:
    """How many can be used from now on. Booked patients who have one that goes are listed in a 409 (`appointments`)."""
    person, place, kind = answers.person_of(request), answers.key(hospitalId), answers.key(equipmentId)
    catalogue.require_kind(person, place, kind)
    row = house.set_devices(
        actor=person, equipment_id=kind, count=body.count, version=body.version,
        acknowledged=frozenset(body.acknowledged), resolution=body.resolution,
    )  # fmt: skip
    return answers.one(request, EquipmentRow(row.pk, row.name, row.count, row.version))
