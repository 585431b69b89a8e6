"""How the installation is, for who looks after it."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Words, described, list_of
from polyclinic.notify import failed
from polyclinic.notify.failed import FailedMail
from polyclinic.web import status
from polyclinic.web.access import declare
from polyclinic.web.housekeeping import Run
from polyclinic.web.status import SettingRow, SystemStatus

router = Router(tags=["Administration"])


class MailDecision(Body):
    """Send it again, or let it go."""

    action: Literal["replay", "discard"]


@router.get("/admin/system-status", response={200: described(SystemStatus), **PROBLEMS}, summary="System status")
@declare("system.view")
def system_status(request: HttpRequest) -> HttpResponse:
    """Versions, database, event log and how far the live gateway is behind it, mails, disk."""
    return answers.reply(status.system(answers.person_of(request)))


@router.get("/admin/jobs", response={200: list_of(Run), **PROBLEMS}, summary="Background work")
@declare("system.view")
def list_jobs(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """What the answering process does by itself: when each last ran, how long it took, how it failed."""
    return answers.cut(request, status.jobs(answers.person_of(request)), page, limit, fields)


@router.get("/admin/failed-mails", response={200: list_of(FailedMail), **PROBLEMS}, summary="Mails given up")
@declare("system.view")
def list_failed(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Of which kind, since when and why; never to whom or what they say. Those of webhooks are with each webhook."""
    return answers.cut(request, failed.failed_mails(answers.person_of(request)), page, limit, fields)


@router.put("/admin/failed-mails/{mailId}/status", response={204: None, **PROBLEMS}, summary="Replay or discard a mail")
@declare("system.repair")
def decide_mail(request: HttpRequest, mailId: str, body: MailDecision) -> HttpResponse:
    """A mail sent again has all its tries. 409 when somebody else has dealt with it."""
    deed = failed.replay if body.action == "replay" else failed.discard
    deed(actor=answers.person_of(request), delivery_id=answers.key(mailId))
    return HttpResponse(status=204)


@router.get("/admin/settings", response={200: list_of(SettingRow), **PROBLEMS}, summary="Settings")
@declare("system.view")
def list_settings(
    request: HttpRequest, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Every declared setting with its value and where it came from; secrets are masked. They are changed on the
    server."""
    return answers.cut(request, status.in_force(answers.person_of(request)), page, limit, fields)
