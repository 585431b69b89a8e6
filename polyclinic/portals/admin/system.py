"""How the installation is and with what settings it runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import person_of, show
from polyclinic.web import status
from polyclinic.web.access import declare
from polyclinic.web.dependencies import Finding


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


def _beside(one: Finding) -> str:
    return f"{one.what} → {one.remedy}" if one.remedy else one.what
