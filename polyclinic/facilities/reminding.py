"""When a house reminds its patients, and the hours in which it lets them sleep: the two settings about reminders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid
from polyclinic.facilities import hours

# At what time a patient can be reminded: so many minutes before the start, 0 when it is booked or moved.
OFFSETS: Final = {
    "booking": 0, "7d": 7 * 24 * 60, "48h": 48 * 60, "24h": 24 * 60, "2h": 2 * 60,
}  # fmt: skip
WORDS: Final = {
    "booking": _("when it is booked or moved"), "7d": _("7 days before"), "48h": _("48 hours before"),
    "24h": _("24 hours before"), "2h": _("2 hours before"),
}  # fmt: skip
Offsets = tuple[str, ...]
# Empty where there are none: nothing said would be None, and that is another thing.
Quiet = hours.Stretch | tuple[()]
_SPAN: Final = re.compile(r"^\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*$", re.ASCII)


def in_order(names: Iterable[str]) -> Offsets:
    """Those that there are, the earliest first, each once."""
    wanted = set(names)
    return tuple(name for name in OFFSETS if name in wanted)


def read_offsets(text: str) -> Offsets:
    """`booking 7d 24h`, in any order; empty: none. Raises Invalid naming the one that is not known."""
    names = text.lower().replace(",", " ").split()
    for name in names:
        if name not in OFFSETS:
            raise Invalid(
                _("There is no reminder “%(name)s”. Write some of these, with spaces between: %(known)s.")
                % {"name": name[:20], "known": " ".join(OFFSETS)},
                code="unknown", field="value", possible=list(OFFSETS),
            )  # fmt: skip
    return in_order(names)


def write_offsets(names: Offsets) -> str:
    return " ".join(names)


def offsets_said(names: Offsets) -> str:
    return ", ".join(str(WORDS[name]) for name in names) or _now("No reminders")


def read_quiet(text: str) -> Quiet:
    """`21:00-07:00`, over midnight if the end is the smaller; empty: mails leave at any hour. Raises Invalid."""
    if not text.strip():
        return ()
    seen = _SPAN.match(text)
    parts = [int(part) for part in seen.groups()] if seen else []
    if not parts or parts[0] > 23 or parts[2] > 23 or parts[1] > 59 or parts[3] > 59:
        raise Invalid(_("Write the hours as 21:00-07:00, or leave this empty."), field="value")
    start, end = parts[0] * 60 + parts[1], parts[2] * 60 + parts[3]
    if start == end:
        raise Invalid(
            _("That would be the whole day. To send no reminders, choose none of them."), code="order", field="value"
        )
    return start, end


def write_quiet(quiet: Quiet) -> str:
    return hours.clock_text([quiet]) if quiet else ""


def quiet_said(quiet: Quiet) -> str:
    return write_quiet(quiet).replace("-", "–") or _now("None: reminders leave at any hour")


def is_quiet(quiet: Quiet, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the house's clock stands within its quiet hours; both clock changes follow from the wall clock."""
    if not quiet:
        return False
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    start, end = quiet
    return start <= minute < end if start < end else minute >= start or minute < end


def before(name: str) -> timedelta:
    """How long before the start this reminder is due."""
    return timedelta(minutes=OFFSETS[name])
