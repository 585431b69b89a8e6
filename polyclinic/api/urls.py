"""Addresses of the API: under /api, the same under /api/v1, and its description."""

from __future__ import annotations

from django.urls import include, path

from polyclinic.api import pages
from polyclinic.api.mount import api

_patterns, _app, _name = api.urls

urlpatterns = [
    path("api-docs", pages.api_docs, name="api-docs"),
    path("api/openapi.json", pages.openapi, name="openapi"),
    path("api/v1/", include((_patterns, "api"), namespace="api-v1")),
    path("api/", include((_patterns, "api"), namespace="api")),
]
