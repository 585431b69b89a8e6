"""What T15 needs of the wards: a ward of one side, a free bed and one with its patient, a nurse, its readers."""

from __future__ import annotations

from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.facilities.models import Membership
from polyclinic.inpatient import actions, census, nearest, selectors, wards
from tests.house import House, account

_DEMO = SystemActor("demo")


class Wards:
    def __init__(self, house: House, side: Any) -> None:
        who = account(f"ward@{side.slug}.example.net", f"Ward of {side.slug}")
        Membership.objects.create(account=who, facility_id=side.facility, role="nurse")
        side.people.append(house.person(who))
        ward = wards.add_ward(actor=_DEMO, facility_id=side.facility, name=f"Ward {side.slug}", kind="general")
        kept, free = (wards.add_bed(actor=_DEMO, ward_id=ward.pk, name=name) for name in ("W1", "W2"))
        stay = actions.request(actor=_DEMO, visit_id=side.opened, doctor_id=side.doctor, reason=f"Why at {side.slug}")
        actions.reserve(actor=_DEMO, stay_id=stay.pk, bed_id=kept.pk)
        actions.admit(actor=_DEMO, stay_id=stay.pk)
        self.stay, self.bed, self.ward = stay.pk, kept.pk, ward.pk
        self.secret = {*map(str, (ward.pk, kept.pk, free.pk, stay.pk)), ward.name, f"Why at {side.slug}"}


CLOSED: dict[str, Any] = {
    "inpatient.census.census": lambda v, s: census.census(v, s.facility),
    "inpatient.selectors.bed": lambda v, s: selectors.bed(v, s.wards.bed),
    "inpatient.selectors.board": lambda v, s: selectors.board(v, s.facility),
    "inpatient.selectors.patient": lambda v, s: selectors.patient(v, s.facility, s.patient),
    "inpatient.selectors.stay": lambda v, s: selectors.stay(v, s.wards.stay),
    "inpatient.selectors.stays_of": lambda v, s: selectors.stays_of(v, s.patient),
    "inpatient.selectors.suggestions": lambda v, s: selectors.suggestions(v, s.wards.stay),
    "inpatient.selectors.waiting": lambda v, s: selectors.waiting(v, s.facility),
    "inpatient.selectors.wards": lambda v, s: selectors.wards(v, s.facility),
}
# Where emergency departments are and whether they have beds, which is public.
FILTERED: dict[str, Any] = {
    "inpatient.nearest.departments": lambda v, s: nearest.departments(v),
    "inpatient.nearest.place_of": lambda v, s: nearest.place_of(v, ""),
}
# Nobody waits: the patient lies in bed.
BARE = {"inpatient.selectors.waiting"}
