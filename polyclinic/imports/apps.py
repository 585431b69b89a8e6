from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "polyclinic.imports"
    label = "imports"
