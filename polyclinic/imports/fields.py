"""The columns of each list, and which heading means which of them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.imports.words import Kind


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `name` is its heading in our own exports; `also` are other headings that mean it."""

    name: str
    label: str | Promise
    needed: bool = True
    also: tuple[str, ...] = ()


_DAYS: Final = tuple(
    Field(name, label, False, (name[:3],))
    for name, label in (
        ("monday", _("Monday")), ("tuesday", _("Tuesday")), ("wednesday", _("Wednesday")), ("thursday", _("Thursday")),
        ("friday", _("Friday")), ("saturday", _("Saturday")), ("sunday", _("Sunday")),
    )
)  # fmt: skip

FIELDS: Final[dict[str, tuple[Field, ...]]] = {
    Kind.PATIENTS: (
        Field("family_name", _("Family name"), True, ("surname", "lastname", "last", "name", "nachname", "nom")),
        Field("given_name", _("Given name"), True, ("firstname", "first", "forename", "vorname", "prenom")),
        Field("born", _("Date of birth"), True, ("dob", "dateofbirth", "birthdate", "birthday", "geburtsdatum")),
        Field("sex", _("Sex"), True, ("gender", "geschlecht", "sexe")),
        Field("phone", _("Telephone"), False, ("telephone", "tel", "mobile", "telefon", "phonenumber")),
        Field("new_because", _("Why this is a new person"), False, ("newbecause",)),
    ),
    Kind.STAFF: (
        Field("email", _("Email address"), True, ("mail", "emailaddress")),
        Field("name", _("Name"), True, ("fullname",)),
        Field("role", _("Role"), True, ("job", "position", "rolle")),
    ),
    Kind.SCHEDULES: (
        Field("doctor", _("Doctor (email address)"), True, ("email", "doctoremail")),
        *_DAYS,
        Field("slot_minutes", _("Minutes of a slot"), False, ("slot", "slotlength")),
        Field("buffer_minutes", _("Minutes between slots"), False, ("buffer",)),
    ),
    Kind.PRICES: (
        Field("code", _("Code"), True, ("item", "number")),
        Field("name", _("Name"), True, ("description", "service", "title")),
        Field("kind", _("Kind"), True, ("type", "category")),
        Field("amount", _("Amount"), True, ("price", "cost", "preis")),
        Field("tax_rate", _("Tax in per cent"), False, ("tax", "vat", "mwst")),
    ),
    Kind.STOCK: (
        Field("medicine", _("Medicine (code or name)"), True, ("code", "product", "item", "medicinecode")),
        Field("lot", _("Lot"), True, ("batch", "lotnumber", "charge")),
        Field("expires", _("Expires"), True, ("expiry", "expirydate", "expirationdate", "bestbefore")),
        Field("quantity", _("Quantity"), True, ("amount", "count", "qty", "stock")),
        Field("unit_cost", _("Cost of one"), False, ("cost", "unitcost", "price")),
        Field("supplier", _("Supplier"), True, ("vendor", "wholesaler")),
    ),
}  # fmt: skip


def plain(heading: str) -> str:
    """A heading without what differs between programs: "E-Mail " and "email" are one."""
    bare = unicodedata.normalize("NFKD", heading.casefold())
    return re.sub(r"[\W_]+", "", "".join(sign for sign in bare if not unicodedata.combining(sign)))


def digest(heading: str) -> str:
    """What is remembered of a heading: enough to know it again."""
    return hashlib.sha256(plain(heading).encode()).hexdigest()


def guess(kind: str, headings: Sequence[str], remembered: Mapping[str, str]) -> dict[str, int]:
    """Which column holds which field: as last time at this facility, else by its heading. Nothing is used twice."""
    found: dict[str, int] = {}
    known = [remembered.get(digest(heading), "") for heading in headings]
    bare = [plain(heading) for heading in headings]
    for ways in (known, None):
        for field in FIELDS[kind]:
            meant = (plain(field.name), *field.also)
            for number, heading in enumerate(bare):
                fits = ways[number] == field.name if ways else heading in meant
                if fits and field.name not in found and number not in found.values():
                    found[field.name] = number
    return found


def label(kind: str, name: str) -> str:
    """A column in words."""
    return next((str(field.label) for field in FIELDS[kind] if field.name == name), name)
