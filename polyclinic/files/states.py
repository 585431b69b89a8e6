"""The state table of a file. What was not found clean is never kept, so there is no state for it."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.files import events, rules

CLEAN, REMOVED, WITHDRAWN = "clean", "removed", "withdrawn"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a StoredFile
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


FILE: Final = Machine(
    name="file",
    model="files.StoredFile",
    subject=lambda row: Subject(patient_id=row.patient_id),
    tell=_tell,
    transitions=(
        Transition(None, "keep", CLEAN, "photo.edit", events.FileKept, rules.own),
        Transition(CLEAN, "remove", REMOVED, "photo.edit", events.FileRemoved, rules.own),
    ),
)

PORTRAIT: Final = Machine(
    name="portrait",
    model="files.Portrait",
    subject=lambda row: Subject(patient_id=row.patient_id, facility_id=row.facility_id),
    tell=_tell,
    transitions=(
        Transition(None, "keep", CLEAN, "portrait.edit", events.PortraitKept),
        Transition(CLEAN, "remove", REMOVED, "portrait.edit", events.PortraitRemoved),
    ),
)

RESULT_FILE: Final = Machine(
    name="result_file",
    model="files.ResultFile",
    subject=lambda row: Subject(row.patient_id, row.order.doctor_id, row.facility_id),
    tell=_tell,
    transitions=(
        Transition(None, "keep", CLEAN, "lab.work", events.ResultFileKept),
        Transition(CLEAN, "withdraw", WITHDRAWN, "lab.work", events.ResultFileWithdrawn),
    ),
)
