from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "polyclinic.api"
    label = "api"
