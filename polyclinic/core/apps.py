from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "polyclinic.core"
    label = "core"
