"""Files: one's photo, and what is given out."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.files import views

urlpatterns = [
    path("account/photo", views.photo),
    path("account/photo/remove", views.remove_photo),
    path("files/<str:file_id>", views.give),
]
