"""What anyone may see without signing in."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.public import sos, views

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
    path("emergency", sos.emergency),
    path("emergency/ambulance", sos.ask),
    path("emergency/beds/<str:slug>", sos.beds),
    path("a/<str:call_code>", sos.follow),
    path("a/<str:call_code>/state", sos.follow_state),
    path("a/<str:call_code>/cancel", sos.cancel),
]
