"""What the pharmacy gives to its readers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from polyclinic.medicines.rows import MedicineRow
from polyclinic.prescribing.bodies import Settled
from polyclinic.prescribing.checking import Warning_


class BatchRow(msgspec.Struct, frozen=True, rename="camel"):
    """One batch. `moves` is what a correction or a count names as seen; `stage`: "", "short" or "expired"."""

    id: UUID
    facility_id: UUID
    medicine_id: UUID
    medicine: str
    unit: str
    lot: str
    expires: date
    quantity: Decimal
    unit_cost: Decimal
    moves: int
    stage: str


class StockRow(msgspec.Struct, frozen=True, rename="camel"):
    """One medicine at one pharmacy. `available` leaves out what is past its date; `version` is the reorder point's."""

    medicine: MedicineRow
    available: Decimal
    expired: Decimal
    short: Decimal
    next_expiry: date | None
    batches: int
    reorder_point: Decimal
    low: bool
    version: int
    priced: bool


class MoveRow(msgspec.Struct, frozen=True, rename="camel"):
    """One movement. `by` is the name of who moved it, empty for jobs of ours."""

    id: int
    lot: str
    kind: str
    why: str
    quantity: Decimal
    after: Decimal
    at: datetime
    by: str


class ProductRow(msgspec.Struct, frozen=True, rename="camel"):
    """A product that may be handed over for a line, how much of it there is, and whether it has a price."""

    medicine: MedicineRow
    available: Decimal
    priced: bool


class PartRow(msgspec.Struct, frozen=True, rename="camel"):
    """So much of one batch: what is planned to go, or went."""

    lot: str
    expires: date
    quantity: Decimal
    stage: str


class CounterLine(msgspec.Struct, frozen=True, rename="camel"):
    """What the counter needs to know of one line: what there is of it, and from which batches it would go."""

    line_id: UUID
    available: Decimal
    suggested: Decimal
    parts: tuple[PartRow, ...]
    others: tuple[ProductRow, ...]
    # The first batch to go runs out before the course does.
    too_short: bool
    # Without a price at this facility nothing is charged for it.
    priced: bool
    # What has come up since the signature: for whoever hands over, and nobody else.
    since: tuple[Warning_, ...]


class CounterRow(msgspec.Struct, frozen=True, rename="camel"):
    """The counter's side of one prescription. `identified_at`: when this person last checked who stands there."""

    lines: tuple[CounterLine, ...]
    check_id: UUID | None
    identified_at: datetime | None
    misidentified: int
    witness: str
    witnessed: dict[str, Decimal]
    controlled: bool

    @property
    def by_line(self) -> dict[str, CounterLine]:
        """The open lines by their ids as text, for pages."""
        return {str(line.line_id): line for line in self.lines}


class GivenLine(msgspec.Struct, frozen=True, rename="camel"):
    """One line of a handing over. `prescribed` is set when another product stood in, with `why`; `settled` when
    something had come up since the signature. Not `charged`: it had no price."""

    id: UUID
    line_id: UUID
    medicine: MedicineRow
    quantity: Decimal
    returned: Decimal
    directions: str
    prescribed: str
    why: str
    parts: tuple[PartRow, ...]
    charged: bool
    settled: Settled | None


class DispenseRow(msgspec.Struct, frozen=True, rename="camel"):
    """One handing over."""

    id: UUID
    prescription_id: UUID
    label: str
    visit_id: UUID
    token: str
    facility_id: UUID
    facility_name: str
    phone: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    state: str
    version: int
    given_at: datetime
    given_by: str
    witness: str
    lines: tuple[GivenLine, ...]


class SupplierRow(msgspec.Struct, frozen=True, rename="camel"):
    """Whom a pharmacy buys from."""

    id: UUID
    facility_id: UUID
    name: str
    phone: str


class DeliveryRow(msgspec.Struct, frozen=True, rename="camel"):
    """A delivery that came."""

    id: UUID
    facility_id: UUID
    supplier: str
    reference: str
    received_at: datetime
    lines: int


class TransferRow(msgspec.Struct, frozen=True, rename="camel"):
    """Stock on its way, or that was. `ours` names which side the viewer works at: "source", "target" or "both"."""

    id: UUID
    facility_id: UUID
    source: str
    target_id: UUID
    target: str
    medicine: str
    unit: str
    lot: str
    expires: date
    quantity: Decimal
    state: str
    version: int
    sent_at: datetime
    time_zone: str
    ours: str


class CountedRow(msgspec.Struct, frozen=True, rename="camel"):
    """One batch on a count sheet. `counted` is None until somebody has; `moves` goes back with the count."""

    batch: BatchRow
    booked: Decimal | None
    counted: Decimal | None
    difference: Decimal | None


class TakeRow(msgspec.Struct, frozen=True, rename="camel"):
    """A stock-take, newest sheet first."""

    id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    state: str
    version: int
    started_at: datetime
    closed_at: datetime | None
    counted: int
    differing: int
