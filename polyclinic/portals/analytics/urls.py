"""Figures for who runs a house, and a doctor's own."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.analytics import views

urlpatterns = [
    path("analytics", views.dashboard),
    path("analytics/now", views.now),
    path("analytics/departments", views.departments),
    path("analytics/doctors", views.doctors),
    path("analytics/day", views.day),
    path("analytics/days.csv", views.days_sheet),
    path("analytics/doctors.csv", views.doctors_sheet),
    path("doctor/figures", views.own),
]
