"""The address of the gallery."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.ui import gallery

urlpatterns = [path("design", gallery.design, name="design")]
