"""What anyone may see without signing in."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.public import views

urlpatterns = [
    path("", views.landing),
    path("next-free", views.next_free),
    path("hospitals", views.hospitals),
    path("hospitals/<str:slug>", views.hospital),
    path("doctors", views.doctors),
    path("doctors/<str:doctor_id>", views.doctor),
    path("doctors/<str:doctor_id>/next-free", views.doctor_next_free),
    path("doctors/<str:doctor_id>/days", views.doctor_days),
    path("services", views.services),
    path("emergency", views.emergency),
]
