"""On what terms a house gives a service, as a value: how long, at what price, by whom, where, with what, until when.

The terms are a setting of the house like its hours (`setting`): versions, a beginning, undoing. No database here but
for the names that stand for ids when terms are said in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID, uuid5

import msgspec
from django.db.models import Model
from django.utils import dateformat
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from polyclinic.core.access.rules import Role
from polyclinic.core.errors import Invalid
from polyclinic.facilities.models import Equipment, Room
from polyclinic.people.models import Account, Doctor

PREFIX: Final = "service."
MOST_OF_A_KIND: Final = 20
MOST_NAMED: Final = 40
_PRICE: Final = re.compile(r"^[\w.+/-]{0,40}$")


class Offer(msgspec.Struct, frozen=True, rename="camel"):
    """Terms of one service at one house. What is left empty is as ever: the usual length, every doctor of the
    specialty, the doctor's own room, nothing and nobody besides.

    `second` is who must be there as well: `role:nurse`, `doctor:…` or `staff:…` with an id. `first` and `last` are days
    of the house's calendar, both included.
    """

    offered: bool = True
    minutes: int | None = None
    price: str = ""
    doctors: tuple[UUID, ...] = ()
    rooms: tuple[UUID, ...] = ()
    equipment: tuple[UUID, ...] = ()
    second: str = ""
    first: date | None = None
    last: date | None = None


# What holds where nobody has said anything.
USUAL: Final = Offer()
# Roles that can be asked to help with a service.
HELPING: Final = (Role.NURSE.value, Role.MAIN_DOCTOR.value, Role.CHECKER_DOCTOR.value, Role.LAB_TECHNICIAN.value)


def key_of(service_id: UUID) -> str:
    """The name of the setting that holds the terms of a service."""
    return f"{PREFIX}{service_id.hex}"


def service_of(key: str) -> UUID | None:
    """The service whose terms a setting holds, None for any other setting."""
    text = key.removeprefix(PREFIX)
    if text == key or not re.fullmatch(r"[0-9a-f]{32}", text):
        return None
    return UUID(text)


def device(equipment_id: UUID, number: int) -> UUID:
    """The resource that one of a house's devices of a kind is, counted from 1."""
    return uuid5(equipment_id, f"device {number}")


def devices(equipment_id: UUID, count: int) -> tuple[UUID, ...]:
    return tuple(device(equipment_id, number) for number in range(1, count + 1))


def read(text: str) -> Offer:
    """Terms from what a client sends. Raises Invalid naming the field."""
    if not text.strip():
        return USUAL
    try:
        found = msgspec.json.decode(text, type=Offer)
    except msgspec.MsgspecError:
        raise Invalid(
            _("These are no terms of a service. Take those that it has as a pattern."), field="value"
        ) from None
    return checked(found)


def write(offer: Offer) -> str:
    """As text; the usual terms as an empty one."""
    # Nothing that is left empty is written: two texts are then equal exactly when the terms are.
    told = {name: value for name, value in msgspec.to_builtins(offer).items() if value not in ((), [], "", None, True)}
    return msgspec.json.encode(told, order="sorted").decode() if told else ""


def checked(offer: Offer) -> Offer:
    """The same terms with what is named twice named once. Raises Invalid naming the field."""
    if offer.minutes is not None and not 5 <= offer.minutes <= 480:
        raise Invalid(
            _("Choose between %(low)s and %(high)s minutes.") % {"low": 5, "high": 480}, code="range", field="minutes"
        )
    if not _PRICE.match(offer.price):
        raise Invalid(_("Choose a price from the price list."), field="price")
    if offer.first and offer.last and offer.last < offer.first:
        raise Invalid(_("The end must be after the beginning."), code="order", field="last")
    for name in ("doctors", "rooms", "equipment"):
        if len(getattr(offer, name)) > MOST_NAMED:
            raise Invalid(_("These are more than a service can name."), field=name)
    second_of(offer.second)
    return msgspec.structs.replace(
        offer,
        doctors=tuple(sorted(set(offer.doctors))), equipment=tuple(sorted(set(offer.equipment))),
        rooms=tuple(sorted(set(offer.rooms))),
    )  # fmt: skip


def second_of(text: str) -> tuple[str, str | UUID] | None:
    """Who must be there as well: ("role", a role), ("doctor", id) or ("staff", the account's id). Raises Invalid."""
    if not text:
        return None
    kind, _colon, who = text.partition(":")
    if kind == "role" and who in HELPING:
        return kind, who
    try:
        if kind in ("doctor", "staff"):
            return kind, UUID(who)
    except ValueError:
        pass
    raise Invalid(_("Choose one of those who work here."), field="second", possible=[f"role:{one}" for one in HELPING])


def said(offer: Offer) -> str:
    """The terms in words, with the names of what they name."""
    if not offer.offered:
        return _now("Not offered")
    names = _names(offer)
    parts = []
    if offer.minutes is not None:
        parts.append(ngettext("%(count)s minute", "%(count)s minutes", offer.minutes) % {"count": offer.minutes})
    parts += [", ".join(names[key] for key in offer.doctors)] if offer.doctors else []
    parts += [", ".join(names[key] for key in offer.rooms)] if offer.rooms else []
    parts += [names[key] for key in offer.equipment]
    if wanted := second_of(offer.second):
        who = names[wanted[1]] if isinstance(wanted[1], UUID) else role_word(wanted[1])
        parts.append(_now("with %(who)s") % {"who": who})
    if offer.price:
        parts.append(_now("price %(code)s") % {"code": offer.price})
    if offer.first:
        parts.append(_now("from %(day)s") % {"day": dateformat.format(offer.first, "d-M-Y")})
    if offer.last:
        parts.append(_now("until %(day)s") % {"day": dateformat.format(offer.last, "d-M-Y")})
    return "; ".join(parts) or _now("As usual")


def role_word(role: str) -> str:
    """A role as it stands in terms, in the active language."""
    words = {
        "nurse": _now("a nurse"), "main_doctor": _now("a main doctor"), "checker_doctor": _now("a checking doctor"),
        "lab_technician": _now("a laboratory technician"),
    }  # fmt: skip
    return words.get(role, role)


def _names(offer: Offer) -> dict[object, str]:
    """Names by id; what is gone keeps its place as a dash."""
    found: dict[object, str] = dict.fromkeys([*offer.doctors, *offer.rooms, *offer.equipment], "–")
    found |= _called(Doctor, offer.doctors) | _called(Room, offer.rooms) | _called(Equipment, offer.equipment)
    wanted = second_of(offer.second)
    if wanted and isinstance(wanted[1], UUID):
        found[wanted[1]] = "–"
        found |= _called(Doctor if wanted[0] == "doctor" else Account, [wanted[1]])
    return found


def _called(model: type[Model], keys: Iterable[UUID]) -> dict[object, str]:
    wanted = list(keys)
    rows = model._default_manager.filter(pk__in=wanted) if wanted else ()
    return {row.pk: row.name if isinstance(row, Account) else str(row) for row in rows}
