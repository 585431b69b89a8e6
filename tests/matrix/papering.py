"""What the matrix needs of papers: a sick note and a referral of `patient`'s visit, and a sheet that was printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.papers import letters, printing
from polyclinic.papers.models import Paper
from polyclinic.visits.models import Visit
from tests.house import House

_DEMO = SystemActor("demo")


def _visit(house: House) -> Visit:
    """The visit that the laboratory's parts have opened and brought beyond the first check."""
    return Visit.objects.get(patient=house.patient, closed_at__isnull=True)


def parts(house: House) -> dict[str, str]:
    """A sick note that was printed once, and a referral."""
    visit = _visit(house)
    note = letters.issue_sick_note(actor=_DEMO, visit_id=visit.pk, fields=_sick(visit))
    referral = letters.issue_referral(actor=_DEMO, visit_id=visit.pk, fields=_REFERRED)
    printing.print_(actor=_DEMO, kind="sick-note", subject_id=note.pk)
    return {
        "paper_kind": "sick-note",
        "paperKind": "sick-note",
        "thing_id": str(note.pk),
        "thingId": str(note.pk),
        "sick_note_id": str(note.pk),
        "sickNoteId": str(note.pk),
        "referral_id": str(referral.pk),
        "referralId": str(referral.pk),
        "paper_code": Paper.objects.get().code,
        "paperCode": Paper.objects.get().code,
    }


_REFERRED = {"to": "Cardiology", "question": "A murmur?", "urgency": "routine"}


def _sick(visit: Visit) -> dict[str, str]:
    return {"unfit": "work", "first": visit.day.isoformat(), "last": visit.day.isoformat()}


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is sent to the API."""
    return {
        "POST /api/visits/<visitId>/sick-notes": lambda: _sick(_visit(house)),
        "POST /api/visits/<visitId>/referrals": lambda: _REFERRED,
        "POST /api/sick-notes/<sickNoteId>/withdraw": lambda: {"reason": "Wrong"},
        "POST /api/referrals/<referralId>/withdraw": lambda: {"reason": "Wrong"},
    }


def forms(house: House) -> dict[str, Any]:
    """What a form on a page sends."""
    sick = _sick(_visit(house))
    return {
        "POST /papers/sick-note/new": sick,
        "POST /papers/referral/new": _REFERRED,
        "POST /papers/sick-note/draft": sick,
        "POST /papers/referral/draft": _REFERRED,
        "POST /papers/sick-note/<str:sick_note_id>": {"reason": "Wrong"},
        "POST /papers/referral/<str:referral_id>": {"reason": "Wrong"},
    }


def queries(house: House) -> dict[str, str]:
    """In which visit a letter is written."""
    visit = _visit(house).pk
    steps = ("new", "draft", "draft/discard", "draft/beside")
    return {f"/papers/{kind}/{step}": f"?visit={visit}" for kind in ("sick-note", "referral") for step in steps}
