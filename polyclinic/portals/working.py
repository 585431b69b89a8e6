"""Invitations to doctors, leave and a house's doctors in words, as both the doctor's and the house's pages say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.scheduling.rows import WeeklyRow

INVITED: Final = {
    "sent": (_("Waiting"), "info"),
    "accepted": (_("Accepted"), "ok"),
    "rejected": (_("Declined"), "warn"),
    "revoked": (_("Taken back"), ""),
    "expired": (_("Run out"), "warn"),
}
LEAVE: Final = {
    "asked": (_("Waiting"), "info"),
    "approved": (_("Approved"), "ok"),
    "declined": (_("Declined"), "warn"),
    "withdrawn": (_("Withdrawn"), ""),
}
LEAVE_KINDS: Final[dict[str, Promise]] = {
    "annual": _("Annual leave"),
    "sick": _("Sick leave"),
    "study": _("Study or congress"),
    "family": _("Family"),
    "other": _("Other"),
}
MEMBERS: Final = {
    "active": (_("Sees patients"), "ok"),
    "away": (_("On leave"), "warn"),
    "paused": (_("Takes no bookings"), ""),
    "closed": (_("Account closed"), "bad"),
}
SHORT_DAYS: Final = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


def week(weekly: Sequence[WeeklyRow]) -> str:
    """Hours as one line, days of the same hours together: "Mon, Tue 09:00–12:00"."""
    days: dict[str, list[str]] = {}
    for row in sorted(weekly, key=lambda row: (row.weekday, row.starts)):
        if row.kind == "hours":
            days.setdefault(f"{row.starts:%H:%M}–{row.ends:%H:%M}", []).append(str(SHORT_DAYS[row.weekday]))
    return "; ".join(f"{', '.join(names)} {hours}" for hours, names in days.items())
