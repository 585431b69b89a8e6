"""A patient's photo at the desk: taken, looked at, replaced, taken away. Nobody has to have one."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.files import portraits, problems
from polyclinic.portals.common import allergies_of, done, person_of, see, show, viewer_of
from polyclinic.portals.reception.desk import frame, id_of, place_of
from polyclinic.portals.reception.faces import photo_of
from polyclinic.visits import choices
from polyclinic.web import ratelimit
from polyclinic.web.access import declare
from polyclinic.web.given import given_out


@declare("portrait.edit")
@require_http_methods(["GET", "POST"])
def photo(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Take a patient's photo, or choose one; it is checked and drawn anew before it is kept."""
    person, place, patient = person_of(request), place_of(request, "portrait.edit"), id_of(patient_id)
    who, refused = choices.patient(person, place.id, patient), None
    if request.method == "POST":
        try:
            ratelimit.check("upload", account=person.label)
            given = request.FILES.get("file")
            if given is None:
                raise problems.FileRefused(_("Choose a picture first."), code="required", field="file")
            portraits.take(actor=person, facility_id=place.id, patient_id=patient, data=given.read())
        except Problem as problem:
            if problem.status == 404:
                raise
            refused = problem
        else:
            done(request, _("The photo is saved."))
            return see(_address(request, patient, place.id))
    return show(
        request, "reception/photo.html", refused.status if refused else 200, who=who, refused=refused,
        photo=photo_of(request, patient, place.id), own=portraits.of(person, patient, place.id),
        allergies=allergies_of(request, patient), megabytes=settings.MAX_UPLOAD_BYTES >> 20,
        visit=_visit(request), **frame(request, "find", place),
    )  # fmt: skip


@declare("portrait.edit")
@require_POST
def remove(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Take the photo away, for instance because the patient asks for it."""
    place, patient = place_of(request, "portrait.edit"), id_of(patient_id)
    portraits.remove(actor=person_of(request), facility_id=place.id, patient_id=patient)
    done(request, _("The photo is removed."))
    return see(_address(request, patient, place.id))


@declare("patient.view")
@require_GET
def give(request: HttpRequest, portrait_id: str) -> HttpResponseBase:
    """The picture itself, as something that can do nothing."""
    found = parse_id(portrait_id)
    if found is None:
        raise NotFound()
    try:
        return given_out(found, portraits.content(viewer_of(request), found))
    except FileNotFoundError:
        raise NotFound() from None


def _visit(request: HttpRequest) -> UUID | None:
    """The visit from whose page somebody came."""
    return parse_id(request.POST.get("visit") or request.GET.get("visit", ""))


def _address(request: HttpRequest, patient: UUID, place: UUID) -> str:
    visit = _visit(request)
    return f"/reception/photo/{patient}?place={place}" + (f"&visit={visit}" if visit else "")
