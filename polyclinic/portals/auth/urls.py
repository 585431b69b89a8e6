"""Signing in and out, signing up, resetting a password."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.auth import reset, views

urlpatterns = [
    path("sign-in", views.sign_in),
    path("sign-up", views.sign_up),
    path("sign-out", views.sign_out),
    path("home", views.home),
    path("password/reset", reset.ask),
    path("password/reset/sent", reset.sent),
    path("password/reset/<str:account>/<str:token>", reset.choose),
]
