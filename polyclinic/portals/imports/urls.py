"""Lists that are imported and exported."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.imports import exports, views

urlpatterns = [
    path("exports", exports.export),
    path("imports", views.listing),
    path("imports/list", views.rows),
    path("imports/<str:import_id>", views.one),
    path("imports/<str:import_id>/state", views.state),
    path("imports/<str:import_id>/columns", views.columns),
    path("imports/<str:import_id>/apply", views.apply),
    path("imports/<str:import_id>/cancel", views.cancel),
    path("imports/<str:import_id>/errors", views.errors),
]
