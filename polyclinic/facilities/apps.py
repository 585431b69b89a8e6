from django.apps import AppConfig


class FacilitiesConfig(AppConfig):
    name = "polyclinic.facilities"
    label = "facilities"
