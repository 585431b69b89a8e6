"""A patient's emergency links: to make and to end one, and the page that whoever holds one sees."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import done, person_of, see, show, tell, viewer_of, zone_of
from polyclinic.portals.forms import decided_for
from polyclinic.portals.patient.sharing import back_to
from polyclinic.privacy import keyfacts
from polyclinic.records import links, vitals
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("consent.edit")
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """A new link, for some minutes or hours."""
    patient = decided_for(request)
    try:
        text = request.POST.get("minutes", "")
        if not text.isdecimal() or len(text) > 5:
            raise Invalid(_("Choose one of the listed values."), field="minutes", possible=list(links.MINUTES))
        links.make(actor=person_of(request), patient_id=patient, minutes=int(text))
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Made. Give the link only to who shall see this."))
    return see(back_to(request, patient))


@declare("consent.edit")
@require_POST
def revoke(request: HttpRequest, link_id: str) -> HttpResponse:
    """End it now."""
    found = parse_id(link_id)
    if found is None:
        raise NotFound()
    try:
        row = links.revoke(actor=person_of(request), link_id=found, version=None)
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
        return see("/my/sharing")
    done(request, _("Ended. The link opens nothing any more."))
    return see(back_to(request, row.patient_id))


@declare("public")
@require_http_methods(["GET", "POST"])
def facts(request: HttpRequest, link_code: str) -> HttpResponse:
    """What matters in an emergency. Shown by a press and not by the address alone: programs that look into messages
    fetch every link they find, and would be told to the patient as somebody who has read it."""
    ratelimit.check("emergency-link", ip=ratelimit.address(request))
    if request.method == "POST":
        found = keyfacts.opened(link_code)
    else:
        links.until(link_code)
        found = None
    answer = show(
        request, "patient/key_facts.html", facts=found, zone=zone_of(viewer_of(request)), VITALS=vitals.BY_NAME
    )
    # The address is a key: neither it nor what it shows is to be kept, nor told to the next page.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
