"""What T15 needs of the figures: their readers. Sums and public names of doctors; nobody's own rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from polyclinic.analytics import selectors

CLOSED: dict[str, Any] = {
    "analytics.selectors.departments": lambda v, s: selectors.departments(v, s.facility),
    "analytics.selectors.doctors": lambda v, s: selectors.doctors(v, s.facility, None),
    "analytics.selectors.hospital": lambda v, s: selectors.hospital(v, s.facility),
    "analytics.selectors.now": lambda v, s: selectors.now(v, s.facility),
    "analytics.selectors.slots": lambda v, s: selectors.slots(v, s.facility, s.doctor, s.day - timedelta(days=20)),
    "analytics.selectors.stats": lambda v, s: selectors.stats(v, s.facility),
}
BARE = set(CLOSED)
FILTERED: dict[str, Any] = {
    "analytics.selectors.analytics": lambda v, s: selectors.analytics(v),
    "analytics.selectors.own": lambda v, s: selectors.own(v),
}
