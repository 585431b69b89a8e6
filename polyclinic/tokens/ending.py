"""Keys of programs that end soon: told in time, so that what runs by them does not stop one morning (ASVS 6.4.5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import F

from polyclinic.core import clock
from polyclinic.core.db import transactional
from polyclinic.notify.actions import tell
from polyclinic.tokens import apikeys
from polyclinic.tokens.models import ApiKey

BEFORE: Final = timedelta(days=14)
# Who makes a key for a few days knows when it ends.
_LONG_ENOUGH: Final = 2 * BEFORE
_AT_A_TIME: Final = 100


@transactional
def tell_of_ending() -> int:
    """Tell of each key that ends within two weeks, once: whoever made it, of a partner's also who watches over it.

    Returns how many keys were told of.
    """
    now = clock.now()
    soon = ApiKey.objects.filter(
        revoked_at__isnull=True, warned_at__isnull=True, expires_at__gt=now, expires_at__lte=now + BEFORE,
        expires_at__gte=F("made_at") + _LONG_ENOUGH,
    ).order_by("expires_at")[:_AT_A_TIME]  # fmt: skip
    told = 0
    for row in soon:
        # Another node may be at the same row: whoever writes first tells.
        if ApiKey.objects.filter(pk=row.pk, warned_at__isnull=True).update(warned_at=now):
            told += 1
            who = {row.made_by_id, *(apikeys.watchers(row.facility_id) if row.facility_id else ())}
            for account_id in sorted(who):
                tell(account_id, "key_ends_soon", detail={"name": row.name, "day": f"{row.expires_at:%Y-%m-%d}"})
    return told
