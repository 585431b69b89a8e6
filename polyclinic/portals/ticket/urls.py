"""A patient's ticket."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.ticket import views

urlpatterns = [
    path("t/<str:code>", views.ticket),
    path("t/<str:code>/state", views.state),
]
