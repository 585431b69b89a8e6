"""The privacy officer's pages."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.privacy import research, retention, views

urlpatterns = [
    path("privacy", views.home),
    path("privacy/waiting", views.waiting),
    path("privacy/openings/<str:access_id>", views.opening),
    path("privacy/openings/<str:access_id>/state", views.opening_state),
    path("privacy/requests/<str:request_id>", views.one),
    path("privacy/restrictions/<str:restriction_id>/lift", views.lift),
    path("privacy/research", research.home),
    path("privacy/retention", retention.home),
    path("privacy/retention/holds", retention.hold),
    path("privacy/retention/holds/<str:legal_hold_id>/lift", retention.lift),
    path("privacy/retention/<str:patient_id>/erase", retention.erase),
]
