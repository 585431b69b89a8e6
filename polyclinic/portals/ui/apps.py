from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "polyclinic.portals.ui"
    label = "ui"
