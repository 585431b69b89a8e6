"""What the pharmacy tells the world: ids, states and kinds; never what was handed over, nor how much."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class DispenseEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a handing over. `revision` is the row's version after the change."""

    id: UUID
    prescription_id: UUID
    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Dispense
        return cls(
            id=row.pk, prescription_id=row.prescription_id, visit_id=row.visit_id, patient_id=row.patient_id,
            facility_id=row.facility_id, stage=row.state, revision=row.version,
        )  # fmt: skip

    def stream(self) -> str:
        return f"dispense:{self.id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.facility_right(self.facility_id, "prescription.dispense"),
            rooms.facility_role(self.facility_id, Role.PHARMACIST),
        )


@event("pharmacy.handed_over", "Medicines of a prescription were handed over.")
class HandedOver(DispenseEvent, frozen=True, rename="camel"):
    pass


@event("pharmacy.taken_back", "Medicines that had been handed over came back.")
class TakenBack(DispenseEvent, frozen=True, rename="camel"):
    pass


@event("pharmacy.witnessed", "A second person has counted the controlled medicines of a prescription.")
class Witnessed(Event, frozen=True, rename="camel"):
    """A hint to look again; whom it is about the prescription says."""

    UNORDERED: ClassVar[bool] = True

    prescription_id: UUID
    facility_id: UUID

    def stream(self) -> str:
        return f"witness:{self.prescription_id}"

    def stream_seq(self) -> int:
        return 0

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.facility_right(self.facility_id, "prescription.dispense"),
            rooms.facility_role(self.facility_id, Role.PHARMACIST),
        )


class StockEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to the stock of one medicine. Nobody's health is in it; each is a hint to look again."""

    UNORDERED: ClassVar[bool] = True

    facility_id: UUID
    medicine_id: UUID

    def stream(self) -> str:
        # An outbox stream has 64 characters; a place and a medicine in plain form are longer.
        return f"stock:{self.medicine_id}"

    def stream_seq(self) -> int:
        return 0

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.facility_right(self.facility_id, "stock.view"),
            rooms.facility_role(self.facility_id, Role.PHARMACIST),
        )


@event("stock.changed", "The stock of a medicine changed.")
class StockChanged(StockEvent, frozen=True, rename="camel"):
    pass


@event("stock.low", "The stock of a medicine has reached the point at which it is to be bought again.")
class StockLow(StockEvent, frozen=True, rename="camel"):
    pass


@event("stock.enough", "There is enough of a medicine again.")
class StockEnough(StockEvent, frozen=True, rename="camel"):
    pass


class TransferEvent(Event, frozen=True, rename="camel"):
    """Common to a transfer between pharmacies."""

    id: UUID
    facility_id: UUID
    target_id: UUID
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Transfer
        return cls(id=row.pk, facility_id=row.source_id, target_id=row.target_id, stage=row.state, revision=row.version)

    def stream(self) -> str:
        return f"transfer:{self.id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return tuple(rooms.facility_right(place, "stock.view") for place in (self.facility_id, self.target_id))


@event("stock.sent", "Stock is on its way to another hospital.")
class TransferSent(TransferEvent, frozen=True, rename="camel"):
    pass


@event("stock.arrived", "Stock from another hospital has arrived.")
class TransferArrived(TransferEvent, frozen=True, rename="camel"):
    pass


@event("stock.called_back", "Stock that was on its way went back on the shelf.")
class TransferCalledBack(TransferEvent, frozen=True, rename="camel"):
    pass


class CountEvent(Event, frozen=True, rename="camel"):
    """Common to a stock-take."""

    id: UUID
    facility_id: UUID
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a StockTake
        return cls(id=row.pk, facility_id=row.facility_id, stage=row.state, revision=row.version)

    def stream(self) -> str:
        return f"stocktake:{self.id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "stock.view"),)


@event("stock.count_started", "The shelves are being counted.")
class CountStarted(CountEvent, frozen=True, rename="camel"):
    pass


@event("stock.counted", "Batches were counted; nothing is posted yet.")
class Counted(CountEvent, frozen=True, rename="camel"):
    pass


@event("stock.count_posted", "The differences of a stock-take are posted.")
class CountPosted(CountEvent, frozen=True, rename="camel"):
    pass


@event("stock.count_given_up", "A stock-take was given up; nothing was posted.")
class CountGivenUp(CountEvent, frozen=True, rename="camel"):
    pass
