"""Looking up, opening and closing records."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.records import carers, course, glass, views

urlpatterns = [
    path("records", views.find),
    path("records/break-glass", glass.break_glass),
    path("records/carers", carers.appoint),
    path("records/<str:patient_id>", views.record),
    path("records/<str:patient_id>/course", course.course),
    path("records/<str:patient_id>/state", views.state),
    path("records/<str:patient_id>/close", glass.close),
]
