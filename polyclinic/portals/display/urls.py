"""The screen in a hall."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.display import views

urlpatterns = [
    path("display/<str:code>", views.hall),
    path("display/<str:code>/state", views.state),
]
