"""Files of results: adding one, withdrawing one, and giving it out as what it is and nothing more."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.files import problems, results
from polyclinic.laboratory import selectors
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key, nav, show_order
from polyclinic.web import ratelimit
from polyclinic.web.access import declare
from polyclinic.web.given import given_out


@declare("lab.work")
@require_POST
def attach(request: HttpRequest, lab_test_id: str) -> HttpResponse:
    """Keep a picture or document with a result, after it was looked through and written anew."""
    person, test = person_of(request), key(lab_test_id)
    order_id = selectors.order_of_test(person, test)
    try:
        ratelimit.check("upload", account=person.label)
        given = request.FILES.get("file")
        if given is None:
            raise problems.FileRefused(_("Choose a file first."), code="required", field="file")
        results.attach(actor=person, test_id=test, data=given.read())
    except Problem as problem:
        errors = {f"file-{test}": next(iter(errors_of(problem).values()))}
        return show_order(request, selectors.order(person, order_id), errors, problem.status)
    done(request, _("The file is kept with the result."))
    return see(f"/lab/orders/{order_id}")


@declare("lab.work")
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, lab_file_id: str) -> HttpResponse:
    """Ask why, then withdraw it: nobody beyond the laboratory opens it any more."""
    person, refused = person_of(request), None
    test_id = results.test_of(person, key(lab_file_id))
    order = selectors.order(person, selectors.order_of_test(person, test_id))
    row = next(one for one in results.of_order(person, order.id)[test_id] if one.id == key(lab_file_id))
    if request.method == "POST":
        try:
            results.withdraw(
                actor=person, file_id=row.id, reason=request.POST.get("reason", ""), version=version_of(request)
            )
        except Problem as problem:
            refused = problem
        else:
            done(request, _("The file is withdrawn."))
            return see(f"/lab/orders/{order.id}")
    test = next(one for one in order.tests if one.id == test_id)
    return show(
        request, "lab/withdraw.html", refused.status if refused else 200, row=order, test=test, file=row,
        errors=errors_of(refused) if refused else {}, given=request.POST, nav=nav(request, "worklist"),
    )  # fmt: skip


@declare("signed-in")
@require_GET
def give(request: HttpRequest, lab_file_id: str) -> HttpResponseBase:
    """The content, for whoever may see the result that it stands with: staff, or its patient once released."""
    try:
        content = results.content(person_of(request), key(lab_file_id))
    except FileNotFoundError:
        raise NotFound() from None
    return given_out(key(lab_file_id), content)
