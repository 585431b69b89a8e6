from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "polyclinic.live"
    label = "live"
