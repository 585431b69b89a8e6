"""Who watches over privacy at a facility."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.facilities.models import Membership


def officers(facility_id: UUID) -> list[UUID]:
    """Accounts of the facility's privacy officers."""
    held = Membership.objects.filter(
        facility_id=facility_id, role=Role.PRIVACY_OFFICER, ended_at__isnull=True, account__is_active=True
    )
    return list(held.order_by("account_id").values_list("account_id", flat=True).distinct())
