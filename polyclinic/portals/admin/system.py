"""How the installation is and with what settings it runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import staff
from polyclinic.notify import failed
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, person_of, see, show, tell, zone_of
from polyclinic.web import status
from polyclinic.web.access import declare
from polyclinic.web.dependencies import Finding
from polyclinic.webhooks import selectors as webhooks


@declare("system.view")
@require_GET
def system(request: HttpRequest) -> HttpResponse:
    """State of the parts, then the settings; drawn anew when it is loaded again."""
    person = person_of(request)
    now = status.system(person)
    leans = [(_("To do") if one.remedy else _("In order"), _beside(one)) for one in now.findings]
    return show(
        request, "admin/system.html", nav=nav(request, "system"), now=now, leans=leans,
        settings=status.in_force(person), size=filesizeformat,
    )  # fmt: skip


@declare("system.view")
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """What is done by itself and how that fares; what could not be delivered, to send again or to let go."""
    person = person_of(request)
    hooks = [
        row
        for place in (staff.places(person, "webhook.manage") if policy.ever(person, "webhook.manage") else [])
        for row in webhooks.webhooks(person, place.id)
        if row.dead or row.waiting
    ]
    jobs = [(_(one.name).capitalize(), one) for one in status.jobs(person)]
    return show(
        request, "admin/jobs.html", nav=nav(request, "system"), jobs=jobs, hooks=hooks,
        mails=failed.failed_mails(person), zone=zone_of(person), repair=policy.ever(person, "system.repair"),
    )  # fmt: skip


@declare("system.repair")
@require_POST
def mail(request: HttpRequest, mail_id: str, mail_deed: str) -> HttpResponse:
    """Replay or discard a mail that was given up."""
    deeds = {
        "replay": (failed.replay, _("The mail is sent again.")),
        "discard": (failed.discard, _("The mail is discarded.")),
    }
    key = parse_id(mail_id)
    try:
        if mail_deed not in deeds or key is None:
            raise NotFound()
        deed, sentence = deeds[mail_deed]
        deed(actor=person_of(request), delivery_id=key)
    except Problem as refused:
        if refused.status == 403:
            raise
        tell(request, refused)
    else:
        done(request, sentence)
    return see("/admin/jobs")


def _beside(one: Finding) -> str:
    return f"{one.what} → {one.remedy}" if one.remedy else one.what
