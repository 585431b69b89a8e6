"""What can be printed: for each kind, who finds the thing for a reader.

`find(viewer, kind, subject_id)` reads it with that reader's rights: what they may not see does not exist here either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.papers.sheet import Source
from polyclinic.papers.sources import bills, laboratory, letters, prescriptions, summaries
from polyclinic.papers.words import PaperKind

Finder = Callable[[Viewer, UUID, str], Source]
_FINDERS: Final[dict[str, Finder]] = {
    PaperKind.INVOICE: bills.invoice,
    PaperKind.RECEIPT: bills.receipt,
    PaperKind.LAB_REPORT: laboratory.report,
    PaperKind.VISIT_SUMMARY: summaries.summary,
    PaperKind.PRESCRIPTION: prescriptions.prescription,
    PaperKind.SICK_NOTE: letters.sick_note,
    PaperKind.REFERRAL: letters.referral,
}


def register(kind: str, finder: Finder) -> None:
    """Name who finds things of a kind that a domain above this one owns."""
    _FINDERS[kind] = finder


def find(viewer: Viewer, kind: str, subject_id: UUID, variant: str = "") -> Source:
    """The thing as this reader is given it; `variant` asks for one of several ways. Raises NotFound, Conflict."""
    finder = _FINDERS.get(kind)
    if finder is None:
        raise NotFound()
    return finder(viewer, subject_id, variant)
