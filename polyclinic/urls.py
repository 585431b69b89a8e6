"""Every address of the house. Each portal and the API brings its own list."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    # First, for it is asked most often: addresses are tried one after the other.
    path("", include("polyclinic.api.urls")),
    path("", include("polyclinic.portals.public.urls")),
    path("", include("polyclinic.portals.auth.urls")),
    path("", include("polyclinic.portals.patient.urls")),
    path("", include("polyclinic.portals.doctor.urls")),
    path("", include("polyclinic.portals.ui.urls")),
]

handler400 = "polyclinic.web.errors.bad_request"
handler403 = "polyclinic.web.errors.forbidden"
handler404 = "polyclinic.web.errors.not_found"
handler500 = "polyclinic.web.errors.server_error"
