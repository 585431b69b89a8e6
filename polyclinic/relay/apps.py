from django.apps import AppConfig


class RelayConfig(AppConfig):
    name = "polyclinic.relay"
    label = "relay"
