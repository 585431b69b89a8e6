from django.apps import AppConfig


class PharmacyConfig(AppConfig):
    name = "polyclinic.pharmacy"
    label = "pharmacy"
