"""Two identifiers before anything is handed over: what the patient says is compared with the prescription.

A wrong answer stops the handing over and stays in the audit, so it is written and committed before it is refused.
What was said is not kept: it may be about somebody else.

The two-identifier rule: Joint Commission, National Patient Safety Goal NPSG.01.01.01; WHO, "Patient Identification"
(Patient Safety Solutions vol. 1, solution 2, 2007). A token, a room or a bed is no identifier.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from polyclinic.people.models import Patient
from polyclinic.pharmacy.models import IdentityCheck
from polyclinic.pharmacy.states import dispense_subject
from polyclinic.prescribing.models import Prescription

# How long a check holds: the patient is still at the counter.
HOLDS: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Said:
    """What the patient says, or their card does. At least two of the three."""

    name: str = ""
    born: date | None = None
    mrn: str = ""

    @property
    def given(self) -> tuple[str, ...]:
        """Which identifiers there are."""
        there = {"name": self.name.strip(), "born": self.born, "mrn": self.mrn.strip()}
        return tuple(key for key, value in there.items() if value)


def confirm(*, actor: Actor, prescription_id: UUID, said: Said) -> IdentityCheck:
    """Compare, and write down whether it fits. Call it outside any transaction: a refusal must leave its entry.

    Raises NotFound, Forbidden, Invalid with fewer than two identifiers, Conflict (`wrong_patient`).
    """
    if len(said.given) < 2:
        raise Invalid(
            _("Ask for two of these: full name, date of birth, record number."), code="two_identifiers", field="name"
        )
    check = _compared(actor, prescription_id, said)
    if not check.matched:
        raise Conflict(
            _(
                "This is not what the prescription says. Hand nothing over. Ask again, and if it still differs, look "
                "for the right prescription."
            ),
            code="wrong_patient",
            field="name",
        )
    return check


def require(actor: Actor, prescription_id: UUID, check_id: UUID | None) -> IdentityCheck:
    """The check that allows this person to hand over now. Raises Conflict (`identity_needed`)."""
    row = standing(actor, prescription_id, check_id)
    if row is None:
        raise Conflict(
            _("Ask for two identifiers first: full name, date of birth or record number."), code="identity_needed",
            field="name",
        )  # fmt: skip
    return row


def standing(actor: Actor, prescription_id: UUID, check_id: UUID | None = None) -> IdentityCheck | None:
    """This person's last check of the prescription, if it fitted and still holds."""
    if not isinstance(actor, Person):
        return None
    rows = IdentityCheck.objects.filter(
        prescription_id=prescription_id, account_id=actor.account_id, at__gt=clock.now() - HOLDS
    )
    last = rows.order_by("-at", "-pk").first()
    fits = last is not None and last.matched and check_id in (None, last.pk)
    return last if fits else None


@transactional
def _compared(actor: Actor, prescription_id: UUID, said: Said) -> IdentityCheck:
    row = Prescription.objects.select_related("patient").filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    subject = dispense_subject(row)
    policy.require_sight(actor, "prescription.view", subject)
    policy.require(actor, "prescription.dispense", subject)
    if not isinstance(actor, Person):
        # A job has no eyes to see who stands there.
        raise Forbidden()
    made = IdentityCheck.objects.create(
        prescription=row, patient_id=row.patient_id, facility_id=row.facility_id, account_id=actor.account_id,
        asked="+".join(said.given), matched=fits(row.patient, said),
    )  # fmt: skip
    ledger.record(
        actor=actor, action="prescription.identified" if made.matched else "prescription.misidentified", row=made,
        subject=subject, detail={"prescription": str(row.pk), "asked": made.asked},
    )  # fmt: skip
    return made


def fits(patient: Patient, said: Said) -> bool:
    """Whether every identifier that was given is this patient's."""
    if said.born is not None and said.born != patient.born:
        return False
    if said.mrn.strip() and _plain(said.mrn).replace(" ", "") != _plain(patient.mrn).replace(" ", ""):
        return False
    if not said.name.strip():
        return True
    spoken = set(_plain(said.name).split())
    family, given = _plain(patient.family_name).split(), _plain(patient.given_name).split()
    # The whole family name and the first given name; further given names may be left out, and nothing else be there.
    return {*family, *given[:1]} <= spoken <= {*family, *given}


def _plain(text: str) -> str:
    """Without accents, capitals, commas and hyphens: as it is typed at a counter."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join("".join(one if one.isalnum() else " " for one in bare.casefold()).split())
