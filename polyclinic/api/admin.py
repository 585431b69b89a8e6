"""The staff of one's own facilities over the API: people, their roles, invitations, and the facility's own roles.

Whatever changes who may do what asks for a session in which its person has just shown who they are (`web.stepup`).
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.facilities import actions, invitations, roles, staff
from polyclinic.facilities.staff import InvitationRow, OwnRole, StaffMember, StaffRow
from polyclinic.web import stepup
from polyclinic.web.access import declare

router = Router(tags=["Administration"])


class Why(Body):
    """A reason, kept in the record of what was done."""

    reason: Annotated[Text, Field(max_length=200)] = ""


class RoleWish(Body):
    """A role to be given at a facility: a standard one by name, or one of the facility's own by id."""

    facility_id: UUID
    role: Annotated[Text, Field(max_length=16)] = ""
    custom_role_id: UUID | None = None


class InvitationWish(RoleWish):
    """Somebody to be invited."""

    email: Annotated[Text, Field(max_length=254)]
    name: Annotated[Text, Field(max_length=160)]


class OwnRoleWish(Body):
    """A role of a facility's own, as it is to be."""

    name: Annotated[Text, Field(max_length=60)]
    permissions: Annotated[list[Annotated[Text, Field(max_length=60)]], Field(max_length=100)]
    version: Version | None = None


class NewOwnRole(OwnRoleWish):
    """A role of a facility's own to be made."""

    facility_id: UUID


