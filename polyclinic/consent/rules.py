"""Pure rules of sharing: guards of the state tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.errors import Conflict, Forbidden, NotFound, StepUpNeeded

# How long a code to take up a delegation is good for, and how long a record stays open after break-glass.
INVITATION: Final = timedelta(days=7)
GLASS: Final = timedelta(minutes=60)
ADULT: Final = 18
# How recently who breaks the glass must have shown a factor; and ways in behind which no person sits.
FRESH: Final = timedelta(minutes=5)
MACHINES: Final = frozenset({"assistant", "key", "job", "cli", "sync"})


def of_age(born: date) -> datetime:
    """The moment at which somebody born on this day is 18 years old, in UTC."""
    try:
        day = born.replace(year=born.year + ADULT)
    except ValueError:  # born on 29 February
        day = date(born.year + ADULT, 3, 1)
    return datetime.combine(day, time(0), UTC)


def taken_up(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a Delegation
    """A delegation is taken up by somebody other than the patient, within seven days."""
    if isinstance(actor, Person) and actor.patient_id == row.patient_id:
        raise Conflict(_("You cannot act for yourself."), code="own_delegation")
    if row.proposed_at + INVITATION <= clock.now():
        raise NotFound()


def a_party(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a Delegation
    """A delegation is ended by the patient, by who acts by it, or by the front desk that made it; by no other carer."""
    if isinstance(actor, SystemActor):
        return
    mine = isinstance(actor, Person) and actor.account_id == row.carer_id
    own = isinstance(actor, Person) and actor.patient_id == row.patient_id
    desk = isinstance(actor, Person) and row.facility_id in actor.facilities("receptionist")
    if not (mine or own or desk):
        raise Forbidden()


def in_person(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an EmergencyAccess
    """Only a person, signed in and just confirmed to be who they are, opens a record: no key, job, assistant or
    administrator behind somebody else's eyes."""
    if not isinstance(actor, Person) or actor.scopes is not None or actor.seen_by is not None or actor.via in MACHINES:
        raise Forbidden(_("A record is opened in an emergency by a person only."), code="person_only")
    if actor.stepped_up_at is None or clock.now() - actor.stepped_up_at >= FRESH:
        raise StepUpNeeded()


def by_opener(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an EmergencyAccess
    """An opening is closed by who made it, or by its time."""
    if isinstance(actor, Person) and actor.account_id != row.account_id:
        raise Forbidden()
    if isinstance(actor, SystemActor) and clock.now() < row.ends_at:
        raise Conflict(_("This is still open."), code="still_open")


def not_own(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an EmergencyAccess
    """Nobody judges their own opening."""
    if isinstance(actor, Person) and actor.account_id == row.account_id:
        raise Forbidden(_("Somebody else has to judge what you opened."), code="own_review")
