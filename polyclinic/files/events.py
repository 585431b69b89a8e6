"""What is told of files: that there is one, never what it is called or shows."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event
from polyclinic.laboratory.events import LabEvent


class FileEvent(Event, frozen=True, rename="camel"):
    """Common to both. `kind` is what it was given as: a photo."""

    file_id: UUID
    account_id: UUID
    kind: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a StoredFile; importing it here would be a circle
        return cls(file_id=row.pk, account_id=row.account_id, kind=row.kind, revision=row.version)

    def stream(self) -> str:
        return f"file:{self.file_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.account(self.account_id),)


@event("file.kept", "A file was checked and kept.")
class FileKept(FileEvent, frozen=True, rename="camel"):
    pass


@event("file.removed", "A file was taken away by who gave it.")
class FileRemoved(FileEvent, frozen=True, rename="camel"):
    pass


@event("lab.file_kept", "A file was added to a result.")
class ResultFileKept(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.file_withdrawn", "A file of a result was withdrawn.")
class ResultFileWithdrawn(LabEvent, frozen=True, rename="camel"):
    pass


class PortraitEvent(Event, frozen=True, rename="camel"):
    """Common to both: whose photo, and where it was taken."""

    portrait_id: UUID
    patient_id: UUID
    facility_id: UUID
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Portrait
        return cls(portrait_id=row.pk, patient_id=row.patient_id, facility_id=row.facility_id, revision=row.version)

    def stream(self) -> str:
        return f"portrait:{self.portrait_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.patient(self.patient_id), rooms.facility_right(self.facility_id, "visit.view"))


@event("portrait.kept", "A photo of a patient was taken at the desk.")
class PortraitKept(PortraitEvent, frozen=True, rename="camel"):
    pass


@event("portrait.removed", "A photo of a patient was taken away, or another one has its place.")
class PortraitRemoved(PortraitEvent, frozen=True, rename="camel"):
    pass
