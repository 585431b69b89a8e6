"""The services of a house with the terms on which it gives them, its equipment, and adding to both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.ids import new_id
from polyclinic.core.outbox import log
from polyclinic.facilities import hours, offers, ruling, settings
from polyclinic.facilities.events import EquipmentChanged, ServiceAdded
from polyclinic.facilities.models import Equipment, Facility, Membership, Room, Service
from polyclinic.facilities.offers import Offer
from polyclinic.people.models import Doctor

MOST_DEVICES: Final = 50


class ServiceTerms(msgspec.Struct, frozen=True, rename="camel"):
    """A service as a house gives it: `terms` are in force, `newest` those set last, which `planned` says in words while
    they have not begun. `version` is their number (0: nobody ever set any). `own`: no other house has this service.
    """

    id: UUID
    name: str
    specialty: str
    about: str
    own: bool
    terms: Offer
    newest: Offer
    said: str
    version: int
    planned: str | None
    planned_from: datetime | None
    editable: bool


class EquipmentRow(msgspec.Struct, frozen=True, rename="camel"):
    """A kind of device and how many the house can use."""

    id: UUID
    name: str
    count: int
    version: int


class Choices(msgspec.Struct, frozen=True, rename="camel"):
    """What the terms of a service can name at a house: (value, name) each."""

    doctors: tuple[tuple[str, str], ...]
    rooms: tuple[tuple[str, str], ...]
    equipment: tuple[tuple[str, str], ...]
    second: tuple[tuple[str, str], ...]


def services(viewer: Viewer, facility_id: UUID) -> list[ServiceTerms]:
    """Every service that a doctor of this house could give, and those of its own, by name. Raises NotFound."""
    policy.require_sight(viewer, "setting.view", Subject(facility_id=facility_id))
    known = Q(specialty__in=_specialties(facility_id)) & Q(facility__isnull=True)
    rows = list(Service.objects.filter(known | Q(facility_id=facility_id)).order_by("name", "pk"))
    told = settings.several(viewer, facility_id, [offers.key_of(row.pk) for row in rows])
    return [_terms(row, told[offers.key_of(row.pk)]) for row in rows]


def service(viewer: Viewer, facility_id: UUID, service_id: UUID) -> ServiceTerms:
    """One of them. Raises NotFound (another house's own and missing alike)."""
    policy.require_sight(viewer, "setting.view", Subject(facility_id=facility_id))
    row = known_service(facility_id, service_id)
    return _terms(row, settings.one(viewer, facility_id, offers.key_of(row.pk)))


def _terms(row: Service, told: settings.SettingRow) -> ServiceTerms:
    return ServiceTerms(
        row.pk, row.name, row.specialty, row.about, row.facility_id is not None, offers.read(told.value),
        offers.read(told.newest), told.said, told.version, told.planned, told.planned_from, told.editable,
    )  # fmt: skip


def equipment(viewer: Viewer, facility_id: UUID) -> list[EquipmentRow]:
    """The equipment of a house, by name. Raises NotFound."""
    policy.require_sight(viewer, "setting.view", Subject(facility_id=facility_id))
    rows = Equipment.objects.filter(facility_id=facility_id).order_by("name", "pk")
    return [EquipmentRow(*cells) for cells in rows.values_list("id", "name", "count", "version")]


def require_kind(viewer: Viewer, facility_id: UUID, equipment_id: UUID) -> EquipmentRow:
    """A kind of device of this house. Raises NotFound for any other."""
    for row in equipment(viewer, facility_id):
        if row.id == equipment_id:
            return row
    raise NotFound()


def choices(viewer: Viewer, facility_id: UUID, service_id: UUID) -> Choices:
    """What the terms of this service can name. Raises NotFound."""
    row = service(viewer, facility_id, service_id)
    doctors = list(_doctors(facility_id))
    rooms = Room.objects.filter(facility_id=facility_id).order_by("name", "pk")
    helpers = _helpers(facility_id).order_by("account__name", "pk").values_list("account_id", "account__name")
    return Choices(
        tuple((str(one.pk), str(one)) for one in doctors if one.specialty == row.specialty),
        tuple((str(one.pk), one.name) for one in rooms),
        tuple((str(one.id), one.name) for one in equipment(viewer, facility_id)),
        (
            *((f"role:{role}", offers.role_word(role)) for role in offers.HELPING),
            *((f"doctor:{one.pk}", str(one)) for one in doctors),
            *dict.fromkeys((f"staff:{key}", name) for key, name in helpers),
        ),
    )  # fmt: skip


def known_service(facility_id: UUID, service_id: UUID) -> Service:
    """A service that this house may give. Raises NotFound."""
    row = Service.objects.filter(pk=service_id).first()
    if row is None or row.facility_id not in (None, facility_id):
        raise NotFound(field="serviceId")
    return row


def require_here(facility_id: UUID, service_id: UUID, offer: Offer) -> None:
    """Refuse terms that name what is not of this house. Raises NotFound, Invalid naming the field."""
    row = known_service(facility_id, service_id)
    doctors = {one.pk: one for one in _doctors(facility_id)}
    if not all(key in doctors and doctors[key].specialty == row.specialty for key in offer.doctors):
        raise Invalid(_("Choose doctors of this specialty who see patients here."), field="doctors")
    if Room.objects.filter(facility_id=facility_id, pk__in=offer.rooms).count() != len(offer.rooms):
        raise Invalid(_("Choose rooms of this house."), field="rooms")
    if Equipment.objects.filter(facility_id=facility_id, pk__in=offer.equipment).count() != len(offer.equipment):
        raise Invalid(_("Choose equipment of this house."), field="equipment")
    wanted = offers.second_of(offer.second)
    here = wanted is None or wanted[0] == "role" or wanted[1] in doctors
    if not here and wanted and wanted[0] == "staff":
        here = _helpers(facility_id).filter(account_id=wanted[1]).exists()
    if not here:
        raise Invalid(_("Choose one of those who work here."), field="second")
    if wanted and offer.doctors == (wanted[1],):
        raise Invalid(_("The second person must be another one than the doctor."), field="second")


@transactional
def add_service(*, actor: Actor, facility_id: UUID, name: str, specialty: str, about: str = "") -> Service:
    """A service that only this house gives. Raises NotFound, Forbidden, Invalid naming the field."""
    _place(actor, facility_id)
    name, about = _line(name, 80, "name", least=2), _line(about, 200, "about")
    if specialty not in _specialties(facility_id):
        raise Invalid(
            _("Choose a specialty in which a doctor sees patients here."), field="specialty",
            possible=sorted(_specialties(facility_id)),
        )  # fmt: skip
    # Two managers who add the same one at once: the second is told.
    lock_keys([f"setting:{facility_id}"])
    if Service.objects.filter(Q(facility__isnull=True) | Q(facility_id=facility_id), name__iexact=name).exists():
        raise Invalid(_("There is a service of this name."), code="taken", field="name")
    key = new_id()
    made = Service(
        id=key, facility_id=facility_id, name=name, specialty=specialty, about=about,
        slug=f"{slugify(name)[:40] or 'service'}-{key.hex[-12:]}",
    )  # fmt: skip
    made.save(force_insert=True)
    ledger.record(
        actor=actor, action="service.add", row=made, subject=Subject(facility_id=facility_id),
        detail={"name": name, "specialty": specialty},
        event=ServiceAdded(facility_id=facility_id, service_id=made.pk),
    )  # fmt: skip
    return made


@transactional
def add_equipment(*, actor: Actor, facility_id: UUID, name: str, count: int) -> Equipment:
    """A kind of device, and how many there are. Raises NotFound, Forbidden, Invalid naming the field."""
    _place(actor, facility_id)
    made = Equipment(facility_id=facility_id, name=_line(name, 60, "name", least=2), count=_count(count))
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Invalid(_("There is equipment of this name."), code="taken", field="name") from None
    _moved(facility_id)
    ledger.record(
        actor=actor, action="equipment.add", row=made, subject=Subject(facility_id=facility_id), revision=1,
        detail={"name": made.name, "count": count}, event=EquipmentChanged.of(made),
    )  # fmt: skip
    return made


@transactional
def set_count(
    *, actor: Actor, equipment_id: UUID, count: int, version: int, settle: Callable[[Equipment, int], None]
) -> Equipment:
    """How many can be used from now on. `settle` decides for whoever is booked with one that goes, or refuses.

    Call it through `scheduling.house`. Raises NotFound, Forbidden, StaleEdit, Invalid.
    """
    row = Equipment.objects.filter(pk=equipment_id).first()
    if row is None:
        raise NotFound()
    _place(actor, row.facility_id)
    before, wanted = row.count, _count(count)
    settle(row, wanted)
    ledger.change(
        row, {"count": wanted}, permission="service.edit", subject=Subject(facility_id=row.facility_id), actor=actor,
        action="equipment.set_count", version=version, detail={"before": before, "after": wanted},
    )  # fmt: skip
    log.append(EquipmentChanged.of(row))
    _moved(row.facility_id)
    return row


def _moved(facility_id: UUID) -> None:
    """Whoever remembers what the house has must look anew."""
    ruling.being_changed(facility_id)
    Facility.objects.filter(pk=facility_id).update(version=F("version") + 1)


def _place(actor: Actor, facility_id: UUID) -> None:
    subject = Subject(facility_id=facility_id)
    policy.require_sight(actor, "setting.view", subject)
    if not Facility.objects.filter(pk=facility_id).exists():
        raise NotFound()
    policy.require(actor, "service.edit", subject)


def _line(text: str, most: int, field: str, *, least: int = 0) -> str:
    text = " ".join(text.split())
    if not least <= len(text) <= most or not hours.LINE.match(text):
        raise Invalid(
            _("Write at most %(most)s letters, digits, spaces and the marks - . , : ( ) / ' + # ·") % {"most": most},
            field=field,
        )
    return text


def _count(count: int) -> int:
    if not 0 <= count <= MOST_DEVICES:
        raise Invalid(
            _("Choose a whole number between %(low)s and %(high)s.") % {"low": 0, "high": MOST_DEVICES}, code="range",
            field="count",
        )  # fmt: skip
    return count


def _doctors(facility_id: UUID) -> Iterable[Doctor]:
    """Doctors who see patients here, by name."""
    here = Doctor.objects.filter(account__is_active=True, schedules__facility_id=facility_id, schedules__bookable=True)
    return here.order_by("family_name", "given_name", "pk")


def _specialties(facility_id: UUID) -> set[str]:
    return {one.specialty for one in _doctors(facility_id)}


def _helpers(facility_id: UUID) -> QuerySet[Membership]:
    return Membership.objects.filter(
        facility_id=facility_id, ended_at__isnull=True, account__is_active=True, role__in=offers.HELPING
    )
