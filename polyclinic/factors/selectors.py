"""Reading second factors: one's own, and for a sign-in that is halfway, which ways there are to go on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from django.conf import settings

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person, Viewer
from polyclinic.factors import codes
from polyclinic.factors.models import Passkey, RecoveryCode, RememberedDevice, SmsNumber, Totp
from polyclinic.people.models import Account


class FactorRow(msgspec.Struct, frozen=True, rename="camel"):
    """A second factor as its owner sees it. `hint` is the end of a telephone number."""

    id: UUID
    kind: str
    name: str
    hint: str
    created_at: datetime
    last_used_at: datetime | None
    refused: bool = False
    version: int = 1


class DeviceRow(msgspec.Struct, frozen=True, rename="camel"):
    """A browser that is remembered."""

    id: UUID
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class Ways(msgspec.Struct, frozen=True):
    """How an account can show who it is. `numbers`: id and end of each telephone that gets codes."""

    totp: bool
    numbers: tuple[tuple[UUID, str], ...]
    passkey: bool
    recovery: bool

    @property
    def any(self) -> bool:
        """Whether there is a second factor at all; recovery codes only stand in for one."""
        return self.totp or self.passkey or bool(self.numbers)


def masked(number: str) -> str:
    """The end of a telephone number: enough for its owner, too little for anyone else."""
    return f"•••{number[-3:]}"


def has_second_factor(account_id: UUID, *, but: UUID | None = None) -> bool:
    """Whether this account's sign-in has a second step (beside the factor `but`). One query."""
    left_out = [but] if but else []
    apps = Totp.objects.filter(account_id=account_id, confirmed_at__isnull=False).exclude(pk__in=left_out)
    numbers = SmsNumber.objects.filter(account_id=account_id, verified_at__isnull=False).exclude(pk__in=left_out)
    keys = Passkey.objects.filter(account_id=account_id, refused_at__isnull=True).exclude(pk__in=left_out)
    return apps.values("pk").union(numbers.values("pk"), keys.values("pk")).exists()


def must_have(viewer: Viewer) -> bool:
    """Whether this person's work asks for a second factor by this installation's setting: everyone but patients."""
    if not settings.STAFF_SECOND_FACTOR or not isinstance(viewer, Person):
        return False
    return any(grant.role != Role.PATIENT for grant in viewer.grants)


def ways(account_id: UUID) -> Ways:
    """How this account can go on with its sign-in or step-up. Asked only after the password, or by its own session."""
    numbers = SmsNumber.objects.filter(account_id=account_id, verified_at__isnull=False).order_by("created_at")
    return Ways(
        totp=Totp.objects.filter(account_id=account_id, confirmed_at__isnull=False).exists(),
        numbers=tuple((row.pk, masked(row.number)) for row in numbers),
        passkey=Passkey.objects.filter(account_id=account_id, refused_at__isnull=True).exists(),
        recovery=RecoveryCode.objects.filter(account_id=account_id, used_at__isnull=True).exists(),
    )


def factors(viewer: Viewer) -> list[FactorRow]:
    """The viewer's own second factors, oldest first. Someone not signed in has none."""
    if not isinstance(viewer, Person):
        return []
    own = viewer.account_id
    rows = [
        *(_row("totp", row) for row in Totp.objects.filter(account_id=own, confirmed_at__isnull=False)),
        *(
            _row("sms", row, hint=masked(row.number))
            for row in SmsNumber.objects.filter(account_id=own, verified_at__isnull=False)
        ),
        *(_row("passkey", row, refused=row.refused_at is not None) for row in Passkey.objects.filter(account_id=own)),
    ]
    return sorted(rows, key=lambda row: row.created_at)


def _row(kind: str, row: Totp | SmsNumber | Passkey, hint: str = "", refused: bool = False) -> FactorRow:
    return FactorRow(row.pk, kind, row.name, hint, row.created_at, row.last_used_at, refused, row.version)


def recovery_left(viewer: Viewer) -> int:
    """How many of the viewer's recovery codes are unused."""
    if not isinstance(viewer, Person):
        return 0
    return RecoveryCode.objects.filter(account_id=viewer.account_id, used_at__isnull=True).count()


def devices(viewer: Viewer) -> list[DeviceRow]:
    """The viewer's own remembered devices that still count, newest first."""
    if not isinstance(viewer, Person):
        return []
    changed = Account.objects.values_list("password_changed_at", flat=True).get(pk=viewer.account_id)
    rows = RememberedDevice.objects.filter(
        account_id=viewer.account_id, expires_at__gt=clock.now(), created_at__gte=changed
    )
    return [
        DeviceRow(row.pk, row.user_agent, row.created_at, row.last_used_at, row.expires_at)
        for row in rows.order_by("-created_at")
    ]


def is_remembered(account_id: UUID, token: str) -> UUID | None:
    """The remembered device that this cookie belongs to, when it is this account's and still counts."""
    if not token:
        return None
    row = RememberedDevice.objects.filter(
        account_id=account_id, digest=codes.token_digest(token), expires_at__gt=clock.now()
    ).first()
    if row is None:
        return None
    account = Account.objects.values_list("password_changed_at", flat=True).get(pk=account_id)
    return row.pk if row.created_at >= account else None
