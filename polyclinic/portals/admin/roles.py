"""The table of rights to look at, and the facility's own roles to make and change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access.fields import FIELDS
from polyclinic.core.access.rules import RULES, Role
from polyclinic.core.errors import Forbidden, NotFound, Problem, StaleEdit
from polyclinic.core.ids import parse_id
from polyclinic.facilities import roles, staff
from polyclinic.facilities.actions import role_name
from polyclinic.portals import meanwhile
from polyclinic.portals.admin import words
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.web import stepup
from polyclinic.web.access import declare


@declare("staff.list")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """The facility's own roles, and below them what every standard role may do."""
    return _listing(request)


def _listing(request: HttpRequest, status: int = 200) -> HttpResponse:
    viewer = person_of(request)
    return show(
        request, "admin/roles.html", status, nav=nav(request, "roles"), own=staff.own_roles(viewer),
        places=staff.places(viewer), groups=words.groups(), cells=_cells(),
        columns=[(role.value, role_name(role)) for role in Role], right=words.right, fields=FIELDS,
    )  # fmt: skip


@declare("staff.list")
@require_GET
def own_list(request: HttpRequest) -> HttpResponse:
    """Only the facility's own roles, for when one changes while the page is open."""
    viewer = person_of(request)
    return show(request, "admin/_own_roles.html", own=staff.own_roles(viewer), right=words.right)


def _cells() -> dict[tuple[str, str], str]:
    """(right, role) → the relations in which it is held, in words."""
    found: dict[tuple[str, str], list[str]] = {}
    for rule in RULES:
        found.setdefault((rule.permission, rule.role), []).append(words.relation(rule.relation))
    return {key: ", ".join(names) for key, names in found.items()}


@declare("role.define")
@require_http_methods(["GET", "POST"])
@stepup.needed
def new(request: HttpRequest, facility_id: str) -> HttpResponse:
    viewer, place = person_of(request), _id(facility_id)
    rights = staff.rights_to_give(viewer, place)
    errors: dict[str, list[str]] = {}
    name, chosen = request.POST.get("name", ""), request.POST.getlist("permissions")
    if request.method == "POST":
        try:
            roles.define(actor=viewer, facility_id=place, name=name, permissions=chosen)
        except Problem as refused:
            errors = errors_of(refused)
        else:
            done(request, _("The role is made. It can now be given and invited to."))
            return see("/admin/roles")
    return _form(request, rights, errors, 422 if errors else 200, name=name, chosen=chosen, role=None)


@declare("role.define")
@require_http_methods(["GET", "POST"])
@stepup.needed
def edit(request: HttpRequest, role_id: str) -> HttpResponse:
    viewer = person_of(request)
    row = _own(request, role_id)
    if not row.editable:
        raise Forbidden(_("This role has rights that are not yours to give."), code="not_yours_to_give")
    rights = staff.rights_to_give(viewer, row.facility_id) | set(row.permissions)
    errors: dict[str, list[str]] = {}
    status, name, chosen = 200, row.name, list(row.permissions)
    if request.method == "POST":
        name, chosen = request.POST.get("name", ""), request.POST.getlist("permissions")
        try:
            roles.change(actor=viewer, role_id=row.id, name=name, permissions=chosen, version=version_of(request))
        except Problem as refused:
            errors, status = meanwhile.answer(refused)
            status = status if isinstance(refused, StaleEdit) else 422
            row = _own(request, role_id)
        else:
            done(request, _("The role is changed. Whoever holds it has the new rights within two seconds."))
            return see("/admin/roles")
    return _form(request, rights, errors, status, name=name, chosen=chosen, role=row)


@declare("role.define")
@require_POST
@stepup.needed
def retire(request: HttpRequest, role_id: str) -> HttpResponse:
    row = _own(request, role_id)
    try:
        roles.retire(actor=person_of(request), role_id=row.id, version=version_of(request))
    except Problem as refused:
        if meanwhile.told(request, refused):
            return _listing(request, meanwhile.CHANGED)
    else:
        done(request, _("The role is no longer in use."))
    return see("/admin/roles")


def _form(
    request: HttpRequest, rights: frozenset[str], errors: dict[str, list[str]], status: int, *, name: str,
    chosen: list[str], role: Any,  # noqa: ANN401 - an own role, or None for a new one
) -> HttpResponse:  # fmt: skip
    return show(
        request, "admin/role.html", status, nav=nav(request, "roles"), groups=words.groups(rights), errors=errors,
        name=name, chosen=chosen, role=role,
        saved=words.said(role.permissions) if role and status == meanwhile.CHANGED else "",
    )  # fmt: skip


def _own(request: HttpRequest, text: str) -> Any:  # noqa: ANN401 - an own role
    wanted = _id(text)
    found = next((row for row in staff.own_roles(person_of(request)) if row.id == wanted), None)
    if found is None:
        raise NotFound()
    return found


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found
