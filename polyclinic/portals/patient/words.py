"""Words of the pages on which patients decide: purposes, parts of the record, kinds of carers and of requests."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.portals.common import zone_of as zone_of

PURPOSES: Final = (
    ("treatment", _("Treatment")),
    ("second_opinion", _("A second opinion")),
    ("research", _("Research")),
    ("family", _("Family or a friend")),
)
CATEGORIES: Final = (
    ("all", _("Everything, also what is added later")),
    ("particulars", _("Name, date of birth and how to reach you")),
    ("appointments", _("Appointments")),
    ("results", _("Laboratory results")),
    ("medicines", _("Medicines")),
    ("notes", _("Notes and diagnoses")),
)
MINUTES: Final = ((15, _("15 minutes")), (60, _("1 hour")), (240, _("4 hours")), (1440, _("24 hours")))
KINDS: Final = (("carer", _("Carer")), ("parent", _("Parent")), ("guardian", _("Legal guardian")))
RIGHTS: Final = (
    ("view", _("See appointments")),
    ("book", _("See, book and change appointments")),
)
REQUESTS: Final = (
    ("access", _("A copy of the record"), _("Everything held, to read and as a file for other programs.")),
    ("correction", _("Correct something"), _("Such as a misspelt name.")),
    ("restriction", _("Restrict who uses the record"), _("Say whom and what for.")),
    ("erasure", _("Erase the record"), _("What the law makes us keep stays; the answer says what.")),
)
FIELDS: Final = (
    ("given_name", _("Given name")),
    ("family_name", _("Family name")),
    ("born", _("Date of birth, as 1958-07-14")),
    ("sex", _("Sex: female, male, other or unknown")),
    ("phone", _("Phone")),
)
STATES: Final = (
    ("received", _("Received")),
    ("in_progress", _("In work")),
    ("answered", _("Answered")),
    ("refused", _("Refused")),
    ("cancelled", _("Taken back")),
)
SHARED: Final = _("Shared. You can stop it here at any time.")
WITHDRAWN: Final = _("No longer shared. It holds from now on.")
CHOOSE_GRANTEE: Final = _("Choose a hospital or a doctor.")

_NAMES: Final = {
    **{f"purpose.{key}": text for key, text in PURPOSES},
    **{f"category.{key}": text for key, text in CATEGORIES},
    **{f"kind.{key}": text for key, text in KINDS},
    **{f"rights.{key}": text for key, text in RIGHTS},
    **{f"request.{row[0]}": row[1] for row in REQUESTS},
    **{f"state.{key}": text for key, text in STATES},
    "field.given_name": _("given name"),
    "field.family_name": _("family name"),
    "field.born": _("date of birth"),
    "field.sex": _("sex"),
    "field.phone": _("phone"),
}
KIND_OF_STATE: Final = {"received": "warn", "in_progress": "info", "answered": "ok", "refused": "bad", "cancelled": ""}


def name(table: str, key: str) -> str:
    """The words for a stored value, such as ("purpose", "treatment")."""
    return str(_NAMES.get(f"{table}.{key}", key))


def listed(categories: tuple[str, ...]) -> str:
    """The parts of a record as one line."""
    return ", ".join(name("category", key) for key in categories)


def specialty(slug: str) -> str:
    return slug.replace("-", " ")
