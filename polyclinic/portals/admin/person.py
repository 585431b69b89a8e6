"""One of the staff: their roles with history, and what can be done to their account.

Each change has a page of its own. It is reached only by somebody who has just shown who they are, so that the form
sent from it is not lost on the way to that question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.errors import Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.ids import parse_id
from polyclinic.facilities import actions, staff
from polyclinic.portals import meanwhile
from polyclinic.portals.admin import words
from polyclinic.portals.admin.views import nav, zone_of
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.web import stepup
from polyclinic.web.access import declare


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to an account: what it is called, what is said before and after, and what does it."""

    right: str
    label: Promise
    warning: Promise
    said: Promise
    icon: str
    run: Callable[..., object]
    danger: bool = True
    asks_reason: bool = False


DEEDS: Final[dict[str, Deed]] = {
    "reactivate": Deed(
        "account.deactivate", _("Open the account again"), _("They can sign in again, with the roles they still hold."),
        _("The account is open again."), "user-check", actions.reactivate, danger=False, asks_reason=True,
    ),
    "reset-password": Deed(
        "staff.reset_password", _("Reset the password"),
        _("The old password stops working, all sessions end, and they are sent a link to choose a new one."),
        _("The password is reset and the link is on its way."), "key-round", actions.reset_password,
    ),
    "sign-out": Deed(
        "staff.edit", _("Sign out everywhere"), _("Every session of this account ends, on every device."),
        _("Every session of this account has ended."), "log-out", actions.sign_out_everywhere,
    ),
    "deactivate": Deed(
        "account.deactivate", _("Close the account"),
        _("They can no longer sign in, and every page they have open ends within seconds. Roles are kept."),
        _("The account is closed."), "user-x", actions.deactivate, asks_reason=True,
    ),
}  # fmt: skip


