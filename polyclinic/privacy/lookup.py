"""Finding a record by two identifiers, exactly. To find it is not to see it, and a miss tells nothing.

A foreign record and one that does not exist are answered in the same words after the same statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.people.models import Account, Patient
from polyclinic.scheduling.sight import require_patient

NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The date of birth, and with it the record number or the whole name."""

    born: date
    mrn: str = ""
    family_name: str = ""
    given_name: str = ""

    def check(self) -> None:
        """Raise Invalid when these are not two identifiers."""
        if not self.mrn.strip() and not (self.family_name.strip() and self.given_name.strip()):
            raise Invalid(
                _("Give the record number, or the family name and the given name."), code="required", field="mrn"
            )


def find(who: Identifiers) -> UUID | None:
    """The one patient with these identifiers. Two of one name born on one day are told apart by number only."""
    who.check()
    given = {
        "mrn__iexact": who.mrn.strip(),
        "family_name__iexact": who.family_name.strip(),
        "given_name__iexact": who.given_name.strip(),
    }
    rows = Patient.objects.filter(born=who.born, **{name: text for name, text in given.items() if text})
    found = list(rows.values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def may_see(viewer: Viewer, patient_id: UUID) -> bool:
    """Whether the viewer may see this patient's particulars, by treating, place, consent, care or break-glass."""
    try:
        require_patient(viewer, "patient.view", patient_id)
    except NotFound:
        return False
    return True


def look_up(viewer: Viewer, who: Identifiers) -> UUID:
    """The patient with these identifiers, when the viewer may see them.

    Raises NotFound alike for a stranger's record and for none at all, and writes down that it was tried.
    """
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    policy.require_sight(viewer, "record.look_up", Subject())
    found = find(who)
    # Asked in any case: the same statements are run whether or not the record exists.
    if not may_see(viewer, found or NOBODY) or found is None:
        _note_miss(viewer)
        raise NotFound(_("There is no record with these identifiers that you may open."), code="no_record")
    return found


@transactional
def _note_miss(viewer: Person) -> None:
    # Without whom was looked for: the audit is read by more people than the record.
    ledger.record(actor=viewer, action="record.look_up_missed", row=Account(pk=viewer.account_id), subject=Subject())
