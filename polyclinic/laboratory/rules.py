"""Guards of the laboratory's steps."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.errors import Conflict, Forbidden
from polyclinic.laboratory.catalogue import TESTS


def other_eyes(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an OrderedTest
    """A result that asks for a second look is verified by somebody else than who entered it."""
    if row.needs_second and isinstance(actor, Person) and actor.account_id == row.entered_by_id:
        raise Conflict(
            _("This result needs a second person: somebody else must verify what you entered."), code="second_person"
        )


def may_give(row: Any, actor: Actor) -> None:  # noqa: ANN401 - an OrderedTest
    """What somebody should hear from a person, and not read alone, a clinician releases."""
    subject = Subject(row.patient_id, row.order.doctor_id, row.facility_id)
    if TESTS[row.test].sensitive and not policy.allowed(actor, "lab.release_sensitive", subject):
        raise Forbidden(_("A doctor releases this result, after talking to the patient."), code="clinician_releases")
