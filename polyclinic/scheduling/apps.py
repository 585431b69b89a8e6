from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "polyclinic.scheduling"
    label = "scheduling"
