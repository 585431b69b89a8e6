"""What callers may send. Answers are described from the rows themselves, so the two cannot drift apart."""

from __future__ import annotations

import re
import types
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from ninja import Schema
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model
from pydantic.alias_generators import to_camel

from polyclinic.facilities.selectors import DoctorRow
from polyclinic.scheduling.rows import Slot
from polyclinic.scheduling.states import STATE_WORDS

_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")


def _text_only(value: object) -> object:
    # A bare number would be read as seconds since 1970; a time on the wire is always text.
    if not isinstance(value, str | datetime | date | time):
        raise ValueError("write it as text")
    return value


def _sane(value: datetime) -> datetime:
    """Aware and within living memory: times near year 1 or 9999 overflow when moved to UTC."""
    if value.tzinfo is None:
        raise ValueError("give the offset from UTC, for example 2026-03-02T09:00:00+01:00")
    if not _FIRST <= value <= _LAST:
        raise ValueError("is too far from today")
    return value.astimezone(UTC)


def _near(value: date) -> date:
    """A day of the calendar within the same bounds."""
    if not _FIRST.date() <= value <= _LAST.date():
        raise ValueError("is too far from today")
    return value


def _printable(value: str) -> str:
    # PostgreSQL cannot store NUL, and no other control character belongs into a sentence.
    if _CONTROL.search(value):
        raise ValueError("contains control characters")
    return value


def _known_state(value: str) -> str:
    """The state in our own word, whichever word the client has for it."""
    found = STATE_WORDS.get(value)
    if found is None:
        raise ValueError("is one of: " + ", ".join(sorted(STATE_WORDS)))
    return found


Moment = Annotated[datetime, BeforeValidator(_text_only), AfterValidator(_sane)]
Day = Annotated[date, BeforeValidator(_text_only), AfterValidator(_near)]
# "format": "time" would mean a time with an offset from UTC, which a recurring hour cannot have.
WallTime = Annotated[
    time,
    BeforeValidator(_text_only),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "examples": ["09:00"]}),
]
Text = Annotated[str, AfterValidator(_printable)]
Words = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000)]
Limit = Annotated[int, Field(ge=1, le=200)]
Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Status = Annotated[str, AfterValidator(_known_state), WithJsonSchema({"type": "string", "enum": sorted(STATE_WORDS)})]
Minutes = Annotated[int, Field(strict=True, ge=0, le=480)]


class Body(BaseModel):
    """Base of all bodies: camelCase names, and an unknown name is a mistake to be told, not to be dropped.

    No `Schema`, which reads a body twice in order to read objects with attributes as well.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid")


class Booking(Body):
    """An appointment to be made: by a hold, or by schedule and time. Without `patientId` for oneself."""

    patient_id: UUID | None = None
    schedule_id: UUID | None = None
    starts: Moment | None = None
    service_id: UUID | None = None
    hold_id: UUID | None = None
    reason: Annotated[Text, Field(max_length=200)] = ""
    # Why the patient must be seen at a time that is taken; empty: only a free time will do.
    overbook: Annotated[Text, Field(max_length=200)] = ""


class Move(Body):
    """A new time for an appointment, at the same doctor."""

    starts: Moment
    schedule_id: UUID | None = None
    version: Version | None = None


class Patch(Body):
    """A new time or a new status, one of the two."""

    starts: Moment | None = None
    schedule_id: UUID | None = None
    status: Status | None = None
    version: Version | None = None
    reason: Annotated[Text, Field(max_length=200)] = ""


class NewStatus(Body):
    """The status an appointment is to have next."""

    status: Status
    version: Version | None = None
    reason: Annotated[Text, Field(max_length=200)] = ""


class HoldWish(Body):
    """A slot to be kept for five minutes."""

    schedule_id: UUID
    starts: Moment
    service_id: UUID | None = None


class Hours(Body):
    """One recurring stretch of a week, in the facility's wall-clock time. Weekday 0 is Monday."""

    weekday: Annotated[int, Field(strict=True, ge=0, le=6)]
    starts: WallTime
    ends: WallTime
    kind: Literal["hours", "break"] = "hours"


