from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "polyclinic.records"
    label = "records"
