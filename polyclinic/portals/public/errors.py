"""The answer to a form whose protection against forgery did not hold."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Forbidden
from polyclinic.web import errors


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. `reason` is for developers and stays out of the answer."""
    problem = Forbidden(
        _("This form could not be checked. Go back, reload the page and send it again."), code="csrf_failed"
    )
    return errors.answer(request, problem)
