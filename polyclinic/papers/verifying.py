"""Whether a sheet of paper is one of ours, for anybody who holds it.

The answer tells nothing that stands on the paper but what kind it is, whose initials it bears and of which day: enough
to see that it belongs to the person who shows it. Whoever has no code learns nothing.
"""

from __future__ import annotations

import hmac
from typing import Final

from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Problem
from polyclinic.papers import printing, sources
from polyclinic.papers.models import Paper
from polyclinic.papers.rows import Verdict
from polyclinic.papers.sources.summaries import READER
from polyclinic.papers.states import VALID
from polyclinic.people.erasing import ERASED
from polyclinic.people.models import Patient

LENGTH: Final = 32
# Read off a sheet and typed: what is easily taken for something else is understood.
_LIKE: Final = str.maketrans("OIL", "011")


def tidy(text: str) -> str:
    """A code as somebody typed it: small letters, spaces and hyphens, O for 0, I and L for 1."""
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum()).translate(_LIKE)[: LENGTH + 1]


def check(_viewer: Viewer, code: str) -> Verdict:
    """What is known of the paper with this code, for anybody. Raises NotFound alike for every code that is none."""
    text = tidy(code)
    row = Paper.objects.select_related("facility", "patient").filter(code=text).first() if len(text) == LENGTH else None
    if row is None:
        raise NotFound()
    return Verdict(
        kind=row.kind, facility_name=row.facility.name, city=row.facility.city, issued_at=row.issued_at,
        time_zone=row.facility.time_zone, initials=initials(row.patient),
        status=_status(row),
    )  # fmt: skip


def initials(patient: Patient) -> str:
    """M. P. of Meera Pillai; nothing for a record that was erased."""
    if patient.family_name == ERASED:
        return ""
    return " ".join(
        f"{name.strip()[:1].upper()}." for name in (patient.given_name, patient.family_name) if name.strip()
    )


def _status(row: Paper) -> str:
    """The paper's state, and for a valid one whether the records still say what it says."""
    if row.state != VALID:
        return row.state
    # The comparison shows nobody anything, so it is no reading of the record.
    with reads.gathering():
        try:
            now = printing.digest_of(sources.find(READER, row.kind, row.subject_id, row.variant))
        except Problem:
            return "changed"
    return VALID if hmac.compare_digest(now, row.digest) else "changed"
