"""What is told of imports: ids, the step and how far it is. Never what stands in a file."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class ImportEvent(Event, frozen=True, rename="camel"):
    """Common to all. `revision` is the import's version after the change."""

    import_id: UUID
    facility_id: UUID
    kind: str
    stage: str
    rows: int
    seen: int
    bad: int
    taken: int
    refused: int
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an Import; importing it here would be a circle
        return cls(
            import_id=row.pk, facility_id=row.facility_id, kind=row.kind, stage=row.state, rows=row.rows,
            seen=row.seen, bad=row.bad, taken=row.taken, refused=row.refused, revision=row.version,
        )  # fmt: skip

    def stream(self) -> str:
        return f"import:{self.import_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "import.run"),)


@event("import.uploaded", "A list was sent to be imported.")
class ImportUploaded(ImportEvent, frozen=True, rename="camel"):
    pass


@event("import.checking", "The rows of a list are being checked.")
class ImportChecking(ImportEvent, frozen=True, rename="camel"):
    pass


@event("import.progressed", "More rows of a list were checked or imported.")
class ImportProgressed(ImportEvent, frozen=True, rename="camel"):
    pass


@event("import.checked", "All rows of a list were checked; nothing is imported yet.")
class ImportChecked(ImportEvent, frozen=True, rename="camel"):
    pass


@event("import.applying", "The good rows of a list are being imported.")
class ImportApplying(ImportEvent, frozen=True, rename="camel"):
    pass


@event("import.done", "The good rows of a list are in.")
class ImportDone(ImportEvent, frozen=True, rename="camel"):
    pass


@event("import.cancelled", "An import was ended before its end; what is in stays.")
class ImportCancelled(ImportEvent, frozen=True, rename="camel"):
    pass
