"""How the installation is, for who looks after it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Limit, PageNumber, Words, described, list_of
from polyclinic.web import status
from polyclinic.web.access import declare
from polyclinic.web.status import SettingRow, SystemStatus

router = Router(tags=["Administration"])


@router.get("/admin/system-status", response={200: described(SystemStatus), **PROBLEMS}, summary="System status")
@declare("system.view")
def system_status(request: HttpRequest) -> HttpResponse:
    """Versions, database, event log and how far the live gateway is behind it, mails, disk."""
    return answers.reply(status.system(answers.person_of(request)))


@router.get("/admin/settings", response={200: list_of(SettingRow), **PROBLEMS}, summary="Settings")
@declare("system.view")
def list_settings(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Every declared setting with its value and where it came from; secrets are masked. They are changed on the
    server."""
    return answers.cut(request, status.in_force(answers.person_of(request)), page, limit, fields)
