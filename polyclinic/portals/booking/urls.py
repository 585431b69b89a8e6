"""Booking for a patient."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.booking import several, single

urlpatterns = [
    path("bookings/<str:patient_id>", single.choose),
    path("bookings/<str:patient_id>/series", several.plan),
    path("series/<str:series_id>", several.one),
]
