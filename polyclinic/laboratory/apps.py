from django.apps import AppConfig


class LaboratoryConfig(AppConfig):
    name = "polyclinic.laboratory"
    label = "laboratory"
