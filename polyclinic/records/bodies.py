"""What stands sealed in a row, as JSON: read and written here alone."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from polyclinic.records import news2


class Severity(StrEnum):
    """How bad a reaction was (FHIR reaction severity)."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    UNKNOWN = "unknown"


class Certainty(StrEnum):
    """How sure a diagnosis is (FHIR verificationStatus)."""

    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"


class VitalsBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Values by the names of `vitals.VITALS`. None is not looked at. `edition` is that of the score's rules."""

    values: dict[str, Decimal]
    oxygen: bool | None = None
    consciousness: str | None = None
    scale: int = 1
    pregnant: bool = False
    confirmed: tuple[str, ...] = ()
    edition: str = news2.VERSION

    def signs(self) -> news2.Signs:
        """What of it the score needs."""
        given = {name: self.values.get(name) for name in ("respiration", "spo2", "systolic", "pulse", "temperature")}
        return news2.Signs(**given, oxygen=self.oxygen, consciousness=self.consciousness, scale=self.scale)


class AllergyBody(msgspec.Struct, frozen=True):
    substance: str
    reaction: str
    severity: Severity


class ConditionBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """`edition` is that of the classification the code was taken from; empty for one that was only typed."""

    code: str
    text: str
    certainty: Certainty
    edition: str = ""


_encode: Final = msgspec.json.Encoder().encode
read_vitals: Final = msgspec.json.Decoder(VitalsBody).decode
read_allergy: Final = msgspec.json.Decoder(AllergyBody).decode
read_condition: Final = msgspec.json.Decoder(ConditionBody).decode
read_note: Final = msgspec.json.Decoder(dict[str, str]).decode


def write(body: msgspec.Struct | dict[str, str]) -> str:
    """A body as the text that is sealed."""
    return _encode(body).decode()
