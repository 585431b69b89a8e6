from django.apps import AppConfig


class PrescribingConfig(AppConfig):
    name = "polyclinic.prescribing"
    label = "prescribing"
