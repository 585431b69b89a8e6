"""The state table of an import."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.imports import events
from polyclinic.imports.words import APPLYING, CANCELLED, CHECKED, CHECKING, DONE, UPLOADED

_RIGHT: Final = "import.run"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - an Import
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


_R = Transition
IMPORT: Final = Machine(
    name="import",
    model="imports.Import",
    subject=lambda row: Subject(facility_id=row.facility_id),
    tell=_tell,
    transitions=(
        _R(None, "upload", UPLOADED, _RIGHT, events.ImportUploaded),
        *(_R(state, "check", CHECKING, _RIGHT, events.ImportChecking) for state in (UPLOADED, CHECKED)),
        _R(CHECKING, "finish_check", CHECKED, _RIGHT, events.ImportChecked),
        _R(CHECKED, "apply", APPLYING, _RIGHT, events.ImportApplying),
        _R(APPLYING, "finish", DONE, _RIGHT, events.ImportDone),
        # What is in stays in: it may be in use already.
        *(_R(state, "cancel", CANCELLED, _RIGHT, events.ImportCancelled)
          for state in (UPLOADED, CHECKING, CHECKED, APPLYING)),
    ),
)  # fmt: skip
