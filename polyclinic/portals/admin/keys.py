"""Keys of the systems that work with a facility: each is an account of its own, with the rights named and no others."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import staff
from polyclinic.portals.account.keys import DAYS, wish
from polyclinic.portals.admin import words
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.tokens import apikeys
from polyclinic.tokens.apikeys import Made
from polyclinic.web import stepup
from polyclinic.web.access import declare


@declare("key.manage")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """The partners' keys of every facility whose keys this person manages."""
    person = person_of(request)
    places = [(place, apikeys.keys(person, place.id)) for place in staff.places(person, "key.manage")]
    return show(request, "admin/keys.html", nav=nav(request, "keys"), places=places, said=words.said)


@declare("key.manage")
@require_http_methods(["GET", "POST"])
@stepup.needed
def new(request: HttpRequest, facility_id: str) -> HttpResponse:
    """The form; the key just made is shown on the answer to it and on no other."""
    person, wanted = person_of(request), parse_id(facility_id)
    place = next((one for one in staff.places(person, "key.manage") if one.id == wanted), None)
    if place is None:
        raise NotFound()
    errors: dict[str, list[str]] = {}
    made: Made | None = None
    if request.method == "POST":
        try:
            made = apikeys.make_for_partner(actor=person, facility_id=place.id, **wish(request.POST))
        except Problem as refused:
            errors = {refused.field or "name": [str(refused.sentence)]}
    kept = QueryDict() if made else request.POST
    return show(
        request, "admin/key.html", 422 if errors else 200, nav=nav(request, "keys"), place=place, made=made,
        errors=errors, groups=words.groups(frozenset(apikeys.PARTNER_SCOPES)), given=kept,
        chosen=kept.getlist("scopes"), days=DAYS,
    )  # fmt: skip


@declare("key.manage")
@require_POST
def revoke(request: HttpRequest, key_id: str) -> HttpResponse:
    """End a partner's key. One's own keys have a page of their own, so that one is not ended here by mistake."""
    person, found = person_of(request), parse_id(key_id)
    places = staff.places(person, "key.manage")
    if found is None or not any(row.id == found for place in places for row in apikeys.keys(person, place.id)):
        raise NotFound()
    apikeys.revoke(actor=person, key_id=found)
    done(request, _("The key is ended. It does not open anything any more."))
    return see("/admin/keys")
