"""Reading who works at the viewer's facilities, in which roles, and who is invited. Nobody else's staff is there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.facilities import granting
from polyclinic.facilities.actions import places_of, role_name
from polyclinic.facilities.models import CustomRole, Facility, Membership, StaffInvitation
from polyclinic.people.models import Account, Doctor, Session

MAX_LIMIT = 200
STATES = ("active", "closed", "former")


class HeldRole(msgspec.Struct, frozen=True, rename="camel"):
    """A role somebody holds or held. `name` is in words; a doctor's own is no membership and has no id."""

    role: str
    name: str
    facility_id: UUID
    facility_name: str
    id: UUID | None = None
    custom_role_id: UUID | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class StaffRow(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who works at the viewer's facilities. `state`: active, closed (the account) or former (no role left)."""

    id: UUID
    name: str
    email: str
    state: str
    roles: tuple[HeldRole, ...]
    last_sign_in: datetime | None


class StaffMember(msgspec.Struct, frozen=True, rename="camel"):
    """The same with history, and what the viewer may do. `elsewhere`: they also work where the viewer has no say."""

    id: UUID
    name: str
    email: str
    state: str
    roles: tuple[HeldRole, ...]
    history: tuple[HeldRole, ...]
    last_sign_in: datetime | None
    sessions: int
    must_change_password: bool
    email_verified: bool
    elsewhere: bool
    may: tuple[str, ...]
    version: int


class StaffPage(msgspec.Struct, frozen=True, rename="camel"):
    """One page of staff; `total` counts all that match."""

    rows: list[StaffRow]
    total: int
    page: int
    pages: int


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """A facility whose staff the viewer may see, with its zone."""

    id: UUID
    name: str
    time_zone: str


class OwnRole(msgspec.Struct, frozen=True, rename="camel"):
    """A role of a facility's own. `editable`: all its rights are the viewer's to give."""

    id: UUID
    facility_id: UUID
    facility_name: str
    name: str
    permissions: tuple[str, ...]
    holders: tuple[str, ...]
    editable: bool
    version: int


class InvitationRow(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody asked to work at one of the viewer's facilities."""

    id: UUID
    email: str
    name: str
    role: str
    facility_id: UUID
    facility_name: str
    state: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    version: int


def places(viewer: Viewer, permission: str = "staff.list") -> list[Place]:
    """The viewer's facilities by name. Raises NotFound for somebody who has none."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    rows = Facility.objects.filter(pk__in=policy.places(viewer, permission)).order_by("name", "pk")
    found = [Place(*cells) for cells in rows.values_list("id", "name", "time_zone")]
    if not found:
        raise NotFound()
    return found


def people(
    viewer: Viewer,
    *,
    facility_id: UUID | None = None,
    role: str = "",
    state: str = "",
    search: str = "",
    page: int = 1,
    limit: int = 50,
) -> StaffPage:
    """Staff of the viewer's facilities by name. `role` is a standard role, "doctor", or the id of a facility's own.

    Raises NotFound for somebody with no staff to see, Invalid naming the field.
    """
    here = {place.id for place in places(viewer)}
    if page < 1:
        raise Invalid(_("Pages count from 1."), field="page")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")
    if state and state not in STATES:
        raise Invalid(_("Unknown status."), field="state", possible=list(STATES))
    wanted = here if facility_id is None else here & {facility_id}
    query = _searched(_staff_of(wanted, role, state), search)
    total = query.count()
    accounts = list(query.order_by("name", "pk")[(page - 1) * limit : page * limit])
    roles = _roles([one.pk for one in accounts], here)
    rows = [
        StaffRow(one.pk, one.name, one.email, _state(one, roles[one.pk]), _current(roles[one.pk]), one.last_login)
        for one in accounts
    ]
    return StaffPage(rows, total, page, max(1, -(-total // limit)))


def member(viewer: Viewer, account_id: UUID) -> StaffMember:
    """One of the viewer's staff. Raises NotFound for anybody who does not, and never did, work at a place of theirs."""
    here = {place.id for place in places(viewer)}
    account = Account.objects.filter(pk=account_id).first()
    if account is None or not here & places_of(account_id, ever=True):
        raise NotFound()
    roles = _roles([account_id], here)[account_id]
    elsewhere = bool(places_of(account_id) - here)
    return StaffMember(
        account.pk, account.name, account.email, _state(account, roles), _current(roles),
        tuple(part for part in roles if part.ended_at is not None), account.last_login,
        Session.objects.filter(account_id=account_id, seen_by__isnull=True, expire_date__gt=clock.now()).count(),
        account.must_change_password, account.email_verified_at is not None, elsewhere,
        _possible(viewer, account, elsewhere), account.version,
    )  # fmt: skip


def roles_to_give(viewer: Viewer, facility_id: UUID) -> list[tuple[str, str]]:
    """Values and names of the roles the viewer may give at a facility: standard ones, then the facility's own."""
    if facility_id not in {place.id for place in places(viewer)}:
        raise NotFound()
    assert isinstance(viewer, Person)
    standard = sorted((role_name(role), role) for role in granting.grantable_roles(viewer, facility_id))
    own = [(str(row.id), row.name) for row in own_roles(viewer) if row.facility_id == facility_id and row.editable]
    return [*((role, name) for name, role in standard), *own]


def own_roles(viewer: Viewer) -> list[OwnRole]:
    """The own roles of the viewer's facilities, in use, by facility and name."""
    here = [place.id for place in places(viewer)]
    rows = (
        CustomRole.objects.filter(facility_id__in=here, ended_at__isnull=True)
        .select_related("facility")
        .order_by("facility__name", "name", "pk")
    )
    held = Membership.objects.filter(custom_role__in=rows, ended_at__isnull=True).order_by("account__name")
    names: dict[UUID | None, list[str]] = {}
    for role, name in held.values_list("custom_role_id", "account__name"):
        names.setdefault(role, []).append(name)
    assert isinstance(viewer, Person)
    mine = {place: granting.grantable_rights(viewer, place) for place in here}
    return [
        OwnRole(
            row.pk, row.facility_id, row.facility.name, row.name, tuple(row.permissions), tuple(names.get(row.pk, ())),
            set(row.permissions) <= mine[row.facility_id], row.version,
        )
        for row in rows
    ]  # fmt: skip


def rights_to_give(viewer: Viewer, facility_id: UUID) -> frozenset[str]:
    """The rights the viewer may put into a role of this facility. Raises NotFound for a facility not theirs."""
    if facility_id not in {place.id for place in places(viewer, "role.define")}:
        raise NotFound()
    assert isinstance(viewer, Person)
    return granting.grantable_rights(viewer, facility_id)


def invitations(viewer: Viewer, *, state: str = "") -> list[InvitationRow]:
    """Invitations to the viewer's facilities, newest first; at most two hundred."""
    here = [place.id for place in places(viewer, "staff.invite")]
    rows = StaffInvitation.objects.filter(facility_id__in=here).select_related("facility", "custom_role", "invited_by")
    if state:
        rows = rows.filter(state=state)
    return [
        InvitationRow(
            row.pk, row.email, row.name, row.custom_role.name if row.custom_role else role_name(row.role),
            row.facility_id, row.facility.name, row.state, row.invited_by.name, row.created_at, row.expires_at,
            row.version,
        )
        for row in rows.order_by("-created_at")[:MAX_LIMIT]
    ]  # fmt: skip


def _staff_of(here: Iterable[UUID], role: str, state: str) -> QuerySet[Account]:
    held = Membership.objects.filter(account=OuterRef("pk"), facility_id__in=here)
    present = held.filter(ended_at__isnull=True)
    seeing = Doctor.objects.filter(account=OuterRef("pk"), schedules__facility_id__in=here)
    query = Account.objects.filter(Exists(held) | Exists(seeing))
    if role == "doctor":
        query = query.filter(Exists(seeing))
    elif role:
        own = Q(custom_role_id=role) if _is_id(role) else Q(role=role)
        query = query.filter(Exists(present.filter(own)))
    if state == "closed":
        query = query.filter(is_active=False)
    elif state:
        works = Exists(present) | Exists(seeing)
        query = query.filter(works if state == "active" else ~works, is_active=True)
    return query


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _searched(query: QuerySet[Account], search: str) -> QuerySet[Account]:
    for word in search.split()[:5]:
        query = query.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return query


def _roles(accounts: list[UUID], here: Iterable[UUID]) -> dict[UUID, list[HeldRole]]:
    """Each account's roles at these facilities, present and past, in two questions."""
    found: dict[UUID, list[HeldRole]] = {account: [] for account in accounts}
    seeing = Doctor.objects.filter(account_id__in=accounts, schedules__facility_id__in=here).order_by("pk")
    for account, place, name in seeing.values_list("account_id", "schedules__facility_id", "schedules__facility__name"):
        found[account].append(HeldRole("doctor", role_name("doctor"), place, name))
    rows = (
        Membership.objects.filter(account_id__in=accounts, facility_id__in=here)
        .select_related("facility", "custom_role")
        .order_by("-started_at", "pk")
    )
    for row in rows:
        name = row.custom_role.name if row.custom_role else role_name(row.role)
        found[row.account_id].append(
            HeldRole(
                row.role, name, row.facility_id, row.facility.name, row.pk, row.custom_role_id, row.started_at,
                row.ended_at,
            )
        )  # fmt: skip
    return found


def _current(roles: list[HeldRole]) -> tuple[HeldRole, ...]:
    return tuple(part for part in roles if part.ended_at is None)


def _state(account: Account, roles: list[HeldRole]) -> str:
    if not account.is_active:
        return "closed"
    return "active" if _current(roles) else "former"


def _possible(viewer: Viewer, account: Account, elsewhere: bool) -> tuple[str, ...]:
    """What the viewer may do to this account as a whole; roles are decided one by one."""
    assert isinstance(viewer, Person)
    if viewer.account_id == account.pk:
        return ()
    at = places_of(account.pk) or places_of(account.pk, ever=True)
    allowed = [
        right
        for right in ("account.deactivate", "staff.edit", "staff.reset_password", "person.view_as")
        if not elsewhere and at <= policy.places(viewer, right)
    ]
    return tuple(allowed)


__all__ = ["invitations", "member", "own_roles", "people", "places", "rights_to_give", "roles_to_give"]
