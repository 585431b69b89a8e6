from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "polyclinic.demo"
    label = "demo"
