"""Keys with which programs act for one: made, shown once, ended."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.admin import words
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.tokens import apikeys
from polyclinic.tokens.apikeys import Made
from polyclinic.web import stepup
from polyclinic.web.access import declare

DAYS = (30, 90, 180, 365)


def wish(given: QueryDict) -> dict[str, Any]:
    """What the form asks for, as the actions take it. Days that are no number become 0, which the action refuses."""
    days = given.get("days", "")
    return {
        "name": given.get("name", ""),
        "scopes": given.getlist("scopes"),
        "days": int(days) if days.isdecimal() and len(days) < 5 else 0,
        "networks": given.get("networks", "").replace(",", " ").split(),
    }


@declare("signed-in")
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """The list with the form beside it. A key just made is shown on this very answer and on no other."""
    person = person_of(request)
    errors: dict[str, list[str]] = {}
    made: Made | None = None
    if request.method == "POST":
        stepup.require(request)
        try:
            made = apikeys.make(actor=person, **wish(request.POST))
        except Problem as refused:
            errors = {refused.field or "name": [str(refused.sentence)]}
    kept = QueryDict() if made else request.POST
    return show(
        request, "account/keys.html", 422 if errors else 200, rows=apikeys.keys(person), made=made, errors=errors,
        groups=words.groups(frozenset(apikeys.offered(person))), said=words.said, given=kept,
        chosen=kept.getlist("scopes"), days=DAYS, fresh=stepup.is_fresh(person),
    )  # fmt: skip


@declare("signed-in")
@require_POST
def revoke(request: HttpRequest, key_id: str) -> HttpResponse:
    found = parse_id(key_id)
    if found is None:
        raise NotFound()
    apikeys.revoke(actor=person_of(request), key_id=found)
    done(request, _("The key is ended. It does not open anything any more."))
    return see("/account/keys")