def account_of(text: str) -> UUID:
    """The account in an address. One that is none is answered like a missing one."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


@declare("staff.list")
@require_GET
def person(request: HttpRequest, account_id: str) -> HttpResponse:
    return show(request, "admin/person.html", nav=nav(request, "people"), **_seen(request, account_id))


@declare("staff.list")
@require_GET
def state(request: HttpRequest, account_id: str) -> HttpResponse:
    """Only what can change while the page is open."""
    return show(request, "admin/_person.html", **_seen(request, account_id))


def _seen(request: HttpRequest, account_id: str) -> dict[str, Any]:
    viewer = person_of(request)
    found = staff.member(viewer, account_of(account_id))
    places = staff.places(viewer)
    possible = [
        (name, deed)
        for name, deed in DEEDS.items()
        if deed.right in found.may and _fits(name, closed=found.state == "closed")
    ]
    giveable = {place.id: {value for value, _name in staff.roles_to_give(viewer, place.id)} for place in places}
    mine = viewer.account_id == found.id
    return {
        "member": found, "deeds": possible, "states": words.STATES, "zone": zone_of(places),
        "view_as": "person.view_as" in found.may and found.state == "active",
        "give": not mine and any(giveable.values()),
        "ends": set() if mine else {
            part.id for part in found.roles
            if part.id and str(part.custom_role_id or part.role) in giveable.get(part.facility_id, set())
        },
    }  # fmt: skip


def _fits(deed: str, *, closed: bool) -> bool:
    """A closed account can only be opened, an open one anything but that."""
    return (deed == "reactivate") is closed


@declare("staff.list")
@require_http_methods(["GET", "POST"])
@stepup.needed
def do(request: HttpRequest, account_id: str, deed: str) -> HttpResponse:
    """Ask, then close, open, reset or sign out."""
    viewer, key = person_of(request), account_of(account_id)
    found, wanted = staff.member(viewer, key), DEEDS.get(deed)
    if wanted is None or wanted.right not in found.may:
        raise NotFound()
    back = f"/admin/people/{key}"
    if request.method == "POST":
        more = {"reason": request.POST.get("reason", "")} if wanted.asks_reason else {}
        try:
            wanted.run(actor=viewer, account_id=key, version=version_of(request), **more)
        except Problem as refused:
            if isinstance(refused, Invalid | StaleEdit):
                return _ask(request, staff.member(viewer, key), wanted, back, refused)
            tell(request, refused)
        else:
            done(request, wanted.said)
        return see(back)
    return _ask(request, found, wanted, back)


def _ask(request: HttpRequest, member: Any, deed: Deed, back: str, refused: Problem | None = None) -> HttpResponse:  # noqa: ANN401 - a staff member
    errors, status = meanwhile.answer(refused) if refused else ({}, 200)
    return show(
        request, "admin/ask.html", status, nav=nav(request, "people"), member=member, given=request.POST,
        label=deed.label, warning=deed.warning, icon_name=deed.icon, danger=deed.danger, back=back,
        asks_reason=deed.asks_reason, errors=errors,
    )  # fmt: skip


@declare("membership.grant")
@require_http_methods(["GET", "POST"])
@stepup.needed
def give(request: HttpRequest, account_id: str) -> HttpResponse:
    """Give a role, at a place the viewer runs."""
    viewer, key = person_of(request), account_of(account_id)
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            facility, role, own = choice(request)
            actions.give_role(
                actor=viewer, account_id=key, facility_id=facility, role=role, custom_role_id=own,
                version=version_of(request),
            )  # fmt: skip
        except Problem as refused:
            errors, status = _again(refused)
        else:
            done(request, _("The role is given. It works within two seconds, without signing in again."))
            return see(f"/admin/people/{key}")
    return show(
        request, "admin/give.html", status, nav=nav(request, "people"), member=staff.member(viewer, key), errors=errors,
        offers=offers(request), chosen=request.POST.get("role", ""),
    )  # fmt: skip


def _again(refused: Problem) -> tuple[dict[str, list[str]], int]:
    """A form about roles once more: whatever is wrong with it but a page out of date is wrong with the choice."""
    errors, status = meanwhile.answer(refused, "role")
    return errors, status if isinstance(refused, StaleEdit) else 422


def offers(request: HttpRequest) -> list[tuple[str, list[tuple[str, str]]]]:
    """The roles the viewer may give, by place: values for a form, and names."""
    viewer = person_of(request)
    found = []
    for place in staff.places(viewer):
        options = [(f"{place.id}:{value}", name) for value, name in staff.roles_to_give(viewer, place.id)]
        if options:
            found.append((place.name, options))
    return found


def choice(request: HttpRequest) -> tuple[UUID, str, UUID | None]:
    """Facility, standard role and own role of the option chosen in a form of `offers`. Raises Invalid naming `role`."""
    place, _colon, value = request.POST.get("role", "").partition(":")
    facility = parse_id(place)
    if facility is None or not value:
        raise Invalid(_("Choose a role."), field="role")
    own = parse_id(value)
    return facility, "" if own else value, own


@declare("membership.grant")
@require_http_methods(["GET", "POST"])
@stepup.needed
def end(request: HttpRequest, account_id: str, membership_id: str) -> HttpResponse:
    """Ask, then take a role away."""
    viewer, key = person_of(request), account_of(account_id)
    found = staff.member(viewer, key)
    wanted = account_of(membership_id)
    # A role that ended meanwhile is still answered to whoever had the form open: with the sentence that it has.
    parts = (*found.roles, *found.history) if request.method == "POST" else found.roles
    held = next((part for part in parts if part.id == wanted), None)
    if held is None or held.id is None:
        raise NotFound()
    back, status = f"/admin/people/{key}", 200
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            actions.end_role(
                actor=viewer, membership_id=held.id, reason=request.POST.get("reason", ""), version=version_of(request)
            )
        except (Invalid, StaleEdit) as refused:
            errors, status = meanwhile.answer(refused)
        except Problem as refused:
            tell(request, refused)
            return see(back)
        else:
            done(request, _("The role has ended."))
            return see(back)
    return show(
        request, "admin/ask.html", status, nav=nav(request, "people"), member=found, given=request.POST,
        label=_("End the role %(role)s") % {"role": held.name}, icon_name="user-minus", danger=True, back=back,
        warning=_("They lose what this role lets them see and do within two seconds. What they did stays explained."),
        asks_reason=True, errors=errors,
    )  # fmt: skip
