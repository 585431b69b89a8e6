"""Every address of the house. Each portal and the API brings its own list."""

from __future__ import annotations

from django.urls import URLResolver, include, path
from django.urls.resolvers import RoutePattern

urlpatterns = [
    # First, for it is asked most often: addresses are tried one after the other.
    # Named and not included: it is loaded when first asked for, and after the first page by `web.warm`.
    URLResolver(RoutePattern("api"), "polyclinic.api.urls"),
    URLResolver(RoutePattern(".well-known"), "polyclinic.api.wellknown"),
    path("", include("polyclinic.portals.public.urls")),
    path("", include("polyclinic.portals.auth.urls")),
    path("", include("polyclinic.portals.account.urls")),
    path("", include("polyclinic.portals.reminders.urls")),
    path("", include("polyclinic.portals.files.urls")),
    path("", include("polyclinic.portals.patient.urls")),
    path("", include("polyclinic.portals.doctor.urls")),
    path("", include("polyclinic.portals.booking.urls")),
    path("", include("polyclinic.portals.checker.urls")),
    path("", include("polyclinic.portals.consulting.urls")),
    path("", include("polyclinic.portals.lab.urls")),
    path("", include("polyclinic.portals.pharmacy.urls")),
    path("", include("polyclinic.portals.beds.urls")),
    path("", include("polyclinic.portals.analytics.urls")),
    path("", include("polyclinic.portals.nursing.urls")),
    path("", include("polyclinic.portals.papers.urls")),
    path("", include("polyclinic.portals.reception.urls")),
    path("", include("polyclinic.portals.ambulance.urls")),
    path("", include("polyclinic.portals.display.urls")),
    path("", include("polyclinic.portals.ticket.urls")),
    path("", include("polyclinic.portals.records.urls")),
    path("", include("polyclinic.portals.privacy.urls")),
    path("", include("polyclinic.portals.audit.urls")),
    path("", include("polyclinic.portals.cashier.urls")),
    path("", include("polyclinic.portals.admin.urls")),
    path("", include("polyclinic.portals.imports.urls")),
    path("", include("polyclinic.portals.ui.urls")),
]

handler400 = "polyclinic.web.errors.bad_request"
handler403 = "polyclinic.web.errors.forbidden"
handler404 = "polyclinic.web.errors.not_found"
handler500 = "polyclinic.web.errors.server_error"
