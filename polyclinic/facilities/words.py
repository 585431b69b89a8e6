"""Words that everybody here would think of first, for the blocklist of passwords."""

from __future__ import annotations

from polyclinic.facilities.models import Facility


def place_names() -> list[str]:
    """The names of all facilities."""
    return list(Facility.objects.values_list("name", flat=True))
