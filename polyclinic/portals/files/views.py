"""One's photo, and files given out."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.files import actions, problems, selectors
from polyclinic.portals.common import done, person_of, see, show, viewer_of
from polyclinic.web import ratelimit
from polyclinic.web.access import declare
from polyclinic.web.given import given_out


@declare("signed-in")
@require_http_methods(["GET", "POST"])
def photo(request: HttpRequest) -> HttpResponse:
    """Choose a photo of oneself; it is checked and drawn anew before it is kept."""
    person, refused = person_of(request), None
    if request.method == "POST":
        try:
            ratelimit.check("upload", account=person.label)
            given = request.FILES.get("file")
            if given is None:
                raise problems.FileRefused(_("Choose a picture first."), code="required", field="file")
            actions.set_photo(actor=person, data=given.read())
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Your photo is saved."))
            return see("/account/photo")
    return show(
        request, "files/photo.html", refused.status if refused else 200, refused=refused,
        photo=selectors.photo_of(person), megabytes=settings.MAX_UPLOAD_BYTES >> 20,
    )  # fmt: skip


@declare("signed-in")
@require_POST
def remove_photo(request: HttpRequest) -> HttpResponse:
    actions.remove_photo(actor=person_of(request))
    done(request, _("Your photo is removed."))
    return see("/account/photo")


@declare("signed-in")
@require_GET
def give(request: HttpRequest, file_id: str) -> HttpResponseBase:
    """A file's content for whoever may have it."""
    found = parse_id(file_id)
    if found is None:
        raise NotFound()
    try:
        content = selectors.content(viewer_of(request), found)
    except FileNotFoundError:
        raise NotFound() from None
    return given_out(found, content)
