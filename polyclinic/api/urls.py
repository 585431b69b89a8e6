"""Addresses of the API: under /api, the same under /api/v1, and its description. Each goes on after "/api"."""

from __future__ import annotations

from django.urls import include, path

from polyclinic.api import pages
from polyclinic.api.mount import api

_patterns, _app, _name = api.urls

urlpatterns = [
    path("-docs", pages.api_docs, name="api-docs"),
    path("/openapi.json", pages.openapi, name="openapi"),
    path("/v1/", include((_patterns, "api"), namespace="api-v1")),
    path("/", include((_patterns, "api"), namespace="api")),
]
