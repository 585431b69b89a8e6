"""The auditor's pages, and the patient's "who opened my record"."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.audit import mine, views

urlpatterns = [
    path("audit", views.search),
    path("audit/verified", views.verified),
    path("audit/export", views.export),
    path("audit/<str:entry_id>", views.entry),
    path("my/record/access", mine.accesses),
]
