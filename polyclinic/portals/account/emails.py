"""Confirming an email address, and changing it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.actors import Person
from polyclinic.core.errors import Problem
from polyclinic.people import emails, own
from polyclinic.portals.auth.forms import EmailForm
from polyclinic.portals.common import done, explain, local_path, person_of, see, show, viewer_of
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare


@declare("signed-in")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    stepup.require_second(request)
    person = person_of(request)
    form = EmailForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            ratelimit.check("password-reset", ip=ratelimit.address(request), account=str(person.account_id))
            emails.ask_change(actor=person, email=given["email"], password=given["password"])
        except Problem as refused:
            explain(form, refused)
        else:
            done(request, _("We have sent a link to the new address. It counts once you have opened the link."))
            return see("/account")
    account = own.own_account(person)
    return show(request, "account/email.html", 422 if form.errors else 200, form=form, mine=account)


@declare("signed-in")
@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Mail the link for the present address once more."""
    person = person_of(request)
    back = local_path(request.POST.get("back", ""), "/account")
    try:
        ratelimit.check("password-reset", ip=ratelimit.address(request), account=str(person.account_id))
    except Problem as refused:
        messages.error(request, str(refused.sentence))
        return see(back)
    emails.ask_again(actor=person)
    done(request, _("We have sent the link again. Look into your mail."))
    return see(back)


@declare("public")
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, token: str) -> HttpResponse:
    """A page with a button: mail programs open links by themselves, and that must not use the link up."""
    try:
        if request.method == "POST":
            emails.confirm(token)
            done(request, _("Your email address is confirmed."))
            return see("/account" if isinstance(viewer_of(request), Person) else "/sign-in")
        address = emails.waiting(token).email
    except Problem as gone:
        return show(request, "account/email_gone.html", gone.status, problem=gone)
    return show(request, "account/email_verify.html", address=address, token=token)
