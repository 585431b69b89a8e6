"""Changing what is set for a facility: each change is a new version with who, when and from when on; none is lost.

A setting declared with `strands` may leave booked patients without their time and is changed through
`scheduling.house`, which asks about them first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, NotFound, StaleEdit
from polyclinic.facilities import ruling
from polyclinic.facilities.declared import Setting, known
from polyclinic.facilities.events import SettingChanged
from polyclinic.facilities.models import Department, Facility, SettingVersion

MAX_NOTE: Final = 200
# Nobody plans longer ahead than this; a later date is a slip of the pen.
FARTHEST: Final = timedelta(days=730)


class Overtaken(StaleEdit):
    """Somebody else set it meanwhile: `mine` and `theirs` in words, `by`, `at`, and the version now."""

    code = "setting_changed"
    sentence = _("Somebody else changed this meanwhile. Compare both values and decide again.")


@transactional
def change(
    *,
    actor: Actor,
    facility_id: UUID,
    key: str,
    value: str,
    seen: int,
    department_id: UUID | None = None,
    effective_from: datetime | None = None,
    note: str = "",
    undoes: int | None = None,
    settle: Callable[[SettingVersion], None] | None = None,
) -> SettingVersion:
    """Set `key` to `value` from now or from a coming moment on. `seen` is the number of the newest version that the
    caller knows (0: none), and whoever knows an older one is shown both values.

    `settle` runs before the version is written and may refuse it. Raises NotFound, Forbidden, Overtaken, Invalid naming
    `value`, `effectiveFrom` or `note`.
    """
    row = known(key)
    if row.strands and settle is None:
        raise RuntimeError(f"{key} may leave patients without their time: change it through scheduling.house")
    place = place_of(actor, row, facility_id, department_id)
    wanted = row.kind.read(value)
    if len(note) > MAX_NOTE:
        raise Invalid(_("Please keep the reason under 200 characters."), code="too_long", field="note")
    since = _from(effective_from)
    lock_keys([f"setting:{facility_id}"])
    place.refresh_from_db(fields=["version"])
    last = newest(facility_id, key, department_id)
    before = row.kind.read(last.value) if last else _usual(place, row, department_id)
    if seen != (last.number if last else 0):
        raise _overtaken(row, wanted, before, last)
    if wanted == before and last is not None and last.effective_from <= since:
        raise Invalid(_("It is set to this already."), code="unchanged", field="value")
    made = SettingVersion(
        facility=place, department_id=department_id, key=key, number=seen + 1, value=row.kind.write(wanted),
        effective_from=since, note=note.strip(), undoes=undoes,
        made_by_id=actor.account_id if isinstance(actor, Person) else None,
    )  # fmt: skip
    if settle is not None:
        settle(made)
    made.save(force_insert=True)
    ruling.being_changed(facility_id)
    Facility.objects.filter(pk=facility_id).update(version=F("version") + 1)
    place.version += 1
    ledger.record(
        actor=actor, action="setting.change" if undoes is None else "setting.undo", row=made,
        subject=Subject(facility_id=facility_id), revision=made.number,
        detail={"key": key, "before": row.kind.write(before), "after": made.value, "from": since.isoformat()},
        event=SettingChanged(
            facility_id=facility_id, department_id=department_id, key=key, revision=made.number
        ),
    )  # fmt: skip
    return made


def place_of(actor: Actor, row: Setting, facility_id: UUID, department_id: UUID | None) -> Facility:
    """The facility whose setting the actor may change. Raises NotFound, Forbidden."""
    subject = Subject(facility_id=facility_id)
    policy.require_sight(actor, "setting.view", subject)
    place = Facility.objects.filter(pk=facility_id).first()
    if place is None:
        raise NotFound()
    policy.require(actor, row.permission, subject)
    if department_id is not None:
        if not row.departments:
            raise Invalid(_("This is set for the whole house."), field="departmentId")
        if not Department.objects.filter(pk=department_id, facility_id=facility_id).exists():
            raise NotFound(field="departmentId")
    return place


def newest(facility_id: UUID, key: str, department_id: UUID | None = None) -> SettingVersion | None:
    """The version made last, whether it has begun or not."""
    rows = ruling.versions(facility_id, department_id).filter(key=key)
    return rows.select_related("made_by").order_by("-number").first()


def old_value(actor: Actor, facility_id: UUID, key: str, number: int, department_id: UUID | None = None) -> str:
    """The value of version `number` (0: as it was before anybody set it), to set it once more. Raises NotFound."""
    row = known(key)
    place = place_of(actor, row, facility_id, department_id)
    if number == 0:
        return row.kind.write(_usual(place, row, department_id))
    rows = ruling.versions(facility_id, department_id).filter(key=key, number=number)
    found = rows.values_list("value", flat=True).first()
    if found is None:
        raise NotFound(field="number")
    return found


def _usual(place: Facility, row: Setting, department_id: UUID | None) -> Any:  # noqa: ANN401 - by its kind
    """Before anybody set it; a department then has what the house has, which it says by saying nothing."""
    return row.usual if department_id is not None else ruling.usual(place, row.key)


def _from(moment: datetime | None) -> datetime:
    now = clock.now()
    if moment is None:
        return now
    if moment.tzinfo is None:
        raise Invalid(_("Give the time with its offset, for example 09:00+02:00."), field="effectiveFrom")
    if moment < now:
        raise Invalid(
            _("This time has passed. What is set cannot rule the past; leave it empty for now."), code="past",
            field="effectiveFrom",
        )  # fmt: skip
    if moment > now + FARTHEST:
        raise Invalid(_("This is more than two years ahead. Check the date."), code="too_far", field="effectiveFrom")
    return moment


def _overtaken(row: Setting, mine: Any, theirs: Any, last: SettingVersion | None) -> Overtaken:  # noqa: ANN401
    return Overtaken(
        version=last.number if last else 0, mine=row.kind.said(mine), theirs=row.kind.said(theirs),
        by=last.made_by.name if last and last.made_by else "", at=last.made_at.isoformat() if last else "",
    )  # fmt: skip
