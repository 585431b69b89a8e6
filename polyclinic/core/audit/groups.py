"""Who stood in a list that was read. The same patients are one group, however often their list is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.db.models import Count

from polyclinic.core.models import AuditEntry, AuditGroup, AuditGroupMember

_MOST_AT_ONCE = 400


def ensure(members: Mapping[str, Sequence[UUID]]) -> None:
    """Write the groups that are not there yet, in the running transaction. Two writers of one group make it once."""
    wanted = sorted(name for name in members if members[name])
    for start in range(0, len(wanted), _MOST_AT_ONCE):
        names = wanted[start : start + _MOST_AT_ONCE]
        there = set(AuditGroup.objects.filter(name__in=names).values_list("name", flat=True))
        fresh = [name for name in names if name not in there]
        if not fresh:
            continue
        # In the order of their names, so that two processes cannot wait for each other.
        AuditGroup.objects.bulk_create([AuditGroup(name=name) for name in fresh], ignore_conflicts=True)
        keys = dict(AuditGroup.objects.filter(name__in=fresh).values_list("name", "pk"))
        rows = [AuditGroupMember(group_id=keys[name], patient_id=one) for name in fresh for one in members[name]]
        AuditGroupMember.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5_000)


def broken() -> Iterator[str]:
    """Groups that no longer hold what their name says, and names of groups that are gone."""
    digest, name, empty = hashlib.sha256(), "", True
    rows = AuditGroupMember.objects.order_by("group_id", "patient_id").values_list("group__name", "patient_id")
    for found, patient_id in rows.iterator(chunk_size=2000):
        if found != name:
            if not empty and digest.hexdigest() != name:
                yield name
            digest, name, empty = hashlib.sha256(), found, False
        digest.update(patient_id.bytes)
    if not empty and digest.hexdigest() != name:
        yield name
    hollow = AuditGroup.objects.annotate(size=Count("members")).filter(size=0)
    yield from hollow.values_list("name", flat=True)
    named = AuditEntry.objects.exclude(listed="").exclude(listed__in=AuditGroup.objects.values("name"))
    yield from named.order_by().values_list("listed", flat=True).distinct()
