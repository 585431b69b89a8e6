from django.apps import AppConfig


class PapersConfig(AppConfig):
    name = "polyclinic.papers"
    label = "papers"
