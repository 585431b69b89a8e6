"""A patient's prescriptions: what to take and how, and whether it can be picked up."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core import clock
from polyclinic.core.errors import Forbidden, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.prescribing import asked, refills, selectors, sentences
from polyclinic.prescribing.rows import LineRow
from polyclinic.web.access import declare

# Where a prescription is on its way to the patient: in a word, its kind, and what to do.
PICK_UP: Final = {
    "signed": (
        _("At the pharmacy"),
        "info",
        _("It waits for you at the pharmacy. They ask for your name and date of birth."),
    ),
    "partly_dispensed": (_("Partly picked up"), "warn", _("The rest waits at the pharmacy. Ask there when it comes.")),
    "dispensed": (_("Picked up"), "ok", ""),
    "declined": (_("Not picked up"), "", _("The pharmacy was told that you do not want it.")),
    "cancelled": (_("Cancelled"), "bad", _("Your doctor has withdrawn it. Do not take what is left of it.")),
    "expired": (_("No longer valid"), "", _("Ask your doctor for a new one if you still need it.")),
}
WAITING: Final = ("signed", "partly_dispensed")


@declare("prescription.view")
@require_GET
def prescriptions(request: HttpRequest) -> HttpResponse:
    """Those of one's own and of whom one decides for, the newest first."""
    return show(request, "patient/prescriptions.html", **_listed(request))


@declare("prescription.view")
@require_GET
def newest(request: HttpRequest) -> HttpResponse:
    """Only the list, for when one is signed or handed out while the page is open."""
    return show(request, "patient/_prescriptions.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    ids = [one for one in (person.patient_id, *sorted(person.represents)) if one is not None]
    if not ids:
        raise NotFound()
    rows = [row for one in ids for row in selectors.of_patient(person, one)]
    return {
        "rows": sorted(rows, key=lambda row: (row.state not in WAITING, -row.signed_at.timestamp())),
        "again": {key: row for one in ids for key, row in asked.repeats_of(person, one).items()},
        "own": person.patient_id, "PICK_UP": PICK_UP, "WAITING": WAITING, "sentence": sentences.of, "left": left,
        "today": clock.now().date(),
    }  # fmt: skip


@declare("refill.request")
@require_POST
def ask(request: HttpRequest, repeatable_id: str) -> HttpResponse:
    """Ask for it to be given again."""
    found = _key(repeatable_id)
    try:
        refills.ask(actor=person_of(request), prescription_id=found, note=request.POST.get("note", "")[:400])
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Asked. The answer comes here, and you are told when it is there."))
    return see(f"/my/prescriptions#prescription-{found}")


@declare("refill.request")
@require_POST
def withdraw(request: HttpRequest, refill_id: str) -> HttpResponse:
    """Ask no more."""
    try:
        row = refills.withdraw(actor=person_of(request), refill_id=_key(refill_id), version=version_of(request))
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        tell(request, problem)
        return see("/my/prescriptions")
    done(request, _("You do not ask for it any more."))
    return see(f"/my/prescriptions#prescription-{row.prescription_id}")


def _key(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def left(line: LineRow) -> str:
    """How much of a line waits, such as "14 of 21 tablets"; empty when none was handed out or nothing is left."""
    if not 0 < line.dispensed < line.quantity:
        return ""
    return _("%(left)s of %(all)s still to pick up") % {
        "left": sentences.plain(line.left), "all": sentences.amount(line.quantity, line.medicine.unit),
    }  # fmt: skip