class WeeklyPlan(Body):
    """The whole week anew. `acknowledged` names the stranded appointments the caller has seen."""

    weekly: Annotated[list[Hours], Field(max_length=100)]
    slot_minutes: Minutes | None = None
    buffer_minutes: Minutes | None = None
    version: Version | None = None
    acknowledged: Annotated[list[UUID], Field(max_length=1000)] = []
    resolution: Literal["keep", "cancel"] = "keep"


class ExtraPatients(Body):
    """How many patients a day may be booked into times that are taken."""

    overbook_limit: Annotated[int, Field(strict=True, ge=0, le=20)]
    version: Version | None = None


class ExceptionWish(Body):
    """Leave or a one-off opening."""

    kind: Literal["leave", "opening"]
    starts: Moment
    ends: Moment
    note: Annotated[Text, Field(max_length=120)] = ""
    version: Version | None = None
    acknowledged: Annotated[list[UUID], Field(max_length=1000)] = []
    resolution: Literal["keep", "cancel"] = "keep"


# It goes into a cookie, which holds plain signs only.
DeviceName = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9._~-]*$")]


class Credentials(Body):
    """E-mail address and password; the app's own name for its device, if it has one; whether cookies are wanted."""

    email: Annotated[Text, Field(max_length=254)]
    password: Annotated[str, Field(max_length=256)]
    device: DeviceName = ""
    cookie: bool = False


class HoldRow(msgspec.Struct, frozen=True, rename="camel"):
    """A slot kept for five minutes."""

    id: UUID
    schedule_id: UUID
    doctor_id: UUID
    starts: datetime
    ends: datetime
    expires_at: datetime


class GrantRow(msgspec.Struct, frozen=True, rename="camel"):
    """A role, everywhere or at one facility."""

    role: str
    facility_id: UUID | None


class MeRow(msgspec.Struct, frozen=True, rename="camel"):
    """Who the caller is signed in as. `email_verified`: the address was shown to be theirs."""

    account_id: UUID
    name: str
    email_verified: bool
    patient_id: UUID | None
    doctor_id: UUID | None
    grants: tuple[GrantRow, ...]


class FreeDoctorRow(DoctorRow, frozen=True, rename="camel"):
    """A doctor with the first slot that can be booked now."""

    next_free: Slot | None

    @classmethod
    def of(cls, row: DoctorRow, free: Slot | None) -> FreeDoctorRow:
        fields: dict[str, Any] = {name: getattr(row, name) for name in row.__struct_fields__}
        return cls(next_free=free, **fields)


class Out(Schema):
    """Base of the descriptions of answers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


_described: dict[type[msgspec.Struct], type[Schema]] = {}


def described(row: type[msgspec.Struct]) -> type[Schema]:
    """The OpenAPI description of a row type, made from its fields."""
    found = _described.get(row)
    if found is None:
        # ?fields leaves some out, hence none is required.
        fields: dict[str, Any] = {name: (_outward(kind), None) for name, kind in get_type_hints(row).items()}
        found = _described[row] = create_model(row.__name__, __base__=Out, __doc__=row.__doc__, **fields)
    return found


def _outward(kind: Any) -> Any:  # noqa: ANN401 - any annotation
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return described(kind)
    if kind is time:
        return WallTime
    if get_origin(kind) in (tuple, list):
        return list[_outward(get_args(kind)[0])]  # type: ignore[misc]
    if get_origin(kind) in (Union, types.UnionType):
        # UNSET is no value on the wire: the field is then not there.
        return Union[tuple(_outward(part) for part in get_args(kind) if part is not msgspec.UnsetType)]  # noqa: UP007 - made from a tuple
    return kind


class Pagination(Out):
    total: int
    page: int
    pages: int
    next: str | None


def list_of(row: type[msgspec.Struct]) -> type[Schema]:
    """The description of a list of rows in its envelope."""
    item = described(row)
    return create_model(f"{row.__name__}List", __base__=Out, data=(list[item], ...), pagination=(Pagination, ...))  # type: ignore[valid-type]


class ProblemOut(Out):
    """An error (RFC 9457): a stable `code`, a sentence for a person, the field at fault, what to do next."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")
    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
