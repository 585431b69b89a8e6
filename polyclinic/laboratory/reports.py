"""What one result says, as it is sealed: the value with the range, flag and edition it was judged by at the time."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from polyclinic.laboratory.catalogue import TESTS, Kind, Test
from polyclinic.laboratory.flags import CRITICAL, Flag, Value, parse
from polyclinic.laboratory.ranges import Range
from polyclinic.laboratory.sources import EDITION


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """One result. `delta`: it differs more from the last one than is likely. `why_none`: a formula did not hold."""

    value: str
    unit: str = ""
    flag: str = ""
    low: str | None = None
    high: str | None = None
    source: str = ""
    edition: str = EDITION
    comment: str = ""
    delta: bool = False
    before: str = ""
    why_none: str = ""

    @property
    def critical(self) -> bool:
        return self.flag in CRITICAL

    def read(self) -> Value:
        return parse(self.value)


_decoder = msgspec.json.Decoder(Report)


def made(test: Test, value: Value, flag: Flag, within: Range | None, **more: object) -> Report:
    """A report with the range it was judged by."""
    return Report(
        value=value.text(), unit=test.unit, flag=flag.value, low=_text(within.low if within else None),
        high=_text(within.high if within else None), source=within.source if within else "", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def write(report: Report) -> str:
    return msgspec.json.encode(report).decode()


def open_(text: str) -> Report | None:
    """The report, or None when it was erased with the patient's key."""
    return _decoder.decode(text) if text else None


def test_of(code: str) -> Test:
    """The catalogue's test. A code that a later edition dropped still has a name: itself."""
    return TESTS.get(code) or Test(code, "", code, "", Kind.SERUM)


def _text(end: Decimal | None) -> str | None:
    return None if end is None else str(end)
