"""What the desk's pages share: at which facility, what of it this person may do, and amounts read from forms."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import formats
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from polyclinic.billing import money, taxes
from polyclinic.billing.providers import Local
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.ids import new_id, parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.portals.common import person_of

METHODS: Final = {"cash": _("Cash"), "card": _("Card"), "online": _("Online")}
KINDS: Final = (
    ("consultation", _("Consultation")),
    ("lab", _("Laboratory test")),
    ("medicine", _("Medicine")),
    ("procedure", _("Procedure")),
    ("other", _("Other")),
)
STATES: Final = {
    "open": (_("To pay"), "warn"),
    "settled": (_("Paid"), "ok"),
    "void": (_("Void"), ""),
    "pending": (_("Waiting"), "warn"),
    "taken": (_("Taken"), "ok"),
    "failed": (_("Did not come"), ""),
    "surplus": (_("Paid twice: give it back"), "bad"),
    "done": (_("Given back"), "info"),
    "closed": (_("Counted"), "ok"),
}
# Money that leaves or is let go: asked for only from whom has just shown who they are.
GRAVE: Final = frozenset({"refund", "write_off", "void"})
_RIGHTS: Final = {
    "charge": "invoice.charge",
    "take": "payment.take",
    "refund": "payment.refund",
    "discount": "invoice.discount",
    "waive": "fee.waive",
    "write_off": "invoice.write_off",
    "void": "invoice.void",
}


def key(text: str) -> UUID:
    """The id in an address. A malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def place_of(request: HttpRequest, permission: str) -> tuple[UUID, list[tuple[UUID, str]]]:
    """The facility the page is about (`place=`, else the first of this person's) and those there are to choose from."""
    person = person_of(request)
    mine = policy.places(person, permission)
    known = [(row.id, row.name) for row in facilities.facilities(person) if row.id in mine]
    if not known:
        raise NotFound()
    wanted = request.POST.get("place") or request.GET.get("place")
    if not wanted:
        return known[0][0], known
    found = parse_id(wanted)
    if found not in mine or found is None:
        raise NotFound()
    return found, known


def may(request: HttpRequest, facility_id: UUID, patient_id: UUID | None = None) -> dict[str, bool]:
    """Which steps this person may take on an invoice of the facility, so that no button leads to a refusal."""
    subject = Subject(patient_id=patient_id, facility_id=facility_id)
    return {name: policy.allowed(person_of(request), right, subject) for name, right in _RIGHTS.items()}


def amount_of(request: HttpRequest, currency: str, field: str = "amount") -> int:
    """The amount in a form's field."""
    return money.read(request.POST.get(field, "")[:40], currency, field)


def percent(rate: int) -> str:
    """19 % or 5.5 %, from hundredths of a per cent."""
    whole, part = divmod(rate, 100)
    text = formats.number_format(Decimal(rate) / 100, 2 if part % 10 else 1 if part else 0, use_l10n=True)
    return pgettext("a rate", "%(number)s\u00a0%%") % {"number": text if part else whole}


def rate_of(request: HttpRequest) -> int:
    """The tax rate in a form, in hundredths of a per cent: 19, 5.5 and 5,5 are understood; nothing is none."""
    text = request.POST.get("tax_rate", "").strip().removesuffix("%").strip().replace(",", ".")
    try:
        found = Decimal(text or "0") * 100
        if not re.fullmatch(r"\d{0,3}(\.\d{1,2})?", text) or found > taxes.WHOLE:
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid(_("Write a rate in per cent, such as 19 or 5.5."), field="tax_rate") from None
    return int(found)


def frame(request: HttpRequest, here: str, place: UUID, places: list[tuple[UUID, str]]) -> dict[str, Any]:
    """What every page of the desk is given: where it is, the words for states, and a fresh key for its forms."""
    person = person_of(request)
    return {
        "here": here, "place": place, "places": places, "STATES": STATES, "METHODS": METHODS, "KINDS": KINDS,
        "key": new_id().hex, "plain": money.plain, "local": Local.name, "percent": percent,
        "sees_revenue": place in policy.places(person, "revenue.view"),
        "edits_prices": place in policy.places(person, "price.edit"),
    }  # fmt: skip
