"""Every address of the house. Each portal and the API brings its own list."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

_LISTS = (
    ("", "polyclinic.portals.public.urls"),
    ("", "polyclinic.portals.auth.urls"),
    ("", "polyclinic.portals.patient.urls"),
    ("", "polyclinic.portals.doctor.urls"),
    ("", "polyclinic.portals.ui.urls"),
    ("", "polyclinic.api.urls"),
)

urlpatterns: list[URLPattern | URLResolver] = [
    path(prefix, include(module)) for prefix, module in _LISTS if find_spec(module) is not None
]

handler400 = "polyclinic.web.errors.bad_request"
handler403 = "polyclinic.web.errors.forbidden"
handler404 = "polyclinic.web.errors.not_found"
handler500 = "polyclinic.web.errors.server_error"
