"""Beginning and ending to look through another's eyes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound, Problem
from polyclinic.facilities import staff, viewing
from polyclinic.portals.admin.person import account_of
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.web import cookies, stepup
from polyclinic.web.access import declare


@declare("person.view_as")
@require_http_methods(["GET", "POST"])
@stepup.needed
def begin(request: HttpRequest, account_id: str) -> HttpResponse:
    """Ask why, then look: the person is told, and every page is written down."""
    admin, key = person_of(request), account_of(account_id)
    found = staff.member(admin, key)
    if "person.view_as" not in found.may:
        raise NotFound()
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            session = viewing.begin(actor=admin, account_id=key, reason=request.POST.get("reason", ""))
        except Problem as refused:
            errors = {refused.field or "__all__": [str(refused.sentence)]}
        else:
            response = see("/home")
            cookies.VIEW.give(response, session, seconds=int(viewing.LASTS.total_seconds()))
            return response
    return show(
        request, "admin/ask.html", 422 if errors else 200, nav=nav(request, "people"), member=found, given=request.POST,
        label=_("Look through their eyes"), icon_name="eye", danger=False, back=f"/admin/people/{key}",
        warning=_("For half an hour you see what they see and can change nothing. They are told at once, with your "
                  "name and the reason, and every page you open is written to the audit trail."),
        asks_reason=True, errors=errors,
    )  # fmt: skip


@declare("signed-in")
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Back to one's own eyes."""
    admin = getattr(request, "admin", None)
    target = "/home"
    if isinstance(admin, Person):
        viewing.end(actor=admin, key=cookies.VIEW.of(request))
        target = f"/admin/people/{person_of(request).account_id}"
        done(request, _("You look through your own eyes again."))
    response = see(target)
    cookies.VIEW.take_back(response)
    return response
