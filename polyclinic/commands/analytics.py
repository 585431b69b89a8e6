"""`polyclinic analytics`."""

from __future__ import annotations

import argparse
from uuid import UUID

from polyclinic.analytics import following
from polyclinic.commands.ending import fail
from polyclinic.facilities.models import Facility


def analytics(given: argparse.Namespace) -> int:
    """Count what is not counted yet; with `rebuild` everything anew. Says how many days there were."""
    if given.what == "rebuild":
        following.rebuild(_places(given.facility))
    counted = 0
    while found := following.catch_up(60):
        counted += found
        print(f"{counted:,} days counted")
    print("Every day that is over is counted.")
    return 0


def _places(slugs: list[str] | None) -> list[UUID] | None:
    if not slugs:
        return None
    found = dict(Facility.objects.filter(slug__in=slugs).values_list("slug", "pk"))
    if missing := sorted(set(slugs) - set(found)):
        fail(f"there is no facility {', '.join(missing)}.")
    return list(found.values())