@router.get("/admin/users", response={200: list_of(StaffRow), **PROBLEMS}, summary="List staff")
@declare("staff.list")
def list_users(
    request: HttpRequest,
    hospitalId: UUID | None = None,
    role: Words = "",
    state: Literal["active", "closed", "former"] | None = None,
    search: Words = "",
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Everybody who works at the caller's hospitals, or did, by name. `role` is a role's name or an own role's id."""
    found = staff.people(
        answers.viewer_of(request), facility_id=hospitalId, role=role, state=state or "", search=search, page=page,
        limit=limit,
    )  # fmt: skip
    return answers.listing(request, found.rows, total=found.total, page=found.page, pages=found.pages, fields=fields)


@router.get(
    "/admin/users/{userId}", response={200: described(StaffMember), **PROBLEMS}, summary="Read one of the staff"
)
@declare("staff.list")
def read_user(request: HttpRequest, userId: str, fields: Words | None = None) -> HttpResponse:
    """One of the staff with roles past and present, and what the caller may do."""
    return answers.one(request, staff.member(answers.viewer_of(request), answers.key(userId)), fields)


@router.post(
    "/admin/users/{userId}/deactivate", response={200: described(StaffMember), **PROBLEMS}, summary="Close an account"
)
@declare("account.deactivate")
def deactivate(request: HttpRequest, userId: str, body: Why) -> HttpResponse:
    """Close the account; its sessions, tokens and streams end within seconds."""
    stepup.require(request)
    actions.deactivate(actor=answers.person_of(request), account_id=answers.key(userId), reason=body.reason)
    return read_user(request, userId)


@router.post(
    "/admin/users/{userId}/reactivate", response={200: described(StaffMember), **PROBLEMS}, summary="Open an account"
)
@declare("account.deactivate")
def reactivate(request: HttpRequest, userId: str, body: Why) -> HttpResponse:
    """Open a closed account again, with the roles it still holds."""
    stepup.require(request)
    actions.reactivate(actor=answers.person_of(request), account_id=answers.key(userId), reason=body.reason)
    return read_user(request, userId)


@router.post("/admin/users/{userId}/reset-password", response={204: None, **PROBLEMS}, summary="Reset a password")
@declare("staff.reset_password")
def reset_password(request: HttpRequest, userId: str) -> HttpResponse:
    """Make the old password worthless and send a link to choose a new one."""
    stepup.require(request)
    actions.reset_password(actor=answers.person_of(request), account_id=answers.key(userId))
    return HttpResponse(status=204)


@router.post("/admin/users/{userId}/sign-out", response={204: None, **PROBLEMS}, summary="Sign somebody out")
@declare("staff.edit")
def sign_out(request: HttpRequest, userId: str) -> HttpResponse:
    """End every session of the account."""
    stepup.require(request)
    actions.sign_out_everywhere(actor=answers.person_of(request), account_id=answers.key(userId))
    return HttpResponse(status=204)


@router.post("/admin/users/{userId}/roles", response={200: described(StaffMember), **PROBLEMS}, summary="Give a role")
@declare("membership.grant")
def give_role(request: HttpRequest, userId: str, body: RoleWish) -> HttpResponse:
    """Give a role; one that is held already is left as it is."""
    stepup.require(request)
    actions.give_role(
        actor=answers.person_of(request), account_id=answers.key(userId), facility_id=body.facility_id, role=body.role,
        custom_role_id=body.custom_role_id,
    )  # fmt: skip
    return read_user(request, userId)


@router.delete(
    "/admin/users/{userId}/roles/{membershipId}",
    response={200: described(StaffMember), **PROBLEMS},
    summary="End a role",
)
@declare("membership.grant")
def end_role(request: HttpRequest, userId: str, membershipId: str, reason: Words = "") -> HttpResponse:
    """Take a role away; the membership is kept with its end."""
    stepup.require(request)
    person, wanted = answers.person_of(request), answers.key(membershipId)
    if not any(part.id == wanted for part in staff.member(person, answers.key(userId)).roles):
        raise NotFound()
    actions.end_role(actor=person, membership_id=wanted, reason=reason)
    return read_user(request, userId)


@router.get("/admin/invitations", response={200: list_of(InvitationRow), **PROBLEMS}, summary="List invitations")
@declare("staff.invite")
def list_invitations(
    request: HttpRequest,
    state: Literal["sent", "accepted", "revoked", "expired"] | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """The two hundred newest invitations to the caller's hospitals."""
    rows = staff.invitations(answers.viewer_of(request), state=state or "")
    return answers.cut(request, rows, page, limit, fields)


@router.post("/admin/invitations", response={201: described(InvitationRow), **PROBLEMS}, summary="Invite somebody")
@declare("staff.invite")
def invite(request: HttpRequest, body: InvitationWish) -> HttpResponse:
    """Send somebody a link with which they join in a role."""
    stepup.require(request)
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        made = invitations.invite(
            actor=person, facility_id=body.facility_id, email=body.email, name=body.name, role=body.role,
            custom_role_id=body.custom_role_id,
        )  # fmt: skip
        return 201, next(row for row in staff.invitations(person) if row.id == made.pk)

    return answers.once(request, effect)


@router.delete("/admin/invitations/{invitationId}", response={204: None, **PROBLEMS}, summary="Take an invitation back")
@declare("staff.invite")
def revoke(request: HttpRequest, invitationId: str) -> HttpResponse:
    """Its link stops working."""
    invitations.revoke(actor=answers.person_of(request), invitation_id=answers.key(invitationId))
    return HttpResponse(status=204)


@router.get("/admin/roles", response={200: list_of(OwnRole), **PROBLEMS}, summary="List own roles")
@declare("staff.list")
def list_roles(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """The roles that the caller's hospitals have made for themselves."""
    return answers.cut(request, staff.own_roles(answers.viewer_of(request)), page, limit, fields)


@router.post("/admin/roles", response={201: described(OwnRole), **PROBLEMS}, summary="Make a role")
@declare("role.define")
def define_role(request: HttpRequest, body: NewOwnRole) -> HttpResponse:
    """Make a role of rights that the caller has at that hospital."""
    stepup.require(request)
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        made = roles.define(actor=person, facility_id=body.facility_id, name=body.name, permissions=body.permissions)
        return 201, _own(person, made.pk)

    return answers.once(request, effect)


@router.put("/admin/roles/{roleId}", response={200: described(OwnRole), **PROBLEMS}, summary="Change a role")
@declare("role.define")
def change_role(request: HttpRequest, roleId: str, body: OwnRoleWish) -> HttpResponse:
    """Give a role another name or other rights; its holders have them within two seconds."""
    stepup.require(request)
    person, key = answers.person_of(request), answers.key(roleId)
    version = answers.expected_version(request, body.version)
    roles.change(actor=person, role_id=key, name=body.name, permissions=body.permissions, version=version)
    return answers.one(request, _own(person, key))


@router.delete("/admin/roles/{roleId}", response={204: None, **PROBLEMS}, summary="Take a role out of use")
@declare("role.define")
def retire_role(request: HttpRequest, roleId: str) -> HttpResponse:
    """Possible once nobody holds it."""
    stepup.require(request)
    version = answers.expected_version(request)
    roles.retire(actor=answers.person_of(request), role_id=answers.key(roleId), version=version)
    return HttpResponse(status=204)


def _own(viewer: Viewer, key: UUID) -> OwnRole:
    return next(row for row in staff.own_roles(viewer) if row.id == key)
